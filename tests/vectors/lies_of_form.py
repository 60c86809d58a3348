"""Lies in the bytes of documents and lists (check `canonical`)."""

from __future__ import annotations

import json

from lies import (  # type: ignore[import-not-found]
    OPEN,
    SCARCE,
    edit,
    lie,
    swap,
    value,
)

edit(
    "re-canonicalised-document",
    OPEN,
    "result.json",
    "canonical",
    "结果被重新排版 · the result was re-saved with spaces",
    lambda data: json.dumps(json.loads(data), indent=1).encode(),
)
edit(
    "trailing-byte",
    OPEN,
    "result.json",
    "canonical",
    "结果末尾多一个换行 · a newline after the result",
    lambda data: data + b"\n",
)
edit(
    "byte-order-mark",
    OPEN,
    "labels.json",
    "canonical",
    "文首有字节序标记 · a byte order mark",
    lambda data: b"\xef\xbb\xbf" + data,
)
edit(
    "duplicate-key",
    OPEN,
    "result.json",
    "canonical",
    "同一键出现两次 · a key twice",
    swap('{"announcement"', '{"announcement":"","announcement"'),
)
edit(
    "key-order",
    OPEN,
    "beacon.json",
    "canonical",
    "键未排序 · keys out of order",
    lambda data: json.dumps(dict(reversed(json.loads(data).items())), separators=(",", ":")).encode(),
)
edit(
    "float-for-an-integer",
    OPEN,
    "result.json",
    "canonical",
    "整数写成小数 · an integer with a decimal point",
    swap('"attempt":0', '"attempt":0.0'),
)
edit(
    "boolean-for-an-integer",
    OPEN,
    "result.json",
    "canonical",
    "以 false 代 0 · false for 0",
    swap('"attempt":0', '"attempt":false'),
)
edit(
    "negative-number",
    OPEN,
    "result.json",
    "canonical",
    "负数 · a negative number",
    swap('"attempt":0', '"attempt":-1'),
)
edit(
    "huge-number",
    OPEN,
    "result.json",
    "canonical",
    "超出精确整数范围 · beyond exact integers",
    swap('"attempt":0', '"attempt":9007199254740992'),
)
edit(
    "leading-zero-in-a-price",
    SCARCE,
    "result.json",
    "canonical",
    "价格有前导零 · a price with a leading zero",
    swap('"days":{"2023-09-05":"', '"days":{"2023-09-05":"0'),
)
edit(
    "escaped-character",
    OPEN,
    "labels.json",
    "canonical",
    "多余的转义 · a needless escape",
    swap("名称", "\\u540d称"),
)
edit(
    "lone-surrogate",
    OPEN,
    "labels.json",
    "canonical",
    "半个代理对 · a lone surrogate",
    swap("名称", "\\ud800"),
)
edit(
    "decomposed-text",
    OPEN,
    "labels.json",
    "canonical",
    "文本不是 NFC · text that is not NFC",
    swap("Name", "Cafe\u0301"),
)
edit(
    "invalid-utf8",
    OPEN,
    "labels.json",
    "canonical",
    "不是 UTF-8 · not UTF-8",
    lambda data: data.replace("名".encode(), b"\xff\xfe"),
)
edit(
    "huge-nesting",
    OPEN,
    "labels.json",
    "canonical",
    "十万层嵌套 · a hundred thousand nested arrays",
    lambda _: b"[" * 100_000,
)
edit(
    "unknown-key",
    OPEN,
    "labels.json",
    "canonical",
    "多出一个键 · an unknown key",
    swap('"rehearsal":true', '"rehearsal":true,"remark":""'),
)
value(
    "missing-key",
    OPEN,
    "statistics.json",
    "canonical",
    "缺一个键 · a key is missing",
    lambda d: d.pop("overlap"),
)
value(
    "null-for-a-list",
    OPEN,
    "result.json",
    "canonical",
    "价格为 null · prices are null",
    lambda d: d.update(prices=None),
)
value(
    "unordered-visits",
    OPEN,
    "result.json",
    "canonical",
    "检查未排序 · visits out of order",
    lambda d: d["visits"].reverse(),
)
value(
    "impossible-date",
    OPEN,
    "result.json",
    "canonical",
    "不存在的日期 · a date that does not exist",
    lambda d: d["visits"][0].update(date="2023-09-31"),
)
value(
    "zero-price",
    SCARCE,
    "result.json",
    "canonical",
    "列出了零价格 · a price of zero is listed",
    lambda d: d["prices"][0]["days"].update({"2023-09-04": "0"}),
)
lie(
    "ratio-not-in-lowest-terms",
    OPEN,
    "canonical",
    "分数未约简 · a ratio not in lowest terms",
    {"announcement": lambda _, a: a["tasks"][0]["items"][0].update(hours="2/2")},
)
lie(
    "control-that-is-not-defined",
    OPEN,
    "canonical",
    "未定义的抽取方式 · control three-way is not defined",
    {"announcement": lambda _, a: a["tasks"][0].update(control="three-way")},
)
lie(
    "draw-of-another-authority",
    OPEN,
    "canonical",
    "抽取编号不属于该机关 · the draw's id is another authority's",
    {"announcement": lambda _, a: a.update(authority="other")},
)
lie(
    "open-draw-with-sealed-rates",
    OPEN,
    "canonical",
    "公开抽取隐去小层 · small strata only counted in an open draw",
    {"announcement": lambda _, a: a["rates"][0].update(small=1)},
)
edit(
    "missing-last-newline",
    OPEN,
    "roster.jsonl",
    "canonical",
    "名单末行无换行 · no newline after the last row",
    lambda data: data[:-1],
)
edit("blank-row", OPEN, "frame.jsonl", "canonical", "名单中有空行 · a blank row", lambda data: data + b"\n")
edit(
    "carriage-return-in-seed",
    OPEN,
    "seed.txt",
    "seed",
    "种子文本换行为 CRLF · CRLF in the seed's statement",
    lambda data: data.replace(b"\n", b"\r\n"),
)
edit(
    "unsorted-list",
    OPEN,
    "frame.jsonl",
    "canonical",
    "名单未排序 · rows out of order",
    lambda data: b"".join(reversed(data.splitlines(keepends=True))),
)
edit(
    "absence-outside-days",
    OPEN,
    "roster.jsonl",
    "canonical",
    "缺勤日不在日期表中 · an absence outside the days",
    swap('"absent":[]', '"absent":["2023-09-30"]'),
)
edit(
    "shadow-document",
    OPEN,
    "result-final.json",
    "canonical",
    "另有一份“结果” · a second result beside the first",
    lambda _: b"{}",
)

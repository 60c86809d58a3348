"""Lies about signatures, randomness, seed, announcement and lists."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from lies import (  # type: ignore[import-not-found]
    OPEN,
    OTHER_ROUND,
    PARTS,
    SCARCE,
    SEALED,
    change,
    edit,
    lie,
    remove,
    swap,
    value,
)

# --- signatures, contributions, beacon, seed

lie(
    "foreign-signature",
    OPEN,
    "signatures",
    "他人的签名 · another party's signature",
    {"announcement": lambda _, a: a["contributions"][0].update(signature=a["contributions"][1]["signature"])},
)
lie(
    "foreign-key",
    OPEN,
    "signatures",
    "他人的公钥 · another party's key",
    {"announcement": lambda _, a: a["contributions"][0].update(key=a["contributions"][1]["key"])},
)


def line(number: int, text: Callable[[str], str]) -> Callable[[Any, list[str]], None]:
    def tell(_built: Any, lines: list[str]) -> None:
        lines[number] = text(lines[number])

    return tell


lie(
    "withheld-nonce-called-revealed",
    OPEN,
    "contributions",
    "未公开者谎称已公开 · a withheld nonce is called revealed",
    {"statement": line(5, lambda s: s.replace("withheld", "revealed"))},
)
lie(
    "wrong-nonce",
    OPEN,
    "contributions",
    "公开的数与承诺不符 · a nonce that was not committed",
    {"statement": line(4, lambda s: s.replace("a1a1", "a1a2", 1))},
)
lie(
    "foreign-commitment",
    OPEN,
    "contributions",
    "未公开者的承诺被替换 · the withheld commitment was replaced",
    {"statement": line(5, lambda s: s[:-4] + ("0000" if s[-4:] != "0000" else "1111"))},
)
lie(
    "omitted-contribution",
    OPEN,
    "seed",
    "漏掉一方 · a party is left out",
    {"statement": lambda _, lines: lines[:-1]},
)
lie(
    "reordered-contributions",
    OPEN,
    "seed",
    "各方次序被调换 · parties in another order",
    {"statement": lambda _, lines: [*lines[:4], lines[5], lines[4]]},
)
lie(
    "seed-of-another-announcement",
    OPEN,
    "seed",
    "种子绑定另一公告 · the seed binds another announcement",
    {"statement": line(1, lambda s: s[:-4] + "0000")},
)
lie(
    "seed-of-another-round",
    OPEN,
    "seed",
    "种子用另一轮 · the seed uses another round",
    {"statement": line(2, lambda s: s.replace("1000", "1001"))},
)
value(
    "seed-from-nowhere",
    OPEN,
    "result.json",
    "seed",
    "结果的种子不是该文本的散列 · the seed is not the statement's hash",
    lambda d: d.update(seed="0" * 64),
)
change(
    "identity-point",
    OPEN,
    "beacon",
    "签名为单位元 · the identity point as signature",
    lambda c: {"evidence": {"signature": "c0" + "00" * 47}},
)
change(
    "signature-of-the-next-round",
    OPEN,
    "beacon",
    "把下一轮的签名当作本轮 · the next round's signature",
    lambda c: {"evidence": {"signature": OTHER_ROUND}},
)
change(
    "signature-that-is-no-point",
    OPEN,
    "beacon",
    "签名不是曲线上的点 · a signature that is no point",
    lambda c: {"evidence": {"signature": "8f" * 48}},
)
change(
    "signature-outside-the-subgroup",
    OPEN,
    "beacon",
    "签名点不在子群中 · a point outside the subgroup",
    lambda c: {"evidence": {"signature": "80" + "00" * 46 + "04"}},
)
lie(
    "randomness-not-of-the-signature",
    OPEN,
    "beacon",
    "随机数不是签名的散列 · the randomness is not the signature's hash",
    {"beacon": lambda _, b: b.update(randomness="1" * 64)},
)
lie(
    "beacon-of-another-round",
    OPEN,
    "beacon",
    "信标是另一轮 · the beacon is of another round",
    {"beacon": lambda _, b: b.update(round="1001")},
)
lie(
    "edited-keystring",
    PARTS,
    "beacon",
    "号码串被改 · the key string was edited",
    {"beacon": lambda _, b: b.update(keystring="5.12.33.40.41.3./")},
)
lie(
    "evidence-for-local-randomness",
    SCARCE,
    "beacon",
    "本地随机数却附签名 · local randomness with a signature",
    {"beacon": lambda _, b: b.update(signature="00")},
)

# --- announcement

lie(
    "changed-quota",
    OPEN,
    "announcement",
    "改了一层的期望数 · a stratum's quota was changed",
    {"announcement": lambda _, a: a["tasks"][0]["strata"][0].update(expected="1/2")},
)
lie(
    "changed-total",
    OPEN,
    "announcement",
    "改了任务总数 · a task's total was changed",
    {"announcement": lambda _, a: a["tasks"][0].update(total="4/1")},
)
lie(
    "changed-size",
    OPEN,
    "announcement",
    "层大小与抽样框不符 · a stratum's size is not the frame's",
    {"announcement": lambda _, a: a["tasks"][0]["strata"][0].update(size=99)},
)
lie(
    "flattered-rates",
    OPEN,
    "announcement",
    "虚报最小抽中概率 · the least inclusion probability is flattered",
    {"announcement": lambda _, a: a["rates"][0].update(least="1/3")},
)
lie(
    "hidden-small-stratum",
    OPEN,
    "announcement",
    "隐去必抽的小层 · a stratum drawn for certain is not listed",
    {"announcement": lambda _, a: a["rates"][0].update(small=["Q"])},
)
lie(
    "one-seat-crews",
    OPEN,
    "announcement",
    "检查组只有一席 · crews of one seat",
    {"announcement": lambda _, a: a["crews"][0].update(seats=[["leader"]])},
)
lie(
    "beacon-time-moved",
    OPEN,
    "announcement",
    "信标时刻与轮次不符 · the beacon's time is not its round's",
    {
        "announcement": lambda _, a: (
            a["beacon"].update(time="2023-08-23T15:59:27Z"),
            a["deadlines"].update(reveal="2023-08-23T15:00:00Z"),
        )[0]
    },
)
lie(
    "nonces-due-after-the-round",
    OPEN,
    "announcement",
    "公开期限晚于信标 · nonces may be revealed after the round",
    {"announcement": lambda _, a: a["deadlines"].update(reveal="2023-08-24T00:00:00Z")},
)
lie(
    "day-outside-the-period",
    OPEN,
    "announcement",
    "日期不在期间内 · a day outside the period",
    {"announcement": lambda _, a: a["days"].append("2023-10-09")},
)
lie(
    "followers-in-a-chain",
    OPEN,
    "announcement",
    "跟随任务跟随另一跟随任务 · a task follows a follower",
    {"announcement": lambda _, a: a["tasks"][2].update(lead="t3f")},
)
lie(
    "unknown-drand-chain",
    OPEN,
    "announcement",
    "未知的 drand 链 · an unknown drand chain",
    {"announcement": lambda _, a: a["beacon"].update(source="ab" * 32)},
)
lie(
    "crews-without-tasks",
    OPEN,
    "announcement",
    "无任务部门也有席位 · crews of a department without tasks",
    {"announcement": lambda _, a: a["crews"].append({"department": "zoo", "seats": [[], []]})},
)
change(
    "more-than-the-stratum",
    OPEN,
    "announcement",
    "期望超过层大小 · more expected than there are",
    lambda c: {"strata": c.strata | {"t2": [c.strata["t2"][0] | {"expected": "9/1"}, *c.strata["t2"][1:]]}},
)
change(
    "fraction-in-a-sealed-draw",
    SEALED,
    "announcement",
    "密封抽取的期望不是整数 · a fractional quota in a sealed draw",
    lambda c: {
        "strata": c.strata
        | {"t1": [s | {"expected": e} for s, e in zip(c.strata["t1"], ("1/2", "3/2", "3"), strict=True)]}
    },
    auditor=True,
)
lie(
    "sealed-total-changed",
    SEALED,
    "announcement",
    "密封抽取的总数被改 · a sealed total was changed",
    {"announcement": lambda _, a: a["tasks"][0].update(total="6/1")},
    auditor=True,
)
lie(
    "sealed-rates-changed",
    SEALED,
    "announcement",
    "密封抽取的比率被改 · sealed rates were changed",
    {"announcement": lambda _, a: a["rates"][0].update(greatest="1/1")},
    auditor=True,
)

# --- lists

edit(
    "added-list-row",
    OPEN,
    "frame.jsonl",
    "lists",
    "抽样框多出一户 · a row added to the frame",
    lambda data: data + data.splitlines()[-1].replace(b'"id":"E18"', b'"id":"E19"') + b"\n",
)
edit(
    "removed-list-row",
    OPEN,
    "roster.jsonl",
    "lists",
    "名录少了一人 · a row removed from the roster",
    lambda data: data[data.index(b"\n") + 1 :],
)
edit(
    "changed-list-row",
    OPEN,
    "roster.jsonl",
    "lists",
    "名录中改了上限 · a cap changed in the roster",
    swap('"daily":2', '"daily":3'),
)
remove("missing-list", OPEN, "recusals.jsonl", "lists", "没有回避名单 · the recusals are missing")
lie(
    "recusal-of-a-stranger",
    OPEN,
    "lists",
    "回避涉及不存在的人 · a recusal of nobody",
    {"recusals": lambda _, r: r.append(["zz", "E05", "kin"])},
)
lie(
    "recusal-from-nothing",
    OPEN,
    "lists",
    "回避涉及不存在的企业 · a recusal from no enterprise",
    {"recusals": lambda _, r: r.append(["a1", "E99", "kin"])},
)
lie(
    "person-of-an-idle-department",
    OPEN,
    "lists",
    "人员属于无任务部门 · a person of a department without tasks",
    {"roster": lambda _, r: r["a4"].update(department="zoo")},
)
lie(
    "inspector-who-is-an-enterprise",
    OPEN,
    "lists",
    "同一标识既是人又是企业 · an id in both frame and roster",
    {"roster": lambda _, r: r.update(E01=r.pop("a4"))},
)
lie(
    "twins-in-letter-case",
    OPEN,
    "lists",
    "仅大小写不同的标识 · ids that differ in letter case",
    {"frame": lambda _, f: f.update(e01=f["E01"])},
)
change(
    "invalid-credit-code",
    OPEN,
    "lists",
    "无效的统一社会信用代码 · invalid unified social credit codes",
    lambda c: {"announcement": {"enterprise_ids": "uscc"}},
)
edit(
    "opening-of-another-content",
    SEALED,
    "auditor/openings/frame.jsonl",
    "lists",
    "启封内容与密封不符 · an opening does not match its seal",
    swap('"district":"d2"', '"district":"d1"'),
    auditor=True,
)
edit(
    "foreign-list-secret",
    SEALED,
    "auditor/list-secret",
    "lists",
    "盐不出自列表密钥 · salts not from the list secret",
    lambda data: b"ff" * 32 + b"\n",
    auditor=True,
)
edit(
    "withheld-openings",
    SEALED,
    "auditor/openings/recusals.jsonl",
    "lists",
    "审计材料缺回避启封 · an opening is withheld from the auditor",
    lambda data: data[data.index(b"\n") + 1 :],
    auditor=True,
)
lie(
    "one-person-two-pseudonyms",
    SEALED,
    "lists",
    "一人两个化名 · one person under two pseudonyms",
    {"roster": lambda _, r: r["a5"].update(person="P001")},
    auditor=True,
)
change(
    "stratum-that-was-not-announced",
    SEALED,
    "lists",
    "企业属于未公告的层 · an enterprise in no announced stratum",
    lambda c: {"frame": c.frame | {"E18": c.frame["E18"] | {"strata": {"t1": "Z"}}}},
    auditor=True,
)
edit(
    "early-opening-of-another-visit",
    "sealed-embargo-crews",
    "openings.jsonl",
    "lists",
    "启封的检查不是密封的那次 · an opened visit is not the sealed one",
    swap('"date":"2023-09-0', '"date":"2023-09-1'),
)

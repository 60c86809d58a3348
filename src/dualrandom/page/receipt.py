"""A receipt as a page for people: what was found, and every step of it to redo by hand (docs/protocol.md §14)."""

from __future__ import annotations

import hashlib
import shlex
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from dualrandom.canonical import canonical
from dualrandom.hashing import Digest, leaf_hash, seal, suite_digest
from dualrandom.page.markup import Both, Html, code, join, page, paragraph, row, table, tag
from dualrandom.page.style import POLICY, STYLE

TOOLS = {"sha256": "sha256sum", "sm3": "openssl dgst -sm3"}
VERDICTS = {
    "PASS": Both("通过：与规则相符", "PASS: as the rules say"),
    "FAIL": Both("不通过：与规则不符", "FAIL: not as the rules say"),
    "NOT CHECKED": Both("未能核验", "NOT CHECKED"),
}


class Outcome(Protocol):
    """What a check said."""

    @property
    def status(self) -> str:
        """PASS, FAIL or NOT CHECKED."""

    @property
    def reason_zh(self) -> str:
        """The reason in Chinese."""

    @property
    def reason_en(self) -> str:
        """The reason in English."""


@dataclass(frozen=True, slots=True)
class Step:
    """One calculation: what it is, the command line, and the 64 hex digits that it must give."""

    title: Both
    command: str
    expected: str


def steps(receipt: Mapping[str, Any], suite: str, seed: str | None) -> tuple[Step, ...]:
    """Return every calculation of a receipt, in the order in which a reader makes them. ``seed``: None before the draw.

    Each row has its list's ``size`` beside the fields of §14.
    """
    return tuple(_steps(receipt, suite, seed))


def _steps(receipt: Mapping[str, Any], suite: str, seed: str | None) -> Iterator[Step]:
    digest, tool = suite_digest(suite), TOOLS[suite]
    for entry in receipt["rows"]:
        name = f"{entry['list']} {entry['row']['id']}"
        if entry["opening"] is not None:
            yield _seal(entry, name, tool, digest)
        if entry["list"] == "frame" and seed is not None:
            yield _ticket(receipt["subject"]["id"], entry, seed, tool, digest)
        yield from _path(entry, name, tool, digest)


def _seal(entry: Mapping[str, Any], name: str, tool: str, digest: Digest) -> Step:
    opening = entry["opening"]
    hidden = canonical(opening["hidden"]).decode()
    command = f"printf '%s\\n%s\\n%s' dualrandom/v1/sealed {opening['salt']} {shlex.quote(hidden)} | {tool}"
    return Step(
        Both(f"{name}：封存值", f"{name}: its seal"),
        command,
        seal(opening["hidden"], opening["salt"], digest),
    )


def _ticket(subject: str, entry: Mapping[str, Any], seed: str, tool: str, digest: Digest) -> Step:
    key = subject if entry["opening"] is None else f"{subject}:{entry['opening']['salt']}"
    text = f"{seed}:enterprise:{key}"
    return Step(
        Both("签号", "the ticket"), f"printf '%s' {shlex.quote(text)} | {tool}", digest(text.encode()).hex()
    )


def _path(entry: Mapping[str, Any], name: str, tool: str, digest: Digest) -> Iterator[Step]:
    """Yield the leaf and each node on the way to the root; the last result is the committed root."""
    data = canonical(entry["row"])
    value = leaf_hash(data, digest)
    yield Step(
        Both(f"{name}：叶", f"{name}: the leaf"),
        f"printf '\\000%s' {shlex.quote(data.decode())} | {tool}",
        value.hex(),
    )
    for number, (left, right) in enumerate(_pairs(entry, value, digest), start=1):
        value = digest(b"\x01" + left + right)
        yield Step(
            Both(f"{name}：第 {number} 级", f"{name}: node {number}"),
            f"{{ printf '\\001'; printf '%s' {left.hex()}{right.hex()} | xxd -r -p; }} | {tool}",
            value.hex(),
        )


def _pairs(entry: Mapping[str, Any], leaf: bytes, digest: Digest) -> Iterator[tuple[bytes, bytes]]:
    """Yield (left, right) of each node of the path."""
    place, last, value = entry["index"], entry["size"] - 1, leaf
    for step in entry["proof"]:
        sibling = bytes.fromhex(step)
        pair = (sibling, value) if place % 2 or place == last else (value, sibling)
        if pair[0] is sibling:
            while place and not place % 2:
                place, last = place // 2, last // 2
        value = digest(b"\x01" + pair[0] + pair[1])
        place, last = place // 2, last // 2
        yield pair


def receipt_page(
    receipt: Mapping[str, Any],
    data: bytes,
    announcement: Mapping[str, Any],
    seed: str | None,
    check: Outcome,
    sizes: Mapping[str, int],
    labels: Mapping[str, Any],
) -> bytes:
    """Return the page as UTF-8 bytes: no scripts, nothing loaded from elsewhere.

    ``sizes``: rows of each list; ``labels``: ``labels.json``, for the names of tasks and of the authority.
    """
    sized = {**receipt, "rows": [{**entry, "size": sizes[entry["list"]]} for entry in receipt["rows"]]}
    subject, title = receipt["subject"], Both("回执", "Receipt")
    verdict = VERDICTS[check.status]
    body = join(
        tag(
            "header",
            tag("h1", title),
            tag("p", join(_name(labels["authority"]), " ", code(announcement["draw"]))),
        ),
        tag(
            "main",
            tag("h2", Both("结论", "What was found")),
            tag("p", tag("strong", verdict)),
            paragraph(check.reason_zh, check.reason_en),
            _tasks(receipt, announcement, labels),
            _identity(receipt, data, subject),
            tag("h2", Both("亲手核算", "Redo it by hand")),
            paragraph(
                "每条命令应给出其下的 64 位十六进制数。每行最后一级即公告或结果所承诺的根；签号须与公布的签号比较。",
                "Each command must give the 64 hex digits below it. The last node of each row is the root to which announcement "
                "or result commit; the ticket is compared with the published ones.",
            ),
            join(*map(_step, steps(sized, announcement["suite"], seed))),
            tag("h2", Both("用程序核验", "Check it with a program")),
            tag("pre", code("dualrandom verify PUBLIC_DIR --receipt RECEIPT.json")),
            paragraph(
                "或打开 verify.html，把公布目录和回执文件一起放进去：无须安装，也无须联网。",
                "Or open verify.html and drop the published folder and the receipt's file on it: nothing to install, no network.",
            ),
            tag("h2", Both("请妥善保管", "Keep it to yourself")),
            _caution(subject["kind"]),
        ),
    )
    return page(title, "zh", STYLE, POLICY, body)


def _tasks(receipt: Mapping[str, Any], announcement: Mapping[str, Any], labels: Mapping[str, Any]) -> Html:
    """Return the names of the tasks in whose scope an enterprise is, with its stratum: the verdict has their ids."""
    strata = _strata(receipt, announcement)
    if not strata:
        return Html("")
    head = (Both("任务", "task"), Both("名称", "name"), Both("所在的层", "stratum"))
    names = labels["tasks"]
    rows = (
        row(code(task), _name(names[task]) if task in names else "–", code(stratum))
        for task, stratum in sorted(strata.items())
    )
    return table(head, rows)


def _strata(receipt: Mapping[str, Any], announcement: Mapping[str, Any]) -> Mapping[str, str]:
    for entry in receipt["rows"]:
        if entry["list"] != "frame":
            continue
        if entry["opening"] is not None:
            sealed: Mapping[str, str] = entry["opening"]["hidden"]["strata"]
            return sealed
        profiles = {profile["id"]: profile["strata"] for profile in announcement["profiles"]}
        found: Mapping[str, str] = profiles[entry["row"]["detail"]["profile"]]
        return found
    return {}


def _name(words: Mapping[str, str]) -> Both:
    return Both(words["zh"], words["en"])


def _identity(receipt: Mapping[str, Any], data: bytes, subject: Mapping[str, str]) -> Html:
    whose = {"enterprise": Both("检查对象", "enterprise"), "inspector": Both("检查人员", "inspector")}
    rows = (
        row(whose[subject["kind"]], code(subject["id"])),
        row(Both("公告摘要", "digest of the announcement"), code(receipt["announcement"])),
        row(
            Both("本回执文件的 SHA-256", "SHA-256 of the receipt's file"),
            code(hashlib.sha256(data).hexdigest()),
        ),
    )
    return table((Both("项目", "what"), Both("值", "value")), rows)


def _step(step: Step) -> Html:
    return join(
        tag("p", step.title), tag("pre", code(step.command)), tag("pre", code(step.expected), class_="out")
    )


def _caution(kind: str) -> Html:
    if kind == "enterprise":
        return paragraph(
            "回执含有本企业的盐、所在的层（可能写明信用分类）和同层被抽中者的签号（不含其名称）。谁得到它，就能知道这些。",
            "A receipt holds this enterprise's salt, its strata (which may name its credit class) and the tickets of those drawn in "
            "them, without their names. Whoever gets it knows that.",
        )
    return paragraph(
        "回执说明名录中的化名是本人，以及与本人有关的回避。谁得到它，就能知道这些。",
        "A receipt tells which pseudonym this inspector is, and the recusals that name them. Whoever gets it knows that.",
    )

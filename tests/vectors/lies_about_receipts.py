"""Lies in receipts and attestations, and lies in the record that a receipt finds (docs/protocol.md §14, §15)."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import cases  # type: ignore[import-not-found]
import logged  # type: ignore[import-not-found]
import reference_receipts as receipts  # type: ignore[import-not-found]
from lies import (  # type: ignore[import-not-found]
    OPEN,
    SEALED,
    Json,
    add,
    change,
    edit,
    jcs,
    lie,
    value,
)

ATTESTED = "sealed-attested"


def of_receipt(
    name: str, about: str, tell: Callable[[Json], Any], receipt: str = "drawn", base: str = SEALED
) -> None:
    """One value of a receipt is changed."""
    value(name, base, f"receipts/{receipt}.json", "receipt", about, tell, receipt=receipt)


def rows(document: Json, name: str) -> list[Json]:
    return [row for row in document["rows"] if row["list"] == name]


def frame(document: Json) -> Json:
    return rows(document, "frame")[0]


def flipped(text: str) -> str:
    return ("1" if text[0] == "0" else "0") + text[1:]


# --- openings, paths and rows

of_receipt(
    "receipt-with-another-district",
    "启封的区划与密封值不符 · an opening that does not match its seal",
    lambda d: frame(d)["opening"]["hidden"].update(district="d2"),
)
of_receipt(
    "receipt-with-another-stratum",
    "启封改为另一层 · an opening that names another stratum",
    lambda d: frame(d)["opening"]["hidden"]["strata"].update(t1="A"),
)
of_receipt(
    "receipt-with-a-wrong-salt",
    "盐值不对 · a wrong salt",
    lambda d: frame(d)["opening"].update(salt=flipped(frame(d)["opening"]["salt"])),
)


def swap_openings(document: Json) -> None:
    one, two = rows(document, "strata")
    one["opening"], two["opening"] = two["opening"], one["opening"]


def swap_hidden(document: Json) -> None:
    one, two = (row["opening"] for row in rows(document, "strata"))
    one["hidden"], two["hidden"] = two["hidden"], one["hidden"]


of_receipt(
    "receipt-with-swapped-openings", "两行的启封互换 · the openings of two rows exchanged", swap_openings
)
of_receipt(
    "receipt-with-swapped-contents", "两行的内容互换 · the contents of two rows exchanged", swap_hidden
)
of_receipt(
    "receipt-with-a-flipped-path",
    "包含证明被改一位 · one digit of a proof was changed",
    lambda d: frame(d)["proof"].__setitem__(1, flipped(frame(d)["proof"][1])),
)
of_receipt(
    "receipt-with-a-short-path", "包含证明少一步 · a proof lacks a step", lambda d: frame(d)["proof"].pop()
)
of_receipt(
    "receipt-with-a-long-path",
    "包含证明多一步 · a proof has a step too many",
    lambda d: frame(d)["proof"].append("0" * 64),
)
of_receipt(
    "receipt-with-a-reversed-path",
    "包含证明次序颠倒 · a proof from the root downwards",
    lambda d: frame(d)["proof"].reverse(),
)
of_receipt(
    "receipt-from-another-place",
    "行号不对 · another place in the list",
    lambda d: frame(d).update(index=frame(d)["index"] + 1),
)
of_receipt(
    "receipt-from-beyond-the-list",
    "行号超出名录 · a place beyond the list",
    lambda d: frame(d).update(index=10**6),
)
of_receipt(
    "receipt-with-an-altered-row",
    "名录行被改 · a row was altered",
    lambda d: rows(d, "roster")[0]["row"]["detail"].update(daily=9),
    "inspector",
)
of_receipt(
    "receipt-of-another-announcement",
    "回执属于另一公告 · the receipt of another announcement",
    lambda d: d.update(announcement="0" * 64),
)
of_receipt(
    "receipt-of-another-draw",
    "回执属于另一抽取 · the receipt of another draw",
    lambda d: d.update(draw="test-2023-000002"),
)
of_receipt(
    "receipt-for-somebody-else",
    "名录行不是该企业的 · the frame row of somebody else",
    lambda d: d["subject"].update(id="E07"),
)
of_receipt(
    "receipt-of-another-kind",
    "企业的回执称作人员的 · an enterprise's receipt called an inspector's",
    lambda d: d["subject"].update(kind="inspector"),
)
of_receipt(
    "receipt-without-its-row", "缺抽样框行 · the frame row is missing", lambda d: d["rows"].remove(frame(d))
)
of_receipt(
    "receipt-without-cutoffs",
    "缺一层的分界 · the cutoffs of a stratum are missing",
    lambda d: d["rows"].remove(rows(d, "cutoffs")[1]),
)
of_receipt(
    "receipt-without-a-stratum",
    "缺一层 · a stratum is missing",
    lambda d: d["rows"].remove(rows(d, "strata")[0]),
)
of_receipt(
    "receipt-that-hides-a-task",
    "隐去一个任务 · a task is hidden with all its rows",
    lambda d: (d["rows"].remove(rows(d, "cutoffs")[0]), d["rows"].remove(rows(d, "strata")[0])),
)
of_receipt(
    "receipt-with-a-row-twice", "一行重复 · a row stands twice", lambda d: d["rows"].append(d["rows"][-1])
)
of_receipt("receipt-out-of-order", "行序不对 · rows out of order", lambda d: d["rows"].reverse())
of_receipt(
    "receipt-with-a-remark", "回执有多余的键 · a receipt with an unknown key", lambda d: d.update(remark="")
)
of_receipt(
    "receipt-of-no-version",
    "回执类型不明 · a receipt of an unknown type",
    lambda d: d.update(type="dualrandom/v2/receipt"),
)
of_receipt(
    "receipt-without-an-opening",
    "密封行没有启封 · a sealed row without its opening",
    lambda d: frame(d).update(opening=None),
)
of_receipt(
    "receipt-with-a-needless-opening",
    "公开抽取的回执带有启封 · an opening in an open draw",
    lambda d: frame(d).update(opening={"hidden": {}, "id": "E07", "list": "frame", "salt": "0" * 64}),
    base=OPEN,
)
edit(
    "receipt-with-spaces",
    OPEN,
    "receipts/drawn.json",
    "receipt",
    "回执不是规范字节 · a receipt that is not canonical",
    lambda data: data.replace(b":", b": ", 1),
    receipt="drawn",
)
edit(
    "receipt-with-a-tail",
    OPEN,
    "receipts/drawn.json",
    "receipt",
    "回执末尾有多余字节 · a receipt with a trailing byte",
    lambda data: data + b"\n",
    receipt="drawn",
)


def exchanged(name: str, about: str, receipt: str, other: str, tell: Callable[[Json, Json], Any]) -> None:
    """A receipt that takes something from another honest receipt of the record."""

    def make(files: Any, _build: Any) -> Any:
        key = f"receipts/{receipt}.json"
        document, foreign = json.loads(files[key]), json.loads(files[f"receipts/{other}.json"])
        tell(document, foreign)
        document["rows"].sort(key=lambda row: (row["list"], row["index"]))
        return files | {key: jcs(document)}

    add(name, SEALED, "receipt", about, make, receipt=receipt)


exchanged(
    "receipt-with-a-foreign-stratum",
    "混入别人的层 · rows of a stratum that is not its own",
    "empty-stratum",
    "drawn",
    lambda d, other: d["rows"].extend(rows(other, "strata")[:1] + rows(other, "cutoffs")[:1]),
)
exchanged(
    "receipt-with-two-subjects",
    "混入另一企业 · the row of a second enterprise",
    "drawn",
    "missed",
    lambda d, other: d["rows"].extend(rows(other, "frame")),
)
exchanged(
    "receipt-with-recusals-in-it",
    "企业的回执含回避 · recusals in an enterprise's receipt",
    "drawn",
    "inspector",
    lambda d, other: d["rows"].extend(rows(other, "recusals")),
)

# --- what an honest receipt finds in a false record


def instead(_built: Any, selected: Json) -> None:
    """E05 is drawn in the place of E02, which is of the same stratum and whose ticket is smaller."""
    selected["t1"][selected["t1"].index("E02")] = "E05"


def cutoffs_instead(built: Any, listed: Json) -> None:
    """The committed tickets agree with it."""
    tell = {key: built.ticket("enterprise", built.keys[key]) for key in ("E02", "E05")}
    row = listed[built.cells.index(("t1", "C"))]
    row["tickets"] = sorted(tell["E05"] if one == tell["E02"] else one for one in row["tickets"])


def of_record(
    name: str, about: str, lies: Any, receipt: str = "drawn", base: str = SEALED, **more: Any
) -> None:
    lie(name, base, "receipt", about, lies, receipt=receipt, **more)


of_record("passed-over", "跳过一户 · an enterprise was passed over", {"selection": instead})
of_record(
    "passed-over-and-covered-up",
    "跳过一户，分界也随之改动 · an enterprise was passed over, and the cut-offs say so too",
    {"selection": instead, "cutoffs": cutoffs_instead},
)
of_record(
    "drawn-out-of-turn", "多带一户 · an enterprise was drawn out of turn", {"selection": instead}, "missed"
)
of_record(
    "cutoffs-of-too-few",
    "分界少一个签号 · the committed tickets are fewer than n",
    {
        "cutoffs": lambda built, listed: listed[built.cells.index(("t1", "C"))].update(
            tickets=listed[2]["tickets"][:2]
        )
    },
)
of_record(
    "cutoffs-of-too-many",
    "分界多一户 · the committed size is not the announced one",
    {
        "cutoffs": lambda built, listed: listed[built.cells.index(("t1", "C"))].update(
            n=4, tickets=sorted([*listed[2]["tickets"], "f" * 64])
        )
    },
)
of_record(
    "cutoffs-with-an-invented-ticket",
    "分界的签号不在公布之列 · a committed ticket that the result does not publish",
    {
        "cutoffs": lambda built, listed: listed[built.cells.index(("t1", "C"))]["tickets"].__setitem__(
            2, "f" * 64
        )
    },
)
of_record(
    "cutoffs-of-a-stratum-with-nobody",
    "不抽的层写有签号 · a ticket in a stratum that draws nobody",
    {"cutoffs": lambda built, listed: listed[built.cells.index(("t2", "A"))].update(tickets=["0" * 64])},
    "empty-stratum",
)
value(
    "open-cutoff-lowered",
    OPEN,
    "result.json",
    "receipt",
    "公开抽取的分界被改小 · a cut-off of an open draw was lowered",
    lambda d: next(one for one in d["selection"][0]["strata"] if one["id"] == "B").update(cutoff="0" * 64),
    receipt="drawn",
)
value(
    "open-cutoff-raised",
    OPEN,
    "result.json",
    "receipt",
    "公开抽取的分界被改大 · a cut-off of an open draw was raised",
    lambda d: next(one for one in d["selection"][0]["strata"] if one["id"] == "C").update(cutoff="f" * 64),
    receipt="missed",
)
value(
    "open-list-without-it",
    OPEN,
    "result.json",
    "receipt",
    "抽中名单漏掉该企业 · the list of those drawn lacks the enterprise",
    lambda d: d["selection"][0]["selected"].remove("E07"),
    receipt="drawn",
)


def without(enterprise: str) -> Callable[[Any, Json], None]:
    """The enterprise is drawn by no task, and so it is not visited."""

    def tell(_built: Any, selected: Json) -> None:
        for members in selected.values():
            if enterprise in members:
                members.remove(enterprise)

    return tell


def cutoff_below(enterprise: str) -> Callable[[Any, Json], None]:
    """In its strata the cut-off is that of the member before it, or none where there is no such member."""

    def tell(built: Any, result: Json) -> None:
        for selection in result["selection"]:
            for stratum in selection["strata"] or ():
                members = built.drawn[selection["task"], stratum["id"]]
                if enterprise in members:
                    before = members[: members.index(enterprise)]
                    stratum["cutoff"] = built.ticket("enterprise", before[-1]) if before else None

    return tell


of_record(
    "last-of-a-whole-stratum-passed-over",
    "应全抽的层漏掉最后一户，分界随之改小 · the last of a stratum that draws everybody is left out, and the cut-off is lowered to the one before",
    {"selection": without("E04"), "result": cutoff_below("E04")},
    base="open-conspicuous",
)
of_record(
    "cutoff-withheld",
    "抽了企业的层不公布分界 · a stratum that draws somebody shows no cut-off",
    {"selection": without("E07"), "result": cutoff_below("E07")},
    base=OPEN,
)


def lost_check(document: Json) -> None:
    visit = next(one for one in document["visits"] if one["enterprise"] == "E07")
    visit["checks"].pop()


def moved(document: Json) -> None:
    visit = next(one for one in document["visits"] if one["enterprise"] == "E07")
    visit["district"] = "d1" if visit["district"] == "d2" else "d2"


value(
    "check-lost-on-the-way",
    OPEN,
    "result.json",
    "receipt",
    "检查少了一个任务 · a visit lacks a task that drew the enterprise",
    lost_check,
    receipt="drawn",
)
value(
    "visit-in-another-district",
    OPEN,
    "result.json",
    "receipt",
    "检查写在另一区划 · a visit names another district",
    moved,
    receipt="drawn",
)


def fire_at(document: Json, enterprise: str) -> Json:
    visit = next(one for one in document["visits"] if one["enterprise"] == enterprise)
    return next(crew for crew in visit["crews"] if crew["department"] == "fire")


value(
    "seated-in-spite-of-a-recusal",
    OPEN,
    "result.json",
    "receipt",
    "应回避者在检查组中 · an inspector sits where a recusal of his says no",
    lambda d: fire_at(d, "E02").update(seats=["f1", *fire_at(d, "E02")["seats"][1:]]),
    receipt="recused",
)
value(
    "barred-without-a-recusal",
    OPEN,
    "result.json",
    "receipt",
    "无回避却列为回避 · an inspector whom no recusal keeps away is barred",
    lambda d: fire_at(d, "E07").update(barred=sorted([*fire_at(d, "E07")["barred"], "f4"])),
    receipt="free",
)
of_receipt(
    "receipt-of-another-inspector",
    "名录行是另一人的 · the roster row of another inspector",
    lambda d: d["subject"].update(id="a3"),
    "inspector",
)
of_receipt(
    "receipt-with-another-person",
    "化名换了人 · another person behind the pseudonym",
    lambda d: rows(d, "roster")[0]["opening"]["hidden"].update(person="P099"),
    "inspector",
)
of_receipt(
    "receipt-with-another-recusal",
    "回避换了对象 · a recusal of another enterprise",
    lambda d: rows(d, "recusals")[0]["opening"]["hidden"].update(pair=["a2", "E01"]),
    "inspector",
)

# --- attestations


def attestation(
    name: str,
    fails: str,
    about: str,
    tell: Callable[[Json], Any],
    key: Any = receipts.AUDITOR,
    base: str = ATTESTED,
) -> None:
    """Another attestation in the place of the honest one, signed by ``key``; None: the old signature is kept."""

    def rewritten(data: bytes) -> bytes:
        document = json.loads(data)
        tell(document)
        return bytes(jcs(document) if key is None else receipts.signed(document, key))

    edit(name, base, "attest.json", fails, about, rewritten)


attestation(
    "attested-by-a-stranger",
    "signatures",
    "他人代签 · signed by another key",
    lambda d: None,
    receipts.stranger("stranger"),
)


def own_key(document: Json) -> None:
    document["auditor"] = receipts.base64.b64encode(
        receipts.stranger("stranger").public_key().public_bytes_raw()
    ).decode()


attestation(
    "attested-with-an-own-key",
    "signatures",
    "密钥不是公告所列 · by a key that was not announced",
    own_key,
    receipts.stranger("stranger"),
)
attestation(
    "attestation-with-more-passes",
    "signatures",
    "签后改写结论 · a verdict was changed after signing",
    lambda d: d["checks"][2].update(status="PASS"),
    None,
)
attestation(
    "attestation-with-a-changed-signature",
    "signatures",
    "签名被改 · the signature was changed",
    lambda d: d.update(signature=("B" if d["signature"][0] == "A" else "A") + d["signature"][1:]),
    None,
)
attestation(
    "attestation-of-another-announcement",
    "signatures",
    "证明属于另一公告 · of another announcement",
    lambda d: d.update(announcement="0" * 64),
)
attestation(
    "attestation-of-another-draw",
    "signatures",
    "证明属于另一抽取 · of another draw",
    lambda d: d.update(draw="test-2023-000002"),
)
attestation(
    "attestation-of-another-result",
    "signatures",
    "证明属于另一结果 · of another result",
    lambda d: d.update(result="0" * 64),
)
attestation(
    "attestation-of-no-change",
    "signatures",
    "证明提到不存在的更改 · of a change that does not exist",
    lambda d: d.update(changes="0" * 64),
)
attestation(
    "attestation-without-a-check",
    "canonical",
    "证明缺一项检查 · a check is missing",
    lambda d: d["checks"].pop(),
)
attestation(
    "attestation-in-another-order",
    "canonical",
    "检查次序不对 · the checks are out of order",
    lambda d: d["checks"].reverse(),
)
attestation(
    "attestation-of-a-failure",
    "canonical",
    "证明含未通过的检查 · a failed check is attested",
    lambda d: d["checks"][0].update(status="FAIL"),
)
attestation(
    "attestation-with-a-check-of-its-own",
    "canonical",
    "证明含未定义的检查 · a check that is not defined",
    lambda d: d["checks"].append({"name": "receipt", "status": "PASS"}),
)
attestation(
    "attestation-with-a-remark",
    "canonical",
    "证明有多余的键 · an unknown key",
    lambda d: d.update(remark=""),
    None,
)
edit(
    "attestation-of-an-open-draw",
    OPEN,
    "attest.json",
    "signatures",
    "公开抽取没有审计方 · an attestation of a draw without an auditor",
    lambda _: receipts.signed(
        {
            "announcement": "0" * 64,
            "auditor": "A" * 43 + "=",
            "changes": None,
            "checks": [{"name": name, "status": "PASS"} for name in receipts.CHECKS],
            "draw": "test-2023-000001",
            "result": "0" * 64,
            "type": "dualrandom/v1/attest",
        }
    ),
)


def unlogged(case: Any) -> dict[str, Any]:
    """The attestation that is shown is not the one that was logged."""

    class Later(logged.Story):  # type: ignore[misc]
        def tell(self) -> dict[str, bytes]:
            files = dict(super().tell())
            document = json.loads(files["attest.json"])
            document["checks"][2]["status"] = "PASS"
            return files | {"attest.json": receipts.signed(document)}

    return {"beside": logged.publish(Later, first=cases.attested())}


change(
    "unlogged-attestation",
    "sealed-sm3-logged",
    "log",
    "公布的证明未登记 · the attestation shown was never logged",
    unlogged,
)

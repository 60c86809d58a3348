"""Lies that are easiest while something is hidden: under an embargo, in openings, in codes that only look right, about old keys (docs/protocol.md)."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from typing import Any

import logged  # type: ignore[import-not-found]
from lies import OPEN, SEALED, Files, Json, add, change, edit, jcs, lie, value  # type: ignore[import-not-found]
from lies_about_the_log import key_tale  # type: ignore[import-not-found]

HIDDEN = "open-embargo-visits"

# --- embargo (§9, 12.1)

value(
    "relief-claimed-under-embargo",
    HIDDEN,
    "result.json",
    "dates",
    "保密期内声称用了并未公告的救济 · a relief is claimed under an embargo that was not announced",
    lambda d: d.update(relief=[{"amount": 1, "department": "amr", "kind": "total"}]),
)
value(
    "names-that-only-the-auditor-may-see",
    HIDDEN,
    "labels.json",
    "result",
    "名称表泄露的企业只有审计方可见 · labels name enterprises that only the auditor's openings show",
    lambda d: d["enterprises"].update(E05={"en": "Name", "zh": "名称"}),
    auditor=True,
)


def exchanged(_: Any, rows: Json) -> None:
    rows["v00001"], rows["v00002"] = rows["v00002"], rows["v00001"]


lie(
    "opened-visits-in-another-order",
    "open-embargo-lifted",
    "canonical",
    "启封后的检查次序颠倒 · the opened visits are not in their order",
    {"embargoed": exchanged},
)


def without_visits(files: Files, _build: Callable[..., Files]) -> Files:
    result = json.loads(files["public/result.json"])
    result["embargoed"] = {"root": hashlib.sha256(b"").hexdigest(), "size": 0}
    result["totals"]["visits"] = 0
    return files | {"public/result.json": jcs(result), "public/visits.jsonl": b""}


add(
    "embargoed-list-of-nothing",
    HIDDEN,
    "result",
    "保密列表空无一行 · the embargoed list has no row at all",
    without_visits,
)


def with_one_visit_more(files: Files, _build: Callable[..., Files]) -> Files:
    result, rows = json.loads(files["public/result.json"]), files["public/visits.jsonl"].splitlines()
    last = json.loads(rows[-1])
    rows.append(jcs(last | {"id": f"v{int(last['id'][1:]) + 1:05d}"}))
    leaves = [hashlib.sha256(b"\0" + row).digest() for row in rows]
    result["embargoed"] = {"root": logged.tree_hash(leaves).hex(), "size": len(rows)}
    return files | {
        "public/result.json": jcs(result),
        "public/visits.jsonl": b"".join(row + b"\n" for row in rows),
    }


add(
    "embargoed-list-with-one-visit-more",
    "sealed-embargo-crews",
    "result",
    "保密列表多出一次检查 · the embargoed list has one visit more than the result",
    with_one_visit_more,
)
edit(
    "changes-while-only-the-auditor-sees-all",
    "open-changed-after-the-embargo",
    "openings.jsonl",
    "changes",
    "尚未全部公开启封即有更改 · changes before everything is open to the public",
    lambda data: data[data.index(b"\n") + 1 :],
    auditor=True,
)


def with_a_foreign_opening(files: Files, _build: Callable[..., Files]) -> Files:
    name, roster = "auditor/openings/frame.jsonl", files["auditor/openings/roster.jsonl"]
    return files | {name: files[name] + roster[: roster.index(b"\n") + 1]}


add(
    "opening-of-the-roster-among-the-frames",
    SEALED,
    "canonical",
    "抽样框的启封文件中夹有名录的启封 · an opening of the roster in the file of the frame's",
    with_a_foreign_opening,
    auditor=True,
)

# --- credit codes (§1; GB 32100-2015)

DIGITS = "0123456789ABCDEFGHJKLMNPQRTUWXY"


def with_check_digit(code: str) -> str:
    total = sum(DIGITS.index(digit) * pow(3, place, 31) for place, digit in enumerate(code))
    return code + DIGITS[-total % 31]


def with_letters(case: Any) -> Json:
    """Codes whose check digit is right and whose places 3 to 8, the district's number, are not digits."""
    codes = {key: with_check_digit(f"9142A7B00000000{key[1:]}") for key in case.frame}
    return {
        "announcement": {"enterprise_ids": "uscc"},
        "frame": {codes[key]: row for key, row in case.frame.items()},
        "recusals": [[first, codes.get(second, second), ground] for first, second, ground in case.recusals],
    }


change(
    "credit-code-with-letters-for-its-district",
    OPEN,
    "lists",
    "信用代码的登记机关代码含字母 · credit codes with letters in the number of their district",
    with_letters,
)

# --- rotations and revocations (§11.2)

key_tale(
    "key-revoked-once-more-and-later",
    "events",
    "以较晚的吊销掩盖较早的一次 · a later revocation is to cover the earlier one",
    revoke=lambda story: [
        story.book.revoke(logged.LOG, time) for time in ("2023-08-23T05:00:00Z", "2023-08-25T00:00:00Z")
    ],
)


def noted(*lines: str) -> Callable[[Any], None]:
    """A note of these lines by the present key."""

    def write(story: Any) -> None:
        text = "\n".join(["dualrandom/v1/revocation", logged.ORIGIN, *lines]) + "\n"
        story.book.notes.append(logged.note(text, (story.book.signer,)))

    return write


KEY = logged.vkey(logged.ORIGIN, 1, logged.LOG)
key_tale(
    "key-revoked-for-no-reason",
    "log",
    "吊销未写理由 · a key is revoked without a reason",
    revoke=noted(KEY, "2023-08-24T00:00:00Z", ""),
)
key_tale(
    "key-revoked-in-month-13",
    "log",
    "吊销时刻不存在 · a key is revoked at an instant that does not exist",
    revoke=noted(KEY, "2023-13-24T00:00:00Z", "被盗 stolen"),
)


def signed_by_strangers(about: Callable[[Any], bytes]) -> Callable[[Any], None]:
    """A first note that the keys of the log neither signed nor are about."""

    def write(story: Any) -> None:
        story.book.notes.insert(0, about(story))

    return write


STRANGERS_KEY = logged.vkey(logged.ORIGIN, 1, logged.STRANGER)


def revoked_by_himself(_: Any) -> bytes:
    lines = ["dualrandom/v1/revocation", logged.ORIGIN, STRANGERS_KEY, "2023-08-24T00:00:00Z", "被盗 stolen"]
    return bytes(logged.note("\n".join(lines) + "\n", (logged.STRANGER,)))


def handed_over_to_the_successor(_: Any) -> bytes:
    successor = logged.vkey(logged.ORIGIN, 1, logged.SUCCESSOR)
    lines = ["dualrandom/v1/rotation", logged.ORIGIN, STRANGERS_KEY, successor, "2023-08-20T00:00:00Z"]
    return bytes(logged.note("\n".join(lines) + "\n", (logged.STRANGER, logged.SUCCESSOR)))


key_tale(
    "revocation-of-a-key-that-is-not-the-logs",
    "log",
    "首份文书吊销他人的密钥 · the first note revokes a key that was never the log's",
    revoke=signed_by_strangers(revoked_by_himself),
)
key_tale(
    "rotation-from-before-the-log-began",
    "log",
    "首份文书是日志开始以前的交接 · the first note hands over a key from before the log began",
    revoke=signed_by_strangers(handed_over_to_the_successor),
)

"""The auditor's attestation: its signature, and what it adds to checks that are not made in public (docs/protocol.md §15)."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import replace

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from dualrandom.hashing import Digest, hash_hex
from dualrandom.verify import schema
from dualrandom.verify.announcement import Announcement
from dualrandom.verify.attestation import NAME, Attest
from dualrandom.verify.loading import Record
from dualrandom.verify.report import Check

LATER = ("findings", "draws")
"""Checks of what is published after an attestation and not bound by it."""


def auditor_of(files: Mapping[str, bytes]) -> tuple[bytes, str] | None:
    """Return the announced auditor's key and name; None in an open draw. The announcement must have been parsed."""
    announced = json.loads(files["announcement.json"])["auditor"]
    if announced is None:
        return None
    return schema.binary(announced["key"], "announcement.json: auditor.key", 32), str(announced["name"])


def change_digests(files: Mapping[str, bytes], digest: Digest) -> tuple[str, ...]:
    """Return the digests of the rows of changes.jsonl, in order."""
    return tuple(hash_hex(row, digest) for row in files.get("changes.jsonl", b"").splitlines())


def check_attest(record: Record, announcement: Announcement) -> None:
    """Check, under `signatures`, that the announced auditor signed attest.json for this result; drop it otherwise."""
    attest, files, verdict = record.attest, record.files, record.verdicts["signatures"]
    if attest is None:
        return
    before = len(verdict.faults)
    announced = auditor_of(files)
    if announced is None or announced[0] != attest.auditor:
        verdict.fail(
            f"{NAME} 的密钥不是公告所列审计方的", f"the key of {NAME} is not that of the announced auditor"
        )
    elif not _signed(attest):
        verdict.fail(f"{NAME} 的签名无效", f"the signature of {NAME} does not verify")
    else:
        verdict.note(f"审计方 {announced[1]} 已签名证明", f"the auditor {announced[1]} signed an attestation")
    if (attest.announcement, attest.draw) != (announcement.digest, announcement.draw):
        verdict.fail(f"{NAME} 属于另一公告", f"{NAME} is of another announcement")
    if "result.json" not in files or hash_hex(files["result.json"], announcement.hash) != attest.result:
        verdict.fail(f"{NAME} 属于另一结果", f"{NAME} is of another result")
    if attest.changes is not None and attest.changes not in change_digests(files, announcement.hash):
        verdict.fail(f"{NAME} 提到的更改不存在", f"{NAME} names a change that does not exist")
    if len(verdict.faults) > before:
        record.attest = None


def _signed(attest: Attest) -> bool:
    try:
        Ed25519PublicKey.from_public_bytes(attest.auditor).verify(attest.signature, attest.statement())
    except (InvalidSignature, ValueError):
        return False
    return True


def attested(record: Record, checks: Iterable[Check]) -> tuple[Check, ...]:
    """Add "attested by X" to the reasons of what was not checked here and passed there. No status changes."""
    attest, announcement = record.attest, record.announcement
    announced = auditor_of(record.files) if attest is not None and announcement is not None else None
    if attest is None or announcement is None or announced is None:
        return tuple(checks)
    digests = change_digests(record.files, announcement.hash)
    current = attest.changes == (digests[-1] if digests else None)
    found = []
    for check in checks:
        stale = check.name in LATER or (check.name == "changes" and not current)
        if check.status != "NOT CHECKED" or attest.checks.get(check.name) != "PASS" or stale:
            found.append(check)
            continue
        zh = f"{check.reason_zh}；审计方 {announced[1]} 已核对并签名证明"
        found.append(replace(check, reason_zh=zh, reason_en=f"{check.reason_en}; attested by {announced[1]}"))
    return tuple(found)

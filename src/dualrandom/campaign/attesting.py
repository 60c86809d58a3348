"""The auditor's attestation: the full verification with the secrets, signed if nothing failed (docs/protocol.md §15)."""

from __future__ import annotations

import base64
import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from dualrandom.campaign.folder import Campaign, StateError, public_base64, write_public
from dualrandom.campaign.logbook import put
from dualrandom.campaign.publishing import write_index
from dualrandom.campaign.state import book_of, state_of
from dualrandom.canonical import canonical
from dualrandom.errors import DualRandomError, IntegrityError
from dualrandom.hashing import hash_hex, suite_digest
from dualrandom.log.entry import EntryType
from dualrandom.log.policy import Policy
from dualrandom.log.storage import Document
from dualrandom.progress import Progress, silent
from dualrandom.verify import Report, read_auditor, read_public, verify_record

NAME = "attest.json"
TYPE = "dualrandom/v1/attest"


@dataclass(frozen=True, slots=True)
class Attested:
    """What was attested: the draw, the auditor's name, the document's digest, and the report it rests on."""

    draw: str
    auditor: str
    digest: str
    report: Report


def attest_statement(document: dict[str, Any]) -> bytes:
    """Return the text that the auditor signs (§15)."""
    lines = [
        TYPE,
        f"draw {document['draw']}",
        f"announcement {document['announcement']}",
        f"result {document['result']}",
        f"changes {document['changes'] or 'none'}",
        *(f"check {check['name']} {check['status']}" for check in document["checks"]),
    ]
    return "".join(line + "\n" for line in lines).encode()


def attest(
    folder: Path, key_file: Path, *, log_policy: Policy | None = None, progress: Progress = silent
) -> Attested:
    """Verify everything with the openings and publish ``attest.json``, signed with the announced auditor's key.

    Raises StateError (``not-announced``, ``not-drawn``, ``no-auditor``), DualRandomError (``bad-key``, ``foreign-key``), or
    IntegrityError ``attestation-refused`` if a check fails; nothing is written then.
    """
    campaign = Campaign(folder)
    book = book_of(campaign)
    state_of(campaign, book).attest()
    files = {name: data for name, data in read_public(campaign.public).items() if name != NAME}
    announced = files["announcement.json"]
    announcement = json.loads(announced)
    auditor = announcement["auditor"]
    if auditor is None:
        raise StateError(
            "no-auditor",
            announcement["draw"],
            {
                "zh": "公开抽取没有审计方：人人都能核对全部内容",
                "en": "an open draw has no auditor: everybody can check all of it",
            },
            {"zh": "运行 dualrandom verify。", "en": "Run dualrandom verify."},
        )
    key = _key(key_file)
    if public_base64(key) != auditor["key"]:
        raise DualRandomError(
            "foreign-key",
            str(key_file),
            {
                "zh": f"{key_file} 不是公告所列审计方 {auditor['name']} 的密钥",
                "en": f"{key_file} is not the key of the announced auditor, {auditor['name']}",
            },
            {
                "zh": "使用公告时交给审计方的密钥。",
                "en": "Use the key that the auditor held when it was announced.",
            },
        )
    report = verify_record(files, read_auditor(folder), progress, log_policy)
    failed = [check for check in report.checks if check.status == "FAIL"]
    if failed:
        raise IntegrityError(
            "attestation-refused",
            ", ".join(check.name for check in failed),
            {
                "zh": "有检查不通过，不予证明：" + "；".join(f"{c.name} {c.reason_zh}" for c in failed),
                "en": "checks failed, nothing is attested: "
                + "; ".join(f"{c.name} {c.reason_en}" for c in failed),
            },
            {
                "zh": "用 dualrandom verify --auditor 查明。",
                "en": "Find out with dualrandom verify --auditor.",
            },
        )
    digest = suite_digest(announcement["suite"])
    changes = files.get("changes.jsonl", b"").splitlines()
    document: dict[str, Any] = {
        "announcement": hash_hex(announced, digest),
        "auditor": auditor["key"],
        "changes": hash_hex(changes[-1], digest) if changes else None,
        "checks": [{"name": check.name, "status": check.status} for check in report.checks],
        "draw": announcement["draw"],
        "result": hash_hex(files["result.json"], digest),
        "type": TYPE,
    }
    document["signature"] = base64.b64encode(key.sign(attest_statement(document))).decode()
    data = canonical(document)

    def write() -> None:
        write_public(campaign.public, {NAME: data})
        write_index(campaign.public)

    put(book, [Document(announcement["draw"], EntryType.ATTEST, data, announcement["suite"])], write)
    return Attested(announcement["draw"], auditor["name"], hash_hex(data, digest), report)


def _key(path: Path) -> Ed25519PrivateKey:
    """Read an Ed25519 key kept as its 32-byte seed in hex, as ``announce`` writes it."""
    text = path.read_bytes().strip()
    if re.fullmatch(rb"[0-9a-f]{64}", text) is None:
        raise DualRandomError(
            "bad-key",
            str(path),
            {"zh": f"{path} 应为 64 位小写十六进制", "en": f"{path} should be 64 lower-case hex digits"},
            {
                "zh": "给出审计方的密钥文件，例如 private/auditor.key。",
                "en": "Give the auditor's key file, for instance private/auditor.key.",
            },
        )
    return Ed25519PrivateKey.from_private_bytes(bytes.fromhex(text.decode()))

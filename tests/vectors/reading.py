"""Reading the stored vectors: files of happy paths, edits of mutants, and what a verifier is given of them."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
Files = dict[str, bytes]


@dataclass(frozen=True)
class Given:
    """What a verifier is given: the public folder, the auditor's secret and openings, the reader's policy, a receipt."""

    public: Files
    secret: bytes | None
    openings: Files
    policy: bytes | None
    receipt: bytes | None


@cache
def happy(name: str) -> Files:
    """The files of a happy path, without what is expected of it."""
    folder = HERE / "happy" / name
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.name != "expected.json"
    }


def names(kind: str) -> list[str]:
    """Names of all happy paths or mutants."""
    return sorted(path.stem for path in (HERE / kind).iterdir())


def expected(name: str) -> dict[str, dict[str, str]]:
    """Who → check → status."""
    found: dict[str, dict[str, str]] = json.loads(
        (HERE / "happy" / name / "expected.json").read_text("utf-8")
    )
    return found


def receipts(name: str) -> dict[str, str]:
    """Receipt → status of the check `receipt`."""
    path = HERE / "happy" / name / "receipts" / "expected.json"
    found: dict[str, str] = json.loads(path.read_text("utf-8")) if path.exists() else {}
    return found


def mutant(name: str) -> tuple[dict[str, Any], Files]:
    """What is known of a mutant, and its files."""
    about = json.loads((HERE / "mutants" / f"{name}.json").read_text("utf-8"))
    return about, edited(happy(about["base"]), about["edits"])


def edited(files: Files, edits: list[dict[str, Any]]) -> Files:
    """Apply a mutant's edits."""
    changed = dict(files)
    for edit in edits:
        name = edit["file"]
        if edit.get("delete"):
            del changed[name]
            continue
        data = changed.get(name, b"")
        put = edit["put"].encode() if "put" in edit else bytes.fromhex(edit["put_hex"])
        changed[name] = data[: edit["at"]] + put + data[edit["at"] + edit["cut"] :]
    return changed


def given(files: Files, *, auditor: bool, policy: bool = True, receipt: str | None = None) -> Given:
    """Return what a verifier is given of these files."""
    openings = {
        name.removeprefix("auditor/openings/").removesuffix(".jsonl"): data
        for name, data in files.items()
        if name.startswith("auditor/openings/")
    }
    return Given(
        public={name[7:]: data for name, data in files.items() if name.startswith("public/")},
        secret=bytes.fromhex(files["auditor/list-secret"].decode()) if auditor else None,
        openings=openings if auditor else {},
        policy=files.get("reader/log.policy") if policy else None,
        receipt=None if receipt is None else files[f"receipts/{receipt}.json"],
    )

"""Write the vectors: ``python tests/vectors/regenerate.py``. With --check, say whether they are as they would be written.

    happy/<name>/public/…           a published folder
    happy/<name>/auditor/…          list-secret (hex) and openings, where rows are sealed
    happy/<name>/reader/log.policy  the logs and witnesses that the verifier is told to trust, where there is a log
    happy/<name>/receipts/…         receipts of enterprises and inspectors, and in expected.json the status that each deserves
    happy/<name>/expected.json      the status of every check, for the public and for the auditor; with a log also for
                                    a reader without a policy
    mutants/<name>.json             {"about", "auditor", "base", "edits", "fails", "found"}

A mutant's edits apply to the files of happy/<base>: {"file", "delete": true}, or {"file", "at", "cut", "put"}: at byte
offset ``at`` remove ``cut`` bytes and put ``put`` (UTF-8, or ``put_hex``) there; a file that does not exist is empty. With
``auditor`` the auditor's files are given to the verifier, else they are not; where there is a ``receipt``, this file of
receipts/ is judged with the record. The check ``fails`` must FAIL; ``found`` lists
all checks that fail in this verifier, for comparison.
"""

from __future__ import annotations

import json
import shutil
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))

import cases  # type: ignore[import-not-found]  # noqa: E402
import lies  # type: ignore[import-not-found]  # noqa: E402
import lies_about_enterprises  # type: ignore[import-not-found]  # noqa: E402, F401
import lies_about_flags  # type: ignore[import-not-found]  # noqa: E402, F401
import lies_about_inspectors  # type: ignore[import-not-found]  # noqa: E402, F401
import lies_about_receipts  # type: ignore[import-not-found]  # noqa: E402, F401
import lies_about_rounds  # type: ignore[import-not-found]  # noqa: E402, F401
import lies_about_substitutes  # type: ignore[import-not-found]  # noqa: E402, F401
import lies_about_terms  # type: ignore[import-not-found]  # noqa: E402, F401
import lies_about_the_log  # type: ignore[import-not-found]  # noqa: E402, F401
import lies_after_the_draw  # type: ignore[import-not-found]  # noqa: E402, F401
import lies_afterwards  # type: ignore[import-not-found]  # noqa: E402, F401
import lies_at_the_edges  # type: ignore[import-not-found]  # noqa: E402, F401
import lies_before_the_draw  # type: ignore[import-not-found]  # noqa: E402, F401
import lies_of_division  # type: ignore[import-not-found]  # noqa: E402, F401
import lies_of_form  # type: ignore[import-not-found]  # noqa: E402, F401
import lies_of_rounding  # type: ignore[import-not-found]  # noqa: E402, F401
import lies_of_withdrawals  # type: ignore[import-not-found]  # noqa: E402, F401
import lies_while_hidden  # type: ignore[import-not-found]  # noqa: E402, F401
import reference  # type: ignore[import-not-found]  # noqa: E402

from dualrandom.log.policy import parse_policy  # noqa: E402
from dualrandom.verify import AuditorFiles, Report, verify_record  # noqa: E402


def verify(files: dict[str, bytes], auditor: bool, receipt: str = "") -> Report:
    """Verify public/ and auditor/ files, and one of the receipts/."""
    public = {name[7:]: data for name, data in files.items() if name.startswith("public/")}
    trust = parse_policy(files["reader/log.policy"]) if "reader/log.policy" in files else None
    given = files[f"receipts/{receipt}.json"] if receipt else None
    if not auditor:
        return verify_record(public, log_policy=trust, receipt=given)
    openings = {
        name[len("auditor/openings/") : -len(".jsonl")]: data
        for name, data in files.items()
        if name.startswith("auditor/openings/")
    }
    secret = bytes.fromhex(files["auditor/list-secret"].decode())
    return verify_record(public, AuditorFiles(secret, openings), log_policy=trust, receipt=given)


def edits(old: dict[str, bytes], new: dict[str, bytes]) -> list[dict[str, Any]]:
    """Return what turns one set of files into another, one splice a file."""
    found: list[dict[str, Any]] = []
    for name in sorted(old.keys() | new.keys()):
        before, after = old.get(name, b""), new.get(name)
        if after is None:
            found.append({"delete": True, "file": name})
        elif before != after or name not in old:
            at = 0
            while at < min(len(before), len(after)) and before[at] == after[at]:
                at += 1
            end = 0
            while end < min(len(before), len(after)) - at and before[-1 - end] == after[-1 - end]:
                end += 1
            put = after[at : len(after) - end]
            splice: dict[str, Any] = {"at": at, "cut": len(before) - end - at, "file": name}
            try:
                found.append(splice | {"put": put.decode()})
            except UnicodeDecodeError:
                found.append(splice | {"put_hex": put.hex()})
    return found


def written(told: Mapping[str, bytes] | None = None) -> dict[str, bytes]:
    """Return all vector files by name. ``told``: take the verdicts from these files instead of judging every record anew."""
    made: dict[str, bytes] = {}
    happy: dict[str, dict[str, bytes]] = {}
    all_cases = cases.cases(reference)
    for name, case in all_cases.items():
        files = lies.gather(reference.build(case, drawn=name not in cases.NOT_DRAWN))
        hidden = any(key.startswith("auditor/openings/") for key in files)
        if not hidden:
            del files["auditor/list-secret"]
        happy[name] = files
        readers = {"public": (files, False)}
        if hidden:
            readers["auditor"] = files, True
        if "reader/log.policy" in files:
            without = {key: data for key, data in files.items() if key != "reader/log.policy"}
            readers["without policy"] = without, False
        if case.receipts:
            place = f"happy/{name}/receipts/expected.json"
            known = None if told is None else json.loads(told[place])
            made[place] = pretty(
                {
                    one: verify(files, False, one).status("receipt") if known is None else known[one]
                    for one in sorted(case.receipts)
                }
            )
        made |= {f"happy/{name}/{key}": data for key, data in files.items()}
        place = f"happy/{name}/expected.json"
        known = None if told is None else json.loads(told[place])
        made[place] = pretty(
            {who: statuses(*given) if known is None else known[who] for who, given in readers.items()}
        )
    for name, mutant in lies.MUTANTS.items():
        base = happy[mutant.base]
        files = lies.make(reference, name, mutant, all_cases, base, mutant.base not in cases.NOT_DRAWN)
        if "auditor/list-secret" not in base:
            files.pop("auditor/list-secret", None)
        if not mutant.receipt:
            files = {key: data for key, data in files.items() if not key.startswith("receipts/")}
            base = {key: data for key, data in base.items() if not key.startswith("receipts/")}
        if told is None:
            report = verify(files, mutant.auditor, mutant.receipt)
            found = [check.name for check in report.checks if check.status == "FAIL"]
        else:
            found = json.loads(told[f"mutants/{name}.json"])["found"]
        if mutant.fails not in found:
            print(f"{name}: {mutant.fails} should fail, found {found}", file=sys.stderr)
        document = {
            "about": mutant.about,
            "auditor": mutant.auditor,
            "base": mutant.base,
            "edits": edits(base, files),
            "fails": mutant.fails,
            "found": found,
        } | ({"receipt": mutant.receipt} if mutant.receipt else {})
        made[f"mutants/{name}.json"] = pretty(document)
    return made


def statuses(files: dict[str, bytes], auditor: bool) -> dict[str, str]:
    """Return the status of every check."""
    return {check.name: check.status for check in verify(files, auditor).checks}


def pretty(value: Any) -> bytes:
    """Return JSON for people and version control."""
    return json.dumps(value, ensure_ascii=False, indent=1, sort_keys=True).encode() + b"\n"


def main() -> None:
    """Write the vectors, or compare them."""
    made = written()
    if "--check" in sys.argv:
        present = {
            path.relative_to(HERE).as_posix(): path.read_bytes()
            for folder in ("happy", "mutants")
            for path in (HERE / folder).rglob("*")
            if path.is_file()
        }
        differing = sorted(
            name for name in made.keys() | present.keys() if made.get(name) != present.get(name)
        )
        print("\n".join(differing) or "unchanged")
        sys.exit(bool(differing))
    for folder in ("happy", "mutants"):
        shutil.rmtree(HERE / folder, ignore_errors=True)
    for name, data in made.items():
        path = HERE / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    print(f"{len(cases.cases(reference))} happy paths, {len(lies.MUTANTS)} mutants, {len(made)} files")


if __name__ == "__main__":
    main()

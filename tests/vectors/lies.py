"""How lies are told: the tools of the `lies_*` modules, which hold the lies of the vectors: each is one falsification of a happy path, with the check that must find it.

An *edit* changes published bytes. A *lie* changes one value while the record is being made, and everything after it follows
honestly, so that nothing but the check of that value gives it away.
"""

from __future__ import annotations

import copy
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import logged  # type: ignore[import-not-found]
import reference_receipts  # type: ignore[import-not-found]

Json = Any
Files = dict[str, bytes]
"""public/<name>, auditor/<name>, reader/<name> and receipts/<name>"""

OPEN, SEALED, PARTS = "open-drand", "sealed-drand", "open-parts-keystring"
SCARCE, RELIEF = "open-scarce-local", "open-relief-local"
TWO_WAY, DIVIDED = "open-two-way", "open-divided"

OTHER_ROUND = (
    "b33bf3667cbd5a82de3a24b4e0e9fe5513cc1a0e840368c6e31f5fcfa79bea03f73896b25883abf2853d10337fb8fa41"
)
"""The real signature of quicknet's round 1001."""


@dataclass(frozen=True)
class Mutant:
    """`make` gets the happy path's files and a function that builds the case anew with lies and changed fields."""

    name: str
    base: str
    fails: str
    about: str
    make: Callable[[Files, Callable[..., Files]], Files]
    auditor: bool = False
    receipt: str = ""
    """The receipt that is judged as well, if any: its name in receipts/."""


MUTANTS: dict[str, Mutant] = {}


def jcs(value: Json) -> bytes:
    return json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode()


def add(
    name: str,
    base: str,
    fails: str,
    about: str,
    make: Callable[..., Files],
    *,
    auditor: bool = False,
    receipt: str = "",
) -> None:
    assert name not in MUTANTS, name
    MUTANTS[name] = Mutant(name, base, fails, about, make, auditor, receipt)


def edit(
    name: str, base: str, file: str, fails: str, about: str, change: Callable[[bytes], bytes], **more: Any
) -> None:
    """A change of one file's bytes."""

    def make(files: Files, _build: Callable[..., Files]) -> Files:
        key = file if file.startswith(("auditor/", "receipts/")) else f"public/{file}"
        changed = change(files.get(key, b""))
        assert changed != files.get(key), name
        return files | {key: changed}

    add(name, base, fails, about, make, **more)


def value(
    name: str, base: str, file: str, fails: str, about: str, change: Callable[[Json], Any], **more: Any
) -> None:
    """A change of one document's value, in canonical form again."""

    def rewrite(data: bytes) -> bytes:
        document = json.loads(data)
        change(document)
        return jcs(document)

    edit(name, base, file, fails, about, rewrite, **more)


def swap(old: str, new: str) -> Callable[[bytes], bytes]:
    def change(data: bytes) -> bytes:
        assert data.count(old.encode()) >= 1, old
        return data.replace(old.encode(), new.encode(), 1)

    return change


def lie(
    name: str, base: str, fails: str, about: str, lies: Mapping[str, Callable[[Any, Json], Any]], **more: Any
) -> None:
    """A lie told while the record is made; a function that returns None has changed the value in place."""

    def make(_files: Files, build: Callable[..., Files]) -> Files:
        return build(lies)

    add(name, base, fails, about, make, **more)


def change(
    name: str, base: str, fails: str, about: str, fields: Callable[[Any], dict[str, Any]], **more: Any
) -> None:
    """A happy path from other ingredients, some of which the protocol does not allow."""

    def make(_files: Files, build: Callable[..., Files]) -> Files:
        return build({}, fields)

    add(name, base, fails, about, make, **more)


def remove(name: str, base: str, file: str, fails: str, about: str) -> None:
    def make(files: Files, _build: Callable[..., Files]) -> Files:
        return {key: data for key, data in files.items() if key != f"public/{file}"}

    add(name, base, fails, about, make)


def make(
    reference: Any, name: str, mutant: Mutant, cases: Mapping[str, Any], files: Files, drawn: bool
) -> Files:
    """Return the mutant's files from those of its happy path."""

    def build(lies: Mapping[str, Any], fields: Callable[[Any], dict[str, Any]] | None = None) -> Files:
        case = cases[mutant.base]
        told = {key: wrapped(name, tell) for key, tell in lies.items()}
        built = reference.build(replace(case, **fields(case)) if fields else case, told, drawn=drawn)
        return gather(built)

    return mutant.make(dict(files), build)


def wrapped(name: str, tell: Callable[[Any, Json], Any]) -> Callable[[Any, Json], Any]:
    """Let a lie work on a copy, and make sure that it changes something."""

    def told(built: Any, honest: Json) -> Any:
        changed = copy.deepcopy(honest)
        found = tell(built, changed)
        found = changed if found is None else found
        assert found != honest, name
        return found

    return told


def gather(built: Any) -> Files:
    """Return a finished record as public/ and auditor/ files."""
    files = {f"public/{name}": data for name, data in built.public.items()}
    if "log/checkpoint" in built.public:
        files["reader/log.policy"] = logged.POLICY
    for name, subject in built.case.receipts.items():
        if subject[1] in (built.frame if subject[0] == "enterprise" else built.roster):
            files[f"receipts/{name}.json"] = reference_receipts.receipt(built, *subject)
    files["auditor/list-secret"] = built.case.secret.hex().encode() + b"\n"
    return files | {f"auditor/openings/{name}.jsonl": data for name, data in built.openings.items()}

"""The three verifiers behind one call: the package, the page's own script in Node, docs/verify_draw.py.

Each takes what `reading.given` returns and gives check → (status, reason).
"""

from __future__ import annotations

import base64
import hashlib
import importlib.util
import json
import shutil
import subprocess
import sys
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType
from typing import Any

from dualrandom.log.policy import parse_policy
from dualrandom.verify import CHECK_NAMES, AuditorFiles, verify_record

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "api" / "dualrandom_api" / "assets" / "verify.html"
SMALL = ROOT / "docs" / "verify_draw.py"
IN_NODE = Path(__file__).with_name("page_in_node.mjs")

LAST = ("dates", "prices", "log", "contributions", "events", "signatures", "beacon", "findings", "changes")
"""Checks that take time, by themselves or by what they have to know: flows, many tickets, points of curves."""
CHEAP_FIRST = (*(name for name in CHECK_NAMES if name not in LAST), *LAST)
Verdicts = dict[str, tuple[str, str]]
Verifier = Callable[[Any], Verdicts]


def package(given: Any) -> Verdicts:
    """`dualrandom verify`, in process."""
    report = verify_record(
        given.public,
        None if given.secret is None else AuditorFiles(given.secret, given.openings),
        log_policy=None if given.policy is None else parse_policy(given.policy),
        receipt=given.receipt,
    )
    return {check.name: (check.status, check.reason_en) for check in report.checks}


def small_module() -> ModuleType:
    """docs/verify_draw.py, imported as a reader would import it."""
    spec = importlib.util.spec_from_file_location("verify_draw", SMALL)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["verify_draw"] = module
    spec.loader.exec_module(module)
    return module


def remember_lists(module: ModuleType, known: Iterable[bytes]) -> None:
    """Let docs/verify_draw.py read each of these lists once in all records of one form: it reads nothing into them but their bytes."""
    table, honest, read = module.Record.table, frozenset(known), {}

    def once(record: Any, name: str, data: bytes | None, kind: str) -> Any:
        form = (
            frozenset(record.flags),
            tuple(record.own),
            frozenset(record.days),
            record.__dict__.get("sealed"),
        )
        key = data, kind, form
        if data not in honest:
            return table(record, name, data, kind)
        if key not in read:
            seen, record.kinds = record.kinds, defaultdict(set)
            try:
                rows = table(record, name, data, kind)
            finally:
                ids, record.kinds = record.kinds, seen
            read[key] = rows, ids
        rows, ids = read[key]
        for one, names in ids.items():
            record.kinds[one] |= names
        return rows

    module.Record.table = once


def small(module: ModuleType) -> Verifier:
    """docs/verify_draw.py, in process."""

    def verify(given: Any) -> Verdicts:
        auditor = None if given.secret is None else (given.secret, given.openings)
        more = {"policy": given.policy, "receipt": given.receipt}
        told = module.verify(given.public, auditor, **{k: v for k, v in more.items() if v is not None})
        return {name: (status, reason) for name, status, reason in told}

    return verify


def encoded(data: bytes | None) -> str | None:
    return None if data is None else base64.b64encode(data).decode()


class Page:
    """The script of the built verify.html, in a Node process. It can be asked now and answer later."""

    def __init__(self, process: subprocess.Popen[str], *, hasty: bool) -> None:
        assert process.stdin is not None
        assert process.stdout is not None
        self._stdin, self._stdout, self._hasty = process.stdin, process.stdout, hasty

    def ask(self, given: Any) -> None:
        """Hand over what is to be judged."""
        auditor = None
        if given.secret is not None:
            openings = {name: encoded(data) for name, data in given.openings.items()}
            auditor = {"openings": openings, "secret": encoded(given.secret)}
        request = {
            "auditor": auditor,
            "checks": CHEAP_FIRST if self._hasty else CHECK_NAMES,
            "files": {name: encoded(data) for name, data in given.public.items()},
            "hasty": self._hasty,
            "policy": encoded(given.policy),
            "receipt": encoded(given.receipt),
        }
        self._stdin.write(json.dumps(request) + "\n")
        self._stdin.flush()

    def answer(self) -> Verdicts:
        """Return the verdicts."""
        line = self._stdout.readline()
        assert line, "the page's script has ended"
        return {name: (status, reason) for name, status, reason in json.loads(line)["checks"]}

    def __call__(self, given: Any) -> Verdicts:
        """Judge."""
        self.ask(given)
        return self.answer()

    def close(self) -> None:
        """Let the process end."""
        self._stdin.close()


@contextmanager
def page(file: Path = PAGE, *, hasty: bool = False) -> Iterator[Page]:
    """Start Node; ``hasty``: the script stops at the first FAIL."""
    command = ["node", str(IN_NODE), str(file)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        found = Page(process, hasty=hasty)
        yield found
        found.close()


def has_node() -> bool:
    return shutil.which("node") is not None


def has_sm3() -> bool:
    """Whether this Python has SM3, which the small verifier takes from it."""
    return "sm3" in hashlib.algorithms_available


def beyond_the_small_one(given: Any) -> frozenset[str]:
    """Checks that docs/verify_draw.py may leave NOT CHECKED: where a BLS signature decides (its §4)."""
    announcement = given.public.get("announcement.json", b"")
    if b'"kind":"drand"' not in announcement:
        return frozenset()
    return frozenset({"beacon", "changes"} if "changes.jsonl" in given.public else {"beacon"})

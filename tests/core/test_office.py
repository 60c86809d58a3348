"""An office tries everything in any order on a real folder: each command does what the ceremony allows, nothing else, and the
state that is read off the folder is the ceremony's, closed included."""

from __future__ import annotations

import functools
import json
import os
import shutil
import tempfile
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from unittest.mock import patch

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from dualrandom import campaign
from dualrandom.campaign.state import overdue, state_of_folder
from dualrandom.ceremony import Ceremony, Phase, StateError
from dualrandom.changes import effective_visits, read_rows
from dualrandom.errors import DualRandomError
from dualrandom.log.cosignature import Cosigner
from dualrandom.log.keystore import create_key
from dualrandom.log.reader import LogReader
from dualrandom.log.submit import Answer
from dualrandom.log.witness import Witness
from dualrandom.verify import read_auditor, read_public, verify_record

DEEP = os.environ.get("DUALRANDOM_DEEP") == "1"
START = datetime(2023, 8, 20, tzinfo=UTC)
DUE = datetime(2023, 8, 23, 15, 59, 24, tzinfo=UTC)
CLOSES = datetime(2023, 8, 23, tzinfo=UTC)
PARTIES = ("a", "b")
PLAN = """
[plan]
id = "p"
authority = "office"
authority_name = "办公室"
number = 1
timezone = "Asia/Shanghai"
period = { start = 2023-09-04, end = 2023-09-15 }
months_left = 1
disclosure = "open"
classes_public = "test"
enterprise_ids = "free"
classes = ["A"]
[days]
working = "all"
[policy]
substitution = "next"
[deadlines]
reveal = 2023-08-23T00:00:00Z
[beacon]
round = "1000"
[[contributions]]
party = "a"
name = "a"
[[contributions]]
party = "b"
name = "b"
[[departments]]
id = "d"
name = "d"
seats = [[], []]
[[tasks]]
id = "t"
name = "t"
department = "d"
items = ["i"]
ratios = { A = "40%" }
"""
ENTERPRISES = "id,name,district,credit_class\n" + "".join(f"e{n},e{n},x,A\n" for n in range(6))
INSPECTORS = "code,name,department,districts,marks,licence\n" + "".join(
    f"p{n},p{n},d,x,,L{n}\n" for n in range(8)
)
ITEMS = "id,name,name_en,department,basis,category,marks,hours\ni,i,i,d,law,general,,1\n"
EVIDENCE = {
    "randomness": "fe290beca10872ef2fb164d2aa4442de4566183ec51c56ff3cd603d930e54fdd",
    "round": 1000,
    "signature": "b44679b9a59af2ec876b1a6b1ad52ea9b1615fc3982b19576350f93447cb1125"
    "e342b73a8dd2bacbe47e4b6b63ed5e39",
}
OF_THE_STATE = {
    "already-announced", "round-already-known", "not-announced", "draw-is-void", "party-unknown", "already-revealed",
    "contributions-closed", "witnessed-too-late", "not-witnessed", "already-seeded", "not-seeded", "already-drawn",
    "already-published", "not-drawn", "result-published", "reason-missing",
}  # fmt: skip
"""Codes with which the ceremony refuses; other refusals are about a step's own matter."""


def refusal_of(act: Callable[[], object]) -> str | None:
    """Return the code with which something was refused, None if it was done."""
    try:
        act()
    except DualRandomError as refused:
        return refused.code
    return None


class Office(RuleBasedStateMachine):
    """Beside the folder it keeps the ceremony itself, moved by hand."""

    def __init__(self) -> None:
        super().__init__()
        self.root = Path(tempfile.mkdtemp(prefix="office-"))
        self.folder = self.root / "campaign"
        self.now = START
        self.model = Ceremony()
        self.number = 1
        # a key that is quickly opened: what it costs to guess a password is not the matter here
        self.cheap = patch("dualrandom.keyring.create_key", functools.partial(create_key, cost=2))
        self.cheap.start()
        self.logged = False

    @initialize(logged=st.booleans())
    def draft(self, logged: bool) -> None:
        self.logged = logged
        self.folder.mkdir()
        log = '[log]\nfolder = "../log"\npolicy = "../witnesses"\n' if logged else ""
        files = {"plan.toml": PLAN + log, "enterprises.csv": ENTERPRISES, "inspectors.csv": INSPECTORS}
        for name, text in {**files, "items.csv": ITEMS}.items():
            (self.folder / name).write_text(text, "utf-8")
        self.witness = Cosigner("w", Ed25519PrivateKey.from_private_bytes(bytes([7]) * 32))
        policy = f"witness w {self.witness.key.text} http://w\nquorum w\n"
        (self.root / "witnesses").write_text(policy)

    def teardown(self) -> None:
        self.cheap.stop()
        shutil.rmtree(self.root)

    @property
    def draw_id(self) -> str:
        return f"office-2023-{self.number:06d}"

    def agree(self, act: Callable[[], object], *steps: Callable[[], Ceremony]) -> bool:
        """Act, and hold what happens against the ceremony's own steps. Returns whether it happened."""
        expected, model = None, self.model
        try:
            for step in steps:
                self.model = step()
        except StateError as refused:
            expected, self.model = refused.code, model
        refusal = refusal_of(act)
        if expected is not None:
            assert refusal == expected, self.model
        elif refusal is not None:
            assert refusal not in OF_THE_STATE, self.model
            self.model = model
        return refusal is None

    def post(self, url: str, body: bytes) -> Answer:
        keys = LogReader(self.root / "log" / "public").succession.keys
        witness = Witness(self.root / "w", self.witness, keys, self.now.timestamp)
        try:
            response = witness.add_checkpoint(body)
        finally:
            witness.close()
        return Answer(response.status, response.body)

    @rule(hours=st.sampled_from((6, 30, 48)))
    def wait(self, hours: int) -> None:
        self.now += timedelta(hours=hours)
        if self.now >= DUE:
            (self.folder / "beacon.json").write_text(json.dumps(EVIDENCE))

    @rule()
    def announce(self) -> None:
        again = self.model.phase is Phase.VOID
        number = self.number + again
        before = Ceremony(f"office-2023-{number:06d}") if again else self.model

        def announced() -> Ceremony:
            ceremony = before.announce(PARTIES, DUE, self.now, CLOSES)
            return ceremony if self.logged else ceremony.witness(None)

        if self.agree(lambda: campaign.announce(self.folder, now=self.now), announced):
            self.number = number

    @rule(party=st.sampled_from((*PARTIES, "nobody")))
    def reveal(self, party: str) -> None:
        # one that was revealed is not refused but passed over: the command may be run again
        if self.logged and party not in self.model.revealed:
            self.agree(
                lambda: campaign.reveal(self.folder, self.now, [party]),
                lambda: self.model.reveal(party, self.now),
            )

    @rule()
    def cosign(self) -> None:
        if not self.logged:
            return
        steps: list[Callable[[], Ceremony]] = [self.model.announced]
        if self.model.phase is Phase.ANNOUNCED:
            steps.append(lambda: self.model.witness(self.now))
        self.agree(lambda: campaign.cosign(self.folder, self.post), *steps)

    @rule()
    def draw(self) -> None:
        if Phase.PUBLISHED <= self.model.phase < Phase.VOID:
            assert campaign.draw(self.folder).repeated
            return
        if self.now < DUE and self.model.phase in {Phase.ANNOUNCED, Phase.WAITING}:
            # the round is not there: it waits, whatever else is missing
            self.agree(lambda: campaign.draw(self.folder))
            return
        steps = ("announced", "seed", "draw", "publish")
        self.agree(lambda: campaign.draw(self.folder), *(functools.partial(self._step, one) for one in steps))

    def _step(self, name: str) -> Ceremony:
        moved: Ceremony = getattr(self.model, name)()
        return moved

    @rule(reason=st.sampled_from((" ", "the register was wrong")))
    def void(self, reason: str) -> None:
        self.agree(lambda: campaign.void(self.folder, reason, self.now), lambda: self.model.void(reason))

    @rule(everything=st.booleans(), code=st.sampled_from("15"))
    def record(self, everything: bool, code: str) -> None:
        sheet = self.root / "findings.csv"
        rows = self._checks() or [("e0", 1, "t", "i", "2023-09-04")]
        lines = [
            f"{enterprise},{part},{task},{item},{day},on-site,{code}"
            for enterprise, part, task, item, day in rows[: None if everything else 1]
        ]
        sheet.write_text("enterprise,part,task,item,date,method,code\n" + "\n".join(lines) + "\n")
        self.agree(lambda: campaign.record_findings(self.folder, sheet, "looked again"), self.model.change)
        self._close()

    @rule(which=st.integers(0, 5))
    def exclude(self, which: int) -> None:
        self.agree(
            lambda: campaign.exclude(self.folder, f"e{which}", "suspended", None, max(self.now, DUE)),
            self.model.change,
        )
        self._close()

    @rule()
    def substitute(self) -> None:
        self.agree(lambda: campaign.substitute(self.folder), self.model.change)
        self._close()

    def _close(self) -> None:
        """Close the ceremony as the public would: every check of every visit in effect has a finding, nothing is pending."""
        if not Phase.PUBLISHED <= self.model.phase < Phase.VOID:
            return
        path = self.folder / "public" / "findings.json"
        rows = json.loads(path.read_bytes())["findings"] if path.exists() else []
        found = {(row["enterprise"], row["part"], row["task"], row["item"]) for row in rows}
        kinds = [row["type"] for row in self._changes()]
        pending = kinds.count("exclude") - kinds.count("substitute")
        if not pending and {check[:4] for check in self._checks()} <= found:
            self.model = self.model.close()

    def _changes(self) -> tuple[dict[str, object], ...]:
        path = self.folder / "public" / "changes.jsonl"
        return read_rows(path.read_bytes()) if path.exists() else ()

    def _checks(self) -> list[tuple[str, int, str, str, str]]:
        path = self.folder / "public" / "result.json"
        if not path.exists():
            return []
        visits = effective_visits(json.loads(path.read_bytes()), self._changes())
        return [
            (visit["enterprise"], visit["part"], check["task"], item, visit["date"])
            for visit in visits
            for check in visit["checks"]
            for item in check["items"]
            if visit["date"] is not None
        ]

    @invariant()
    def the_folder_s_state_is_the_ceremony_s(self) -> None:
        if not self.folder.exists():
            return
        read = state_of_folder(self.folder)
        assert read.phase is self.model.phase
        if read.phase is Phase.DRAFTED:
            return
        assert read.draw_id == self.draw_id
        assert read.parties == set(PARTIES)
        assert read.revealed == self.model.revealed
        assert (read.due, read.closes) == (DUE, CLOSES)

    @invariant()
    def an_alarm_is_raised_when_a_deadline_has_passed_unmet(self) -> None:
        if self.model.phase is Phase.DRAFTED:
            return
        document = json.loads((self.folder / "public" / "announcement.json").read_bytes())
        late = {one.deadline for one in overdue(self.model, document, datetime(2024, 1, 1, tzinfo=UTC))}
        if self.model.phase in {Phase.CLOSED, Phase.VOID}:
            assert late == set()
        else:
            assert late == {"findings" if self.model.phase >= Phase.PUBLISHED else "result"}
        assert overdue(self.model, document, START) == ()

    @invariant()
    def no_document_is_ever_wrong(self) -> None:
        if self.model.phase < Phase.PUBLISHED:
            return
        report = verify_record(read_public(self.folder / "public"), read_auditor(self.folder))
        failed = [(check.name, check.reason_en) for check in report.checks if check.status == "FAIL"]
        assert failed == []


Office.TestCase.settings = settings(
    max_examples=150 if DEEP else 25, stateful_step_count=40 if DEEP else 25, deadline=None
)
TestOffice = Office.TestCase


def test_a_draw_can_be_followed_from_its_draft_to_its_close_and_back() -> None:
    """The one way that the random office rarely finds, with a log."""
    office = Office()
    try:
        office.draft(logged=True)
        seen = []
        for step in (
            office.announce,
            lambda: office.reveal("a"),
            office.cosign,
            lambda: office.reveal("b"),
            office.cosign,
            lambda: [office.wait(48), office.wait(48)],
            office.draw,
            lambda: office.record(everything=False, code="1"),
            lambda: office.record(everything=True, code="1"),
            lambda: office.record(everything=True, code="5"),
        ):
            step()
            office.the_folder_s_state_is_the_ceremony_s()
            office.no_document_is_ever_wrong()
            seen.append(office.model.phase.name)
        assert seen == [
            "ANNOUNCED", "ANNOUNCED", "WAITING", "ANNOUNCED", "WAITING", "WAITING", "PUBLISHED", "EXECUTING", "CLOSED",
            "CLOSED",
        ]  # fmt: skip
    finally:
        office.teardown()


def test_an_exclusion_keeps_a_draw_open_until_its_substitute_was_inspected() -> None:
    office = Office()
    try:
        office.draft(logged=False)
        office.announce()
        office.wait(48)
        office.wait(48)
        office.draw()
        gone = int(office._checks()[0][0][1:])
        office.exclude(gone)
        office.record(everything=True, code="1")
        assert state_of_folder(office.folder).phase is Phase.EXECUTING
        office.substitute()
        office.the_folder_s_state_is_the_ceremony_s()
        office.record(everything=True, code="1")
        assert state_of_folder(office.folder).phase is Phase.CLOSED
        office.no_document_is_ever_wrong()
    finally:
        office.teardown()

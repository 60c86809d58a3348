"""The ceremony: whatever people try in whatever order, what was refused changed nothing and the rules of order hold."""

import doctest
import os
from contextlib import suppress
from datetime import UTC, datetime, timedelta

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from dualrandom import ceremony
from dualrandom.ceremony import Ceremony, Phase, StateError

START = datetime(2026, 11, 1, tzinfo=UTC)
PARTIES = ("amr", "fire", "health")
STEPS = 60 if os.environ.get("DUALRANDOM_DEEP") == "1" else 25


def test_each_rule_has_an_example_that_runs() -> None:
    failed, tried = doctest.testmod(ceremony)
    assert failed == 0
    assert tried >= 20


class Office(RuleBasedStateMachine):
    """An office that tries everything; time only moves forward. Beside the ceremony it keeps a plain diary."""

    def __init__(self) -> None:
        super().__init__()
        self.now = START
        self.now_of_round = START + timedelta(hours=12)
        self.ceremony = Ceremony("test-2026-000001")
        self.diary: list[tuple[str, datetime]] = []

    def tried(self, name: str, *arguments: object) -> None:
        with suppress(StateError):
            self.ceremony = getattr(self.ceremony, name)(*arguments)
            self.diary.append((name, self.now))

    @rule(hours=st.integers(1, 6))
    def wait(self, hours: int) -> None:
        self.now += timedelta(hours=hours)

    @rule()
    def announce(self) -> None:
        self.tried("announce", PARTIES, self.now_of_round, self.now)

    @rule(party=st.sampled_from((*PARTIES, "nobody")))
    def reveal(self, party: str) -> None:
        self.tried("reveal", party, self.now)

    @rule()
    def witness(self) -> None:
        self.tried("witness", self.now)

    @rule(name=st.sampled_from(("seed", "draw", "publish", "change", "close")))
    def go_on(self, name: str) -> None:
        self.tried(name)

    @rule(reason=st.sampled_from(("", "the register was wrong")))
    def void(self, reason: str) -> None:
        self.tried("void", reason)

    @invariant()
    def what_enters_the_seed_was_public_before_the_round(self) -> None:
        names = [name for name, _ in self.diary]
        early = [at for name, at in self.diary if name in {"announce", "reveal", "witness"}]
        assert all(at < self.now_of_round for at in early)
        if "seed" in names:
            before = names[: names.index("seed")]
            assert before[-1] == "witness"
            assert not {"reveal", "witness", "announce"} & set(names[names.index("seed") :])

    @invariant()
    def there_is_one_announcement_and_one_end(self) -> None:
        names = [name for name, _ in self.diary]
        assert names.count("announce") <= 1
        assert names[:1] in ([], ["announce"])
        assert names.count("publish") + names.count("void") <= 1
        assert max(names.count(name) for name in ("seed", "draw", "publish")) <= 1
        if "void" in names:
            assert names[-1] == "void"
            assert self.ceremony.phase is Phase.VOID
        if {"change", "close"} & set(names):
            assert "publish" in names


Office.TestCase.settings = settings(max_examples=4 * STEPS, stateful_step_count=STEPS, deadline=None)
TestOffice = Office.TestCase

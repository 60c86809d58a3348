"""Changes after the draw: the engine makes them, the verifier replays them from the page alone; they must always agree."""

from __future__ import annotations

import base64
import hashlib
import json
import os
import random
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from dualrandom.announcement import build_announcement, list_files
from dualrandom.beacon import Evidence
from dualrandom.calendar import visit_days
from dualrandom.canonical import canonical
from dualrandom.changes import (
    EXCLUSIONS,
    REPLACEMENTS,
    WITHDRAWALS,
    effect_of,
    effective_visits,
    row_bytes,
    unfilled_crews,
)
from dualrandom.draw import draw_result
from dualrandom.errors import DualRandomError
from dualrandom.flags import flags
from dualrandom.frame import Frozen, freeze, membership, year_to_date
from dualrandom.hashing import hash_hex, suite_digest
from dualrandom.policy.plan import Beacon, Caps, Plan, Scope, VisitLimit
from dualrandom.registry.models import Libraries
from dualrandom.replacement import replace_row
from dualrandom.seed import seed_statement
from dualrandom.statistics import labels_document, statistics_document
from dualrandom.substitution import NamedRound, exclude_row, substitute_row
from dualrandom.verify import AuditorFiles, Report, verify_record
from dualrandom.withdrawal import withdraw_row

CASES = 300 if os.environ.get("DUALRANDOM_DEEP") == "1" else 40
SECRET = bytes(range(32))
DRAWN = datetime(2026, 10, 30, 8, tzinfo=UTC)
DAY = timedelta(days=1)


@dataclass
class Drawn:
    """A draw in memory, and the rows of its changes so far."""

    announcement: dict[str, Any]
    frozen: Frozen
    full: dict[str, Any]
    files: dict[str, bytes]
    auditor: AuditorFiles
    rows: list[dict[str, Any]]
    now: datetime = DRAWN

    @property
    def digest(self) -> Any:
        return suite_digest(self.announcement["suite"])

    def effect(self) -> Any:
        return effect_of(self.announcement, self.full, self.files["result.json"], self.rows, self.digest)

    def report(self, rows: list[dict[str, Any]] | None = None, *, audit: bool = True) -> Report:
        data = b"".join(row_bytes(row) for row in (self.rows if rows is None else rows))
        files = self.files | ({"changes.jsonl": data} if data else {})
        return verify_record(files, self.auditor if audit else None)

    def exclude(self, enterprise: str, reason: str = "moved-away") -> None:
        named = NamedRound(f"later-{len(self.rows)}", self.now + timedelta(hours=2))
        self.rows.append(
            exclude_row(self.announcement, self.effect(), enterprise, reason, None, self.now, named)
        )

    def substitute(self) -> None:
        evidence = None
        if self.announcement["policy"]["substitution"] == "fresh":
            text = f"numbers {len(self.rows)}" if self.announcement["beacon"]["kind"] == "keystring" else None
            randomness = hashlib.sha256((text or f"local {len(self.rows)}").encode()).hexdigest()
            evidence = Evidence(randomness, None, text)
        names = {enterprise: {"en": "Name", "zh": "名称"} for enterprise in self.frozen.ids}
        self.rows.append(
            substitute_row(
                self.announcement, self.frozen, self.full, self.effect(), evidence, names, self.digest
            )
        )
        self.now += timedelta(hours=3)

    def replace(self, enterprise: str, part: int, inspector: str, reason: str) -> None:
        self.rows.append(
            replace_row(
                self.announcement,
                self.frozen,
                self.full,
                self.effect(),
                enterprise,
                part,
                inspector,
                reason,
                self.now,
            )
        )

    def withdraw(self, department: str, since: str, reason: str) -> None:
        day = date.fromisoformat(since)
        self.rows.append(
            withdraw_row(self.announcement, self.effect(), department, day, reason, None, self.now)
        )

    def seats(self) -> list[tuple[str, int, str]]:
        """(enterprise, part, inspector) of every seat in effect."""
        return [
            (visit["enterprise"], visit["part"], person)
            for visit in effective_visits(self.full, self.rows)
            for crew in visit["crews"]
            for person in crew["seats"]
        ]


def drawn(plan: Plan, libraries: Libraries, number: int) -> Drawn:
    """Announce and draw in memory."""
    draw, digest = "test-2026-000001", suite_digest(plan.suite)
    days = visit_days(*plan.period, plan.working_days, plan.extra_days, plan.closed_days)
    placed = membership(plan, libraries.enterprises, year_to_date(plan, libraries.visits))
    secret = None if plan.disclosure == "open" else SECRET
    frozen = freeze(plan, libraries, placed, draw, days, secret)
    lists = list_files(frozen, secret, digest)
    auditor = {"key": base64.b64encode(bytes(32)).decode(), "name": "审计局"}
    commitments = {name: file.commitment(digest) for name, file in lists.items()}
    document = build_announcement(plan, libraries, frozen, days, commitments, [], auditor, [])
    data = canonical(document)
    digest_hex = hash_hex(data, digest)
    text = f"first numbers {number}"
    randomness = hashlib.sha256(text.encode()).hexdigest()
    statement = seed_statement(document, digest_hex, randomness, {})
    outcome = draw_result(document, digest_hex, frozen, hash_hex(statement, digest), SECRET)
    beacon = {
        "type": "dualrandom/v1/beacon",
        "kind": plan.beacon.kind,
        "source": plan.beacon.source,
        "round": plan.beacon.round,
        "randomness": randomness,
        "signature": None,
        "keystring": text if plan.beacon.kind == "keystring" else None,
    }
    all_lists = lists | dict(outcome.lists)
    files = {
        "announcement.json": data,
        "beacon.json": canonical(beacon),
        "seed.txt": statement,
        "result.json": canonical(outcome.result),
        "statistics.json": canonical(
            statistics_document(
                document, digest_hex, frozen, outcome, {}, flags(plan, libraries, document, frozen, None)
            )
        ),
        "labels.json": canonical(
            labels_document(plan, libraries, document, digest_hex, outcome.visits, False)
        ),
        **{f"{name}.jsonl": file.file() for name, file in all_lists.items()},
    }
    if outcome.ties is not None:
        files["ties.json"] = canonical(outcome.ties)
    openings = {name: file.openings_file() for name, file in all_lists.items() if file.openings}
    return Drawn(document, frozen, dict(outcome.full), files, AuditorFiles(SECRET, openings), [])


def random_draw(
    dice: random.Random,
    make_plan: Callable[..., Plan],
    make_task: Callable[..., Any],
    make_libraries: Callable[..., Libraries],
) -> Drawn:
    """A small draw under rules combined at random."""
    ratios = {c: Fraction(dice.randrange(1, 3), 6) for c in "ABCD"}
    tasks = [
        make_task("t1", "amr", ratios=ratios, strata_by=dice.choice([("class",), ("class", "district")]))
    ]
    tasks.append(make_task("t2", "fire", strata_by=(), ratios=dict.fromkeys("ABCD", Fraction(1, 8))))
    if dice.random() < 0.6:
        scope = Scope(districts=("d1",)) if dice.random() < 0.5 else Scope(industries=("52", "13"))
        tasks.append(make_task("t3", "fire", mode="follows", lead="t1", ratios=None, scope=scope))
    ladder = [
        {"amount": 1, "department": d, "kind": k}
        for d in ("amr", "fire")
        for k in ("daily", "total", "lend", "seats")
    ]
    plan = make_plan(
        tasks=tuple(tasks),
        disclosure=dice.choice(["open", "sealed"]),
        suite=dice.choice(["sha256", "sha256", "sm3"]),
        substitution=dice.choice(["fresh", "fresh", "next"]),
        cross_district=dice.random() < 0.3,
        visit_limit=dice.choice([None, None, VisitLimit(1, None, None)]),
        caps=Caps(dice.randrange(1, 3), dice.randrange(2, 6), None),
        relief=tuple(dice.sample(ladder, dice.randrange(0, 3))),
        beacon=dice.choice(
            [Beacon("local", "none", "0", DRAWN), Beacon("keystring", "lottery", "2026-10-30", DRAWN)]
        ),
    )
    libraries = make_libraries(
        enterprises=dice.randrange(12, 40), inspectors=dice.randrange(10, 22), seed=dice.randrange(10**6)
    )
    people = tuple(
        replace(person, marks=tuple(m for m in ("food", "leader") if dice.random() < 0.8))
        for person in libraries.inspectors
    )
    return drawn(plan, replace(libraries, inspectors=people), dice.randrange(10**6))


def change_at_random(case: Drawn, dice: random.Random, steps: int) -> Counter[str]:
    """Make some changes; what the rules refuse is counted by its code."""
    done: Counter[str] = Counter()
    for _ in range(steps):
        case.now += timedelta(minutes=dice.randrange(1, 90))
        try:
            if case.effect().pending and dice.random() < 0.7:
                case.substitute()
                done["substitute"] += 1
            elif dice.random() < (0.6 if case.effect().pending else 0.15):
                departments = sorted({task["department"] for task in case.announcement["tasks"]})
                since = dice.choice(case.announcement["days"])
                case.withdraw(dice.choice(departments), since, dice.choice(sorted(WITHDRAWALS)))
                done["withdraw"] += 1
                done["withdraw while pending"] += bool(case.effect().pending)
            elif dice.random() < 0.4:
                enterprises = sorted({v["enterprise"] for v in effective_visits(case.full, case.rows)})
                case.exclude(dice.choice(enterprises), dice.choice(sorted(EXCLUSIONS)))
                done["exclude"] += 1
            else:
                case.replace(*dice.choice(case.seats()), dice.choice(sorted(REPLACEMENTS)))
                done["replace"] += 1
        except (DualRandomError, IndexError) as refused:
            done[getattr(refused, "code", "nobody left")] += 1
    while case.effect().pending:
        case.substitute()
    return done


def assert_legal(case: Drawn) -> None:
    """Every rule of who may sit, held against the visits in effect."""
    roster = {row.id: row for row in case.frozen.roster}
    more = Counter({(step["kind"], step["department"]): 0 for step in case.full["relief"]})
    for step in case.full["relief"]:
        more[step["kind"], step["department"]] += step["amount"]
    daily: Counter[tuple[str, str]] = Counter()
    total: Counter[str] = Counter()
    withdrawn = {row["department"]: row for row in case.rows if row["type"] == "withdraw"}
    for visit in effective_visits(case.full, case.rows):
        for crew in visit["crews"]:
            left = withdrawn.get(crew["department"])
            assert bool(crew["seats"]) == (left is None or visit["date"] < left["from"])
        present = [person for crew in visit["crews"] for person in crew["seats"]]
        for person in present:
            daily[person, visit["date"]] += 1
            total[person] += 1
            assert visit["date"] not in roster[person].absent
            assert (person, visit["enterprise"]) not in case.frozen.recused
            assert not any((person, other) in case.frozen.incompatible for other in present)
    for (person, _), count in daily.items():
        assert count <= roster[person].daily + more["daily", roster[person].department]
    for person, count in total.items():
        assert count <= roster[person].total + more["total", roster[person].department]


@pytest.mark.parametrize("number", range(CASES))
def test_the_verifier_agrees_with_the_engine_on_random_changes(
    make_plan: Callable[..., Plan],
    make_task: Callable[..., Any],
    make_libraries: Callable[..., Libraries],
    number: int,
) -> None:
    dice = random.Random(number)
    case = random_draw(dice, make_plan, make_task, make_libraries)
    change_at_random(case, dice, 10)
    gap = case.announcement["beacon"]["kind"] in ("local", "keystring")
    for audit in (True, False):
        report = case.report(audit=audit)
        wrong = [(c.name, c.reason_en) for c in report.checks if c.status == "FAIL"]
        assert wrong == []
    substituted = any(row["type"] == "substitute" and row["evidence"] for row in case.rows)
    audited = case.report()
    assert audited.status("changes") == ("NOT CHECKED" if gap and substituted else "PASS")


def test_the_random_changes_exercise_every_rule(
    make_plan: Callable[..., Plan], make_task: Callable[..., Any], make_libraries: Callable[..., Libraries]
) -> None:
    seen: Counter[str] = Counter()
    for number in range(40):
        dice = random.Random(number)
        case = random_draw(dice, make_plan, make_task, make_libraries)
        seen += change_at_random(case, dice, 10)
        seen[case.announcement["disclosure"]] += 1
        seen[case.announcement["policy"]["substitution"]] += 1
        left = False
        for row in case.rows:
            left |= row["type"] == "withdraw"
            seen["substitute after a withdrawal"] += left and row["type"] == "substitute"
            seen["dated"] += sum(visit["date"] is not None for visit in row.get("visits", ()))
            seen["two visits"] += len(row.get("visits", ())) > 1
            seen["exhausted"] += any(place["enterprise"] is None for place in row.get("tasks", ()))
            seen["two tasks"] += len(row.get("tasks", ())) > 1
            visits = row.get("visits", ())
            seen["barred"] += any(crew["barred"] for visit in visits for crew in visit["crews"])
            seen["follows"] += any(check["task"] == "t3" for v in visits for check in v["checks"])
    wanted = {
        "exclude",
        "substitute",
        "replace",
        "deregistered-is-a-finding",
        "no-replacement",
        "open",
        "sealed",
        "fresh",
        "next",
        "dated",
        "two visits",
        "exhausted",
        "two tasks",
        "barred",
        "follows",
        "withdraw",
        "withdraw while pending",
        "department-withdrawn",
        "substitute after a withdrawal",
    }
    assert {name: seen[name] for name in wanted if seen[name] < 3} == {}


def test_the_same_changes_give_the_same_bytes_and_leave_the_result_alone(
    make_plan: Callable[..., Plan], make_task: Callable[..., Any], make_libraries: Callable[..., Libraries]
) -> None:
    made = []
    for _ in range(2):
        dice = random.Random(7)
        case = random_draw(dice, make_plan, make_task, make_libraries)
        before = json.dumps(case.full, sort_keys=True)
        change_at_random(case, dice, 12)
        assert json.dumps(case.full, sort_keys=True) == before
        made.append(b"".join(row_bytes(row) for row in case.rows))
    assert made[0] == made[1]
    assert len(made[0].splitlines()) >= 6


@pytest.mark.parametrize("number", range(12))
def test_no_change_exceeds_a_cap_seats_the_absent_or_brings_incompatible_people_together(
    make_plan: Callable[..., Plan],
    make_task: Callable[..., Any],
    make_libraries: Callable[..., Libraries],
    number: int,
) -> None:
    dice = random.Random(1000 + number)
    case = random_draw(dice, make_plan, make_task, make_libraries)
    change_at_random(case, dice, 25)
    assert_legal(case)


def rechained(case: Drawn, rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The rows numbered and chained anew, substitutes naming their exclusions: a lie that is consistent in itself."""
    before = hash_hex(case.files["result.json"], case.digest)
    old = [hash_hex(canonical(row), case.digest) for row in case.rows]
    renamed: dict[str, str] = {}
    made = []
    for number, row in enumerate(rows, 1):
        changed = {**row, "number": number, "prev": before}
        if row["type"] == "substitute":
            changed["exclude"] = renamed.get(row["exclude"], row["exclude"])
        before = hash_hex(canonical(changed), case.digest)
        if row in case.rows:
            renamed[old[case.rows.index(row)]] = before
        made.append(changed)
    return made


@pytest.mark.parametrize("number", range(12))
def test_every_other_choice_is_refused(
    make_plan: Callable[..., Plan],
    make_task: Callable[..., Any],
    make_libraries: Callable[..., Libraries],
    number: int,
) -> None:
    dice = random.Random(number)
    case = random_draw(dice, make_plan, make_task, make_libraries)
    change_at_random(case, dice, 8)
    tried = 0
    for position, row in enumerate(case.rows):
        lies: list[dict[str, Any]] = []
        if row["type"] == "replace":
            same = [r.id for r in case.frozen.roster if r.department == row["department"]]
            lies += [
                {**row, "in": other, "seats": [other if p == row["in"] else p for p in row["seats"]]}
                for other in same
                if other != row["in"]
            ]
            lies.append({**row, "seat": row["seat"] + 1})
            lies.append({**row, "seats": row["seats"][::-1]})
        elif row["type"] == "substitute":
            for place in row["tasks"]:
                for other in dice.sample(case.frozen.ids, 4):
                    if other != place["enterprise"]:
                        swapped = json.loads(
                            json.dumps(row).replace(json.dumps(place["enterprise"]), json.dumps(other))
                        )
                        lies.append(swapped)
            for n, visit in enumerate(row["visits"]):
                for day in [*case.announcement["days"], None]:
                    if day != visit["date"]:
                        crews = visit["crews"] if day is not None else []
                        moved = {**visit, "date": day, "crews": crews}
                        lies.append({**row, "visits": [*row["visits"][:n], moved, *row["visits"][n + 1 :]]})
            lies.append({**row, "seed": "0" * 64})
        elif row["type"] == "withdraw":
            emptied = unfilled_crews(case.full, case.rows[: position + 1])[row["department"]]
            before = effective_visits(case.full, case.rows[:position])
            last = max(v["date"] for v in before if (v["enterprise"], v["part"]) in emptied)
            lies += [
                {**row, "from": "2026-01-01"},
                {**row, "reason": "tired"},
                {**row, "department": "nobody"},
            ]
            lies += [{**row, "from": day} for day in case.announcement["days"] if day > last]
        for lie in lies:
            report = case.report([*case.rows[:position], lie], audit=True)
            assert report.status("changes") == "FAIL", lie
            tried += 1
    assert tried >= 10


def test_a_chain_with_a_row_dropped_or_exchanged_is_refused(
    make_plan: Callable[..., Plan], make_task: Callable[..., Any], make_libraries: Callable[..., Libraries]
) -> None:
    dice = random.Random(3)
    case = random_draw(dice, make_plan, make_task, make_libraries)
    change_at_random(case, dice, 12)
    assert len(case.rows) > 4
    assert case.report().status("changes") != "FAIL"
    for position in range(len(case.rows) - 1):
        dropped = case.rows[:position] + case.rows[position + 1 :]
        assert case.report(dropped).status("changes") == "FAIL"
        exchanged = list(case.rows)
        exchanged[position : position + 2] = exchanged[position : position + 2][::-1]
        assert case.report(exchanged).status("changes") == "FAIL"


def test_an_exclusion_without_its_substitute_is_not_a_finished_record(
    make_plan: Callable[..., Plan], make_task: Callable[..., Any], make_libraries: Callable[..., Libraries]
) -> None:
    case = drawn(make_plan(substitution="next"), make_libraries(), 1)
    case.exclude(case.full["visits"][0]["enterprise"])
    assert case.report().status("changes") == "NOT CHECKED"
    with pytest.raises(DualRandomError, match="substitute-pending"):
        case.replace(*case.seats()[0], "ill")
    case.substitute()
    assert case.report().status("changes") == "PASS"


def test_once_the_numbers_are_out_no_other_firm_is_excluded_before_the_substitute(
    make_plan: Callable[..., Plan], make_libraries: Callable[..., Libraries]
) -> None:
    beacon = Beacon("keystring", "lottery", "2026-10-30", DRAWN)
    case = drawn(make_plan(substitution="fresh", beacon=beacon), make_libraries(), 1)
    first, second, third = list(dict.fromkeys(visit["enterprise"] for visit in case.full["visits"]))[:3]
    case.exclude(first)
    case.exclude(second)
    case.now += timedelta(hours=2)
    with pytest.raises(DualRandomError, match="substitute-pending"):
        case.exclude(third)
    case.substitute()
    case.substitute()
    if case.effect().of_enterprise(third):
        case.exclude(third)
        case.substitute()
    assert case.report().status("changes") == "NOT CHECKED"


@pytest.mark.parametrize("known", ["2026-10-30", "Later-0"])
def test_numbers_that_decided_or_were_named_before_are_not_named_again(
    make_plan: Callable[..., Plan], make_libraries: Callable[..., Libraries], known: str
) -> None:
    beacon = Beacon("keystring", "lottery", "2026-10-30", DRAWN)
    case = drawn(make_plan(substitution="fresh", beacon=beacon), make_libraries(), 1)
    first, second = list(dict.fromkeys(visit["enterprise"] for visit in case.full["visits"]))[:2]
    case.exclude(first)
    named = NamedRound(known, case.now + timedelta(days=2))
    with pytest.raises(DualRandomError, match="round-used"):
        exclude_row(case.announcement, case.effect(), second, "moved-away", None, case.now, named)


def test_without_substitutes_an_exclusion_holds_up_no_replacement(
    make_plan: Callable[..., Plan], make_libraries: Callable[..., Libraries]
) -> None:
    case = drawn(make_plan(substitution="none"), make_libraries(enterprises=40, inspectors=50), 1)
    case.exclude(case.full["visits"][0]["enterprise"])
    case.replace(*case.seats()[0], "ill")
    assert case.report().status("changes") == "PASS"
    answered = [*case.rows, {**case.rows[0], "type": "substitute"}]
    assert case.report(answered).status("changes") == "FAIL"


def test_rows_before_the_beacon_or_before_other_rows_are_refused(
    make_plan: Callable[..., Plan], make_libraries: Callable[..., Libraries]
) -> None:
    case = drawn(make_plan(substitution="next"), make_libraries(), 1)
    case.now = DRAWN - DAY
    with pytest.raises(DualRandomError, match="change-too-early"):
        case.exclude(case.full["visits"][0]["enterprise"])
    case.now = DRAWN + DAY
    case.replace(*case.seats()[0], "ill")
    case.now = DRAWN
    with pytest.raises(DualRandomError, match="change-too-early"):
        case.replace(*case.seats()[0], "ill")


def test_whoever_left_is_never_seated_again(
    make_plan: Callable[..., Plan], make_libraries: Callable[..., Libraries]
) -> None:
    case = drawn(make_plan(substitution="next"), make_libraries(enterprises=40, inspectors=50), 5)
    person = max(Counter(p for _, _, p in case.seats()).items(), key=lambda entry: entry[1])[0]
    before = {(e, n) for e, n, p in case.seats() if p == person}
    first = min(before, key=lambda place: case.effect().visits[place]["date"])
    case.replace(*first, person, "left")
    for enterprise in [v["enterprise"] for v in case.full["visits"]][:6]:
        if enterprise != first[0]:
            case.exclude(enterprise)
            case.substitute()
    for seat in case.seats()[:10]:
        if seat[2] != person:
            try:
                case.replace(*seat, "ill")
            except DualRandomError as refused:
                assert refused.code == "no-replacement"  # noqa: PT017
    after = {(e, n) for e, n, p in case.seats() if p == person}
    assert after <= before - {first}
    assert case.report().status("changes") == "PASS"


MAKERS: list[Any] = []
"""make_plan, make_task, make_libraries: state machines take no fixtures."""


@pytest.fixture(autouse=True)
def makers(
    make_plan: Callable[..., Plan], make_task: Callable[..., Any], make_libraries: Callable[..., Libraries]
) -> None:
    MAKERS[:] = [make_plan, make_task, make_libraries]


class AnySequenceOfChanges(RuleBasedStateMachine):
    """Whatever is changed in whatever order, crews stay legal, and the verifier follows every step."""

    @initialize(seed=st.integers(0, 10**6))
    def draw(self, seed: int) -> None:
        self.case = random_draw(random.Random(seed), *MAKERS)

    def attempt(self, change: Callable[[], None]) -> None:
        self.case.now += timedelta(minutes=7)
        before = len(self.case.rows)
        try:
            change()
        except DualRandomError as refused:
            assert refused.remedy("zh")  # noqa: PT017
            assert len(self.case.rows) == before

    @rule(data=st.data(), reason=st.sampled_from(sorted(EXCLUSIONS)))
    def exclude(self, data: st.DataObject, reason: str) -> None:
        enterprises = sorted({v["enterprise"] for v in effective_visits(self.case.full, self.case.rows)})
        if enterprises:
            chosen = data.draw(st.sampled_from(enterprises))
            self.attempt(lambda: self.case.exclude(chosen, reason))

    @precondition(lambda self: self.case.effect().pending)
    @rule()
    def substitute(self) -> None:
        self.case.substitute()

    @rule(data=st.data(), reason=st.sampled_from(sorted(REPLACEMENTS)))
    def replace(self, data: st.DataObject, reason: str) -> None:
        if self.case.seats():
            seat = data.draw(st.sampled_from(self.case.seats()))
            self.attempt(lambda: self.case.replace(*seat, reason))

    @rule(data=st.data(), reason=st.sampled_from(sorted(WITHDRAWALS)))
    def withdraw(self, data: st.DataObject, reason: str) -> None:
        department = data.draw(st.sampled_from(["amr", "fire", "nobody"]))
        since = data.draw(st.sampled_from(self.case.announcement["days"]))
        self.attempt(lambda: self.case.withdraw(department, since, reason))

    @invariant()
    def legal(self) -> None:
        if hasattr(self, "case"):
            assert_legal(self.case)

    def teardown(self) -> None:
        if hasattr(self, "case"):
            for audit in (True, False):
                checks = self.case.report(audit=audit).checks
                assert [(c.name, c.reason_en) for c in checks if c.status == "FAIL"] == []


TestAnySequenceOfChanges = AnySequenceOfChanges.TestCase
TestAnySequenceOfChanges.settings = settings(
    max_examples=150 if os.environ.get("DUALRANDOM_DEEP") == "1" else 12,
    stateful_step_count=14,
    deadline=None,
    derandomize=True,
    suppress_health_check=list(HealthCheck),
)

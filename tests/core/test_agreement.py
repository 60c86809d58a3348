"""The engine and the verifier share no decision: they must agree on every draw, whatever rules are combined."""

from __future__ import annotations

import base64
import copy
import hashlib
import json
import os
import random
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import replace
from fractions import Fraction
from typing import Any

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from dualrandom.announcement import SignedContribution, build_announcement, list_files
from dualrandom.calendar import visit_days
from dualrandom.canonical import canonical
from dualrandom.draw import draw_result
from dualrandom.flags import flags
from dualrandom.frame import freeze, membership, year_to_date
from dualrandom.hashing import hash_hex, suite_digest
from dualrandom.policy.plan import Budget, Caps, Department, Plan, Scope, VisitLimit
from dualrandom.registry.models import Item, Libraries
from dualrandom.seed import commitment_of, contribution_statement, seed_statement
from dualrandom.statistics import labels_document, statistics_document
from dualrandom.ticket import Tickets, cost_of
from dualrandom.verify import AuditorFiles, verify_record

CASES = 600 if os.environ.get("DUALRANDOM_DEEP") == "1" else 60
SECRET = bytes(range(32))
EXPECTED_OPEN = {"log", "events", "beacon", "findings"}
"""What nobody can check in a complete, audited record with a local beacon and no log."""


def random_plan(
    dice: random.Random, make_plan: Callable[..., Plan], make_task: Callable[..., Any]
) -> tuple[Plan, dict[str, tuple[str, ...]]]:
    """A plan that combines rules at random; the item marks go with it."""
    marks = {f"t{n}-item": tuple(m for m in ("food", "gsp") if dice.random() < 0.3) for n in range(1, 6)}
    departments = (
        Department("amr", "市监", "AMR", dice.choice([(("leader",), ()), ((), ()), (("leader",), (), ())])),
        Department("fire", "消防", "Fire", dice.choice([((), ()), (("leader",), ())])),
    )
    ratios = {c: Fraction(dice.randrange(0, 5), dice.choice((4, 5, 7))) for c in "ABC"} | {"D": Fraction(1)}
    ratios = {c: min(r, Fraction(1)) for c, r in ratios.items()}
    tasks = [
        make_task("t1", "amr", ratios=ratios, strata_by=dice.choice([("class",), ("class", "district")]))
    ]
    if dice.random() < 0.7:
        tasks.append(make_task("t2", "fire", group_by="class", strata_by=("class", "district")))
    if dice.random() < 0.5:
        scope = Scope(districts=("d1",)) if dice.random() < 0.5 else Scope(industries=("52", "13"))
        tasks.append(make_task("t3", "fire", mode="follows", lead="t1", ratios=None, scope=scope))
    if dice.random() < 0.5:
        weights = {c: Fraction(w) for c, w in zip("ABCD", (1, 2, 5, 10), strict=True)}
        tasks.append(make_task("t4", "amr", ratios=None, budget=Budget(dice.randrange(1, 15), weights)))
    if dice.random() < 0.3:
        tasks.append(
            make_task("t5", "fire", strata_by=(), scope=Scope(classes=("C",)), ratios={"C": Fraction(1, 3)})
        )
    disclosure = dice.choice(["open", "sealed"])
    ladder = [
        {"amount": dice.randrange(1, 3), "department": d, "kind": k}
        for d in sorted({task.department for task in tasks})
        for k in ("daily", "total", "lend", "seats")
    ]
    plan = make_plan(
        departments=departments,
        tasks=tuple(tasks),
        disclosure=disclosure,
        rounding="up" if disclosure == "sealed" else dice.choice(["up", "unbiased"]),
        suite=dice.choice(["sha256", "sha256", "sm3"]),
        cross_district=dice.random() < 0.2,
        embargo=dice.choice(["none", "none", "crews", "visits"]),
        visit_limit=dice.choice(
            [None, VisitLimit(1, None, None), VisitLimit(None, 2, None), VisitLimit(2, 3, Fraction(3, 2))]
        ),
        caps=Caps(dice.randrange(1, 3), dice.randrange(2, 7), None),
        relief=tuple(dice.sample(ladder, dice.randrange(0, 4))),
        months_left=dice.choice([1, 1, 2]),
    )
    if dice.random() < 0.6:
        plan = replace(plan, tasks=tuple(two_way(task) for task in plan.tasks))
    return plan, marks


def two_way(task: Any) -> Any:
    """Hold the classes and the districts of a task that has strata by both."""
    if task.mode == "follows" or task.strata_by != ("class", "district"):
        return task
    return replace(task, control="two-way", group_by="class")


def record(plan: Plan, libraries: Libraries, number: int) -> tuple[dict[str, bytes], AuditorFiles]:
    """Announce and draw in memory: the public files, and what the auditor gets."""
    draw, digest = "test-2026-000001", suite_digest(plan.suite)
    days = visit_days(*plan.period, plan.working_days, plan.extra_days, plan.closed_days)
    placed = membership(plan, libraries.enterprises, year_to_date(plan, libraries.visits))
    secret = None if plan.disclosure == "open" else SECRET
    frozen = freeze(plan, libraries, placed, draw, days, secret)
    lists = list_files(frozen, secret, digest)
    nonces = {party: hashlib.sha256(f"{party}{number}".encode()).hexdigest() for party in ("p", "q")}
    contributions = []
    for party, nonce in nonces.items():
        key = Ed25519PrivateKey.from_private_bytes(hashlib.sha256(party.encode()).digest())
        commitment = commitment_of(draw, party, nonce, digest)
        raw = key.public_key().public_bytes(serialization.Encoding.Raw, serialization.PublicFormat.Raw)
        signed = key.sign(contribution_statement(draw, party, commitment))
        contributions.append(
            SignedContribution(
                party, base64.b64encode(raw).decode(), commitment, base64.b64encode(signed).decode()
            )
        )
    auditor = {"key": base64.b64encode(bytes(32)).decode(), "name": "审计局"}
    commitments = {name: file.commitment(digest) for name, file in lists.items()}
    document = build_announcement(plan, libraries, frozen, days, commitments, contributions, auditor, [])
    data = canonical(document)
    randomness = hashlib.sha256(f"randomness {number}".encode()).hexdigest()
    statement = seed_statement(document, hash_hex(data, digest), randomness, {"p": nonces["p"]})
    outcome = draw_result(document, hash_hex(data, digest), frozen, hash_hex(statement, digest), SECRET)
    beacon = {
        "type": "dualrandom/v1/beacon",
        "kind": "local",
        "source": "none",
        "round": "0",
        "randomness": randomness,
        "signature": None,
        "keystring": None,
    }
    files = {
        "announcement.json": data,
        "beacon.json": canonical(beacon),
        "seed.txt": statement,
        "result.json": canonical(outcome.result),
        **{f"{name}.jsonl": file.file() for name, file in (lists | dict(outcome.lists)).items()},
    }
    digest_hex = hash_hex(data, digest)
    files["statistics.json"] = canonical(
        statistics_document(
            document, digest_hex, frozen, outcome, {}, flags(plan, libraries, document, frozen, None)
        )
    )
    files["labels.json"] = canonical(
        labels_document(plan, libraries, document, digest_hex, outcome.visits, False)
    )
    if outcome.ties is not None:
        files["ties.json"] = canonical(outcome.ties)
    openings = {
        name: file.openings_file() for name, file in (lists | dict(outcome.lists)).items() if file.openings
    }
    return files, AuditorFiles(SECRET, openings)


@pytest.mark.parametrize("number", range(CASES))
def test_the_verifier_agrees_with_the_engine_on_a_random_draw(
    make_plan: Callable[..., Plan],
    make_task: Callable[..., Any],
    make_libraries: Callable[..., Libraries],
    number: int,
) -> None:
    dice = random.Random(number)
    plan, marks = random_plan(dice, make_plan, make_task)
    libraries = make_libraries(
        enterprises=dice.randrange(8, 50), inspectors=dice.randrange(6, 20), seed=number
    )
    people = tuple(
        replace(
            person,
            marks=tuple(m for m in ("food", "gsp", "leader") if dice.random() < 0.7),
            districts=("d1", "d2") if dice.random() < 0.7 else (dice.choice(("d1", "d2")),),
            daily=dice.choice([None, None, 1]),
            total=dice.choice([None, None, 2]),
        )
        for person in libraries.inspectors
    )
    items = tuple(
        Item(name, name, name, "amr", "law", "general", marks[name], Fraction(1, 2), None, None)
        for name in marks
    )
    files, auditor = record(plan, replace(libraries, inspectors=people, items=items), number)
    report = verify_record(files, auditor)
    wrong = [
        (c.name, c.status, c.reason_en)
        for c in report.checks
        if c.status != "PASS" and c.name not in EXPECTED_OPEN
    ]
    assert wrong == []
    public = verify_record(files)
    assert [(c.name, c.reason_en) for c in public.checks if c.status == "FAIL"] == []


def test_the_random_draws_exercise_every_rule(
    make_plan: Callable[..., Plan], make_task: Callable[..., Any], make_libraries: Callable[..., Libraries]
) -> None:
    seen: Counter[str] = Counter()
    for number in range(60):
        dice = random.Random(number)
        plan, _ = random_plan(dice, make_plan, make_task)
        seen[plan.disclosure] += 1
        seen[plan.suite] += 1
        seen[f"embargo {plan.embargo}"] += 1
        seen["relief"] += bool(plan.relief)
        seen["limit"] += plan.visit_limit is not None
        held = any(task.control == "two-way" for task in plan.tasks)
        seen["two-way"] += held and plan.rounding == "unbiased"
        seen["follows"] += any(task.mode == "follows" for task in plan.tasks)
    assert min(seen.values()) >= 5, seen


@pytest.mark.parametrize("number", range(4))
def test_optimised_dates_are_feasible_save_travel_and_are_said_to_be_optimised(
    make_plan: Callable[..., Plan],
    make_task: Callable[..., Any],
    make_libraries: Callable[..., Libraries],
    number: int,
) -> None:
    base = make_libraries(enterprises=24, inspectors=16, seed=number)
    streets = [f"{street}路{n}号" for n, street in zip(range(24), "甲乙丙" * 8, strict=True)]
    placed = tuple(replace(e, address=a) for e, a in zip(base.enterprises, streets, strict=True))
    libraries = replace(base, enterprises=placed)
    address = {e.id: (e.district, e.address[0]) for e in placed}
    street_days = {}
    for calendar in ("lottery", "optimise"):
        files, auditor = record(make_plan(calendar=calendar), libraries, number)
        checks = {check.name: check for check in verify_record(files, auditor).checks}
        assert [c.name for c in checks.values() if c.status == "FAIL"] == []
        assert ("optimisation" in checks["dates"].reason_en) == (calendar == "optimise")
        visits = json.loads(files["result.json"])["visits"]
        street_days[calendar] = len({(address[v["enterprise"]], v["date"]) for v in visits if v["date"]})
        again, _ = record(make_plan(calendar=calendar), libraries, number)
        assert again == files
    assert street_days["optimise"] < street_days["lottery"]


def legal_changes(files: dict[str, bytes], dice: random.Random) -> Iterator[list[dict[str, Any]]]:
    """Yield the visits with one seat given to a colleague who may take it, or two seats exchanged; caps are kept."""
    people = {row["id"]: row["detail"] for row in map(json.loads, files["roster.jsonl"].splitlines())}
    original = json.loads(files["result.json"])["visits"]
    seats = [
        (v, c, s)
        for v, visit in enumerate(original)
        for c, crew in enumerate(visit["crews"])
        for s in range(len(crew["seats"]))
    ]

    def may_sit(person: str, visit: dict[str, Any], crew: dict[str, Any], leaver: str) -> bool:
        row = people[person]
        return (
            row["department"] == crew["department"]
            and visit["district"] in row["districts"]
            and visit["date"] not in row["absent"]
            and person not in crew["barred"]
            and person not in crew["seats"]
            and set(row["marks"]) >= set(people[leaver]["marks"])
        )

    def within_caps(visits: list[dict[str, Any]]) -> bool:
        sat = [(p, visit["date"]) for visit in visits for crew in visit["crews"] for p in crew["seats"]]
        days, totals = Counter(sat), Counter(p for p, _ in sat)
        return all(n <= people[p]["daily"] for (p, _), n in days.items()) and all(
            n <= people[p]["total"] for p, n in totals.items()
        )

    while seats:
        v, c, s = dice.choice(seats)
        visit, crew = original[v], original[v]["crews"][c]
        leaver = crew["seats"][s]
        changed = copy.deepcopy(original)
        other = dice.choice([None, dice.choice(seats)])
        if other is None:
            able = [p for p in people if may_sit(p, visit, crew, leaver)]
            newcomer = dice.choice(able) if able else None
        else:
            w, d, r = other
            newcomer = original[w]["crews"][d]["seats"][r]
            if not may_sit(leaver, original[w], original[w]["crews"][d], newcomer):
                newcomer = None
            else:
                changed[w]["crews"][d]["seats"][r] = leaver
        if newcomer is not None and may_sit(newcomer, visit, crew, leaver):
            changed[v]["crews"][c]["seats"][s] = newcomer
            if within_caps(changed):
                yield changed
                continue
        yield []


def test_every_legal_single_change_of_a_plan_is_refused(
    make_plan: Callable[..., Plan], make_task: Callable[..., Any], make_libraries: Callable[..., Libraries]
) -> None:
    wanted = 10_000 if os.environ.get("DUALRANDOM_DEEP") == "1" else 300
    tried: Counter[str] = Counter()
    number = 0
    while sum(tried.values()) < wanted:
        number += 1
        assert number < wanted
        dice = random.Random(number)
        files, _ = record(make_plan(), make_libraries(enterprises=30, inspectors=16, seed=number), number)
        result = json.loads(files["result.json"])
        tickets = Tickets(result["seed"])
        for _, visits in zip(range(120), legal_changes(files, dice), strict=False):
            if not visits:
                continue
            cost = sum(
                cost_of(tickets.raw("pair", f"{visit['enterprise']}:{crew['department']}:{person}"))
                for visit in visits
                for crew in visit["crews"]
                for person in crew["seats"]
            )
            totals = {**result["totals"], "cost": str(cost)}
            lie = {**files, "result.json": canonical({**result, "visits": visits, "totals": totals})}
            failed = [check.name for check in verify_record(lie).checks if check.status == "FAIL"]
            assert {"crews", "prices"} & set(failed), (number, visits)
            tried["prices" if "prices" in failed else "crews"] += 1
    assert tried["prices"] > wanted // 4, tried

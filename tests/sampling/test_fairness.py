"""The audit passes fair ways of drawing and catches the unfair ones that real systems use."""

from __future__ import annotations

import json
import os
import random
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from fractions import Fraction
from typing import Any
from xml.etree import ElementTree

import numpy as np
import pytest

from dualrandom.fairness import audit, audit_seed, render_audit
from dualrandom.fairness.exchangeable import chi_square, neighbours, spreads_of_sizes, trend
from dualrandom.frame import Frozen, RosterRow
from dualrandom.quota import Stratum
from dualrandom.sample import sample_sizes
from dualrandom.ticket import Tickets

DEEP = os.environ.get("DUALRANDOM_DEEP") == "1"
DRAWS = 4_000 if DEEP else 600
REPETITIONS = 4_000 if DEEP else 600

Drawn = dict[str, list[str]]


def lists(enterprises: int = 120) -> Frozen:
    """Two tasks over three profiles: quotas that are whole and that are not."""
    ids = tuple(f"e{number:04d}" for number in range(enterprises))
    profiles: tuple[Mapping[str, str], ...] = ({"t1": "A", "t2": "A"}, {"t1": "B", "t2": "B"}, {"t1": "A"})
    profile = np.array([number * 7 % 10 % 3 for number in range(enterprises)], dtype=np.int64)
    first, second, third = np.bincount(profile, minlength=3).tolist()
    strata = {
        "t1": (
            Stratum("A", "all", first + third, Fraction(26, 3)),
            Stratum("B", "all", second, Fraction(9, 2)),
        ),
        "t2": (Stratum("A", "all", first, Fraction(6)), Stratum("B", "all", second, Fraction(3))),
    }
    return Frozen(
        draw="test-2026-000001",
        ids=ids,
        keys=ids,
        districts=("d1",) * enterprises,
        closed=((),) * enterprises,
        profile=profile,
        profiles=profiles,
        roster=(),
        recused={},
        incompatible={},
        strata=strata,
    )


ANNOUNCEMENT: dict[str, Any] = {
    "draw": "test-2026-000001",
    "disclosure": "open",
    "suite": "sha256",
    "tasks": [{"id": name, "control": "one-way", "lead": None, "mode": "own"} for name in ("t1", "t2")],
}

Choice = Callable[[Sequence[str], int, random.Random], list[str]]


def stratified(choose: Choice, bits: int = 256) -> Callable[[Mapping[str, Any], Frozen, str], Drawn]:
    """Return a sampler with fair sizes that chooses within each stratum as ``choose`` does, from ``bits`` of the seed."""

    def sampler(announcement: Mapping[str, Any], frozen: Frozen, seed: str) -> Drawn:
        short = f"{int(seed, 16) >> (256 - bits):064x}"
        dice = random.Random(short)
        drawn: Drawn = {}
        for task, strata in frozen.strata.items():
            sizes = sample_sizes(task, strata, Tickets(short))
            drawn[task] = []
            for stratum in strata:
                inside = [frozen.profiles[p].get(task) == stratum.id for p in frozen.profile.tolist()]
                members = [e for e, belongs in zip(frozen.ids, inside, strict=True) if belongs]
                drawn[task] += choose(members, sizes[stratum.id], dice)
        return drawn

    return sampler


def fair(members: Sequence[str], n: int, dice: random.Random) -> list[str]:
    return dice.sample(members, n)


def fixed_step(members: Sequence[str], n: int, dice: random.Random) -> list[str]:
    """A random start and every k-th from there, as a provincial platform does."""
    step = len(members) // n
    start = dice.randrange(step)
    return [members[start + number * step] for number in range(n)]


def fixed_step_with_lost_rows(members: Sequence[str], n: int, dice: random.Random) -> list[str]:
    """The same over pages of 20 rows of which each loses its last one (LIMIT one short)."""
    kept = [member for number, member in enumerate(members) if number % 20 != 19]
    return fixed_step(kept, n, dice)


def modulo_of_a_byte(members: Sequence[str], n: int, dice: random.Random) -> list[str]:
    """A random byte, modulo the number of members, until enough different ones are found."""
    chosen: dict[str, None] = {}
    while len(chosen) < n:
        chosen[members[dice.randrange(256) % len(members)]] = None
    return list(chosen)


def order_by_random_with_ties(members: Sequence[str], n: int, dice: random.Random) -> list[str]:
    """ORDER BY FLOOR(RAND() * 64): equal numbers keep the order of the table."""
    return sorted(members, key=lambda _: dice.randrange(64))[:n]


def test_our_draw_and_any_other_fair_one_pass() -> None:
    for report in (
        audit(lists(), ANNOUNCEMENT, DRAWS),
        audit(lists(), ANNOUNCEMENT, DRAWS, sampler=stratified(fair)),
    ):
        assert report["fair"], report["weakest"]
        assert report["coverage"]["unseen"] == 0


@pytest.mark.parametrize(
    ("choose", "caught_by"),
    [
        (fixed_step_with_lost_rows, {"coverage", "largest", "chi_square", "neighbours", "repeats"}),
        (fixed_step, {"neighbours", "repeats"}),
        (modulo_of_a_byte, {"chi_square", "trend"}),
        (order_by_random_with_ties, {"trend"}),
    ],
)
def test_unfair_ways_of_drawing_are_caught(choose: Choice, caught_by: set[str]) -> None:
    report = audit(lists(), ANNOUNCEMENT, max(2_000, DRAWS), sampler=stratified(choose))
    assert not report["fair"]
    level = report["alpha"] / report["tests"]
    failed = {name for name in caught_by if any(entry[name]["p"] < level for entry in report["tasks"])}
    assert failed == caught_by


def test_rows_lost_at_page_ends_are_named_as_never_drawn() -> None:
    report = audit(lists(), ANNOUNCEMENT, 2_000, sampler=stratified(fixed_step_with_lost_rows))
    frozen = lists()
    members = [e for e, p in zip(frozen.ids, frozen.profile.tolist(), strict=True) if p == 1]
    first = report["tasks"][0]["coverage"]
    assert members[19] in first["unseen_ids"]
    assert first["unseen"] > 20 * first["expected_unseen"]


def test_a_seed_of_twenty_bits_is_caught_by_samples_that_recur() -> None:
    report = audit(lists(60), ANNOUNCEMENT, 5_000, sampler=stratified(fair, bits=20))
    assert report["weakest"]["test"] == "repeats"
    assert not report["fair"]


def test_sizes_that_favour_one_way_of_rounding_are_caught() -> None:
    def always_up(announcement: Mapping[str, Any], frozen: Frozen, seed: str) -> Drawn:
        strata = {
            task: tuple(replace(s, expected=Fraction(-(-s.expected // 1))) for s in rows)
            for task, rows in frozen.strata.items()
        }
        return stratified(fair)(announcement, replace(frozen, strata=strata), seed)

    report = audit(lists(), ANNOUNCEMENT, 200, sampler=always_up)
    assert report["weakest"]["test"] == "sizes"
    assert not report["fair"]


def test_enterprises_from_outside_of_the_frame_are_caught() -> None:
    def smuggled(announcement: Mapping[str, Any], frozen: Frozen, seed: str) -> Drawn:
        drawn = stratified(fair)(announcement, frozen, seed)
        return {task: [*chosen[1:], "x9999"] for task, chosen in drawn.items()}

    report = audit(lists(), ANNOUNCEMENT, 20, sampler=smuggled)
    assert report["p_value"] == 0
    assert report["tasks"][0]["sizes"]["impossible"] >= 20


def test_an_enterprise_without_any_quota_is_counted_as_not_drawable() -> None:
    frozen = lists()
    strata = {task: (rows[0], replace(rows[1], expected=Fraction(0))) for task, rows in frozen.strata.items()}
    report = audit(replace(frozen, strata=strata), ANNOUNCEMENT, 200)
    blocked = int(np.count_nonzero(frozen.profile == 1))
    assert report["coverage"]["eligible"] - report["coverage"]["drawable"] == blocked
    assert report["fair"]


def test_the_statistic_has_the_mean_and_variance_that_are_claimed_even_for_tiny_counts() -> None:
    # 12 draws of 0 to 3 out of 9: about one and a half expected draws each
    members, draws = 9, 12
    dice = np.random.default_rng(5)
    sizes = np.array([0, 1, 1, 2, 3, 1, 0, 2, 1, 1, 3, 1])
    spreads = spreads_of_sizes(sizes, members)
    found, trended, near = [], [], []
    for _ in range(REPETITIONS):
        rows = np.zeros((draws, members), dtype=np.int64)
        for row, n in zip(rows, sizes.tolist(), strict=True):
            row[dice.permutation(members)[:n]] = 1
        found.append(chi_square(rows.sum(axis=0), spreads))
        trended.append(trend(rows.sum(axis=0), spreads))
        near.append(neighbours((rows[:, 1:] * rows[:, :-1]).sum(axis=1), sizes, members))
    statistics = np.array([one.statistic for one in found])
    assert statistics.mean() == pytest.approx(found[0].degrees, rel=0.06)
    assert statistics.var() == pytest.approx(found[0].variance, rel=0.25)
    for sums in (trended, near):
        values = np.array([one.observed for one in sums])
        assert values.mean() == pytest.approx(sums[0].mean, abs=4 * (sums[0].variance / REPETITIONS) ** 0.5)
        assert values.var() == pytest.approx(sums[0].variance, rel=0.25)


def test_seeds_are_the_stated_hash() -> None:
    # printf 'dualrandom/audit\n%s\n0' 0000… | sha256sum
    assert audit_seed("00" * 32, 0) == "42a03eb12fa5c09f" + audit_seed("00" * 32, 0)[16:]
    assert len({audit_seed("00" * 32, number) for number in range(100)}) == 100


DAYS = ["2026-11-02", "2026-11-03", "2026-11-04"]


def whole_draw() -> tuple[dict[str, Any], Frozen]:
    """Lists with inspectors: two departments of six, two of them leaders, one with a recusal and an absence."""
    roster = tuple(
        RosterRow(
            id=f"i{number:02d}",
            person=f"i{number:02d}",
            department="amr" if number < 6 else "fire",
            districts=("d1",),
            marks=("leader",) if number % 3 == 0 else (),
            absent=(DAYS[0],) if number == 1 else (),
            daily=2,
            total=5,
        )
        for number in range(12)
    )
    frozen = replace(lists(60), roster=roster, recused={("i02", "e0003"): "kin"})
    strata = {
        task: tuple(replace(s, expected=s.expected / 3) for s in rows) for task, rows in frozen.strata.items()
    }
    item = {"hours": "1/1", "marks": []}
    announcement = {
        **ANNOUNCEMENT,
        "days": DAYS,
        "crews": [{"department": name, "seats": [["leader"], []]} for name in ("amr", "fire")],
        "policy": {"calendar": "lottery", "cross_district": False, "relief": [], "visit_limit": None},
        "tasks": [
            {
                "department": name,
                "id": task,
                "items": [{**item, "id": f"{task}-i"}],
                "lead": None,
                "control": "one-way",
                "mode": "own",
            }
            for name, task in (("amr", "t1"), ("fire", "t2"))
        ],
    }
    return announcement, replace(frozen, strata=strata)


def first_come(announcement: Mapping[str, Any], frozen: Frozen, seed: str) -> list[int]:
    """Hand every crew to the leader and the inspector who come first in the list."""
    crews = 3 + int(seed[0], 16) % 4
    return [crews if row.id in {"i00", "i01", "i06", "i07"} else 0 for row in frozen.roster]


def test_our_pairing_treats_equal_inspectors_alike_and_a_preference_is_caught() -> None:
    announcement, frozen = whole_draw()
    report = audit(frozen, announcement, 120, pairings=120)
    assert report["fair"], report["weakest"]
    departments = report["pairing"]["departments"]
    assert [(d["department"], d["compared"], d["degrees"]) for d in departments] == [
        ("amr", 6, 4),
        ("fire", 6, 4),
    ]
    unfair = audit(frozen, announcement, 40, pairings=40, pairer=first_come)
    assert not unfair["fair"]
    assert unfair["weakest"]["test"] == "pairing"


def test_the_number_of_processes_changes_nothing() -> None:
    announcement, frozen = whole_draw()
    told: list[int] = []
    alone = audit(frozen, announcement, 30, pairings=6)
    together = audit(frozen, announcement, 30, pairings=6, workers=2, progress=told.append)
    assert alone == together
    assert told == sorted(told)
    assert told[-1] == 30


def test_the_report_is_one_page_in_both_languages_with_plots_and_nothing_from_elsewhere() -> None:
    announcement, frozen = whole_draw()
    report = audit(frozen, announcement, 60, pairings=20)
    assert json.loads(json.dumps(report, allow_nan=False)) == report
    text = render_audit(report, "en").decode()
    assert "Nothing unfair was found" in text
    assert "未发现不公平之处" in text
    assert "<script" not in text
    assert not re.search(r"(src|href)=", text)
    pictures = re.findall(r"<svg.*?</svg>", text, re.DOTALL)
    assert len(pictures) == 3
    for picture in pictures:
        names = {element.tag for element in ElementTree.fromstring(picture).iter()}
        assert names <= {"svg", "g", "title", "rect", "circle", "line", "text"}
    shown = audit(lists(), ANNOUNCEMENT, 200, sampler=stratified(fixed_step_with_lost_rows))
    page = render_audit(shown).decode()
    assert "抽取不公平" in page
    assert "从未抽中" in page
    assert "不得公布" not in page
    assert "不得公布" in render_audit(audit(lists(), {**ANNOUNCEMENT, "disclosure": "sealed"}, 50)).decode()

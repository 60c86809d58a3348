"""Estimates from findings: against hand computation, against the truth over many draws, and on the documents of real draws."""

from __future__ import annotations

import hashlib
import json
import os
import random
from collections.abc import Mapping, Sequence
from fractions import Fraction
from math import sqrt
from typing import Any

import pytest

from dualrandom.canonical import canonical, parse_canonical
from dualrandom.errors import DualRandomError
from dualrandom.estimate import estimate_document, render_estimate
from dualrandom.estimate.estimator import Counts, collapsed_groups, estimate, horvitz_thompson
from dualrandom.quota import Stratum
from dualrandom.sample import sample_sizes
from dualrandom.ticket import Tickets

DEEP = os.environ.get("DUALRANDOM_DEEP") == "1"
DRAWS = 8_000 if DEEP else 800


def counts(name: str, size: int, drawn: int, violations: int, missed: int = 0, **changes: Any) -> Counts:
    values = {
        "id": name,
        "group": "g",
        "size": size,
        "expected": Fraction(drawn),
        "drawn": drawn,
        "recorded": drawn,
        "checked": drawn - missed,
        "violations": violations,
        "missed": missed,
    }
    return Counts(**{**values, **changes})


def test_a_hand_computed_example_comes_out() -> None:
    # A: 2 of 10 drawn from 100 violate, B: 6 of 20 drawn from 50 do
    found = estimate([counts("A", 100, 10, 2), counts("B", 50, 20, 6)], 0.95)
    assert found.violating == 100 * Fraction(2, 10) + 50 * Fraction(6, 20)  # 20 + 15
    assert found.rate == Fraction(35, 150)
    # s² = n/(n-1) p(1-p): A 10/9·0.16, B 20/19·0.21; V = Σ N²(1 - n/N) s²/n
    variance = 100**2 * 0.9 * (10 / 9 * 0.16) / 10 + 50**2 * 0.6 * (20 / 19 * 0.21) / 20
    assert found.violating_error == pytest.approx(sqrt(variance))
    assert found.error == pytest.approx(sqrt(variance) / 150)
    assert found.variance == "stratified"


def test_enterprises_that_could_not_be_checked_leave_the_rate_and_are_estimated_apart() -> None:
    found = estimate([counts("A", 100, 10, 2, missed=5)], 0.95)
    assert found.rate == Fraction(2, 5)
    assert found.missed_rate == Fraction(1, 2)
    assert found.violating == 20


def test_strata_with_a_single_enterprise_are_collapsed_in_pairs() -> None:
    single = [counts(name, 10 * (number + 1), 1, number % 2) for number, name in enumerate("ABCDE")]
    assert collapsed_groups(single) == [("A", "B"), ("C", "D", "E")]
    assert collapsed_groups(single[:4]) == [("A", "B"), ("C", "D")]
    found = estimate(single[:2], 0.95)
    # totals 0 and 20 of sizes 10 and 20: 2·((0 - 20/3)² + (20 - 40/3)²)
    assert found.variance == "collapsed"
    assert found.violating_error == pytest.approx(sqrt(2 * ((20 / 3) ** 2 + (20 / 3) ** 2)))


def test_a_lonely_single_enterprise_takes_its_neighbour() -> None:
    assert collapsed_groups([counts("A", 9, 3, 1), counts("B", 9, 1, 0), counts("C", 9, 4, 1)]) == [
        ("B", "C")
    ]
    assert collapsed_groups([counts("A", 9, 3, 1), counts("B", 9, 1, 0)]) == [("A", "B")]
    # a stratum of one enterprise that was drawn is known completely
    assert collapsed_groups([counts("A", 1, 1, 1), counts("B", 9, 2, 0)]) == []


def test_without_any_spread_no_standard_error_is_invented() -> None:
    found = estimate([counts("A", 50, 1, 0)], 0.95)
    assert found.rate == 0
    assert found.error is None
    assert (found.variance, found.interval) == ("none", "korn-graubard")
    assert found.high == pytest.approx(0.975)


def test_the_example_of_the_manual_comes_out() -> None:
    # docs/sampling.md: 10.6 % of the inspected, 3.4 % of the market
    market = [
        counts("A", 6000, 60, 1, missed=2),
        counts("B", 3000, 60, 2, missed=3),
        counts("C", 800, 80, 8, missed=4),
        counts("D", 200, 60, 15, missed=5),
    ]
    found = estimate(market, 0.95)
    shown = [round(float(value) * 100, 1) for value in (found.rate, found.low, found.high)]  # type: ignore[arg-type]
    assert shown == [3.4, 1.4, 7.0]
    assert found.violating == 330
    assert [round(float(estimate([s], 0.95).rate) * 100, 1) for s in market] == [1.7, 3.5, 10.5, 27.3]  # type: ignore[arg-type]


def test_a_census_has_no_error() -> None:
    found = estimate([counts("A", 8, 8, 3)], 0.95)
    assert (found.rate, found.error, found.low, found.high) == (Fraction(3, 8), 0.0, 0.375, 0.375)
    assert found.interval == "census"


def test_no_violations_among_many_still_leave_an_upper_bound() -> None:
    found = estimate([counts("A", 1000, 60, 0)], 0.95)
    assert found.low == 0
    assert found.high == pytest.approx(1 - 0.025 ** (1 / 60))


def test_horvitz_thompson_needs_all_findings() -> None:
    assert horvitz_thompson([counts("A", 100, 10, 2, recorded=9)]) is None
    whole = horvitz_thompson([counts("A", 100, 10, 2, expected=Fraction(19, 2))])
    assert whole is not None
    assert whole.violating == Fraction(2 * 100 * 2, 19)


POPULATION = {"A": (60, 6, Fraction(13, 2)), "B": (40, 10, Fraction(8)), "C": (12, 5, Fraction(17, 5))}
"""Stratum → enterprises, violating ones, expected sample."""
TRUTH = Fraction(21, 112)


def simulated(number: int) -> list[Counts]:
    """Draw once from the population: sizes by the protocol, then a simple random sample of each stratum."""
    seed = hashlib.sha256(f"estimate {number}".encode()).hexdigest()
    strata = [Stratum(name, name, size, expected) for name, (size, _, expected) in POPULATION.items()]
    sizes = sample_sizes("t", strata, Tickets(seed))
    dice = random.Random(number)
    drawn = []
    for s in strata:
        violating = POPULATION[s.id][1]
        chosen = dice.sample(range(s.size), sizes[s.id])
        hits = sum(unit < violating for unit in chosen)
        drawn.append(counts(s.id, s.size, sizes[s.id], hits, expected=s.expected))
    return drawn


def test_both_estimators_are_unbiased_and_the_intervals_cover_the_truth() -> None:
    rates, totals, errors = [], [], []
    inside = 0
    for number in range(DRAWS):
        drawn = simulated(number)
        found, unconditional = estimate(drawn, 0.95), horvitz_thompson(drawn)
        assert found.rate is not None
        assert found.low is not None
        assert found.high is not None
        assert found.error is not None
        assert unconditional is not None
        rates.append(float(found.rate))
        totals.append(float(unconditional.violating))
        errors.append(found.error**2)
        inside += found.low <= TRUTH <= found.high
    spread = sqrt(sum((rate - float(TRUTH)) ** 2 for rate in rates) / DRAWS)
    assert abs(sum(rates) / DRAWS - float(TRUTH)) < 4 * spread / sqrt(DRAWS)
    total_spread = sqrt(sum((total - 21) ** 2 for total in totals) / DRAWS)
    assert abs(sum(totals) / DRAWS - 21) < 4 * total_spread / sqrt(DRAWS)
    # the variance estimator is unbiased as well, and 95 % intervals cover in at least 95 % of the draws
    assert sum(errors) / DRAWS == pytest.approx(spread**2, rel=0.1)
    assert inside / DRAWS >= 0.95


FRAME: list[dict[str, Any]] = [
    {
        "detail": {"closed": [], "district": f"d{number % 2 + 1}", "profile": f"p000{number % 3 + 1}"},
        "id": f"e{number:02d}",
    }
    for number in range(24)
]
PROFILES: dict[str, dict[str, str]] = {
    "p0001": {"t1": "A", "t2": "all"},
    "p0002": {"t1": "B"},
    "p0003": {"t1": "C.d9"},
}
ANNOUNCEMENT: dict[str, Any] = {
    "draw": "test-2026-000001",
    "disclosure": "open",
    "profiles": [{"id": name, "strata": strata} for name, strata in PROFILES.items()],
    "tasks": [
        {
            "id": "t1",
            "lead": None,
            "items": [{"id": "i1"}, {"id": "i2"}],
            "strata": [
                {"expected": "4/1", "group": "all", "id": "A", "size": 8},
                {"expected": "3/1", "group": "all", "id": "B", "size": 8},
                {"expected": "1/3", "group": "all", "id": "C.d9", "size": 8},
            ],
        },
        {"id": "t2", "lead": "t1", "items": [{"id": "i3"}], "strata": None},
    ],
}
SELECTED = ["e00", "e03", "e06", "e09", "e01", "e04", "e07"]
RESULT: dict[str, Any] = {
    "selection": [
        {"selected": SELECTED, "task": "t1"},
        {"selected": ["e00", "e03", "e06", "e09"], "task": "t2"},
    ]
}


def finding(enterprise: str, task: str, item: str, code: str, revision: int = 1) -> dict[str, Any]:
    return {
        "code": code,
        "enterprise": enterprise,
        "item": item,
        "part": 1,
        "revision": revision,
        "task": task,
    }


def findings(entries: Sequence[dict[str, Any]]) -> dict[str, Any]:
    return {"announcement": "0" * 64, "draw": "test-2026-000001", "findings": list(entries)}


CODES: Mapping[str, tuple[str, str]] = {
    "e00": ("1", "1"),
    "e03": ("1", "4"),
    "e06": ("6", "6"),
    "e09": ("1", "1"),
    "e01": ("1", "1"),
    "e04": ("B", "1"),
}
ALL = findings(
    [
        finding(e, "t1", item, code)
        for e, codes in CODES.items()
        for item, code in zip(("i1", "i2"), codes, strict=True)
    ]
    + [
        finding("e00", "t2", "i3", "D"),
        finding("e00", "t2", "i3", "1", revision=2),
        finding("e03", "t2", "i3", "5"),
    ]
    + [finding("e23", "t1", "i1", "D")]
)


def test_documents_are_counted_by_stratum_class_district_and_item() -> None:
    document = estimate_document(ANNOUNCEMENT, RESULT, ALL, FRAME)
    t1, t2 = document["tasks"]
    strata = {row["id"]: row for row in t1["strata"]}
    assert [
        (strata[s]["drawn"], strata[s]["recorded"], strata[s]["checked"], strata[s]["violations"])
        for s in "AB"
    ] == [
        (4, 4, 3, 1),
        (3, 2, 2, 1),
    ]
    assert strata["C.d9"]["not_estimable"] == "rounded-to-zero"
    total = t1["total"]
    assert (total["frame"], total["covered"], total["drawn"], total["checked"], total["pending"]) == (
        24,
        16,
        7,
        5,
        1,
    )
    assert total["missed"] == {"6": 1, "7": 0, "9": 0, "F": 0}
    assert total["codes"] == {"1": 8, "4": 1, "6": 2, "B": 1}
    assert [entry["codes"] for entry in t1["items"]] == [{"1": 4, "6": 1, "B": 1}, {"1": 4, "4": 1, "6": 1}]
    assert t1["classes"][1]["codes"] == {"1": 3, "B": 1}
    # A: 8/4 each, B: 8/2 each, since one of three is not recorded
    assert total["rate_exact"] == "3/7"  # (2·1 + 4·1) / (2·3 + 4·2)
    assert total["missed_rate"] == "0.125000"  # 2 / 16
    assert total["horvitz_thompson"] is None
    assert [(entry["class"], entry["rate_exact"]) for entry in t1["classes"][:2]] == [
        ("A", "1/3"),
        ("B", "1/2"),
    ]
    assert {entry["district"]: entry["drawn"] for entry in t1["districts"]} == {"d1": 3, "d2": 4}
    assert sum(entry["frame"] for entry in t1["districts"]) == 24
    assert [entry["violations"] for entry in t1["items"]] == [1, 1]
    # the later revision counts; e06 and e09 have no finding of t2 yet, and B is outside of its scope
    assert (t2["lead"], t2["total"]["frame"], t2["total"]["checked"], t2["total"]["violations"]) == (
        "t1",
        8,
        2,
        1,
    )
    assert t2["total"]["pending"] == 2
    assert document["outside"] == 1


@pytest.mark.parametrize("code", list("123456789ABCDEF"))
def test_every_code_is_a_violation_or_clean_or_leaves_nothing_to_check(code: str) -> None:
    entries = [finding("e00", "t1", item, code) for item in ("i1", "i2")]
    total = estimate_document(ANNOUNCEMENT, RESULT, findings(entries), FRAME)["tasks"][0]["total"]
    assert total["codes"] == {code: 2}
    assert (total["checked"], total["violations"], sum(total["missed"].values())) == {
        "1": (1, 0, 0),
        **dict.fromkeys("679F", (0, 0, 1)),
    }.get(code, (1, 1, 0))


@pytest.mark.parametrize(
    ("codes", "status"),
    [
        (("F", "1"), "clean"),
        (("F", "B"), "violation"),
        (("F", "F"), "F"),
        (("6", "1"), "6"),
        (("6", "8"), "violation"),
        (("F", "6"), "6"),
        (("1", "E"), "violation"),
    ],
)
def test_an_activity_not_carried_on_decides_only_where_there_is_nothing_else(
    codes: tuple[str, str], status: str
) -> None:
    entries = [finding("e00", "t1", item, code) for item, code in zip(("i1", "i2"), codes, strict=True)]
    total = estimate_document(ANNOUNCEMENT, RESULT, findings(entries), FRAME)["tasks"][0]["total"]
    told = {
        "violation": total["violations"],
        "clean": total["checked"] - total["violations"],
        **total["missed"],
    }
    assert [name for name, count in told.items() if count] == [status]
    assert total["pending"] == 6


def test_parts_of_a_divided_stratum_count_for_their_class() -> None:
    document = json.loads(json.dumps(ANNOUNCEMENT))
    for profile in document["profiles"]:
        profile["strata"] = {t: f"{s}.p1" if t == "t1" else s for t, s in profile["strata"].items()}
    for stratum in document["tasks"][0]["strata"]:
        stratum["id"] += ".p1"
    rows = [{**row, "detail": {**row["detail"], "district": "d9"}} for row in FRAME]
    found = estimate_document(document, RESULT, ALL, rows)["tasks"][0]["classes"]
    assert [entry["class"] for entry in found] == ["A", "B", "C"]


def test_a_follower_speaks_only_for_what_its_lead_can_draw() -> None:
    profiles = [*ANNOUNCEMENT["profiles"], {"id": "p0004", "strata": {"t2": "all"}}]
    extra = [{"detail": {"closed": [], "district": "d1", "profile": "p0004"}, "id": "x01"}]
    document = estimate_document({**ANNOUNCEMENT, "profiles": profiles}, RESULT, ALL, FRAME + extra)
    t1, t2 = document["tasks"]
    assert (t1["total"]["frame"], t2["total"]["frame"], t2["total"]["covered"]) == (24, 9, 8)


def test_a_substitute_stands_in_for_an_excluded_enterprise() -> None:
    changes: list[dict[str, Any]] = [
        {"enterprise": "e06", "reason": "suspended", "type": "exclude"},
        {
            "tasks": [{"enterprise": "e12", "task": "t1"}, {"enterprise": None, "task": "t9"}],
            "type": "substitute",
        },
    ]
    entries = [entry for entry in ALL["findings"] if entry["enterprise"] != "e06"]
    entries += [
        finding("e12", "t1", "i1", "1"),
        finding("e12", "t1", "i2", "C"),
        finding("e12", "t2", "i3", "1"),
    ]
    document = estimate_document(ANNOUNCEMENT, RESULT, findings(entries), FRAME, changes=changes)
    t1, t2 = document["tasks"]
    assert (t1["total"]["excluded"], t1["total"]["missed"]["6"]) == (1, 0)
    # A: of four recorded, the substitute among them, two violate
    assert t1["classes"][0]["rate_exact"] == "1/2"
    assert t1["total"]["horvitz_thompson"] is None
    assert (t2["total"]["checked"], t2["total"]["excluded"]) == (3, 1)
    assert document["outside"] == 1
    assert "excluded after the draw: 1" in render_estimate(document, "en")


def test_a_firm_that_a_withdrawn_department_did_not_visit_is_counted_apart() -> None:
    tasks = [{**task, "department": f"of-{task['id']}"} for task in ANNOUNCEMENT["tasks"]]
    announcement = {**ANNOUNCEMENT, "tasks": tasks}
    visit = {
        "checks": [{"items": ["i1", "i2"], "task": "t1"}],
        "crews": [{"barred": [], "department": "of-t1", "seats": ["p1", "p2"]}],
        "date": "2026-09-04",
        "enterprise": "e06",
        "part": 1,
    }
    result = {**RESULT, "embargoed": None, "visits": [visit]}
    row = {"department": "of-t1", "from": "2026-09-04", "reason": "reorganised", "type": "withdraw"}
    entries = [f for f in ALL["findings"] if (f["enterprise"], f["task"]) != ("e06", "t1")]
    document = estimate_document(announcement, result, findings(entries), FRAME, changes=[row])
    t1, t2 = (task["total"] for task in document["tasks"])
    assert (t1["unfilled"], t1["missed"]["6"], t1["excluded"]) == (1, 0, 0)
    assert (t2["unfilled"], t1["horvitz_thompson"]) == (0, None)
    # it is taken to be like the others, as a firm whose finding is still to come
    before = estimate_document(announcement, result, findings(entries), FRAME)["tasks"][0]["total"]
    assert {**before, "pending": before["pending"] - 1, "unfilled": 1} == t1
    assert "the department withdrew: 1" in render_estimate(document, "en")
    assert "1 家因部门退出无人检查" in render_estimate(document, "zh")


def test_the_document_is_canonical_json() -> None:
    document = estimate_document(ANNOUNCEMENT, RESULT, ALL, FRAME)
    assert parse_canonical(canonical(document), "estimate.json") == document


def test_a_class_inside_of_a_compound_stratum_is_found() -> None:
    rows = [{**row, "detail": {**row["detail"], "district": "d9"}} for row in FRAME]
    document = estimate_document(ANNOUNCEMENT, RESULT, ALL, rows)
    assert [entry["class"] for entry in document["tasks"][0]["classes"]] == ["A", "B", "C"]


def test_a_sealed_draw_needs_the_auditors_openings_and_then_says_the_same() -> None:
    sealed = {**ANNOUNCEMENT, "disclosure": "sealed", "profiles": None}
    sealed["tasks"] = [{**task, "strata": None} for task in ANNOUNCEMENT["tasks"]]
    rows = [{"id": row["id"], "sealed": "0" * 64} for row in FRAME]
    openings: list[dict[str, Any]] = []
    with pytest.raises(DualRandomError) as caught:
        estimate_document(sealed, RESULT, ALL, rows, openings)
    assert caught.value.code == "sealed"
    for row in FRAME:
        detail = row["detail"]
        hidden = {"closed": [], "district": detail["district"], "strata": PROFILES[detail["profile"]]}
        openings.append({"hidden": hidden, "id": row["id"], "list": "frame", "salt": "0" * 64})
    with pytest.raises(DualRandomError) as caught:
        estimate_document(sealed, RESULT, ALL, rows, openings)
    assert caught.value.value == "strata"
    for number, stratum in enumerate(ANNOUNCEMENT["tasks"][0]["strata"]):
        hidden = {**stratum, "task": "t1"}
        openings.append({"hidden": hidden, "id": f"s{number:04d}", "list": "strata", "salt": "0" * 64})
    assert estimate_document(sealed, RESULT, ALL, rows, openings) == estimate_document(
        ANNOUNCEMENT, RESULT, ALL, FRAME
    )


def test_an_embargoed_selection_must_be_opened() -> None:
    with pytest.raises(DualRandomError) as caught:
        estimate_document(ANNOUNCEMENT, {"selection": None}, ALL, FRAME)
    assert caught.value.code == "embargoed"
    opening = {"hidden": RESULT["selection"], "id": "selection", "list": "visits", "salt": "0" * 64}
    assert estimate_document(ANNOUNCEMENT, {"selection": None}, ALL, FRAME, [opening]) == estimate_document(
        ANNOUNCEMENT, RESULT, ALL, FRAME
    )


def test_the_text_says_rate_interval_and_what_it_cannot_say() -> None:
    document = json.loads(canonical(estimate_document(ANNOUNCEMENT, RESULT, ALL, FRAME)))
    labels = {"tasks": {"t1": {"zh": "公示信息", "en": "Publicity"}}}
    chinese = render_estimate(document, "zh", labels)
    assert "任务 公示信息 (t1)" in chinese
    assert "违法率 42.86 %" in chinese
    assert "层 C.d9（8 家）无法推断：本次取整后为零" in chinese
    english = render_estimate(document, "en", labels)
    assert "total: 42.86 %, interval" in english
    assert "speaks for 16 of 24 enterprises" in english
    assert "drawn, without a finding yet: 1" in english
    assert "findings 1: 8, 4: 1, 6: 2, B: 1" in english
    assert "finding B, did not publish what it must: 1" in english
    assert "结果 B 未按规定公示应当公示的信息：1 项" in chinese
    assert "not drawn: findings 1" in english

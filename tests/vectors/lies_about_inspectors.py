"""Lies about crews and prices."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any

from lies import (  # type: ignore[import-not-found]
    OPEN,
    SCARCE,
    SEALED,
    Json,
    lie,
    value,
)

# --- crews and prices


def crews_of(built: Any) -> list[tuple[int, str, str, str, list[list[str]]]]:
    """(number, enterprise, department, date, options)"""
    dated = [v for v in built.visits if v["date"]]
    return [(n, *crew) for n, crew in enumerate(built.network(dated))]


def seated_by(
    pick: Callable[[Any, int, tuple[Any, ...], list[str]], list[str] | None],
) -> Callable[[Any, Json], None]:
    """Replace the people of the first crew for which `pick` offers others."""

    def tell(built: Any, plan: Json) -> None:
        for number, *crew in crews_of(built):
            people = pick(built, number, tuple(crew), plan[number])
            if people is not None and sorted(people) != sorted(plan[number]):
                plan[number] = sorted(people)
                return
        raise AssertionError("no crew offers this lie")

    return tell


def legal(built: Any, crew: tuple[Any, ...], people: list[str]) -> bool:
    return len(set(people)) == len(people) and any(
        all(p in seat for p, seat in zip(order, crew[3], strict=True))
        for order in itertools.permutations(people)
    )


def within_caps(built: Any, plan: list[list[str]]) -> bool:
    slots = [(p, crew[3]) for crew, people in zip(crews_of(built), plan, strict=True) for p in people]
    names = [p for p, _ in slots]
    return all(slots.count(s) <= built.caps(s[0])[0] for s in slots) and all(
        names.count(p) <= built.caps(p)[1] for p in names
    )


def exchanged(built: Any, plan: Json) -> None:
    """Exchange one inspector for a legal, free colleague: the plan stays legal but is dearer."""
    for number, *crew in crews_of(built):
        pool = sorted({p for seat in crew[3] for p in seat} - set(plan[number]))
        for old in plan[number]:
            for new in pool:
                people = sorted([new, *(p for p in plan[number] if p != old)])
                trial = [*plan[:number], people, *plan[number + 1 :]]
                if legal(built, tuple(crew), people) and within_caps(built, trial):
                    plan[number] = people
                    return
    raise AssertionError


def swapped_between(built: Any, plan: Json) -> None:
    """Exchange two inspectors between two crews, legally."""
    crews = crews_of(built)
    for one, *first in crews:
        for two, *second in crews[one + 1 :]:
            for a in plan[one]:
                for b in plan[two]:
                    left = sorted([b, *(p for p in plan[one] if p != a)])
                    right = sorted([a, *(p for p in plan[two] if p != b)])
                    trial = [*plan]
                    trial[one], trial[two] = left, right
                    if (
                        a != b
                        and legal(built, tuple(first), left)
                        and legal(built, tuple(second), right)
                        and within_caps(built, trial)
                    ):
                        plan[one], plan[two] = left, right
                        return
    raise AssertionError


def other(
    built: Any, crew: tuple[Any, ...], people: list[str], wanted: Callable[[str, Any], bool]
) -> list[str] | None:
    """Put somebody of the department into the crew for whom `wanted` holds."""
    for p, row in sorted(built.roster.items()):
        if row["department"] == crew[1] and p not in people and wanted(p, row):
            return [p, *people[1:]]
    return None


def beyond_caps(built: Any, plan: Json) -> None:
    for number, *crew in crews_of(built):
        for old in plan[number]:
            for new in sorted({p for seat in crew[3] for p in seat} - set(plan[number])):
                people = sorted([new, *(p for p in plan[number] if p != old)])
                if legal(built, tuple(crew), people) and not within_caps(
                    built, [*plan[:number], people, *plan[number + 1 :]]
                ):
                    plan[number] = people
                    return
    raise AssertionError


def reseated(built: Any, visits: Json) -> None:
    """Let two people exchange seats that both may take."""
    for _, enterprise, department, _date, options in crews_of(built):
        crew = next(
            c
            for v in visits
            if v["enterprise"] == enterprise
            for c in v["crews"]
            if c["department"] == department
        )
        turned = crew["seats"][::-1]
        if all(person in seat for person, seat in zip(turned, options, strict=True)):
            crew["seats"] = turned
            return
    raise AssertionError


def first_crew(
    change_crew: Callable[[Json], Any], where: Callable[[Json, Json], bool] = lambda v, c: True
) -> Callable[[Json], None]:
    def tell(document: Json) -> None:
        change_crew(next(c for v in document["visits"] for c in v["crews"] if where(v, c)))

    return tell


lie(
    "exchanged-inspector",
    OPEN,
    "prices",
    "换了一名检查人员（合规但不是最小方案） · a legal but dearer inspector",
    {"plan": exchanged},
)
lie(
    "sealed-exchanged-inspector",
    SEALED,
    "prices",
    "密封抽取中换人（公众可见） · an exchanged inspector in a sealed draw, which the public sees",
    {"plan": exchanged},
)
lie(
    "swapped-inspectors",
    OPEN,
    "prices",
    "两组对调一人 · two crews exchanged an inspector",
    {"plan": swapped_between},
)
lie(
    "scarce-exchanged-inspector",
    SCARCE,
    "prices",
    "人手紧张时换人 · an exchanged inspector where caps bind",
    {"plan": exchanged},
)
lie("exceeded-cap", SCARCE, "crews", "超过每日上限 · a cap is exceeded", {"plan": beyond_caps})
lie(
    "recused-pair",
    OPEN,
    "crews",
    "应回避者入席 · a recused inspector sits",
    {"plan": seated_by(lambda b, n, c, people: other(b, c, people, lambda p, row: b.recused(p, c[0])))},
)
lie(
    "unqualified-inspector",
    OPEN,
    "crews",
    "无资格者占资格席 · a seat's mark is lacking",
    {
        "plan": seated_by(
            lambda b, n, c, people: (
                other(b, c, people, lambda p, row: not row["marks"]) if c[1] == "amr" else ["f2", "f5"]
            )
        )
    },
)
lie(
    "absent-inspector",
    OPEN,
    "crews",
    "缺勤者入席 · an absent inspector sits",
    {
        "plan": seated_by(
            lambda b, n, c, people: other(
                b,
                c,
                people,
                lambda p, row: c[2] in row["absent"] and b.frame[c[0]]["district"] in row["districts"],
            )
        )
    },
)
lie(
    "foreign-district",
    OPEN,
    "crews",
    "跨区派人 · an inspector of another district",
    {
        "plan": seated_by(
            lambda b, n, c, people: other(
                b, c, people, lambda p, row: b.frame[c[0]]["district"] not in row["districts"]
            )
        )
    },
)
lie(
    "barred-colleague",
    OPEN,
    "crews",
    "不得同组者同组 · colleagues who may not serve together",
    {"plan": seated_by(lambda b, n, c, people: other(b, c, people, lambda p, row: p in b.barred[c[0], 1]))},
)
lie(
    "false-bar",
    OPEN,
    "crews",
    "无故排除一人，其余照算 · somebody is barred without reason, all else computed honestly",
    {
        "barred": lambda b, barred: barred[b.visits[0]["enterprise"], 1].add(
            next(
                p
                for d, p in b.fit(b.visits[0])
                if p not in barred[b.visits[0]["enterprise"], 1]
                and not b.recused(p, b.visits[0]["enterprise"])
                and p not in ("a2", "a7")
            )
        )
    },
)
lie(
    "sealed-false-bar",
    SEALED,
    "crews",
    "密封抽取中无故排除一人 · a bar without reason in a sealed draw",
    {
        "barred": lambda b, barred: barred[b.visits[0]["enterprise"], 1].add(
            next(
                p
                for d, p in b.fit(b.visits[0])
                if p not in barred[b.visits[0]["enterprise"], 1]
                and not b.recused(p, b.visits[0]["enterprise"])
                and p not in ("a2", "a7")
            )
        )
    },
    auditor=True,
)
value(
    "same-person-twice",
    OPEN,
    "result.json",
    "crews",
    "一人占两席 · one person in two seats",
    first_crew(lambda c: c["seats"].__setitem__(1, c["seats"][0])),
)
value(
    "seat-left-empty",
    OPEN,
    "result.json",
    "crews",
    "少一人 · a seat is left empty",
    first_crew(lambda c: c["seats"].pop()),
)
value(
    "unknown-inspector",
    OPEN,
    "result.json",
    "crews",
    "名录中无此人 · nobody of the roster",
    first_crew(lambda c: c["seats"].__setitem__(1, "zz")),
)
value(
    "person-of-another-department",
    OPEN,
    "result.json",
    "crews",
    "他部门的人 · a person of another department",
    first_crew(lambda c: c["seats"].__setitem__(1, "f2"), lambda v, c: c["department"] == "amr"),
)
value(
    "seats-out-of-order",
    OPEN,
    "result.json",
    "crews",
    "席位次序不对 · seats out of order",
    first_crew(lambda c: c["seats"].reverse()),
)
lie(
    "seats-not-canonical",
    SCARCE,
    "crews",
    "合规但次序不是签号次序 · legal seats in another order than the tickets'",
    {"seats": reseated},
)
value(
    "omitted-bar",
    OPEN,
    "result.json",
    "crews",
    "漏列应回避者 · barred lacks somebody",
    first_crew(lambda c: c["barred"].pop(), lambda v, c: bool(c["barred"])),
)
value(
    "bar-of-an-outsider",
    SEALED,
    "result.json",
    "crews",
    "barred 列出本不能入席者（公众可见） · barred lists somebody who could not sit",
    first_crew(
        lambda c: c.update(barred=sorted({*c["barred"], "f1"})), lambda v, c: c["department"] == "amr"
    ),
)
value(
    "seated-though-barred",
    SEALED,
    "result.json",
    "crews",
    "入席者在 barred 之列（公众可见） · somebody sits though barred",
    first_crew(lambda c: c.update(barred=sorted({*c["barred"], c["seats"][0]}))),
)
value(
    "crew-without-checks",
    OPEN,
    "result.json",
    "crews",
    "无检查的部门派人 · a crew of a department without checks",
    lambda d: d["visits"][0]["crews"].append({"barred": [], "department": "zoo", "seats": ["a1", "a2"]}),
)
value(
    "missing-crew",
    OPEN,
    "result.json",
    "crews",
    "缺一个检查组 · a crew is missing",
    lambda d: d["visits"][0]["crews"].pop(),
)
value(
    "crew-of-an-undated-visit",
    SCARCE,
    "result.json",
    "crews",
    "无日期却有检查组 · an undated visit has a crew",
    lambda d: next(v for v in d["visits"] if not v["date"])["crews"].append(
        {"barred": [], "department": "amr", "seats": ["a1", "a2"]}
    ),
)
lie(
    "raised-price",
    SCARCE,
    "prices",
    "价格被抬高 · a price was raised",
    {"prices": lambda _, p: p[0]["days"].update({k: str(int(v) + 1) for k, v in p[0]["days"].items()})},
)
lie("omitted-price", SCARCE, "prices", "漏列一个价格 · a price was left out", {"prices": lambda _, p: p[1:]})
lie(
    "added-price",
    OPEN,
    "prices",
    "多出一个价格 · a price that nothing calls for",
    {"prices": lambda _, p: [{"days": {}, "inspector": "a1", "period": "5"}]},
)
lie(
    "feasible-but-not-least-prices",
    SCARCE,
    "prices",
    "价格可行但不是最小 · feasible prices that are not the least",
    {
        "prices": lambda b, _: [
            {
                "days": {
                    d: str(2**41)
                    for d in b.announcement["days"]
                    if sum(d == f[2] and p in f[4] for f in b.filled)
                },
                "inspector": p,
                "period": "0",
            }
            for p in sorted({p for f in b.filled for p in f[4]})
        ]
    },
)
value(
    "attempt-without-ties",
    OPEN,
    "result.json",
    "prices",
    "称重试却无并列证据 · another attempt without evidence of a tie",
    lambda d: d.update(attempt=1),
)

"""From the documents of a draw and its findings to estimates (docs/protocol.md §3, 9, 10; docs/sampling.md).

A pure function of documents: the published ones of an open draw, or those of a sealed draw with the openings that only the auditor
holds. The unit is an enterprise under a task: it violates if the latest finding of any of the task's items is a violation.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from dualrandom.changes import effective_visits
from dualrandom.errors import DualRandomError
from dualrandom.estimate.estimator import (
    Counts,
    Estimate,
    collapsed_groups,
    estimate,
    horvitz_thompson,
)

CLEAN = frozenset({"1"})
UNREACHED = ("6", "7", "9")
"""Cannot be reached, closed, deregistered: nobody could check the firm."""
IDLE = "F"
"""Did not carry on the inspected activity: whose rules it can neither keep nor break."""
MISSED = (*UNREACHED, IDLE)
"""Nothing could be checked. Neither clean nor a violation; estimated apart."""
VIOLATIONS = tuple("23458ABCDE")
"""``8``: refusing is a violation in itself; ``A``: a problem, to be handled; ``E``: a violation that was corrected."""
PENDING, EXCLUDED, UNFILLED = "pending", "excluded", "unfilled"
UNKNOWN = frozenset({PENDING, EXCLUDED, UNFILLED})
"""Drawn, but nothing is known: no finding yet, excluded before the visit, or its department withdrew (docs/protocol.md §13)."""

Document = Mapping[str, Any]


@dataclass(frozen=True)
class _Frame:
    """The frame by what estimates need: enterprise → (strata by task, district), and how many have each combination."""

    of: Mapping[str, tuple[Mapping[str, str], str]]
    counts: Mapping[tuple[int, str], int]
    profiles: tuple[Mapping[str, str], ...]


@dataclass(frozen=True, slots=True)
class _Unit:
    """A drawn enterprise: its stratum in the drawing task, and the latest codes of the task's items (None: not recorded)."""

    enterprise: str
    stratum: str
    district: str
    in_scope: bool
    gone: str | None
    """:data:`EXCLUDED` or :data:`UNFILLED`; None if it is visited."""
    codes: tuple[str | None, ...]

    def known(self, item: int | None) -> Iterator[str]:
        """Return the codes that were recorded, for one item or all."""
        if self.gone is None:
            yield from (c for c in (self.codes if item is None else (self.codes[item],)) if c is not None)

    def status(self, item: int | None) -> str:
        """Return ``violation``, ``clean``, one of :data:`UNKNOWN` or of :data:`MISSED`, for one item or all."""
        return self.gone or _status(self.codes if item is None else (self.codes[item],))


def estimate_document(
    announcement: Document,
    result: Document,
    findings: Document,
    frame: Iterable[Document],
    openings: Iterable[Document] = (),
    changes: Iterable[Document] = (),
    confidence: float = 0.95,
) -> dict[str, Any]:
    """Return the estimates of every task: in all, by class, district and item, with the strata they rest on.

    ``frame``: rows of frame.jsonl; ``openings``: opening objects of the lists ``frame``, ``strata`` and (with embargo ``visits``) ``visits``,
    required for a sealed draw. ``changes``: rows of changes.jsonl; a substitute stands in for an excluded enterprise of its stratum. ``codes`` of a domain counts its findings
    (enterprise and item, last revision) by every code that occurs. Ratios are ``p/q`` strings, other figures decimal strings with six digits; ``None`` where the sample does not say.
    Raises DualRandomError ``sealed`` or ``embargoed`` if openings are missing.
    """
    opened: dict[str, dict[str, Any]] = defaultdict(dict)
    for opening in openings:
        opened[opening["list"]][opening["id"]] = opening["hidden"]
    placed = _frame(announcement, frame, opened["frame"])
    strata = _strata(announcement, opened["strata"])
    selected = _selected(result, opened["visits"])
    excluded = set()
    rows = list(changes)
    unfilled = _unfilled(announcement, result, opened["visits"], rows)
    for row in rows:
        if row["type"] == "exclude":
            excluded.add(row["enterprise"])
        for entry in row["tasks"] if row["type"] == "substitute" else ():
            if entry["enterprise"] is not None:
                selected[entry["task"]].add(entry["enterprise"])
    scope = _scope(announcement, placed, selected)
    latest, outside = _latest(findings, scope)
    district_ids = {district for _, district in placed.counts}
    tasks = []
    for task in announcement["tasks"]:
        drawn_by = task["lead"] or task["id"]
        items = [item["id"] for item in task["items"]]
        units = []
        for enterprise in sorted(selected[drawn_by]):
            strata_of, district = placed.of[enterprise]
            codes = tuple(latest.get((task["id"], enterprise, item)) for item in items)
            in_scope = task["id"] in strata_of
            absent = UNFILLED if (enterprise, task["id"]) in unfilled else None
            gone = EXCLUDED if enterprise in excluded else absent
            units.append(_Unit(enterprise, strata_of[drawn_by], district, in_scope, gone, codes))
        view = _Task(task["id"], drawn_by, strata[drawn_by], units, placed, confidence)
        tasks.append(_task_document(view, task["lead"], items, district_ids))
    return {
        "type": "dualrandom/v1/estimate",
        "announcement": findings["announcement"],
        "draw": announcement["draw"],
        "confidence": _decimal(confidence),
        "codes": {"clean": sorted(CLEAN), "missed": list(MISSED), "violations": list(VIOLATIONS)},
        "outside": outside,
        "tasks": tasks,
    }


def _frame(announcement: Document, rows: Iterable[Document], opened: Mapping[str, Any]) -> _Frame:
    is_open = announcement["disclosure"] == "open"
    profiles = {profile["id"]: profile["strata"] for profile in announcement["profiles"] or ()}
    numbers: dict[str | tuple[tuple[str, str], ...], int] = {}
    distinct: list[Mapping[str, str]] = []
    of: dict[str, tuple[Mapping[str, str], str]] = {}
    counts: Counter[tuple[int, str]] = Counter()
    for row in rows:
        if not is_open and row["id"] not in opened:
            raise _sealed("frame")
        detail = row["detail"] if is_open else opened[row["id"]]
        strata = profiles[detail["profile"]] if is_open else detail["strata"]
        number = numbers.setdefault(
            detail["profile"] if is_open else tuple(sorted(strata.items())), len(distinct)
        )
        if number == len(distinct):
            distinct.append(strata)
        of[row["id"]] = distinct[number], detail["district"]
        counts[number, detail["district"]] += 1
    return _Frame(of, counts, tuple(distinct))


def _strata(announcement: Document, opened: Mapping[str, Any]) -> dict[str, list[Document]]:
    if announcement["disclosure"] == "open":
        return {task["id"]: task["strata"] for task in announcement["tasks"] if task["strata"] is not None}
    if not opened:
        raise _sealed("strata")
    result: dict[str, list[Document]] = {task["id"]: [] for task in announcement["tasks"]}
    for _, hidden in sorted(opened.items()):
        result[hidden["task"]].append(hidden)
    return result


def _selected(result: Document, opened: Mapping[str, Any]) -> dict[str, set[str]]:
    selection = result["selection"]
    if selection is None:
        selection = opened.get("selection")
    if selection is None:
        raise DualRandomError(
            code="embargoed",
            value="selection",
            message={"zh": "抽中名单尚未公开", "en": "the selection is under an embargo"},
            remedy={
                "zh": "等到全部公开之后，或提供清单 visits 的 selection 开封内容。",
                "en": "Wait until all is opened, or give the opening of selection in the list visits.",
            },
        )
    return {entry["task"]: set(entry["selected"]) for entry in selection}


def _unfilled(
    announcement: Document, result: Document, opened: Mapping[str, Any], rows: list[Document]
) -> set[tuple[str, str]]:
    """Return the (enterprise, task) whose crew is unfilled: nobody of a department that withdrew comes any more."""
    if not any(row["type"] == "withdraw" for row in rows):
        return set()
    visits = result["visits"]
    if result["embargoed"] is not None:
        visits = [hidden for hidden in opened.values() if isinstance(hidden, dict)]
    department_of = {task["id"]: task["department"] for task in announcement["tasks"]}
    return {
        (visit["enterprise"], check["task"])
        for visit in effective_visits({"visits": visits}, rows)
        for crew in visit["crews"]
        if not crew["seats"]
        for check in visit["checks"]
        if department_of[check["task"]] == crew["department"]
    }


def _scope(announcement: Document, placed: _Frame, selected: Mapping[str, set[str]]) -> dict[str, set[str]]:
    """Return task → the enterprises that it visits: the drawn ones, for a follower those of its lead in its own scope."""
    return {
        task["id"]: {e for e in selected[task["lead"] or task["id"]] if task["id"] in placed.of[e][0]}
        for task in announcement["tasks"]
    }


def _sealed(name: str) -> DualRandomError:
    return DualRandomError(
        code="sealed",
        value=name,
        message={
            "zh": f"本次抽取为密封式，缺少清单 {name} 的开封内容",
            "en": f"this draw is sealed and openings of the list {name} are missing",
        },
        remedy={
            "zh": f"由审计方提供 private/openings/{name}.jsonl。",
            "en": f"The auditor gives private/openings/{name}.jsonl.",
        },
    )


def _latest(
    findings: Document, selected: Mapping[str, set[str]]
) -> tuple[dict[tuple[str, str, str], str], int]:
    """Return the last revision's code by (task, enterprise, item), and how many findings are of nobody that was drawn."""
    newest: dict[tuple[str, str, str], tuple[int, str]] = {}
    outside = 0
    for finding in findings["findings"]:
        if finding["enterprise"] not in selected.get(finding["task"], ()):
            outside += 1
            continue
        key = finding["task"], finding["enterprise"], finding["item"]
        newest[key] = max(newest.get(key, (0, "")), (finding["revision"], finding["code"]))
    return {key: code for key, (_, code) in newest.items()}, outside


def _status(codes: Iterable[str | None]) -> str:
    """Return ``violation``, one of :data:`MISSED`, ``pending`` or ``clean`` for one enterprise's codes.

    An activity that was not carried on says nothing about the other items: it decides only where there is nothing else.
    """
    known = set(codes)
    if known & set(VIOLATIONS):
        return "violation"
    for code in UNREACHED:
        if code in known:
            return code
    if None in known:
        return PENDING
    return "clean" if known & CLEAN else IDLE


Lens = Callable[[_Unit], bool]
"""Whether a unit belongs to a domain."""


@dataclass(frozen=True)
class _Task:
    """One task's sample, and the frame it came from."""

    id: str
    drawn_by: str
    strata: list[Document]
    units: list[_Unit]
    frame: _Frame
    confidence: float

    def counts(
        self, inside: Lens | None = None, item: int | None = None
    ) -> tuple[list[Counts], Counter[str]]:
        """Return the counts of each stratum and of each status for one domain (and one item, or all of them)."""
        drawn: Counter[str] = Counter()
        recorded: Counter[str] = Counter()
        of_status: dict[str, Counter[str]] = defaultdict(Counter)
        whole: Counter[str] = Counter()
        for unit in self.units:
            drawn[unit.stratum] += 1
            status = unit.status(item)
            belongs = unit.in_scope and (inside is None or inside(unit))
            if not unit.in_scope or status not in UNKNOWN:
                recorded[unit.stratum] += 1
            if belongs:
                of_status[unit.stratum][status] += 1
                whole[status] += 1
        rows = []
        for stratum in self.strata:
            name = stratum["id"]
            statuses = of_status[name]
            violations = statuses["violation"]
            rows.append(
                Counts(
                    id=name,
                    group=stratum["group"],
                    size=stratum["size"],
                    expected=Fraction(stratum["expected"]),
                    drawn=drawn[name],
                    recorded=recorded[name],
                    checked=violations + statuses["clean"],
                    violations=violations,
                    missed=sum(statuses[code] for code in MISSED),
                )
            )
        return rows, whole

    def domain(
        self,
        inside: Lens | None = None,
        strata: Callable[[str], bool] | None = None,
        district: str | None = None,
        item: int | None = None,
    ) -> dict[str, Any]:
        """Return the estimates of a domain: ``inside`` says which units, ``strata`` and ``district`` which part of the frame."""
        rows, statuses = self.counts(inside, item)
        rows = [row for row in rows if strata is None or strata(row.id)]
        estimable = {row.id for row in rows if row.recorded}
        members = covered = 0
        for (number, where), count in self.frame.counts.items():
            profile = self.frame.profiles[number]
            # None: in the scope of a follower whose lead cannot draw it
            stratum = profile.get(self.drawn_by)
            if self.id not in profile or (strata is not None and (stratum is None or not strata(stratum))):
                continue
            if district in (None, where):
                members += count
                covered += count if stratum in estimable else 0
        drawn = sum(statuses.values())
        codes = Counter(
            code
            for unit in self.units
            if unit.in_scope and (inside is None or inside(unit))
            for code in unit.known(item)
        )
        return {
            "frame": members,
            "covered": covered,
            "drawn": drawn,
            "checked": statuses["violation"] + statuses["clean"],
            "violations": statuses["violation"],
            "missed": {code: statuses[code] for code in MISSED},
            "codes": dict(sorted(codes.items())),
            "pending": statuses[PENDING],
            "excluded": statuses[EXCLUDED],
            "unfilled": statuses[UNFILLED],
            **_estimate_document(estimate(rows, self.confidence)),
            "horvitz_thompson": _unconditional(rows),
        }


def _unconditional(rows: list[Counts]) -> dict[str, Any] | None:
    total = horvitz_thompson(rows)
    if total is None:
        return None
    return {
        "checked": _ratio(total.checked),
        "rate": _ratio(total.rate),
        "violating": _ratio(total.violating),
    }


def _estimate_document(found: Estimate) -> dict[str, Any]:
    return {
        "rate": _decimal(found.rate),
        "rate_exact": _ratio(found.rate),
        "standard_error": _decimal(found.error),
        "low": _decimal(found.low),
        "high": _decimal(found.high),
        "interval": found.interval,
        "variance": found.variance,
        "violating": _decimal(found.violating),
        "violating_standard_error": _decimal(found.violating_error),
        "missed_rate": _decimal(found.missed_rate),
    }


_PART = re.compile(r"\.p[0-9]+(-[0-9]+)*$")


def class_of(stratum: str, districts: Iterable[str]) -> str | None:
    """Return the credit class in a stratum id ``class``, ``class.district`` or ``district.class``; None for a district alone.

    Parts of a stratum that a rule divided (docs/policies.md) are of its class.

    >>> [class_of(stratum, {"d1"}) for stratum in ("A", "A.d1", "d1.A", "d1", "all", "A.p0", "all.p1-2")]
    ['A', 'A', 'A', None, None, 'A', None]
    """
    stratum = _PART.sub("", stratum)
    if stratum == "all" or stratum in districts:
        return None
    for district in districts:
        if stratum.endswith(f".{district}"):
            return stratum[: -len(district) - 1]
        if stratum.startswith(f"{district}."):
            return stratum[len(district) + 1 :]
    return stratum


def _task_document(view: _Task, lead: str | None, items: list[str], district_ids: set[str]) -> dict[str, Any]:
    classes = {row["id"]: class_of(row["id"], district_ids) for row in view.strata}
    rows, _ = view.counts()

    def of_class(name: str) -> dict[str, Any]:
        return view.domain(lambda unit: classes[unit.stratum] == name, lambda h: classes[h] == name)

    def of_district(name: str) -> dict[str, Any]:
        return view.domain(lambda unit: unit.district == name, district=name)

    return {
        "task": view.id,
        "lead": lead,
        "total": view.domain(),
        "classes": [
            {"class": name, **of_class(name)}
            for name in sorted({c for c in classes.values() if c is not None})
        ],
        "districts": [{"district": name, **of_district(name)} for name in sorted(district_ids)],
        "items": [{"item": name, **view.domain(item=number)} for number, name in enumerate(items)],
        "strata": [_stratum_document(row) for row in rows],
        "collapsed": [list(group) for group in collapsed_groups(rows)],
    }


def _stratum_document(row: Counts) -> dict[str, Any]:
    """Return a stratum with the reason if nothing can be said about it."""
    reason = None
    if row.size and not row.recorded:
        unseen = "rounded-to-zero" if row.expected else "no-quota"
        reason = "nothing-recorded" if row.drawn else unseen
    return {
        "id": row.id,
        "group": row.group,
        "size": row.size,
        "expected": _ratio(row.expected),
        "drawn": row.drawn,
        "recorded": row.recorded,
        "checked": row.checked,
        "violations": row.violations,
        "missed": row.missed,
        "not_estimable": reason,
    }


def _ratio(value: Fraction | None) -> str | None:
    return None if value is None else f"{value.numerator}/{value.denominator}"


def _decimal(value: Fraction | float | None) -> str | None:
    """Return six digits after the point, rounded half to even from the exact value."""
    if value is None:
        return None
    scaled = round(Fraction(value) * 10**6)
    return f"{scaled // 10**6}.{scaled % 10**6:06d}"

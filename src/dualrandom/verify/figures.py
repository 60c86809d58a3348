"""statistics.json: its form, and its figures computed anew from the lists and the result (docs/protocol.md §10)."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from dualrandom.verify import flags, schema
from dualrandom.verify.announcement import Announcement
from dualrandom.verify.lists import Frame, Inspector, Recusals
from dualrandom.verify.report import Verdict
from dualrandom.verify.result import Result
from dualrandom.verify.rules import Strata
from dualrandom.verify.sizes_selection import frame_sizes
from dualrandom.verify.visits import broken_visits

NAME = "statistics.json"
_KEYS = (
    "announcement", "draw", "excluded", "flags", "frame", "load", "overlap", "sample", "tasks", "type", "undated",
    "workload",
)  # fmt: skip
_six = re.compile("(0|[1-9][0-9]*)\\.[0-9]{6}")


@dataclass(frozen=True, slots=True)
class Statistics:
    """The document, of whose form nothing is left to check."""

    announcement: str
    draw: str
    document: Mapping[str, Any]
    flags: flags.Flags


def parse_statistics(data: bytes) -> Statistics:
    """Parse the document. Raises Fault for anything that is not of its form."""
    document = schema.record(schema.parsed(data, NAME), NAME, _KEYS)
    schema.choice("dualrandom/v1/statistics")(document["type"], f"{NAME}: type")
    if document["excluded"] is not None:
        _rows(document["excluded"], "excluded", {"count": schema.positive, "reason": schema.ident}, "reason")
    shown = flags.parse_flags(document["flags"], f"{NAME}: flags")
    frame = schema.record(document["frame"], f"{NAME}: frame", ("districts", "size"))
    districts = {"count": schema.integer, "district": schema.ident}
    _rows(frame["districts"], "frame.districts", districts, "district")
    schema.integer(frame["size"], f"{NAME}: frame.size")
    load = schema.record(document["load"], f"{NAME}: load", ("greatest", "least", "median"))
    for key, value in load.items():
        schema.integer(value, f"{NAME}: load.{key}")
    names = ("alone", "independent", "least_possible", "visited")
    overlap = schema.record(document["overlap"], f"{NAME}: overlap", names)
    for key in ("alone", "visited"):
        schema.integer(overlap[key], f"{NAME}: overlap.{key}")
    for key in ("independent", "least_possible"):
        schema.matching(overlap[key], f"{NAME}: overlap.{key}", _six, "六位小数", "a decimal with six digits")
    _rows(document["sample"], "sample", districts, "district")
    tasks = {"expected": _ratio, "selected": schema.integer, "task": schema.ident}
    _rows(document["tasks"], "tasks", tasks, "task")
    _rows(
        document["undated"],
        "undated",
        {
            "enterprise": schema.ident,
            "part": schema.positive,
            "reason": schema.choice(*sorted(flags.REASONS)),
        },
        "enterprise",
        "part",
    )
    _rows(
        document["workload"],
        "workload",
        {"crews": schema.integer, "days": schema.integer, "inspector": schema.ident},
        "inspector",
    )
    return Statistics(
        announcement=schema.hex64(document["announcement"], f"{NAME}: announcement"),
        draw=schema.ident(document["draw"], f"{NAME}: draw"),
        document=document,
        flags=shown,
    )


def _ratio(value: Any, where: str) -> None:
    schema.maybe(value, where, schema.ratio)


def _rows(value: Any, name: str, readers: Mapping[str, Any], *order: str) -> None:
    """Insist on an array of objects that ascend by the fields ``order``."""
    for i, entry in enumerate(schema.array(value, f"{NAME}: {name}")):
        where = f"{NAME}: {name}[{i}]"
        found = schema.record(entry, where, tuple(readers))
        for key, read in readers.items():
            read(found[key], f"{where}.{key}")
    schema.ascending([[row[key] for key in order] for row in value], f"{NAME}: {name}")


def check_statistics(
    verdict: Verdict,
    statistics: Statistics,
    announcement: Announcement,
    result: Result,
    frame: Frame | None,
    strata: Strata | None,
    roster: Mapping[str, Inspector] | None,
    recusals: Recusals | None,
) -> None:
    """Compare every figure that the lists and the result at hand determine; `excluded` is not among them.

    Lists are None where they cannot be read, or where the announcement contradicts itself.
    """
    document = statistics.document
    expected: dict[str, Any] = {"draw": announcement.draw, "frame.size": announcement.lists["frame"].size}
    counted = sum(row["count"] for row in document["frame"]["districts"])
    if frame is None and counted != announcement.lists["frame"].size:
        verdict.fail(
            f"statistics.json 的 frame.districts 合计 {counted} 户，抽样框为 {announcement.lists['frame'].size} 户",
            f"frame.districts of statistics.json add up to {counted}, the frame has {announcement.lists['frame'].size}",
        )
    if frame is not None:
        expected["frame.districts"] = _counts(frame.districts)
        if strata is not None:
            expected["overlap.independent"], expected["overlap.least_possible"] = _bounds(frame, strata)
    if result.selection is not None:
        expected["overlap.alone"] = sum(len(selection.selected) for selection in result.selection.values())
        expected["tasks"] = [
            {"expected": _text(announcement, task), "selected": len(selection.selected), "task": task}
            for task, selection in result.selection.items()
        ]
    expected |= _figures_of_visits(announcement, result, roster)
    reasoned = False
    if frame is not None and roster is not None and recusals is not None and expected.get("undated"):
        reasoned = not broken_visits(announcement, result.visits or ())
        if reasoned:
            expected["undated"] = flags.undated_reasons(announcement, result, frame, roster, recusals)
    if (document["excluded"] is None) != announcement.sealed:
        verdict.fail(
            "statistics.json 的 excluded 应当且仅当密封时为 null",
            "excluded of statistics.json should be null in a sealed draw, and only there",
        )
    for zh, en in flags.false_flags(statistics.flags, announcement, frame, roster):
        verdict.fail(f"statistics.json 的 flags：{zh}", f"flags of statistics.json: {en}")
    for path, ours in expected.items():
        theirs: Any = document
        for key in path.split("."):
            theirs = theirs[key]
        if path == "undated" and not reasoned:
            theirs = [{"enterprise": row["enterprise"], "part": row["part"]} for row in theirs]
        if theirs != ours:
            verdict.fail(
                f"statistics.json 的 {path} 应为 {schema.shown(ours)}，公布为 {schema.shown(theirs)}",
                f"{path} of statistics.json should be {schema.shown(ours)}, published is {schema.shown(theirs)}",
            )


def _figures_of_visits(
    announcement: Announcement, result: Result, roster: Mapping[str, Inspector] | None
) -> dict[str, Any]:
    embargo = announcement.policy.embargo
    figures: dict[str, Any] = {}
    if embargo != "none":
        figures |= {"load": {"greatest": 0, "least": 0, "median": 0}, "undated": [], "workload": []}
    if embargo == "visits":
        figures["sample"] = []
    if result.visits is None:
        return figures
    district_of = {visit.enterprise: visit.district for visit in result.visits}
    figures["overlap.visited"] = len(district_of)
    if embargo != "visits":
        figures["sample"] = _counts(district_of.values())
    if embargo == "none":
        figures["undated"] = [
            {"enterprise": visit.enterprise, "part": visit.part}
            for visit in result.visits
            if visit.date is None
        ]
    if embargo == "none" and roster is not None:
        crews: Counter[str] = Counter()
        days: dict[str, set[str]] = {}
        for visit in result.visits:
            for crew in visit.crews or ():
                for person in crew.seats:
                    crews[person] += 1
                    days.setdefault(person, set()).add(visit.date or "")
        figures["workload"] = [
            {"crews": crews[person], "days": len(days.get(person, ())), "inspector": person}
            for person in roster
        ]
        loads = sorted(crews[person] for person in roster) or [0]
        figures["load"] = {"greatest": loads[-1], "least": loads[0], "median": loads[(len(loads) - 1) // 2]}
    return figures


def _counts(districts: Iterable[str]) -> list[dict[str, Any]]:
    return [{"count": count, "district": district} for district, count in sorted(Counter(districts).items())]


def _text(announcement: Announcement, task: str) -> str | None:
    total = announcement.tasks[task].total if task in announcement.tasks else None
    return None if total is None else f"{total.numerator}/{total.denominator}"


def _bounds(frame: Frame, strata: Strata) -> tuple[str, str]:
    """Return the expected number of enterprises had the tasks drawn apart, and the least possible number."""
    sizes = frame_sizes(frame)
    rate = {
        (task, stratum.id): stratum.expected / sizes[task, stratum.id]
        for task, several in strata.items()
        for stratum in several
        if sizes.get((task, stratum.id))
    }
    members = Counter(frame.profile_of)
    independent = least = Fraction(0)
    for number, strata_of in enumerate(frame.strata):
        rates = [rate[cell] for cell in strata_of.items() if cell in rate]
        missed = Fraction(1)
        for each in rates:
            missed *= 1 - each
        independent += (1 - missed) * members[number]
        least += max(rates, default=Fraction(0)) * members[number]
    return _six_digits(independent), _six_digits(least)


def _six_digits(value: Fraction) -> str:
    scaled = round(value * 10**6)  # Python rounds a half to the even number
    return f"{scaled // 10**6}.{scaled % 10**6:06d}"

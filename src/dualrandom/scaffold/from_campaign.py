"""The next campaign from the last one: the same rules, the next number and month, and what has been done since."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from dualrandom.campaign.folder import Campaign
from dualrandom.campaign.inputs import PREVIOUS
from dualrandom.errors import DualRandomError, InputError, Problem
from dualrandom.findings.ledger import visits_file
from dualrandom.flags import snapshot
from dualrandom.policy.plan import Beacon, Deadlines, Plan
from dualrandom.policy.reader import POLICIES, WORKING_DAYS, read_plan
from dualrandom.policy.source import Text
from dualrandom.policy.values import FILL_IN_ID
from dualrandom.policy.writer import write_plan
from dualrandom.registry.columns import KINDS
from dualrandom.registry.models import PastVisit
from dualrandom.registry.reader import SUFFIXES, read_libraries, read_library
from dualrandom.scaffold.folder import Created, write_campaign
from dualrandom.scaffold.from_files import DAYS_AHEAD
from dualrandom.scaffold.timing import Dates, following_month, next_dates

LEDGER = "ledger.csv"
VISITS = "visits.csv"


def new_from_campaign(folder: Path, last: Path, *, now: datetime, days_ahead: int = DAYS_AHEAD) -> Created:
    """Make ``folder`` for the month after the campaign in ``last``.

    The draw number goes on after all draws that ``last`` has used, voided ones included; in a new year it starts at 1.
    Libraries, policies and notices of working days are copied, ``visits.csv`` is last time's visits and what its ledger has
    added, ``previous.json`` says which classes and scopes were in force. Commitments of
    contributions are left out: they hold for one draw only. Raises ``InputError`` with all problems of the last
    campaign's files, ``DualRandomError`` if something is in the way.
    """
    planned = read_plan(last / "plan.toml")
    if planned.plan is None:
        raise InputError(planned.problems)
    plan, remarks = next_plan(planned.plan, used_numbers(last), now, days_ahead)
    copies: dict[str, bytes] = {}
    names: dict[str, str] = {}
    for kind in KINDS:
        path = _library(last, kind, planned.plan)
        if kind != "visits" and path is not None:
            names[kind] = path.name
            copies[path.name] = path.read_bytes()
    copies[VISITS] = visits_file(_visits(last, planned.plan))
    # what the office keeps beside the plan goes on to apply, and edits since then can be noticed
    for path in (last / WORKING_DAYS, *sorted((last / POLICIES).glob("*.toml"))):
        if path.is_file():
            copies[path.relative_to(last).as_posix()] = path.read_bytes()
    read = read_libraries(last, planned.plan)
    if not any(problem.severity == "error" for problem in read.problems):
        copies[PREVIOUS] = snapshot(planned.plan, read.libraries)
    names["visits"] = VISITS
    write_campaign(folder, copies, write_plan(plan, remarks))
    to_fill = tuple(f"beacon.{key}" for key in ("round",) if plan.beacon.round == FILL_IN_ID)
    problems = (*_unrecorded(last), *read_libraries(folder, plan).problems)
    return Created(folder, plan, names, to_fill, problems)


def next_plan(
    last: Plan, used: Iterable[int], now: datetime, days_ahead: int = DAYS_AHEAD
) -> tuple[Plan, dict[str, Text]]:
    """Return the plan that follows ``last``, and remarks. ``used`` are the numbers of its draws so far."""
    zone = ZoneInfo(last.timezone)
    months = last.period[1].month - last.period[0].month + 1
    working = last.working_days
    dates = next_dates(now, days_ahead, zone, working, following_month(last.period[1]), months)
    same_year = dates.period[0].year == last.year
    passed = dates.period[0].month - last.period[0].month if same_year else 0
    usual = not same_year or last.months_left == 13 - last.period[0].month
    left = 13 - dates.period[0].month if usual else max(1, last.months_left - passed)
    beacon, remarks = _beacon(last, dates)
    plan = replace(
        last,
        id=_id(last, dates),
        number=max(used, default=last.number - 1) + 1 if same_year else 1,
        year=dates.period[0].year,
        period=dates.period,
        months_left=left,
        working_days=dates.working,
        extra_days=(),
        closed_days=(),
        beacon=beacon,
        contributions=tuple(
            replace(party, key=None, commitment=None, signature=None) for party in last.contributions
        ),
        deadlines=_deadlines(last, dates, beacon),
        libraries={kind: source for kind, source in last.libraries.items() if kind != "visits"},
    )
    given = [party.party for party in last.contributions if party.commitment is not None]
    if given:
        remarks[f"contributions.{given[0]}"] = (
            f"{'、'.join(given)} 上次自行给出承诺：请再取 key、commitment、signature",
            f"{', '.join(given)} made their own commitments last time: ask for key, commitment and signature again",
        )
    return plan, remarks


def used_numbers(last: Path) -> tuple[int, ...]:
    """Return the numbers of the draws that the campaign in ``last`` has announced, voided ones included."""
    campaign = Campaign(last)
    draws = list(campaign.voided_draws())
    announced = campaign.public / "announcement.json"
    if announced.is_file():
        found = re.search(rb'"draw":"([0-9A-Za-z._-]+)"', announced.read_bytes())
        if found:
            draws.append(found[1].decode())
    return tuple(sorted(int(match[1]) for draw in draws if (match := re.search(r"-(\d{6})$", draw))))


def _id(last: Plan, dates: Dates) -> str:
    old, new = (f"{day:%Y-%m}" for day in (last.period[0], dates.period[0]))
    return last.id.replace(old, new) if old in last.id else new


def _beacon(last: Plan, dates: Dates) -> tuple[Beacon, dict[str, Text]]:
    remarks = dict(dates.remarks)
    if last.beacon.kind == "drand":
        return dates.beacon, remarks
    if last.beacon.kind == "keystring":
        remarks["beacon.round"] = ("★ 请填写下一期的期号和时刻", "★ fill in the next issue and its time")
        return replace(last.beacon, round=FILL_IN_ID, time=dates.beacon.time), remarks
    return replace(last.beacon, time=dates.beacon.time), remarks


def _deadlines(last: Plan, dates: Dates, beacon: Beacon) -> Deadlines:
    """Reveal and result as long before and after the beacon as last time."""
    reveal = beacon.time - max(timedelta(0), last.beacon.time - last.deadlines.reveal)
    result = min(beacon.time + (last.deadlines.result - last.beacon.time), dates.deadlines.findings)
    return Deadlines(reveal, result, dates.deadlines.findings)


def _library(folder: Path, kind: str, plan: Plan) -> Path | None:
    source = plan.libraries.get(kind)
    if source is not None:
        return folder / source.file if (folder / source.file).is_file() else None
    found = [
        path
        for path in sorted(folder.iterdir())
        if path.is_file() and path.stem.casefold() == kind and path.suffix.casefold() in SUFFIXES
    ]
    if len(found) > 1:
        raise DualRandomError(
            code="library-ambiguous",
            value=", ".join(path.name for path in found),
            message={"zh": f"{kind} 有多个文件", "en": f"there are several files {kind}"},
            remedy={"zh": "只保留一个。", "en": "Keep one of them."},
        )
    return found[0] if found else None


def _visits(last: Path, plan: Plan) -> tuple[PastVisit, ...]:
    """Return past visits and the ledger's rows, each once."""
    rows: set[PastVisit] = set()
    problems: list[Problem] = []
    library = _library(last, "visits", plan)
    ledger = last / LEDGER
    for path, source in ((library, plan.libraries.get("visits")), (ledger, None)):
        if path is None or not path.is_file():
            continue
        read = read_library("visits", path, source, plan)
        problems += read.problems
        rows.update(row for row in read.rows if isinstance(row, PastVisit))
    if any(found.severity == "error" for found in problems):
        raise InputError(problems)
    return tuple(
        sorted(
            rows,
            key=lambda row: (row.enterprise, row.date, row.department, row.task, row.item, row.inspectors),
        )
    )


def _unrecorded(last: Path) -> tuple[Problem, ...]:
    """Warn when the last draw has a result but no findings: its checks do not count as done then."""
    if not (last / "public" / "result.json").is_file() or (last / LEDGER).is_file():
        return ()
    return (
        Problem(
            code="new-unrecorded",
            file=LEDGER,
            sheet=None,
            row=None,
            column=None,
            value=str(last),
            message_zh="上一次抽取还没有登记检查结果，其检查未计入既往检查",
            message_en="the last draw has no findings yet: its checks do not count as done",
            remedy_zh="先用 dualrandom record 登记，再重新建立；否则同一企业可能再次被抽中",
            remedy_en="Record them with dualrandom record and make this folder anew, or firms may be drawn again",
            severity="warning",
        ),
    )

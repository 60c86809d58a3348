"""Reading plan and libraries, and everything that follows from them before any secret is made."""

from __future__ import annotations

import hashlib
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from dualrandom.calendar import visit_days
from dualrandom.campaign.folder import Campaign
from dualrandom.errors import InputError, Problem
from dualrandom.frame import Frozen, Membership, YearToDate, freeze, membership, year_to_date
from dualrandom.policy.plan import Plan
from dualrandom.policy.reader import WORKING_DAYS, read_plan
from dualrandom.registry.columns import KINDS
from dualrandom.registry.models import Libraries
from dualrandom.registry.reader import read_libraries, read_library

PREVIOUS = "previous.json"
"""What the last campaign's libraries and scopes were, if this one was made from it."""


@dataclass(frozen=True)
class Inputs:
    """A campaign's plan and libraries, without errors; ``warnings`` are what a person should still look at."""

    campaign: Campaign
    plan: Plan
    libraries: Libraries
    warnings: tuple[Problem, ...]


@dataclass(frozen=True)
class Prepared:
    """What a draw would work on: the days, every enterprise's place, the frozen lists."""

    days: tuple[date, ...]
    placed: Membership
    frozen: Frozen


def load_inputs(folder: Path) -> Inputs:
    """Read plan and libraries. Raises InputError with all problems of all files."""
    campaign = Campaign(folder)
    planned = read_plan(campaign.plan)
    if planned.plan is None:
        raise InputError((*planned.problems, *_problems_without_plan(campaign)))
    read = read_libraries(folder, planned.plan)
    problems = (*planned.problems, *read.problems)
    if any(problem.severity == "error" for problem in problems):
        raise InputError(problems)
    return Inputs(campaign, planned.plan, read.libraries, problems)


def _problems_without_plan(campaign: Campaign) -> list[Problem]:
    """Check what library files can be checked for while the plan is broken, so that one report names all mistakes."""
    try:
        mapped = tomllib.loads(campaign.plan.read_text("utf-8-sig")).get("libraries", {})
    except (OSError, ValueError):
        mapped = {}
    problems: list[Problem] = []
    for kind in KINDS:
        # a file that the plan maps to our columns cannot be judged without the map
        if kind in mapped:
            continue
        for path in sorted(campaign.folder.glob(f"{kind}.*")):
            problems += read_library(kind, path, None, None).problems
    return problems


def input_digests(inputs: Inputs) -> dict[str, str]:
    """Return file name → SHA-256 of everything that decides: plan, libraries, policies (shipped ones too), working days.

    A change after announcing is noticed by it.
    """
    names = {"plan.toml", WORKING_DAYS, PREVIOUS}
    cited = (*inputs.plan.policies, *(one for task in inputs.plan.tasks for one in task.policies))
    policies = {f"policy:{policy.id}": policy.digest for policy in cited}
    for kind in ("enterprises", "inspectors", "items", "recusals", "visits"):
        source = inputs.plan.libraries.get(kind)
        if source is not None:
            names.add(source.file)
        else:
            names.update(path.name for path in inputs.campaign.folder.glob(f"{kind}.*"))
    return policies | {
        name: hashlib.sha256((inputs.campaign.folder / name).read_bytes()).hexdigest()
        for name in sorted(names)
        if (inputs.campaign.folder / name).is_file()
    }


def prepare(inputs: Inputs, draw: str, secret: bytes | None) -> Prepared:
    """Freeze the inputs for one draw; ``secret`` None: open. Raises InputError (no visit days, quota above its stratum)."""
    plan = inputs.plan
    days = visit_days(*plan.period, plan.working_days, plan.extra_days, plan.closed_days, plan.notices)
    _require_days(plan, days)
    placed = membership(plan, inputs.libraries.enterprises, ledger_of(plan, inputs.libraries))
    return Prepared(days, placed, freeze(plan, inputs.libraries, placed, draw, days, secret))


def ledger_of(plan: Plan, libraries: Libraries) -> YearToDate:
    """Return what the ledger says, under the plan's policies and with all that its filters ask."""
    return year_to_date(plan, libraries.visits, libraries.items, libraries.enterprises)


def _require_days(plan: Plan, days: Sequence[date]) -> None:
    if days:
        return
    raise InputError(
        [
            Problem(
                code="no-visit-days",
                file="plan.toml",
                sheet=None,
                row=None,
                column="plan.period",
                value=f"{plan.period[0]} – {plan.period[1]}",
                message_zh="本期没有可安排检查的日期",
                message_en="the period has no day on which a visit may take place",
                remedy_zh="更改 period、[days] working 或 closed。",
                remedy_en="Change the period, [days] working or closed.",
            )
        ]
    )

"""Reading plan and libraries, and everything that follows from them before any secret is made."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from dualrandom.calendar import visit_days
from dualrandom.campaign.contributing import made_here
from dualrandom.campaign.folder import Campaign
from dualrandom.errors import InputError, Problem
from dualrandom.flags import Flag, flag_warnings, read_snapshot
from dualrandom.foresight import early_warnings
from dualrandom.frame import Frozen, Membership, YearToDate, freeze, membership, quota_warnings, year_to_date
from dualrandom.policy.plan import Plan
from dualrandom.policy.reader import WORKING_DAYS, read_plan
from dualrandom.policy.report import PolicyReport, policy_report
from dualrandom.registry.columns import KINDS
from dualrandom.registry.models import Libraries
from dualrandom.registry.reader import read_libraries, read_library
from dualrandom.toml_text import read_toml

PREVIOUS = "previous.json"
"""What the last campaign's libraries and scopes were, if this one was made from it."""


@dataclass(frozen=True)
class Inputs:
    """A campaign's plan and libraries, without errors; ``warnings`` are what a person should still look at."""

    campaign: Campaign
    plan: Plan
    libraries: Libraries
    warnings: tuple[Problem, ...]
    previous: Mapping[str, Any] | None = None
    """The last campaign's classes and scopes, if this one was made from it."""


@dataclass(frozen=True)
class Prepared:
    """What a draw would work on: the days, every enterprise's place, the frozen lists, and what policies made of it."""

    days: tuple[date, ...]
    placed: Membership
    frozen: Frozen
    policies: PolicyReport
    warnings: tuple[Problem, ...]
    """About quotas."""


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
    previous = campaign.folder / PREVIOUS
    snapshot = read_snapshot(previous.read_bytes()) if previous.is_file() else None
    problems = (*problems, *_exempt_strangers(planned.plan, read.libraries))
    return Inputs(campaign, planned.plan, read.libraries, problems, snapshot)


def _exempt_strangers(plan: Plan, libraries: Libraries) -> Iterator[Problem]:
    known = {enterprise.id for enterprise in libraries.enterprises} if plan.exemptions else set()
    for exemption in plan.exemptions:
        if exemption.enterprise not in known:
            yield Problem(
                "exemption-unknown",
                "plan.toml",
                None,
                None,
                "exemptions",
                exemption.enterprise,
                "豁免的检查对象不在检查对象名录库中",
                "the exempt enterprise is not in the enterprise library",
                "核对代码，或删去这条豁免。",
                "Check the id, or take the exemption out.",
                severity="warning",
            )


def _problems_without_plan(campaign: Campaign) -> list[Problem]:
    """Check what library files can be checked for while the plan is broken, so that one report names all mistakes."""
    try:
        document = read_toml(campaign.plan.read_text("utf-8-sig"))
    except (OSError, ValueError):
        document = {}
    mapped, head = document.get("libraries", {}), document.get("plan")
    # credit codes are what a plan that does not say otherwise has; a plan that cannot be read may have any ids
    uscc = head.get("enterprise_ids", "uscc") == "uscc" if isinstance(head, dict) else None
    # a plan that lists districts gives them names, which then need not be codes; so may one that cannot be read
    named = "districts" in document or not document
    problems: list[Problem] = []
    for kind in KINDS:
        # a file that the plan maps to our columns cannot be judged without the map
        if not isinstance(mapped, dict) or kind in mapped:
            continue
        for path in sorted(campaign.folder.glob(f"{kind}.*")):
            found = read_library(kind, path, None, None, uscc).problems
            problems += [one for one in found if not (named and one.code == "district-pattern")]
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
    """Freeze the inputs for one draw; ``secret`` None: open.

    Raises InputError (no visit days, policies that contradict each other, quota above its stratum).
    """
    plan = inputs.plan
    days = visit_days(*plan.period, plan.working_days, plan.extra_days, plan.closed_days, plan.notices)
    _require_days(plan, days)
    done = ledger_of(plan, inputs.libraries)
    placed = membership(plan, inputs.libraries.enterprises, done)
    report = policy_report(plan, placed.populations, placed.resolutions, done.policies)
    try:
        frozen = freeze(plan, inputs.libraries, placed, draw, days, secret)
    except InputError as refused:
        raise InputError(dict.fromkeys((*report.problems, *refused.problems))) from None
    if any(problem.severity == "error" for problem in report.problems):
        raise InputError(report.problems)
    return Prepared(days, placed, frozen, report, quota_warnings(plan, placed))


def require_staffed(plan: Plan, prepared: Prepared) -> None:
    """Raise InputError ``department-without-inspectors`` for each department that has tasks and nobody who may carry them out."""
    manned = {row.department for row in prepared.frozen.roster}
    missing = sorted({task.department for task in plan.tasks} - manned)
    if not missing:
        return
    names = {department.id: (department.name, department.name_en) for department in plan.departments}
    problems = []
    for department in missing:
        tasks = [task.id for task in plan.tasks if task.department == department]
        zh, en = names.get(department, (department, department))
        problems.append(
            Problem(
                code="department-without-inspectors",
                file="plan.toml",
                sheet=None,
                row=None,
                column="tasks",
                value=department,
                message_zh=f"部门 {department}（{zh}）有任务 {'、'.join(tasks)}，但没有可参加抽取的检查人员：无人可以配对",
                message_en=f"department {department} ({en}) has the tasks {', '.join(tasks)} but no inspector in the roster: nobody "
                "can be paired",
                remedy_zh="在检查人员名录库中补充该部门的人员（核对部门代码、执法证有效期和请假日期），或从计划中删去这些任务。",
                remedy_en="Add its people to the inspector library (look at department ids, licences and days off), or take "
                "these tasks out of the plan.",
            )
        )
    raise InputError(problems)


def warnings_of(
    inputs: Inputs, prepared: Prepared, announcement: Mapping[str, Any], found: Sequence[Flag]
) -> tuple[Problem, ...]:
    """Return all that a person should look at before announcing. ``found``: the flags of the draw."""
    return (
        *inputs.warnings,
        *_keys_of_others(inputs.plan),
        *made_here(inputs.plan, inputs.campaign),
        *prepared.policies.problems,
        *prepared.warnings,
        *early_warnings(announcement, prepared.frozen),
        *flag_warnings(found),
    )


def _keys_of_others(plan: Plan) -> Iterator[Problem]:
    """Warn about a key that announcing would make here although it belongs to somebody else."""
    if plan.auditor is not None and plan.auditor.key is None:
        name = plan.auditor.name
        yield Problem(
            "auditor-key-made-here",
            "plan.toml",
            None,
            None,
            "auditor.key",
            name,
            f"计划没有{name}的公钥：公告时将由本单位生成 private/auditor.key，本单位便能以{name}的名义签名",
            f"the plan has no public key of the auditor, {name}: announcing makes private/auditor.key here, and then "
            f"this office can sign in the name of {name}",
            f"请{name}自行运行 dualrandom keys new 目录 --auditor，只把公钥交来，填入 [auditor] key。",
            f"Ask {name} to run dualrandom keys new DIR --auditor and to hand over the public key only, for [auditor] key.",
            severity="warning",
        )


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

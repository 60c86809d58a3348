"""One draw of a campaign, derived again: lists, tickets, selection, visits and who could sit where."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from dualrandom.campaign import Campaign, Inputs, Prepared, load_inputs, prepare
from dualrandom.campaign.announcing import LIST_SECRET, inputs_unchanged
from dualrandom.campaign.inputs import ledger_of
from dualrandom.campaign.publishing import full_result, published_changes
from dualrandom.campaign.state import announcement_of, state_of_folder
from dualrandom.ceremony import Phase
from dualrandom.crews import Barring, Crew, Eligibility, Rules
from dualrandom.draw import Selection, select
from dualrandom.errors import IntegrityError
from dualrandom.frame import YearToDate
from dualrandom.policy.report import policy_report
from dualrandom.ticket import Tickets, cost_of
from dualrandom.visits import Visit, plan_visits

TOOLS = {"sha256": "sha256sum", "sm3": "openssl dgst -sm3"}


@dataclass(frozen=True)
class Context:
    """What explanations are made from. ``result`` is the full one, without embargo; None before the draw."""

    inputs: Inputs
    announcement: Mapping[str, Any]
    prepared: Prepared
    result: Mapping[str, Any] | None
    voided: bool
    changes: tuple[Mapping[str, Any], ...] = ()
    """The rows of ``changes.jsonl``."""

    @cached_property
    def done(self) -> YearToDate:
        """This year's visits before the period."""
        return ledger_of(self.inputs.plan, self.inputs.libraries)

    @cached_property
    def policies(self) -> Mapping[tuple[str, str], tuple[str, str]]:
        """(task, stratum) → which policies bound its quota and what follows, Chinese and English."""
        placed = self.prepared.placed
        report = policy_report(self.inputs.plan, placed.populations, placed.resolutions, self.done.policies)
        return {(row.task, row.stratum): row.why for row in report.rows}

    @cached_property
    def position(self) -> Mapping[str, int]:
        """Enterprise id → position in the frame."""
        return {enterprise: number for number, enterprise in enumerate(self.prepared.frozen.ids)}

    @cached_property
    def tickets(self) -> Tickets:
        """The draw's tickets. Only after the draw."""
        assert self.result is not None
        return Tickets(self.result["seed"], self.announcement["suite"])

    @cached_property
    def selections(self) -> Mapping[str, Selection]:
        """What each task selected, derived again. Raises IntegrityError if the published result says otherwise."""
        assert self.result is not None
        derived = {one.task: one for one in select(self.announcement, self.prepared.frozen, self.tickets)}
        for published in self.result["selection"]:
            task = published["task"]
            if sorted(derived[task].by_ticket) != sorted(published["selected"]):
                raise IntegrityError(
                    "published-differs",
                    task,
                    {
                        "zh": f"任务 {task} 公布的抽取结果与重算不符",
                        "en": f"the published selection of task {task} differs from the one derived again",
                    },
                    {"zh": "请用 dualrandom verify 查明。", "en": "Find out with dualrandom verify."},
                )
        return derived

    @cached_property
    def visits(self) -> tuple[Visit, ...]:
        """All visits, by enterprise and part."""
        chosen = {task: selection.by_ticket for task, selection in self.selections.items()}
        return plan_visits(chosen, self.announcement, self.tickets)

    @cached_property
    def published_visits(self) -> Mapping[tuple[str, int], Mapping[str, Any]]:
        """(enterprise, part) → the visit as it stands in the result."""
        assert self.result is not None
        return {(visit["enterprise"], visit["part"]): visit for visit in self.result["visits"]}

    @cached_property
    def seating(self) -> tuple[tuple[Crew, ...], Barring]:
        """All crews under the rules that held at last, and the barring along the relief ladder."""
        assert self.result is not None
        frozen = self.prepared.frozen
        eligibility = Eligibility(frozen, self.announcement)
        barring = Barring(frozen, self.visits, self.tickets)
        rules = Rules(cross_district=self.announcement["policy"]["cross_district"])
        crews = eligibility.crews(self.visits, rules)
        barring.extend(crews)
        for step in self.result["relief"]:
            rules = rules.relaxed(step)
            crews = eligibility.crews(self.visits, rules)
            barring.extend(crews)
        return crews, barring

    @cached_property
    def pair_stage(self) -> str:
        """The stage of the pair tickets that decided: ``pair``, or ``pair.k`` after ties."""
        assert self.result is not None
        attempt = self.result["attempt"]
        return f"pair.{attempt}" if attempt else "pair"

    @cached_property
    def prices(self) -> Mapping[str, Mapping[str, Any]]:
        """Roster id → its published prices."""
        assert self.result is not None
        return {price["inspector"]: price for price in self.result["prices"]}

    def price(self, inspector: str, day: str) -> int:
        """Return a(p, t) of §8.7: period price plus the day's."""
        found = self.prices.get(inspector)
        return 0 if found is None else int(found["period"]) + int(found["days"].get(day, "0"))

    def cost(self, name: str) -> int:
        """Return the cost of one inspector in one crew, ``enterprise:department:inspector``: 40 bits of the ticket."""
        return cost_of(self.tickets.raw(self.pair_stage, name))

    def barred_because(self, visit: int, inspector: str, barring: Barring) -> dict[str, str]:
        """Return why a roster id may not take part in a visit: the ground of a recusal, or the colleague who bars."""
        frozen = self.prepared.frozen
        enterprise = self.visits[visit].enterprise
        ground = frozen.recused.get((inspector, enterprise))
        if ground is not None:
            return {"ground": ground, "other": enterprise}
        place = {row.id: number for number, row in enumerate(frozen.roster)}
        admitted = barring.seen.get(visit, set()) - barring.barred.get(visit, set())
        for (a, b), ground in sorted(frozen.incompatible.items()):
            other = b if a == inspector else a
            if inspector in {a, b} and place[other] in admitted:
                return {"ground": ground, "other": frozen.roster[place[other]].person}
        raise KeyError(inspector)

    def ticket(self, stage: str, name: str) -> dict[str, str]:
        """Return a ticket and the command line that gives it."""
        tool = TOOLS[self.announcement["suite"]]
        return {
            "ticket": self.tickets.hex(stage, name),
            "command": f"printf '%s' '{self.tickets.seed}:{stage}:{name}' | {tool}",
        }


def read_context(folder: Path) -> Context:
    """Read a campaign that was announced. Raises InputError, or StateError (not announced, changed since)."""
    campaign = Campaign(folder)
    ceremony = state_of_folder(folder)
    announcement = announcement_of(campaign, ceremony)
    inputs = load_inputs(folder)
    freeze = json.loads((campaign.private / "freeze.json").read_bytes())
    inputs_unchanged(inputs, freeze["inputs"])
    secret = None
    if announcement["disclosure"] == "sealed":
        secret = bytes.fromhex((campaign.private / LIST_SECRET).read_text("ascii").strip())
    drawn = Phase.PUBLISHED <= ceremony.phase < Phase.VOID
    return Context(
        inputs,
        announcement,
        prepare(inputs, announcement["draw"], secret),
        full_result(campaign) if drawn else None,
        ceremony.phase is Phase.VOID,
        published_changes(campaign),
    )

"""The result, and what an embargo keeps out of it, as typed data (docs/protocol.md §9): form only."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from dualrandom.verify import schema
from dualrandom.verify.announcement import Announcement, Commitment, Step, read_commitment, read_step
from dualrandom.verify.report import Fault

NAME = "result.json"
TYPE = "dualrandom/v1/result"
TIES = "ties.json"


@dataclass(frozen=True, slots=True)
class Drawn:
    """A stratum's sample in an open draw: its size and greatest ticket (hex)."""

    id: str
    n: int
    cutoff: str | None


@dataclass(frozen=True, slots=True)
class Selection:
    """What one task selected; tickets only when sealed, strata only when open, neither where the task follows."""

    task: str
    selected: tuple[str, ...]
    tickets: tuple[str, ...] | None
    strata: tuple[Drawn, ...] | None


@dataclass(frozen=True, slots=True)
class Crew:
    """One department's people on a visit in seat order, and those whom a recusal or a bar kept out."""

    department: str
    seats: tuple[str, ...]
    barred: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Visit:
    """One enterprise on one date. ``crews`` is None while an embargo hides date and crews."""

    enterprise: str
    part: int
    district: str
    checks: Mapping[str, tuple[str, ...]]
    """task → items"""
    date: str | None
    crews: tuple[Crew, ...] | None

    @property
    def name(self) -> str:
        """How reasons call this visit."""
        return f"{self.enterprise} part {self.part}"


Prices = Mapping[str, tuple[int, Mapping[str, int]]]
"""inspector → (period price, date → day price, non-zero ones)"""


@dataclass(frozen=True, slots=True)
class Totals:
    """The result's totals."""

    checks: int
    cost: int
    crews: int
    undated: int
    visits: int


@dataclass(frozen=True, slots=True)
class Result:
    """The result; ``selection``, ``visits`` and ``prices`` are None while they are under an embargo."""

    announcement: str
    draw: str
    seed: str
    attempt: int
    relief: tuple[Step, ...]
    selection: Mapping[str, Selection] | None
    cutoffs: Commitment | None
    visits: tuple[Visit, ...] | None
    prices: Prices | None
    embargoed: Commitment | None
    totals: Totals

    @property
    def complete(self) -> bool:
        """Whether nothing is hidden by an embargo."""
        return (
            self.selection is not None
            and self.prices is not None
            and self.visits is not None
            and all(visit.crews is not None for visit in self.visits)
        )


_KEYS = (
    "announcement", "attempt", "cutoffs", "draw", "embargoed", "prices", "relief", "seed", "selection", "totals",
    "type", "visits",
)  # fmt: skip


def parse_result(data: bytes, announcement: Announcement) -> Result:
    """Parse the document. Raises Fault for anything that is not of the form of §9."""
    document = schema.record(schema.parsed(data, NAME), NAME, _KEYS)

    def at(key: str) -> tuple[Any, str]:
        return document[key], f"{NAME}: {key}"

    schema.choice(TYPE)(*at("type"))
    embargo = announcement.policy.embargo
    selection = visits = prices = embargoed = cutoffs = None
    if embargo == "visits":
        schema.null(*at("selection"))
        schema.null(*at("visits"))
    else:
        selection = read_selections(*at("selection"), announcement)
        visits = read_visits(*at("visits"), hidden=embargo == "crews")
    if embargo == "none":
        prices = read_prices(*at("prices"))
        schema.null(*at("embargoed"))
    else:
        schema.null(*at("prices"))
        embargoed = read_commitment(*at("embargoed"))
    if announcement.sealed:
        cutoffs = read_commitment(*at("cutoffs"))
    else:
        schema.null(*at("cutoffs"))
    return Result(
        announcement=schema.hex64(*at("announcement")),
        draw=schema.ident(*at("draw")),
        seed=schema.hex64(*at("seed")),
        attempt=schema.integer(*at("attempt")),
        relief=schema.many(*at("relief"), read_step),
        selection=selection,
        cutoffs=cutoffs,
        visits=visits,
        prices=prices,
        embargoed=embargoed,
        totals=_totals(*at("totals")),
    )


def _totals(value: Any, where: str) -> Totals:
    found = schema.record(value, where, ("checks", "cost", "crews", "undated", "visits"))
    return Totals(
        checks=schema.integer(found["checks"], f"{where}.checks"),
        cost=schema.decimal(found["cost"], f"{where}.cost"),
        crews=schema.integer(found["crews"], f"{where}.crews"),
        undated=schema.integer(found["undated"], f"{where}.undated"),
        visits=schema.integer(found["visits"], f"{where}.visits"),
    )


def read_selections(value: Any, where: str, announcement: Announcement) -> dict[str, Selection]:
    """Read the selections of all tasks, ascending by task."""
    selections = []
    for i, entry in enumerate(schema.array(value, where)):
        place = f"{where}[{i}]"
        found = schema.record(entry, place, ("selected", "strata", "task", "tickets"))
        task = announcement.tasks.get(schema.ident(found["task"], f"{place}.task"))
        own = task is not None and task.mode == "own"
        tickets = strata = None
        if own and announcement.sealed:
            tickets = schema.many(found["tickets"], f"{place}.tickets", schema.hex64)
            schema.ascending(tickets, f"{place}.tickets")
        else:
            schema.null(found["tickets"], f"{place}.tickets")
        if own and not announcement.sealed:
            strata = schema.many(found["strata"], f"{place}.strata", _drawn)
            schema.ascending([drawn.id for drawn in strata], f"{place}.strata")
        else:
            schema.null(found["strata"], f"{place}.strata")
        # An open selection is in the order of its tickets, which the selection check compares.
        read_ids = schema.ids if announcement.sealed else schema.distinct_ids
        selected = read_ids(found["selected"], f"{place}.selected")
        selections.append(Selection(found["task"], selected, tickets, strata))
    schema.ascending([selection.task for selection in selections], where)
    return {selection.task: selection for selection in selections}


def _drawn(value: Any, where: str) -> Drawn:
    found = schema.record(value, where, ("cutoff", "id", "n"))
    return Drawn(
        id=schema.ident(found["id"], f"{where}.id"),
        n=schema.integer(found["n"], f"{where}.n"),
        cutoff=schema.maybe(found["cutoff"], f"{where}.cutoff", schema.hex64),
    )


def read_visits(value: Any, where: str, *, hidden: bool) -> tuple[Visit, ...]:
    """Read visits, ascending by enterprise and part; ``hidden`` ones lack date and crews."""
    visits = tuple(
        read_visit(entry, f"{where}[{i}]", hidden=hidden)
        for i, entry in enumerate(schema.array(value, where))
    )
    schema.ascending([(visit.enterprise, visit.part) for visit in visits], where)
    return visits


def read_visit(value: Any, where: str, *, hidden: bool = False) -> Visit:
    """Read one visit."""
    keys = ("checks", "district", "enterprise", "part")
    found = schema.record(value, where, keys if hidden else ("crews", "date", *keys))
    checks: dict[str, tuple[str, ...]] = {}
    for i, entry in enumerate(schema.array(found["checks"], f"{where}.checks")):
        check = schema.record(entry, f"{where}.checks[{i}]", ("items", "task"))
        task = schema.ident(check["task"], f"{where}.checks[{i}].task")
        if checks:
            schema.ascending([next(reversed(checks)), task], f"{where}.checks")
        checks[task] = schema.ids(check["items"], f"{where}.checks[{i}].items")
    visit = Visit(
        enterprise=schema.ident(found["enterprise"], f"{where}.enterprise"),
        part=schema.positive(found["part"], f"{where}.part"),
        district=schema.ident(found["district"], f"{where}.district"),
        checks=checks,
        date=None,
        crews=None,
    )
    if hidden:
        return visit
    crews = schema.many(found["crews"], f"{where}.crews", _crew)
    schema.ascending([crew.department for crew in crews], f"{where}.crews")
    return replace(visit, date=schema.maybe(found["date"], f"{where}.date", schema.day), crews=crews)


def _crew(value: Any, where: str) -> Crew:
    found = schema.record(value, where, ("barred", "department", "seats"))
    return Crew(
        department=schema.ident(found["department"], f"{where}.department"),
        seats=schema.many(found["seats"], f"{where}.seats", schema.ident),
        barred=schema.ids(found["barred"], f"{where}.barred"),
    )


def read_prices(value: Any, where: str) -> Prices:
    """Read prices, ascending by inspector; zeros are left out."""
    prices: dict[str, tuple[int, Mapping[str, int]]] = {}
    for i, entry in enumerate(schema.array(value, where)):
        place = f"{where}[{i}]"
        found = schema.record(entry, place, ("days", "inspector", "period"))
        inspector = schema.ident(found["inspector"], f"{place}.inspector")
        if prices:
            schema.ascending([next(reversed(prices)), inspector], where)
        days = {
            schema.day(day, f"{place}.days key"): schema.decimal(price, f"{place}.days.{day}")
            for day, price in schema.mapping(found["days"], f"{place}.days").items()
        }
        period = schema.decimal(found["period"], f"{place}.period")
        if 0 in days.values() or not (period or days):
            raise Fault(f"{place} 含有零价格", f"{place} contains a price of zero, which is left out")
        prices[inspector] = (period, days)
    return prices


@dataclass(frozen=True, slots=True)
class Tie:
    """The evidence of one tied attempt: a filling, (enterprise, part, department) → seats, and its least prices."""

    attempt: int
    crews: Mapping[tuple[str, int, str], tuple[str, ...]]
    prices: Prices


def parse_ties(data: bytes) -> tuple[str, tuple[Tie, ...]]:
    """Parse ties.json: the announcement's digest and the tied attempts."""
    document = schema.record(schema.parsed(data, TIES), TIES, ("announcement", "attempts", "type"))
    schema.choice("dualrandom/v1/ties")(document["type"], f"{TIES}: type")
    return (
        schema.hex64(document["announcement"], f"{TIES}: announcement"),
        schema.many(document["attempts"], f"{TIES}: attempts", _tie),
    )


def _tie(value: Any, where: str) -> Tie:
    found = schema.record(value, where, ("attempt", "crews", "prices"))
    crews: dict[tuple[str, int, str], tuple[str, ...]] = {}
    for i, entry in enumerate(schema.array(found["crews"], f"{where}.crews")):
        place = f"{where}.crews[{i}]"
        crew = schema.record(entry, place, ("department", "enterprise", "part", "seats"))
        key = (
            schema.ident(crew["enterprise"], f"{place}.enterprise"),
            schema.positive(crew["part"], f"{place}.part"),
            schema.ident(crew["department"], f"{place}.department"),
        )
        if crews:
            schema.ascending([next(reversed(crews)), key], f"{where}.crews")
        crews[key] = schema.many(crew["seats"], f"{place}.seats", schema.ident)
    return Tie(
        attempt=schema.integer(found["attempt"], f"{where}.attempt"),
        crews=crews,
        prices=read_prices(found["prices"], f"{where}.prices"),
    )

"""Invented enterprises: kinds, industries, credit classes, streets in the shares of a scale's tables."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from typing import NamedTuple

from dualrandom.calendar import visit_days
from dualrandom.demo.chance import Dice, Wheel
from dualrandom.demo.codes import credit_code
from dualrandom.demo.tables import shipped_rows
from dualrandom.demo.words import BRANDS, INVENTED, ROADS

KINDS = (("enterprise", "91", 28.0), ("cooperative", "93", 1.6), ("individual", "92", 70.4))
"""Object kinds with the first two digits of their codes and their shares in per cent."""
CLASSES = (("A", 55.0), ("B", 30.0), ("C", 12.0), ("D", 3.0))
REGISTRARS = (
    ("420700", 30.0),
    ("420702", 10.0),
    ("420703", 18.0),
    ("420704", 37.0),
    ("420000", 3.0),
    ("420100", 2.0),
)
"""Who registered an enterprise does not say where it is: these digits are independent of the district."""
SUFFIX = {"enterprise": "有限公司", "cooperative": "专业合作社", "individual": ""}
PERIOD = (date(2023, 9, 1), date(2023, 9, 30))
SHUT_PER_THOUSAND = 15


@dataclass(frozen=True, slots=True)
class Place:
    """A district with its share of the enterprises and the names of its streets."""

    id: str
    share: float
    streets: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Industry:
    """A GB/T 4754 class, the licence type (category) it usually has, and words for names."""

    code: str
    category: str
    words: tuple[str, ...]


class Firm(NamedTuple):
    """One row of the enterprise library."""

    id: str
    name: str
    district: str
    credit_class: str
    kind: str
    industry: str
    category: str
    address: str
    closed: str


def places(scale: str) -> list[Place]:
    """The districts of a scale. Streets are official codes, or names where they are invented."""
    names = {row["code"]: row["name"] for row in shipped_rows("data/ezhou-divisions.csv")}
    return [
        Place(
            row["id"],
            float(row["share"]),
            tuple(names.get(street, street) for street in row["streets"].split(";")),
        )
        for row in shipped_rows(f"demo/{scale}/districts.csv")
    ]


def firms(scale: str, count: int) -> Iterator[Firm]:
    """`count` (at most 1,000,000) invented enterprises with distinct codes."""
    kinds = Wheel(((kind, digits), share) for kind, digits, share in KINDS)
    classes, registrars = Wheel(CLASSES), Wheel(REGISTRARS)
    districts = Wheel((place, place.share) for place in places(scale))
    table = shipped_rows("demo/industries.csv")
    industries = {
        kind: Wheel(
            (Industry(row["code"], row["category"], tuple(row["words"].split("|"))), float(row[kind]))
            for row in table
            if float(row[kind])
        )
        for kind in SUFFIX
    }
    days = [day.isoformat() for day in visit_days(*PERIOD, "cn")]
    for number in range(count):
        dice = Dice(f"{scale} firm {number}")
        kind, digits = kinds.pick(dice)
        industry = industries[kind].pick(dice)
        place = districts.pick(dice)
        street = dice.one_of(place.streets)
        brand = dice.one_of(BRANDS) + dice.one_of(BRANDS)
        if kind == "enterprise":
            brand += dice.one_of(BRANDS)
        name = f"{street.removesuffix(INVENTED)}{brand}{dice.one_of(industry.words)}{SUFFIX[kind]}{INVENTED}"
        address = f"{street}{dice.one_of(ROADS)}{1 + dice.roll(300)}号"
        closed = ""
        if dice.chance(SHUT_PER_THOUSAND):
            first = dice.roll(len(days) - 2)
            closed = ";".join(days[first : first + 1 + dice.roll(3)])
        yield Firm(
            credit_code(digits, registrars.pick(dice), number),
            name,
            place.id,
            classes.pick(dice),
            kind,
            industry.code,
            industry.category,
            address,
            closed,
        )

"""Invented inspectors: a scale's departments, divided over districts, with qualifications and days off."""

from collections.abc import Iterator
from typing import NamedTuple

from dualrandom.calendar import visit_days
from dualrandom.demo.chance import Dice
from dualrandom.demo.tables import shipped_rows
from dualrandom.demo.words import GIVEN, INVENTED, SURNAMES
from dualrandom.demo.world import PERIOD


class Person(NamedTuple):
    """One row of the inspector library: codes separated by semicolons, empty `districts` serve everywhere."""

    code: str
    name: str
    department: str
    districts: str
    marks: str
    licence: str
    valid_until: str
    days_off: str
    daily: str
    total: str


def people(scale: str) -> list[Person]:
    """The inspectors of a scale, ascending by department and number."""
    return [
        person for row in shipped_rows(f"demo/{scale}/departments.csv") for person in _department(scale, row)
    ]


def _department(scale: str, row: dict[str, str]) -> Iterator[Person]:
    """`pools`: districts joined by + with head counts, or empty; `marks`: per cent of each pool that bears it."""
    department, size = row["id"], int(row["people"])
    pools = [pool.split(":") for pool in row["pools"].split("|") if pool] or [["", str(size)]]
    wanted = [
        (mark, int(share)) for mark, share in (pair.split(":") for pair in row["marks"].split("|") if pair)
    ]
    number = 0
    for districts, heads in pools:
        served = districts.replace("+", ";")
        bearers = {
            mark: set(
                Dice(f"{scale} {department} {districts} {mark}").some_of(
                    range(int(heads)), max(3, round(int(heads) * share / 100))
                )
            )
            for mark, share in wanted
        }
        for place in range(int(heads)):
            number += 1
            marks = ";".join(sorted(mark for mark, places in bearers.items() if place in places))
            yield _person(f"{department}-{number:03d}", scale, department, served, marks, row["total"])


def _person(code: str, scale: str, department: str, districts: str, marks: str, total: str) -> Person:
    dice = Dice(f"{scale} person {code}")
    days = [day.isoformat() for day in visit_days(*PERIOD, "cn")]
    off: list[str] = []
    if dice.chance(250):
        first = dice.roll(len(days))
        off = days[first : first + 1 + dice.roll(5)]
    expires = "2023-09-15" if dice.chance(10) else f"{2024 + dice.roll(4)}-12-31"
    name = f"{dice.one_of(SURNAMES)}{dice.one_of(GIVEN)}{INVENTED}"
    licence = f"虚构-{code}"
    return Person(code, name, department, districts, marks, licence, expires, ";".join(off), "", total)

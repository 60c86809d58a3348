"""Writing a whole campaign folder: plan, five libraries, the beacon's evidence."""

import json
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from dualrandom.demo import history, staff, world
from dualrandom.demo.tables import shipped_rows, shipped_text, write_csv, write_workbook
from dualrandom.registry.columns import LIBRARIES, Kind

Scale = Literal["town", "city"]
BEACON = {
    "randomness": "fe290beca10872ef2fb164d2aa4442de4566183ec51c56ff3cd603d930e54fdd",
    "round": 1000,
    "signature": "b44679b9a59af2ec876b1a6b1ad52ea9b1615fc3982b19576350f93447cb1125"
    "e342b73a8dd2bacbe47e4b6b63ed5e39",
}
"""Round 1000 of drand's quicknet chain as its API gives it, due 2023-08-23T15:59:24Z."""


@dataclass(frozen=True, slots=True)
class Size:
    """How many enterprises, and for how many in a thousand somebody is recused."""

    firms: int
    recused: int


SIZES: dict[Scale, Size] = {"town": Size(600, 40), "city": Size(115_900, 15)}


def write_campaign(scale: Scale, folder: Path) -> None:
    """Write an invented campaign into `folder`, which is made if it is missing; files there are replaced.

    The same bytes each time, up to the versions of XlsxWriter and zlib for the workbooks. The large libraries
    are csv, the small ones workbooks. Raises `DualRandomError` if the extra for workbooks is missing, `OSError`
    if the folder cannot be written.
    """
    folder.mkdir(parents=True, exist_ok=True)
    size = SIZES[scale]
    text = shipped_text(f"demo/{scale}/plan.toml")
    plan = tomllib.loads(text)
    firms = list(world.firms(scale, size.firms))
    people = staff.people(scale)
    items = shipped_rows(f"demo/{scale}/items.csv")
    recusals = history.recusals(scale, firms, people, size.recused)
    visits = history.past_visits(scale, plan, firms, people)
    (folder / "plan.toml").write_text(text, "utf-8", newline="\n")
    (folder / "beacon.json").write_text(json.dumps(BEACON, indent=1) + "\n", "utf-8", newline="\n")
    write_csv(folder / "enterprises.csv", world.Firm._fields, firms)
    write_workbook(folder / "inspectors.xlsx", *_sheet("inspectors", staff.Person._fields), people)
    write_workbook(folder / "items.xlsx", *_sheet("items", items[0]), map(_cells, items))
    write_workbook(folder / "recusals.xlsx", *_sheet("recusals", history.RECUSAL_COLUMNS), recusals)
    write_csv(folder / "visits.csv", history.VISIT_COLUMNS, visits)


def _cells(row: Mapping[str, str]) -> tuple[str, ...]:
    return tuple(row.values())


def _sheet(kind: Kind, columns: Iterable[str]) -> tuple[str, tuple[str, ...]]:
    """The name of a library's sheet and its headings, as the blank workbooks have them."""
    library = LIBRARIES[kind]
    return library.zh, tuple(library.column(name).heading("zh") for name in columns)

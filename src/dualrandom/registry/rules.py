"""What holds within one library beyond single cells: duplicates, validity in the period, and sides of a recusal."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from dualrandom.policy.plan import Plan
from dualrandom.registry.rows import RowSet
from dualrandom.registry.values import Refused, plain


def check_rows(rows: RowSet, plan: Plan | None) -> None:
    """Apply the rules of the library's kind to ``rows``; what is wrong is reported there."""
    kind = rows.library.kind
    if kind == "recusals":
        _recusals(rows)
    elif kind == "visits":
        _equal_rows(rows)
        _visits(rows, plan)
    else:
        _distinct(rows)
    if kind == "inspectors":
        _one_row_a_person(rows)
        _licences(rows, plan)
    if kind == "items":
        _validity(rows)


def _distinct(rows: RowSet) -> None:
    """No two rows share an id, whatever its case; equal rows count once."""
    name = rows.library.columns[0].name
    ids = [value for value in rows.values[name] if isinstance(value, str)]
    if len(set(map(str.lower, ids))) == len(ids):
        return
    names = [column.name for column in rows.library.columns]
    columns = [rows.values[each] for each in names]
    first: dict[str, int] = {}
    for index, value in enumerate(rows.values[name]):
        if not isinstance(value, str):
            continue
        other = first.setdefault(value.lower(), index)
        if other == index:
            continue
        numbers = {"first": rows.numbers[other], "second": rows.numbers[index]}
        if rows.values[name][other] != value:
            rows.refuse("id-case", index, name, value, other=rows.values[name][other], **numbers)
            continue
        differing = [
            each
            for each, column in zip(names, columns, strict=True)
            if column[other] != column[index]
            and not (isinstance(column[other], Refused) and isinstance(column[index], Refused))
        ]
        if differing:
            rows.refuse(
                "id-duplicate",
                index,
                name,
                value,
                differs=_differences(rows, differing, other, index),
                **numbers,
            )
        else:
            rows.refuse("row-duplicate", index, name, value, **numbers)
            rows.dropped.add(index)


def _differences(rows: RowSet, names: Sequence[str], one: int, other: int) -> str:
    return "; ".join(
        f"{rows.layout.titles.get(name, name)}: {_shown(rows.values[name][one])} / {_shown(rows.values[name][other])}"
        for name in names[:3]
    )


def _shown(value: object) -> str:
    if isinstance(value, Refused):
        return "?"
    return " ".join(map(str, value))[:60] if isinstance(value, tuple) else str(value)[:60]


def _equal_rows(rows: RowSet) -> None:
    columns = [rows.values[column.name] for column in rows.library.columns]
    first: dict[object, int] = {}
    for index, row in enumerate(zip(*columns, strict=True)):
        if any(isinstance(value, Refused) for value in row):
            continue
        other = first.setdefault(row, index)
        if other != index:
            rows.refuse(
                "row-duplicate",
                index,
                rows.library.columns[0].name,
                row[0],
                first=rows.numbers[other],
                second=rows.numbers[index],
            )
            rows.dropped.add(index)


def _one_row_a_person(rows: RowSet) -> None:
    """A licence is one person's; with two codes he could fill two seats of a crew and be absent under one code only."""
    first: dict[str, int] = {}
    codes = rows.values["code"]
    for index, licence in enumerate(rows.values["licence"]):
        if not isinstance(licence, str):
            continue
        other = first.setdefault(plain(licence).casefold(), index)
        # rows with the same code are duplicates whatever their licences
        if other != index and str(codes[other]).lower() != str(codes[index]).lower():
            numbers = {"first": rows.numbers[other], "second": rows.numbers[index]}
            rows.refuse("licence-repeated", index, "licence", licence, **numbers)


def _licences(rows: RowSet, plan: Plan | None) -> None:
    if plan is None:
        return
    start, end = plan.period
    for index, until in enumerate(rows.values["valid_until"]):
        if isinstance(until, date):
            if until < start:
                rows.refuse("licence-expired", index, "valid_until", until, start=start)
            elif until < end:
                rows.refuse("licence-expires", index, "valid_until", until)


def _validity(rows: RowSet) -> None:
    for index, (first, last) in enumerate(
        zip(rows.values["valid_from"], rows.values["valid_until"], strict=True)
    ):
        if isinstance(first, date) and isinstance(last, date) and last < first:
            rows.refuse("dates-reversed", index, "valid_until", last, other=first)


def _visits(rows: RowSet, plan: Plan | None) -> None:
    if plan is None:
        return
    end = plan.period[1]
    for index, day in enumerate(rows.values["date"]):
        if isinstance(day, date) and day > end:
            rows.refuse("visit-future", index, "date", day, end=end)


def _recusals(rows: RowSet) -> None:
    """Nobody is recused from himself; a pair that occurs again, in whatever order, counts once, by its first ground."""
    columns = [rows.values[name] for name in ("inspector", "other", "ground")]
    pairs: dict[frozenset[str], list[tuple[str, int]]] = {}
    for index, (inspector, other, ground) in enumerate(zip(*columns, strict=True)):
        if not (isinstance(inspector, str) and isinstance(other, str)):
            continue
        if inspector == other:
            rows.refuse("recusal-self", index, "other", other)
        elif isinstance(ground, str):
            pairs.setdefault(frozenset((inspector, other)), []).append((ground, index))
    kept = {pair: min(found) for pair, found in pairs.items()}
    for pair, found in pairs.items():
        ground = kept[pair][0]
        first_ground, first = found[0]
        for other_ground, index in found[1:]:
            numbers = {"first": rows.numbers[first], "second": rows.numbers[index]}
            if other_ground == first_ground:
                rows.refuse("row-duplicate", index, "other", rows.values["other"][index], **numbers)
            else:
                rows.refuse("recusal-repeated", index, "ground", ground, **numbers)
        rows.dropped |= {index for _, index in found} - {kept[pair][1]}

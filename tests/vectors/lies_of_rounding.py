"""Lies about the sizes of a task with two-way control (docs/protocol.md §6.2)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from lies import TWO_WAY, Json, lie  # type: ignore[import-not-found]
from reference_two_way import two_way  # type: ignore[import-not-found]


def one_way_instead(built: Any, sizes: Json) -> None:
    sizes.update({("t1", name): n for name, n in built.one_way("t1", built.strata["t1"]).items()})


def other_tickets(step: Callable[[int], int]) -> Callable[[Any, Json], None]:
    """Let every step be decided by the ticket of another one."""

    def tell(built: Any, sizes: Json) -> None:
        again = two_way(built.strata["t1"], lambda k: int(built.ticket("control", f"t1:{step(k)}"), 16))
        sizes.update({("t1", name): n for name, n in again.items()})

    return tell


def full_column(built: Any, sizes: Json) -> None:
    """Move one within a class to a district that has its ceiling already: classes and total stay right."""
    drawn = {d: sum(n for (t, s), n in sizes.items() if t == "t1" and s.endswith(d)) for d in ("d1", "d2")}
    assert drawn == {"d1": 2, "d2": 3}, drawn  # expected are 2.5 and 2.9
    assert (sizes["t1", "A.d1"], sizes["t1", "A.d2"]) == (1, 0)
    sizes["t1", "A.d1"] -= 1
    sizes["t1", "A.d2"] += 1


def all_down(_built: Any, sizes: Json) -> None:
    for name in ("A.d1", "A.d2", "B.d1", "B.d2"):
        sizes["t1", name] = 0


for name, about, tell in (
    ("two-way-task-rounded-one-way", "双向任务按单向取整 · a two-way task rounded one way", one_way_instead),
    ("two-way-steps-swapped", "各步签号对调 · the tickets of steps swapped", other_tickets(lambda k: k ^ 1)),
    (
        "two-way-steps-counted-from-one",
        "步数从 1 起 · steps counted from one",
        other_tickets(lambda k: k + 1),
    ),
    ("two-way-column-over-its-ceiling", "某区超过上限 · a district above its ceiling", full_column),
    ("two-way-classes-spared", "两类一户不抽 · two classes are spared", all_down),
):
    lie(name, TWO_WAY, "sizes", about, {"sizes": tell})

lie(
    "two-way-stratum-of-another-group",
    TWO_WAY,
    "announcement",
    "层代码与组不符 · a stratum that is not named by its group",
    {"announcement": lambda _, a: a["tasks"][0]["strata"][0].update(group="B")},
)
lie(
    "two-way-follower",
    TWO_WAY,
    "canonical",
    "参与任务谎称双向控制 · a task that follows claims two-way control",
    {"announcement": lambda _, a: a["tasks"][2].update(control="two-way")},
)

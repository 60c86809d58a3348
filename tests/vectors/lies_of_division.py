"""Lies about strata that rules for some of their enterprises have cut in parts: each part keeps its firms, size and quota."""

from __future__ import annotations

from typing import Any

from lies import DIVIDED, Json, lie, value  # type: ignore[import-not-found]


def counted_in_the_other_part(_built: Any, announcement: Json) -> None:
    """Count one firm outside of the rule among those inside; frame and total stay as they are."""
    outside, inside = announcement["tasks"][0]["strata"][:2]
    assert (outside["id"], inside["id"]) == ("A.p0", "A.p1")
    outside["size"] -= 1
    inside["size"] += 1


def sizes_exchanged(_built: Any, sizes: Json) -> None:
    """Draw from each part of A as many as the other one is due; the class and the total stay right."""
    sizes["t1", "A.p0"], sizes["t1", "A.p1"] = sizes["t1", "A.p1"], sizes["t1", "A.p0"]


def drawn_as_one(built: Any, sizes: Json) -> None:
    """Draw the smallest tickets of the whole of B, wherever its parts have them."""
    parts = ("B.p0", "B.p1")
    members = [key for key, row in built.frame.items() if row["strata"]["t1"] in parts]
    drawn = sorted(members, key=lambda key: built.ticket("enterprise", key))
    drawn = drawn[: sum(sizes["t1", part] for part in parts)]
    for part in parts:
        sizes["t1", part] = sum(built.frame[key]["strata"]["t1"] == part for key in drawn)


def drawn_from_the_other_part(built: Any, selected: Json) -> None:
    """Put the first of B.p1, of which nobody is drawn, in the place of one of B.p0; the task that follows goes with it."""
    spared = min(
        (key for key, row in built.frame.items() if row["strata"]["t1"] == "B.p1"),
        key=lambda key: built.ticket("enterprise", key),
    )
    leaving = next(key for key in selected["t1"] if built.frame[key]["strata"]["t1"] == "B.p0")
    assert spared not in selected["t1"]
    selected["t1"] = sorted(
        [spared, *(key for key in selected["t1"] if key != leaving)],
        key=lambda key: built.ticket("enterprise", key),
    )
    selected["t3f"] = [key for key in selected["t1"] if "t3f" in built.frame[key]["strata"]]


def cutoffs_exchanged(result: Json) -> None:
    """Exchange the last tickets of two parts of the same task."""
    strata = {row["id"]: row for row in result["selection"][1]["strata"]}
    crossing, second = strata["all.p1-2"], strata["all.p2"]
    crossing["cutoff"], second["cutoff"] = second["cutoff"], crossing["cutoff"]


lie(
    "firm-counted-in-the-other-part",
    DIVIDED,
    "announcement",
    "企业计入同层的另一部分 · a firm is counted in the other part of its stratum",
    {"announcement": counted_in_the_other_part},
)
lie(
    "sizes-of-two-parts-exchanged",
    DIVIDED,
    "sizes",
    "同层两部分的样本量对调 · the sizes of two parts of a stratum are exchanged",
    {"sizes": sizes_exchanged},
)
lie(
    "divided-stratum-drawn-as-one",
    DIVIDED,
    "sizes",
    "已划分的层仍整层抽取 · a divided stratum is drawn as if it were one",
    {"sizes": drawn_as_one},
)
lie(
    "firm-drawn-from-the-other-part",
    DIVIDED,
    "selection",
    "从同层的另一部分抽取 · a firm is drawn from the other part of its stratum",
    {"selection": drawn_from_the_other_part},
)
value(
    "cutoffs-of-two-parts-exchanged",
    DIVIDED,
    "result.json",
    "selection",
    "两部分的末位签号对调 · the cutoffs of two parts are exchanged",
    cutoffs_exchanged,
)

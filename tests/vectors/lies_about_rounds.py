"""Lies about what was public before a round: exclusions and their checkpoints, nonces that were used before (docs/protocol.md §11.3, §12)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import logged  # type: ignore[import-not-found]
import reference_changes as changed  # type: ignore[import-not-found]
from lies import Files, add, change, edit  # type: ignore[import-not-found]

EXCLUDED, AGAIN = "open-logged-changed", "open-logged-after-void"


def tale(name: str, about: str, excluded: Callable[[Any, int], Any]) -> None:
    """Another checkpoint is kept for an exclusion; everything else is logged honestly."""
    story = type("Lie", (logged.Story,), {"excluded": excluded})
    change(
        name, EXCLUDED, "events", about, lambda _: {"beside": logged.publish(story, first=changed.beside())}
    )


def kept(story: Any, number: int, *cosigned: tuple[str, int]) -> None:
    story.files[f"exclusions/{number}.checkpoint"] = story.book.checkpoint(cosigned)


tale(
    "exclusion-witnessed-at-its-round",
    "见证时轮次已公开 · witnessed when the round was known",
    lambda story, number: kept(story, number, *logged.at(logged.LATE + 3)),
)
tale(
    "exclusion-witnessed-by-one",
    "法定数不足 · one witness of two",
    lambda story, number: kept(story, number, ("chamber.example/w1", logged.LATE + 2)),
)
tale(
    "exclusion-witnessed-by-one-in-time",
    "法定数在轮次之后才足 · the quorum was complete only after the round",
    lambda story, number: kept(
        story, number, ("chamber.example/w1", logged.LATE + 2), ("university.example/w2", logged.LATE + 60)
    ),
)


def before_it(story: Any, number: int) -> None:
    """The checkpoint is of before the exclusion was logged."""
    last = story.book.entries.pop()
    kept(story, number, *logged.at(logged.LATE + 2))
    story.book.entries.append(last)


tale("exclusion-not-in-its-checkpoint", "检查点不含该排除 · the checkpoint does not hold it", before_it)


def of_another_log(story: Any, number: int) -> None:
    first = story.book.entries[0]
    story.book.entries[0] = first.replace(b'"size":', b'"size":1')
    kept(story, number, *logged.at(logged.LATE + 2))
    story.book.entries[0] = first


tale("exclusion-in-another-log", "检查点属于另一份日志 · the checkpoint of another log", of_another_log)


def signed_by_a_stranger(story: Any, number: int) -> None:
    story.book.signer = logged.STRANGER
    kept(story, number, *logged.at(logged.LATE + 2))
    story.book.signer = logged.LOG


tale("exclusion-in-a-strangers-log", "检查点由他人签署 · a stranger's checkpoint", signed_by_a_stranger)
tale(
    "exclusion-checkpoint-of-a-substitute",
    "检查点不对应任何排除 · a checkpoint for a row that is no exclusion",
    lambda story, number: kept(story, number + 2, *logged.at(logged.LATE + 2)),
)


def emptied(files: Files, _build: Any) -> Files:
    return files | {"public/exclusions/1.checkpoint": b""}


add("exclusion-checkpoint-emptied", EXCLUDED, "events", "检查点为空 · an empty checkpoint", emptied)
edit(
    "exclusions-without-a-log",
    "open-changed",
    "exclusions/1.checkpoint",
    "log",
    "有检查点却没有日志 · a checkpoint, but no log",
    lambda _: b"\n",
)


def nonces(**given: tuple[str, bool]) -> Callable[[Any], dict[str, Any]]:
    return lambda case: {"nonces": case.nonces | given}


change(
    "nonce-used-before",
    AGAIN,
    "contributions",
    "随机数在先前的抽取中用过 · the nonce of an earlier draw",
    nonces(amr=("a1" * 32, True)),
)
change(
    "nonce-of-another-party-used-before",
    AGAIN,
    "contributions",
    "用了别的部门先前的随机数 · another party's nonce of an earlier draw",
    nonces(amr=("f2" * 32, True)),
)

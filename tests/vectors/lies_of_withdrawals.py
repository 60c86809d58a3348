"""Lies about departments that leave after the announcement, and about findings' hashes (docs/protocol.md §10, 13.4)."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import logged  # type: ignore[import-not-found]
import reference_changes as changed  # type: ignore[import-not-found]
import reference_withdrawals as withdrawn  # type: ignore[import-not-found]
from lies import OPEN as DRAWN  # type: ignore[import-not-found]
from lies import Json, change, value

OPEN, SEALED, NEXT, NONE, LOGGED = (
    "open-withdrawn",
    "sealed-withdrawn",
    "open-withdrawn-next",
    "open-withdrawn-none",
    "open-logged-withdrawn",
)
STORIES = {OPEN: withdrawn.story, SEALED: withdrawn.story, NEXT: withdrawn.before, NONE: withdrawn.alone}
Tell = Callable[[Any, Json], Json]
Story = Callable[[Any], dict[str, bytes]]


def tell(
    name: str,
    base: str,
    about: str,
    story: Story | None = None,
    *,
    fails: str = "changes",
    auditor: bool = False,
    **lies: Tell,
) -> None:
    """A story with a lie in it, everything after it told honestly."""
    made = withdrawn.beside(story or STORIES[base], lies)
    change(name, base, fails, about, lambda _case: {"beside": made}, auditor=auditor)


def of(who: str, /, **values: Json) -> Tell:
    """Other values in a department's withdrawal."""
    return lambda _, row: row | values if row["department"] == who else row


# --- the row itself

tell(
    "withdrawal-from-a-day-that-is-over",
    OPEN,
    "自已过去的日期起退出 · from a day that was over",
    withdraw=of("amr", **{"from": "2023-09-05"}),
)
tell(
    "withdrawal-from-a-day-without-visits",
    OPEN,
    "自非检查日起退出 · from a day that is none of the announced ones",
    withdraw=of("amr", **{"from": "2023-09-03", "time": "2023-09-01T01:00:00Z"}),
)
tell(
    "withdrawal-of-an-unknown-department",
    OPEN,
    "没有任务的部门退出 · a department without tasks withdraws",
    withdraw=of("fire", department="zoo"),
)
tell(
    "withdrawn-twice",
    OPEN,
    "同一部门退出两次 · a department withdraws twice, for a day on which it still had a crew",
    withdraw=of("amr", **{"department": "fire", "from": "2023-09-04", "time": "2023-09-01T01:00:00Z"}),
)
tell(
    "withdrawal-for-convenience",
    OPEN,
    "没有这种理由 · no such reason",
    withdraw=of("fire", reason="convenience"),
)
tell(
    "withdrawal-for-the-reason-of-a-person",
    OPEN,
    "用了替换人员的理由 · the reason of a replacement",
    withdraw=of("fire", reason="ill"),
)
tell(
    "withdrawal-dated-back",
    OPEN,
    "早于此前的记录 · earlier than what was recorded before",
    withdraw=of("amr", time="2023-08-29T01:00:00Z"),
)
tell(
    "withdrawal-before-the-draw",
    NEXT,
    "早于抽取 · before the draw",
    withdraw=of("fire", time="2023-08-23T15:59:23Z"),
)
tell(
    "withdrawal-from-one-visit",
    OPEN,
    "只退出一次检查 · a department spares one firm",
    withdraw=of("fire", enterprise="E05"),
)
tell(
    "withdrawal-with-words-for-evidence",
    OPEN,
    "凭据不是散列 · the evidence is no hash",
    withdraw=of("fire", evidence="letter"),
)
tell(
    "withdrawal-without-the-key-of-its-evidence",
    OPEN,
    "缺 evidence 键 · the key of the evidence is missing",
    withdraw=lambda _, row: {key: one for key, one in row.items() if key != "evidence"},
)


def without_a_crew(found: Any) -> dict[str, bytes]:
    """Both firms that the department would have visited fall out before it leaves."""
    for visit in withdrawn.filled(found, "fire")[-2:]:
        found.exclude(visit["enterprise"], "suspended", "2023-08-23T15:59:25Z")
    found.withdraw("fire", "2023-09-08", "reorganised", "2023-08-23T15:59:26Z")
    found.substitute()
    found.substitute()
    return dict(changed.document(found))


tell(
    "withdrawal-without-a-crew",
    OPEN,
    "自该日起已没有其检查组 · no crew of it is left on that day or later",
    without_a_crew,
)

# --- when it may not come


def too_late(found: Any) -> dict[str, bytes]:
    """A department leaves when the round is out, and nobody has been substituted yet."""
    found.exclude(withdrawn.ranked(found.built)[1], "moved-away", "2023-08-23T15:59:25Z")
    found.withdraw("fire", "2023-09-05", "reorganised", "2023-08-23T15:59:27Z")
    found.substitute()
    return dict(changed.document(found))


def between(found: Any) -> dict[str, bytes]:
    """The same where the draw's own seed decides, so that everybody knows at once who follows."""
    found.exclude(withdrawn.ranked(found.built)[0], "moved-away", "2023-08-24T02:00:00Z")
    found.withdraw("fire", "2023-09-04", "reorganised", "2023-08-24T02:00:00Z")
    found.substitute()
    return dict(changed.document(found))


LATE = "随机数已知后部门退出 · a department leaves once the randomness is known"
tell("withdrawal-before-the-substitute", OPEN, LATE, too_late)
tell("sealed-withdrawal-before-the-substitute", SEALED, LATE, too_late)
tell("withdrawal-though-the-seed-tells-who-follows", NEXT, LATE, between)

# --- what follows from it

NOT_KEPT = "递补了已退出部门的任务 · a substitute is drawn for a department that withdrew"
tell("substitute-for-a-withdrawn-department", OPEN, NOT_KEPT, left=lambda *_: [])
tell("sealed-substitute-for-a-withdrawn-department", SEALED, NOT_KEPT, left=lambda *_: [])
tell(
    "substitute-where-nothing-is-left",
    NEXT,
    "只有已退出部门的任务却仍递补 · a substitute, though a withdrawn department alone would visit it",
    left=lambda *_: [],
)
tell(
    "joint-task-of-a-withdrawn-department",
    OPEN,
    "递补仍含已退出部门的联合任务 · a substitute is visited for the joint task of a department that withdrew",
    following=lambda *_: [],
)
tell(
    "sealed-joint-task-of-a-withdrawn-department",
    SEALED,
    "递补仍含已退出部门的联合任务 · a substitute is visited for the joint task of a department that withdrew",
    following=lambda *_: [],
)
tell(
    "tasks-dropped-for-no-withdrawal",
    OPEN,
    "未退出部门的任务也不递补 · the tasks of a department that stays are dropped as well",
    left=lambda *_: ["amr", "fire"],
    following=lambda *_: ["amr", "fire"],
)


def with_an_empty_crew(found: Any, row: Json) -> Json:
    """The substitute keeps a crew of the withdrawn department, with nobody in it."""
    visits = [
        visit | {"crews": [*visit["crews"], {"barred": [], "department": "fire", "seats": []}]}
        for visit in row["visits"]
    ]
    return row | {"visits": visits}


tell(
    "substitute-with-an-unfilled-crew",
    OPEN,
    "递补带有空缺的检查组 · a substitute with an unfilled crew",
    substituted=with_an_empty_crew,
)


def in_a_crew_that_is_empty(found: Any, honest: Json) -> Json:
    """A seat of the department that left, on its first day without anybody."""
    return next(
        seat
        for seat in found.seats()
        if seat[1] == "fire" and not_there(found, seat) and found.candidates(*seat)
    )


def not_there(found: Any, seat: Any) -> bool:
    since = next(row["from"] for row in found.rows if row["type"] == "withdraw")
    return bool(found.visits[seat[0]]["date"] >= since)


FILLED = "在空缺的检查组中替换 · somebody is replaced in an unfilled crew"
tell(
    "replaced-in-an-unfilled-crew",
    OPEN,
    FILLED,
    emptied=lambda *_: [],
    seat=in_a_crew_that_is_empty,
)
tell(
    "sealed-replaced-in-an-unfilled-crew",
    SEALED,
    FILLED,
    emptied=lambda *_: [],
    seat=in_a_crew_that_is_empty,
)


def still_counted(found: Any) -> dict[str, bytes]:
    """The best of those who had room before the withdrawal: the unfilled crews are counted as if somebody went."""
    found.withdraw("amr", "2023-09-06", "ordered-elsewhere", "2023-08-24T01:00:00Z", withdrawn.LETTER)
    for seat in found.seats():
        had_room = [p for p in found.candidates(*seat) if withdrawn.drawn(found, p) < found.built.caps(p)[1]]
        if had_room and had_room != found.candidates(*seat)[: len(had_room)]:
            found.lies = {"replace": lambda *_, come=had_room: come}
            found.replace(*seat, "ill", "2023-08-25T01:00:00Z")
            return dict(changed.document(found))
    raise AssertionError("nobody was freed")


tell(
    "replaced-as-if-the-unfilled-crews-were-there",
    NONE,
    "空缺的检查组仍计入工作量 · unfilled crews still count as load",
    still_counted,
)
tell(
    "withdrawal-dropped-and-chained-anew",
    OPEN,
    "删去退出后重新成链 · a withdrawal is missing",
    chain=lambda found, rows: changed.rechained(
        found, [row for row in rows if row.get("department") != "fire"]
    ),
)


def found_in(pick: Callable[[Any], Json]) -> Tell:
    """The findings are said to be of another visit and task."""

    def lie(found: Any, rows: Json) -> Json:
        visit, task = pick(found)
        item = next(c["items"][0] for c in visit["checks"] if c["task"] == task)
        where = {"enterprise": visit["enterprise"], "part": visit["part"], "date": visit["date"]}
        return [rows[0] | where | {"item": item, "task": task}]

    return lie


def unfilled(found: Any) -> tuple[Json, str]:
    """A check of an unfilled crew."""
    of_task = {t["id"]: t["department"] for t in found.built.announcement["tasks"]}
    return next(
        (visit, check["task"])
        for _, visit in sorted(found.visits.items())
        for crew in visit["crews"]
        if not crew["seats"]
        for check in visit["checks"]
        if of_task[check["task"]] == crew["department"]
    )


GHOST = "空缺的检查组却有检查结果 · a finding, though nobody was there"
tell("finding-of-an-unfilled-crew", OPEN, GHOST, fails="findings", findings=found_in(unfilled))
tell("sealed-finding-of-an-unfilled-crew", SEALED, GHOST, fails="findings", findings=found_in(unfilled))
value(
    "crew-unfilled-in-the-result",
    DRAWN,
    "result.json",
    "crews",
    "结果中检查组无人，没有部门退出 · a crew without people in the result: no department had withdrawn",
    lambda d: d["visits"][0]["crews"][0].update(seats=[]),
)

# --- findings' hashes


def hash_of(name: str, about: str, change_row: Callable[[Json], Any], base: str = OPEN) -> None:
    """Another form of a finding's hash."""
    value(name, base, "findings.json", "canonical", about, lambda d: change_row(d["findings"][0]))


hash_of("finding-with-a-short-hash", "散列太短 · a short hash", lambda row: row.update(sealed="ab" * 31))
hash_of(
    "finding-with-a-hash-in-capitals",
    "大写的散列 · a hash in capitals",
    lambda row: row.update(sealed=row["sealed"].upper()),
)
hash_of(
    "finding-with-a-hash-that-is-null",
    "没有散列时应不写 · without a hash the key is absent",
    lambda row: row.update(sealed=None),
)
hash_of(
    "finding-with-its-salt",
    "公布了盐 · the salt is published",
    lambda row: row.update(salt="0" * 64),
)
hash_of(
    "finding-with-its-words",
    "公布了文字 · the words are published",
    lambda row: row.update(text="二层安全出口锁闭。"),
    DRAWN,
)

# --- the log


def tale(name: str, about: str, amended: Callable[[Any, str, bytes], None]) -> None:
    """The withdrawal is logged otherwise; everything else honestly."""
    story = type("Lie", (logged.Story,), {"amended": amended})
    made = logged.publish(story, first=withdrawn.beside())
    change(name, LOGGED, "log", about, lambda _: {"beside": made})


def not_logged(story: Any, kind: str, row: bytes) -> None:
    if json.loads(row)["type"] != "withdraw":
        logged.Story.amended(story, kind, row)


def logged_as(wrong: str) -> Callable[[Any, str, bytes], None]:
    def amended(story: Any, kind: str, row: bytes) -> None:
        logged.Story.amended(story, wrong if json.loads(row)["type"] == "withdraw" else kind, row)

    return amended


tale("withdrawal-that-was-not-logged", "退出未登记 · a withdrawal without its entry", not_logged)
tale("withdrawal-logged-as-an-exclusion", "登记为排除 · logged as an exclusion", logged_as("EXCLUDE"))
tale("withdrawal-logged-as-a-substitute", "登记为递补 · logged as a substitute", logged_as("SUBSTITUTE"))
value(
    "hash-changed-after-it-was-logged",
    LOGGED,
    "findings.json",
    "log",
    "登记后改了散列 · a finding's hash was changed after it was logged",
    lambda d: d["findings"][0].update(sealed="0" * 64),
)

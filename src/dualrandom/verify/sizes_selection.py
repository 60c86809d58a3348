"""Sample sizes and who was selected, replayed from the tickets (docs/protocol.md §6)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from heapq import merge
from itertools import islice
from math import floor

from dualrandom.ticket import Tickets
from dualrandom.verify.announcement import WHOLE_SCOPE, Announcement, Stratum, Task
from dualrandom.verify.lists import Frame
from dualrandom.verify.report import Verdict
from dualrandom.verify.result import Selection
from dualrandom.verify.rules import Strata
from dualrandom.verify.two_way import two_way_sizes


@dataclass(frozen=True, slots=True)
class Sample:
    """What should have been selected: (task, stratum) → positions in the frame, and task → positions, in ticket order."""

    of_stratum: Mapping[tuple[str, str], Sequence[int]]
    of_task: Mapping[str, Sequence[int]]
    tickets: Sequence[bytes]
    """The enterprise ticket of each frame position."""


def sample_sizes(strata: Sequence[Stratum], order: Mapping[str, bytes], rounding: int) -> dict[str, int]:
    """Return n_h by stratum id under one-way control (§6.1): ``order`` has each stratum's order ticket, ``rounding`` is U·2^256."""
    smallest: dict[str, str] = {}
    for stratum in strata:
        smallest[stratum.group] = min(stratum.id, smallest.get(stratum.group, stratum.id))
    ordered = sorted(strata, key=lambda s: (smallest[s.group], order[s.id], s.id))
    share = Fraction(rounding, 2**256)
    sizes = {}
    below = Fraction(0)
    for stratum in ordered:
        above = below + stratum.expected
        sizes[stratum.id] = floor(above + share) - floor(below + share)
        below = above
    return sizes


def all_sizes(announcement: Announcement, strata: Strata, tickets: Tickets) -> dict[tuple[str, str], int]:
    """Return n_h of every (own task, stratum)."""
    sizes = {}
    for task in announcement.tasks.values():
        if task.mode == "own":
            found = strata.get(task.id, ())
            for stratum, n in _task_sizes(task, found, tickets).items():
                sizes[task.id, stratum] = n
    return sizes


def _task_sizes(task: Task, strata: Sequence[Stratum], tickets: Tickets) -> dict[str, int]:
    if task.control == "two-way":
        return two_way_sizes(strata, lambda step: tickets.number("control", f"{task.id}:{step}"))
    order = {stratum.id: tickets.raw("order", f"{task.id}:{stratum.id}") for stratum in strata}
    return sample_sizes(strata, order, tickets.number("rounding", task.id))


def frame_sizes(frame: Frame) -> dict[tuple[str, str], int]:
    """Return how many frame rows each (task, stratum) has."""
    rows = [0] * len(frame.strata)
    for profile in frame.profile_of:
        rows[profile] += 1
    sizes: dict[tuple[str, str], int] = {}
    for count, strata_of in zip(rows, frame.strata, strict=True):
        for cell in strata_of.items():
            sizes[cell] = sizes.get(cell, 0) + count
    return sizes


def draw_sample(
    announcement: Announcement, frame: Frame, sizes: Mapping[tuple[str, str], int], tickets: Tickets
) -> Sample:
    """Replay the selection of all tasks."""
    numbers = tickets.many("enterprise", frame.keys)
    # Positions ascend by id and the sort is stable, so equal tickets go to the smaller id.
    ranked = sorted(range(len(frame.ids)), key=numbers.__getitem__)
    ranks_of: list[list[int]] = [[] for _ in frame.strata]
    for rank, position in enumerate(ranked):
        ranks_of[frame.profile_of[position]].append(rank)
    members: dict[tuple[str, str], list[list[int]]] = {}
    for ranks, strata_of in zip(ranks_of, frame.strata, strict=True):
        for cell in strata_of.items():
            members.setdefault(cell, []).append(ranks)
    of_stratum: dict[tuple[str, str], Sequence[int]] = {}
    ranks_of_task: dict[str, list[int]] = {task: [] for task in announcement.tasks}
    for cell, n in sizes.items():
        chosen = list(islice(merge(*members.get(cell, [])), n))
        of_stratum[cell] = [ranked[rank] for rank in chosen]
        ranks_of_task[cell[0]] += chosen
    for task in announcement.tasks.values():
        if task.lead is not None:
            ranks_of_task[task.id] = [
                rank
                for rank in ranks_of_task[task.lead]
                if frame.strata[frame.profile_of[ranked[rank]]].get(task.id) == WHOLE_SCOPE
            ]
    of_task = {task: [ranked[rank] for rank in sorted(ranks)] for task, ranks in ranks_of_task.items()}
    return Sample(of_stratum, of_task, numbers)


def check_open_sizes(
    verdict: Verdict, selections: Mapping[str, Selection], sizes: Mapping[tuple[str, str], int]
) -> None:
    """Compare the sample sizes of an open draw's strata."""
    for task, selection in selections.items():
        if selection.strata is None:
            continue
        published = {drawn.id: drawn.n for drawn in selection.strata}
        expected = {stratum: n for (owner, stratum), n in sizes.items() if owner == task}
        for stratum in sorted(published.keys() | expected.keys()):
            if published.get(stratum) != expected.get(stratum):
                verdict.fail(
                    f"任务 {task} 层 {stratum} 应抽 {expected.get(stratum)} 户，公布为 {published.get(stratum)}",
                    f"task {task} stratum {stratum} should have n = {expected.get(stratum)}, "
                    f"published is {published.get(stratum)}",
                )
    verdict.note(f"{len(sizes)} 个层的样本量相符", f"the sample sizes of {len(sizes)} strata are right")


def check_counts(verdict: Verdict, announcement: Announcement, selections: Mapping[str, Selection]) -> None:
    """Check the counts of a sealed draw that everyone can see: selected = tickets = announced total."""
    for task, selection in selections.items():
        total = announcement.tasks[task].total
        if selection.tickets is None or total is None:
            continue
        if not len(selection.selected) == len(selection.tickets) == total:
            verdict.fail(
                f"任务 {task} 选出 {len(selection.selected)} 户、{len(selection.tickets)} 个签号，公告总数 {total}",
                f"task {task} has {len(selection.selected)} selected and {len(selection.tickets)} tickets, "
                f"announced total is {total}",
            )
    if announcement.sealed:
        verdict.note(
            "选出数、签号数与公告总数相符", "counts of selected and of tickets are the announced totals"
        )


def check_sealed_public_selection(
    verdict: Verdict,
    announcement: Announcement,
    frame_ids: frozenset[str],
    selections: Mapping[str, Selection],
) -> None:
    """Check what the public can see of a sealed draw's selection: existing ids, shared tickets, followers."""
    owners: set[str] = set()
    tickets: set[str] = set()
    for task, selection in selections.items():
        for enterprise in selection.selected:
            if enterprise not in frame_ids:
                verdict.fail(
                    f"任务 {task} 选出的 {enterprise} 不在抽样框中",
                    f"{enterprise}, selected by task {task}, is not in the frame",
                )
        lead = announcement.tasks[task].lead
        if lead is not None:
            for enterprise in sorted(set(selection.selected) - set(selections[lead].selected)):
                verdict.fail(
                    f"跟随任务 {task} 的 {enterprise} 未被 {lead} 选出",
                    f"{enterprise} joins task {task} but was not selected by its lead {lead}",
                )
        else:
            owners.update(selection.selected)
            tickets.update(selection.tickets or ())
    if len(owners) != len(tickets):
        verdict.fail(
            f"共选出 {len(owners)} 户企业，却有 {len(tickets)} 个不同签号；各任务共用一个签号",
            f"{len(owners)} enterprises are selected but {len(tickets)} distinct tickets; all tasks share a ticket",
        )
    verdict.note("各任务共用签号，跟随任务相符", "the tasks share their tickets, and followers follow")


def check_selection(
    verdict: Verdict,
    announcement: Announcement,
    frame: Frame,
    sample: Sample,
    selections: Mapping[str, Selection],
) -> None:
    """Compare every task's selection with the replay."""
    for task, selection in selections.items():
        positions = sample.of_task[task]
        expected = [frame.ids[position] for position in positions]
        if announcement.sealed:
            expected.sort()
        _compare_members(verdict, task, expected, selection.selected)
        if selection.tickets is not None:
            numbers = sorted(sample.tickets[position].hex() for position in positions)
            if numbers != list(selection.tickets):
                verdict.fail(
                    f"任务 {task} 的签号列表与重算不符",
                    f"the tickets of task {task} differ from those computed",
                )
        for drawn in selection.strata or ():
            chosen = sample.of_stratum.get((task, drawn.id), ())
            cutoff = sample.tickets[chosen[-1]].hex() if chosen else None
            if drawn.cutoff != cutoff:
                verdict.fail(
                    f"任务 {task} 层 {drawn.id} 的末位签号应为 {cutoff}，公布为 {drawn.cutoff}",
                    f"the cutoff of task {task} stratum {drawn.id} should be {cutoff}, published is {drawn.cutoff}",
                )
    count = len({position for positions in sample.of_task.values() for position in positions})
    verdict.note(
        f"{len(selections)} 个任务、{count} 户企业由签号重算相符",
        f"{len(selections)} tasks and {count} enterprises follow from their tickets",
    )


def _compare_members(verdict: Verdict, task: str, expected: Sequence[str], published: Sequence[str]) -> None:
    missing = sorted(set(expected) - set(published))
    added = sorted(set(published) - set(expected))
    if missing or added:
        verdict.fail(
            f"任务 {task} 漏掉应选的 {missing[:3]}（共 {len(missing)}），多出 {added[:3]}（共 {len(added)}）",
            f"task {task} lacks {missing[:3]} ({len(missing)} in all) and has {added[:3]} ({len(added)}) that "
            f"the tickets do not select",
        )
    elif list(published) != list(expected):
        verdict.fail(
            f"任务 {task} 的 selected 次序不对", f"the enterprises of task {task} are not in the order of §9"
        )


def expected_cutoffs(
    cells: Sequence[tuple[str, str]], sizes: Mapping[tuple[str, str], int], sample: Sample
) -> list[dict[str, object]]:
    """Return the hidden contents of the cutoffs list for strata in list order."""
    return [
        {
            "n": sizes.get(cell, 0),
            "tickets": sorted(sample.tickets[position].hex() for position in sample.of_stratum.get(cell, ())),
        }
        for cell in cells
    ]

"""The check `changes`: every exclusion, substitute, replacement and withdrawal follows from the record (docs/protocol.md §13)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from dualrandom.hashing import hash_hex, suite_digest
from dualrandom.ticket import Tickets
from dualrandom.verify import seed_beacon
from dualrandom.verify.announcement import Announcement
from dualrandom.verify.change_rows import (
    NAME,
    REPLACEMENT_REACH,
    Change,
    Exclude,
    Replace,
    Substitute,
    Withdraw,
    parse_changes,
)
from dualrandom.verify.loading import Record
from dualrandom.verify.report import Fault, Verdict
from dualrandom.verify.result import Crew, Result, Selection, Visit
from dualrandom.verify.seats import Place, Rules, attempt_stage
from dualrandom.verify.staffing import Staff, best_replacement, reseated
from dualrandom.verify.visits import broken_visits, expected_visits


def check_changes(record: Record, a: Announcement, result: Result) -> tuple[Visit, ...] | None:
    """Check changes.jsonl; return the visits in effect, or None where they cannot be told."""
    verdict = record.verdicts["changes"]
    if NAME not in record.files:
        verdict.note("没有更改", "nothing was changed")
        return result.visits
    if not record.openly_complete():
        verdict.fail(
            "保密期内不得更改：尚未全部启封", "there are no changes under an embargo: not all of it is opened"
        )
        return None
    if not result.complete or record.roster is None or result.visits is None:
        verdict.unchecked("结果或人员名录不可用", "the result or the roster cannot be used")
        return None
    if not record.references_hold or broken_visits(a, result.visits):
        verdict.unchecked("公告或结果自相矛盾", "the announcement or the result contradicts itself")
        return None
    try:
        changes = parse_changes(record.files[NAME], record.files["result.json"], suite_digest(a.suite))
        replay = _Replay(record, a, result)
        for number, change in enumerate(changes, 1):
            try:
                replay.take(change)
            except Fault as fault:
                raise Fault(f"第 {number} 行：{fault.zh}", f"row {number}: {fault.en}") from fault
    except Fault as fault:
        verdict.fail(fault.zh, fault.en)
        return None
    replay.tell(changes)
    return tuple(replay.visits[place] for place in sorted(replay.visits))


@dataclass(frozen=True, slots=True)
class _Pending:
    row: Exclude
    tasks: tuple[str, ...]
    """The own tasks that lost an enterprise."""


class _Replay:
    """The visits in effect after the rows so far."""

    def __init__(self, record: Record, a: Announcement, result: Result) -> None:
        assert record.roster is not None
        assert result.visits is not None
        self.record, self.a, self.result = record, a, result
        self.verdict: Verdict = record.verdicts["changes"]
        self.rules = Rules(a, record.roster, result.relief)
        self.visits: dict[Place, Visit] = {(v.enterprise, v.part): v for v in result.visits}
        self.tickets: dict[Place, tuple[Tickets, str]] = {}
        drawn = Tickets(result.seed, a.suite), attempt_stage(result.attempt)
        for place in self.visits:
            self.tickets[place] = drawn
        self.visited = {visit.enterprise for visit in result.visits}
        self.pending: list[_Pending] = []
        self.floor = a.beacon.time
        self.rounds = {a.beacon.round.lower()}
        """Rounds that have decided, or will."""
        self.away: list[tuple[str, str, str]] = []
        """(inspector, reach, date or enterprise)"""
        self.withdrawn: set[str] = set()
        """Departments that left: their tasks take no part in a later substitution."""

    def take(self, change: Change) -> None:
        """Check the next row and apply it. Raises Fault."""
        if isinstance(change, Exclude):
            self._exclude(change)
        elif isinstance(change, Substitute):
            self._substitute(change)
        elif isinstance(change, Withdraw):
            self._withdraw(change)
        else:
            self._replace(change)

    def tell(self, changes: Sequence[Change]) -> None:
        """Say what was checked, and what could not be."""
        for pending in self.pending:
            if self.a.policy.substitution != "none":
                self.verdict.unchecked(
                    f"{pending.row.enterprise} 尚未递补", f"no substitute of {pending.row.enterprise} yet"
                )
        counts = Counter(type(change).__name__.lower() for change in changes)
        excluded, filled, replaced = counts["exclude"], counts["substitute"], counts["replace"]
        left = counts["withdraw"]
        self.verdict.note(
            f"排除 {excluded} 户、递补 {filled} 次、替换 {replaced} 人、退出部门 {left} 个，均由记录得出",
            f"{excluded} exclusions, {filled} substitutions, {replaced} replacements and {left} withdrawals of departments "
            "follow from the record",
        )

    # --- times (§13.1)

    def _timed(self, time: datetime) -> None:
        if time < self.floor:
            raise Fault(
                f"时刻 {time:%Y-%m-%dT%H:%M:%SZ} 早于此前的记录或信标",
                f"{time:%Y-%m-%dT%H:%M:%SZ} is before what stands earlier, or before the beacon",
            )
        self.floor = time

    def _nothing_due(self, row: Exclude | Replace | Withdraw) -> None:
        """Refuse a row that could shape what a substitute meets, once its randomness is known (§13.2)."""
        for pending in self.pending if self.a.policy.substitution != "none" else ():
            due = pending.row.due
            # where the draw's own seed decides everybody knows it anyway, and an exclusion has its turn
            blocked = row.time >= due if due is not None else not isinstance(row, Exclude)
            if blocked:
                raise Fault(
                    f"{pending.row.enterprise} 的递补应先于此行",
                    f"the substitute of {pending.row.enterprise} comes before this row",
                )

    # --- exclude

    def _exclude(self, row: Exclude) -> None:
        self._timed(row.time)
        self._nothing_due(row)
        gone = [visit for visit in self.visits.values() if visit.enterprise == row.enterprise]
        if not gone:
            raise Fault(
                f"企业 {row.enterprise} 没有待执行的检查，不能排除",
                f"enterprise {row.enterprise} has no visit in effect, so it cannot be excluded",
            )
        if row.reason == "deregistered" and any(visit.date is not None for visit in gone):
            raise Fault(
                f"{row.enterprise} 的检查已有日期：注销应登记为检查结果 9",
                f"the visit to {row.enterprise} has a date: a deregistered firm is finding 9",
            )
        self._decided_by(row)
        own = {task for visit in gone for task in visit.checks if self.a.tasks[task].mode == "own"}
        for visit in gone:
            del self.visits[visit.enterprise, visit.part]
        self.pending.append(_Pending(row, tuple(sorted(own))))

    def _decided_by(self, row: Exclude) -> None:
        """Check the round that an exclusion names."""
        beacon = self.a.beacon
        fresh = self.a.policy.substitution == "fresh" and beacon.kind != "local"
        if not fresh:
            if row.due is not None:
                raise Fault("此规则下不应有 beacon", "under this policy beacon should be null")
            return
        if row.due is None or row.round is None:
            raise Fault("缺少决定递补的轮次", "the round that decides the substitute is missing")
        if row.due <= row.time:
            raise Fault("所指轮次不晚于排除时刻", "the round named is not later than the exclusion")
        if beacon.kind == "keystring" and row.round.lower() in self.rounds:
            raise Fault(
                f"第 {row.round} 期已用于抽取或先前的排除",
                f"round {row.round} is the draw's, or an earlier exclusion's",
            )
        self.rounds.add(row.round.lower())
        if beacon.kind == "drand":
            due = seed_beacon.drand_time(beacon.source, row.round)
            earlier = (
                seed_beacon.drand_time(beacon.source, str(int(row.round) - 1)) if due is not None else None
            )
            if due is None or due != row.due or (earlier is not None and earlier > row.time):
                raise Fault(
                    f"应为 {row.time:%Y-%m-%dT%H:%M:%SZ} 之后到期的第一轮，不是 {row.round}",
                    f"should be the first round due after {row.time:%Y-%m-%dT%H:%M:%SZ}, not {row.round}",
                )

    # --- substitute (§13.2)

    def _substitute(self, row: Substitute) -> None:
        if self.a.policy.substitution == "none":
            raise Fault("公告规定不递补", "the announced policy has no substitutes")
        if not self.pending or row.exclude != self.pending[0].row.digest:
            raise Fault("应对应最早的待递补排除", "should answer the oldest pending exclusion")
        pending = self.pending.pop(0)
        self._seed(row, pending.row)
        if pending.row.due is not None:
            self.floor = max(self.floor, pending.row.due)
        tickets = Tickets(row.seed, self.a.suite)
        self._places(row, pending, tickets)
        self._planned(row, tickets)
        moment = pending.row.due or pending.row.time
        first_day = (moment.date() + timedelta(days=2)).isoformat()
        staff = Staff(self.rules, self.visits.values(), self.away)
        self._order(row.visits, tickets)
        for visit in row.visits:
            staff.visit(self.record, visit, row.visits, tickets, first_day)
        if row.tasks and (self.record.frame is None or self.record.recusals is None):
            self._hidden()
        for visit in row.visits:
            place = visit.enterprise, visit.part
            self.visits[place] = visit
            self.tickets[place] = (tickets, "pair")
            self.visited.add(visit.enterprise)

    def _hidden(self) -> None:
        self.verdict.unchecked(
            "递补的层、签号、歇业日、日期次序与 barred 的完整性：密封，须由审计方核对",
            "strata, tickets, closed days, order of days and completeness of barred of substitutes: sealed, "
            "for the auditor to check",
        )

    def _seed(self, row: Substitute, exclusion: Exclude) -> None:
        if self.a.policy.substitution == "next":
            if row.evidence is not None or row.seed != self.result.seed:
                raise Fault(
                    "规则 next 使用原种子，无凭据", "policy next uses the draw's seed, without evidence"
                )
            return
        if row.evidence is None:
            raise Fault("缺少信标凭据", "the beacon's evidence is missing")
        beacon = self.a.beacon
        scratch = Verdict("changes")
        evidence = replace(
            row.evidence, kind=beacon.kind, source=beacon.source, round=exclusion.round or beacon.round
        )
        named = replace(self.a, beacon=replace(beacon, round=evidence.round))
        seed_beacon.check_beacon(scratch, named, evidence)
        for zh, en in scratch.faults:
            raise Fault(zh, en)
        for zh, en in scratch.gaps:
            self.verdict.unchecked(zh, en)
        statement = (
            f"dualrandom/v1/substitute\nseed {self.result.seed}\nexclude {exclusion.digest}\n"
            f"randomness {row.evidence.randomness}\n"
        )
        seed = hash_hex(statement.encode(), suite_digest(self.a.suite))
        if row.seed != seed:
            raise Fault(f"种子应为 {seed}", f"the seed should be {seed}")

    def _places(self, row: Substitute, pending: _Pending, tickets: Tickets) -> None:
        lost = [task for task in pending.tasks if self.a.tasks[task].department not in self.withdrawn]
        if list(row.tasks) != lost:
            raise Fault(f"tasks 应为 {lost}", f"tasks should be {lost}")
        frame = self.record.frame
        if frame is None:
            listed = self.record.listed.get("frame")
            known = frozenset(listed.ids) if listed is not None else frozenset()
            for enterprise in row.tasks.values():
                if enterprise is not None and (enterprise not in known or enterprise in self.visited):
                    raise Fault(
                        f"{enterprise} 不在抽样框中或已被抽中",
                        f"{enterprise} is not in the frame or was drawn already",
                    )
            return
        position = frame.index.get(pending.row.enterprise)
        if position is None:
            raise Fault("被排除的企业不在抽样框中", "the excluded enterprise is not in the frame")
        strata = frame.strata[frame.profile_of[position]]
        for task, enterprise in row.tasks.items():
            best: tuple[bytes, str] | None = None
            for i, other in enumerate(frame.ids):
                if (
                    frame.strata[frame.profile_of[i]].get(task) == strata.get(task)
                    and other not in self.visited
                ):
                    ticket = (tickets.raw("enterprise", frame.keys[i]), other)
                    if best is None or ticket < best:
                        best = ticket
            expected = None if best is None else best[1]
            if enterprise != expected:
                raise Fault(
                    f"任务 {task} 应由 {expected} 递补，公布为 {enterprise}",
                    f"task {task}: {expected} takes the place, published is {enterprise}",
                )

    def _planned(self, row: Substitute, tickets: Tickets) -> None:
        """Check which visits there are, with which tasks, parts, items and districts."""
        for zh, en in broken_visits(self.a, row.visits):
            raise Fault(zh, en)
        frame = self.record.frame
        selected: dict[str, list[str]] = {task: [] for task in self.a.tasks}
        for task, enterprise in row.tasks.items():
            if enterprise is not None:
                selected[task].append(enterprise)
        for joining in self.a.tasks.values():
            lead = row.tasks.get(joining.lead) if joining.lead is not None else None
            if lead is None or joining.department in self.withdrawn:
                continue
            if frame is not None:
                joins = joining.id in frame.strata[frame.profile_of[frame.index[lead]]]
            else:
                joins = any(visit.enterprise == lead and joining.id in visit.checks for visit in row.visits)
            if joins:
                selected[joining.id].append(lead)
        selections = {task: Selection(task, tuple(chosen), None, None) for task, chosen in selected.items()}
        expected = expected_visits(self.a, selections, tickets)
        found = {(visit.enterprise, visit.part): tuple(visit.checks) for visit in row.visits}
        if found != dict(expected):
            raise Fault(
                f"递补的检查应为 {sorted(expected)}，或任务不符",
                f"the substitute visits should be {sorted(expected)} with the tasks of these enterprises",
            )
        if row.names != {visit.enterprise for visit in row.visits}:
            raise Fault("names 应列出递补的企业", "names should list the enterprises of the visits")
        if frame is not None:
            for visit in row.visits:
                district = frame.districts[frame.index[visit.enterprise]]
                if visit.district != district:
                    raise Fault(
                        f"{visit.name} 的区划应为 {district}", f"{visit.name} is in district {district}"
                    )

    def _order(self, visits: Sequence[Visit], tickets: Tickets) -> None:
        """Check the order in which the visits took their dates."""
        frame = self.record.frame
        if frame is None:
            return
        places = [
            (tickets.raw("date", frame.keys[frame.index[v.enterprise]]), v.enterprise, v.part) for v in visits
        ]
        if places != sorted(places):
            raise Fault("visits 的次序与日期签号不符", "visits are not in the order of their date tickets")

    # --- replace (§13.3)

    def _replace(self, row: Replace) -> None:
        self._timed(row.time)
        self._nothing_due(row)
        visit = self.visits.get((row.enterprise, row.part))
        crew = None
        if visit is not None and visit.date is not None:
            crew = next((crew for crew in visit.crews or () if crew.department == row.department), None)
        if visit is None or visit.date is None or crew is None:
            raise Fault("没有该检查组", "there is no such crew in effect")
        if not crew.seats:
            raise Fault(
                f"部门 {row.department} 已退出，该检查组空缺，无人可替换",
                f"department {row.department} withdrew: that crew is unfilled and nobody of it is replaced",
            )
        if row.seat >= len(crew.seats) or crew.seats[row.seat] != row.out:
            raise Fault(
                f"{row.out} 不坐在第 {row.seat} 席", f"{row.out} does not sit in seat {row.seat} of that crew"
            )
        tickets, stage = self.tickets[row.enterprise, row.part]
        assert self.result.prices is not None
        others = Staff(self.rules, self.visits.values(), self.away)
        best = best_replacement(others, visit, crew, row.seat, tickets, stage, self.result.prices)
        if row.come != best:
            raise Fault(
                f"应由 {best} 接替 {row.out}，公布为 {row.come}",
                f"{best} takes the place of {row.out}, published is {row.come}",
            )
        members = [person for person in crew.seats if person != row.out] + [row.come]
        seats = reseated(self.rules, visit, crew.department, members, tickets, stage)
        if row.seats != seats:
            raise Fault(f"席位应为 {list(seats or ())}", f"seats should be {list(seats or ())}")
        self._seat(visit, crew, row.seats)
        reach = REPLACEMENT_REACH[row.reason]
        self.away.append((row.out, reach, row.enterprise if reach == "enterprise" else visit.date))

    # --- withdraw (§13.4)

    def _withdraw(self, row: Withdraw) -> None:
        self._timed(row.time)
        self._nothing_due(row)
        name = row.department
        if name not in self.a.crews:
            raise Fault(f"部门 {name} 没有任务", f"department {name} has no task in this draw")
        if name in self.withdrawn:
            raise Fault(f"部门 {name} 已经退出", f"department {name} withdrew already")
        if row.since not in self.a.days:
            raise Fault(f"{row.since} 不在 days 中", f"{row.since} is not among the days")
        if row.since < f"{row.time:%Y-%m-%d}":
            raise Fault(
                f"自 {row.since} 起退出，早于登记的日期 {row.time:%Y-%m-%d}",
                f"it withdraws from {row.since} on, before the day of the entry, {row.time:%Y-%m-%d}",
            )
        emptied = [
            (visit, crew)
            for visit in self.visits.values()
            if visit.date is not None and visit.date >= row.since
            for crew in visit.crews or ()
            if crew.department == name and crew.seats
        ]
        if not emptied:
            raise Fault(
                f"部门 {name} 自 {row.since} 起没有检查组",
                f"no crew of {name} stands on {row.since} or later",
            )
        for visit, crew in emptied:
            self._seat(visit, crew, ())
        self.withdrawn.add(name)

    def _seat(self, visit: Visit, crew: Crew, seats: tuple[str, ...]) -> None:
        crews: Mapping[str, Crew] = {other.department: other for other in visit.crews or ()}
        changed = {**crews, crew.department: replace(crew, seats=seats)}
        self.visits[visit.enterprise, visit.part] = replace(visit, crews=tuple(changed.values()))

"""The check `receipt`: was one enterprise rightly drawn or not, one inspector rightly barred (docs/protocol.md §14).

Written from the protocol page alone. What a receipt shows is bound to the announcement and the result by inclusion proofs,
so whoever wrote it cannot show one person another list than the public has.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from dualrandom.canonical import canonical
from dualrandom.hashing import Digest, leaf_hash, seal_bytes
from dualrandom.ticket import Tickets
from dualrandom.verify import lists, schema
from dualrandom.verify.announcement import Announcement, Commitment, read_strata_of
from dualrandom.verify.loading import Record, load_documents, load_lists
from dualrandom.verify.report import Check, Fault, Verdict
from dualrandom.verify.result import Result, Selection

NAME = "receipt"
TYPE = "dualrandom/v1/receipt"
_LISTS = {"enterprise": ("cutoffs", "frame", "strata"), "inspector": ("recusals", "roster")}


@dataclass(frozen=True, slots=True)
class Row:
    """One row of a list, its place, its proof and, where it is sealed, what it hides."""

    list: str
    index: int
    data: bytes
    value: Mapping[str, Any]
    proof: tuple[str, ...]
    hidden: Any
    salt: str | None

    @property
    def where(self) -> str:
        """How reasons call this row."""
        return f"{self.list} {self.value['id']}"


@dataclass(frozen=True, slots=True)
class Receipt:
    """A receipt: whose, of which announcement, and its rows, ascending by list and place."""

    announcement: str
    draw: str
    kind: str
    subject: str
    rows: tuple[Row, ...]

    def of(self, name: str) -> tuple[Row, ...]:
        """Return the rows of one list."""
        return tuple(row for row in self.rows if row.list == name)


def parse_receipt(data: bytes, sealed: bool) -> Receipt:
    """Parse a receipt of a sealed or an open draw. Raises Fault for anything that is not of the form of §14."""
    document = schema.record(
        schema.parsed(data, NAME), NAME, ("announcement", "draw", "rows", "subject", "type")
    )
    schema.choice(TYPE)(document["type"], f"{NAME}: type")
    subject = schema.record(document["subject"], f"{NAME}: subject", ("id", "kind"))
    kind = schema.choice("enterprise", "inspector")(subject["kind"], f"{NAME}: subject.kind")
    rows = schema.many(document["rows"], f"{NAME}: rows", lambda value, where: _row(value, where, sealed))
    schema.ascending([(row.list, row.index) for row in rows], f"{NAME}: rows")
    for row in rows:
        if row.list not in _LISTS[kind]:
            raise Fault(f"{NAME}：此类回执不应有 {row.list}", f"{NAME}: {row.list} has no place in it")
    return Receipt(
        announcement=schema.hex64(document["announcement"], f"{NAME}: announcement"),
        draw=schema.ident(document["draw"], f"{NAME}: draw"),
        kind=kind,
        subject=schema.ident(subject["id"], f"{NAME}: subject.id"),
        rows=rows,
    )


def _row(value: Any, where: str, sealed: bool) -> Row:
    found = schema.record(value, where, ("index", "list", "opening", "proof", "row"))
    name = schema.ident(found["list"], f"{where}.list")
    keys = ("detail",) if name == "roster" or not sealed else ()
    row = schema.record(found["row"], f"{where}.row", (*keys, "id", *(("sealed",) if sealed else ())))
    row_id = schema.text(row["id"], f"{where}.row.id")
    hidden, salt = None, None
    if sealed:
        schema.hex64(row["sealed"], f"{where}.row.sealed")
        opening = schema.record(found["opening"], f"{where}.opening", ("hidden", "id", "list", "salt"))
        if (opening["id"], opening["list"]) != (row_id, name):
            raise Fault(f"{where} 的启封属于另一行", f"{where}: the opening is of another row")
        hidden, salt = opening["hidden"], schema.hex64(opening["salt"], f"{where}.opening.salt")
    else:
        schema.null(found["opening"], f"{where}.opening")
    return Row(
        list=name,
        index=schema.integer(found["index"], f"{where}.index"),
        data=canonical(row),
        value=row,
        proof=schema.many(found["proof"], f"{where}.proof", schema.hex64),
        hidden=hidden,
        salt=salt,
    )


def leads_to(row: Row, commitment: Commitment, digest: Digest) -> bool:
    """Say whether leaf and proof give the committed root (RFC 9162 §2.1.3.2)."""
    if row.index >= commitment.size:
        return False
    place, last, value = row.index, commitment.size - 1, leaf_hash(row.data, digest)
    for step in row.proof:
        sibling = bytes.fromhex(step)
        if last == 0:
            return False
        if place % 2 or place == last:
            value = digest(b"\x01" + sibling + value)
            while place and not place % 2:
                place, last = place // 2, last // 2
        else:
            value = digest(b"\x01" + value + sibling)
        place, last = place // 2, last // 2
    return last == 0 and value.hex() == commitment.root


def check_receipt(verdict: Verdict, record: Record, data: bytes) -> None:
    """Check a receipt against the published documents; notes say what follows for its subject."""
    announcement, result = record.announcement, record.result
    assert announcement is not None  # without one nothing is checked at all
    try:
        receipt = parse_receipt(data, announcement.sealed)
    except Fault as fault:
        verdict.fail(fault.zh, fault.en)
        return
    if (receipt.announcement, receipt.draw) != (announcement.digest, announcement.draw):
        verdict.fail("回执属于另一公告", "the receipt is of another announcement")
        return
    _check_rows(verdict, announcement, result, receipt)
    if verdict.faults:
        return
    try:
        if receipt.kind == "enterprise":
            _check_enterprise(verdict, announcement, result, receipt)
        else:
            _check_inspector(verdict, announcement, result, record.roster or {}, receipt)
    except Fault as fault:
        verdict.fail(fault.zh, fault.en)


def judge_receipt(files: Mapping[str, bytes], data: bytes) -> Check:
    """Return what the check `receipt` says, without the other checks. ``files``: a published folder, or what counts of it."""
    names = ("announcement.json", "result.json", "roster.jsonl", "visits.jsonl", "openings.jsonl")
    record = Record({name: files[name] for name in names if name in files}, None)
    verdict = Verdict(NAME)
    load_documents(record)
    if record.announcement is None:
        verdict.unchecked("announcement.json 缺失或损坏", "announcement.json is missing or broken")
    else:
        load_lists(record, record.announcement)
        check_receipt(verdict, record, data)
    return verdict.check()


def _check_rows(
    verdict: Verdict, announcement: Announcement, result: Result | None, receipt: Receipt
) -> None:
    committed = dict(announcement.lists)
    if result is not None and result.cutoffs is not None:
        committed["cutoffs"] = result.cutoffs
    for row in receipt.rows:
        if row.list not in committed:
            if row.list == "cutoffs" and announcement.sealed:
                verdict.unchecked("尚无结果，cutoffs 无从核对", "no result yet that commits to the cutoffs")
            else:
                verdict.fail(f"本次抽取没有 {row.list}", f"this draw has no list {row.list}")
            continue
        if not leads_to(row, committed[row.list], announcement.hash):
            verdict.fail(
                f"{row.where} 的包含证明得不出所承诺的根",
                f"the inclusion proof of {row.where} does not lead to the committed root",
            )
        if row.salt is not None:
            sealed = seal_bytes(canonical(row.hidden), row.salt, announcement.hash)
            if sealed != row.value["sealed"]:
                verdict.fail(
                    f"{row.where} 的启封与密封值不符", f"the opening of {row.where} does not match its seal"
                )


@dataclass(frozen=True, slots=True)
class _Cell:
    """A stratum of one task: its sample size, its selected members' tickets (sealed), the greatest of them."""

    n: int
    tickets: tuple[str, ...] | None
    cutoff: str | None
    everyone: bool


def _check_enterprise(
    verdict: Verdict, announcement: Announcement, result: Result | None, receipt: Receipt
) -> None:
    rows = receipt.of("frame")
    if len(rows) != 1 or rows[0].value["id"] != receipt.subject:
        raise Fault(
            "回执应有且仅有该企业的抽样框行", "a receipt has exactly one frame row, its enterprise's own"
        )
    strata, district, key = _place(announcement, rows[0])
    if result is None:
        verdict.unchecked("尚未抽取，无从判断", "not drawn yet: nothing can be said")
        return
    if result.selection is None:
        verdict.unchecked("仍在保密期，尚未全部启封", "under an embargo: not all of it is opened yet")
        return
    cells = (
        _sealed_cells(announcement, receipt, strata)
        if announcement.sealed
        else _open_cells(announcement, result.selection, strata)
    )
    ticket = Tickets(result.seed, announcement.suite).hex("enterprise", key)
    drawn: dict[str, str] = {}
    missed: dict[str, str] = {}
    due: set[str] = set()
    for task, cell in sorted(cells.items()):
        selection = result.selection.get(task)
        if selection is None:
            raise Fault(f"结果没有任务 {task}", f"the result lacks task {task}")
        _check_tickets(verdict, task, cell, selection)
        inside = _inside(verdict, task, cell, ticket)
        if inside:
            due.add(task)
        told = f"{task}（层 {strata[task]}，{cell.n}）", f"{task} (stratum {strata[task]}, {cell.n} drawn)"
        (drawn if inside else missed)[told[0]] = told[1]
    for joining in announcement.tasks.values():
        if joining.mode == "follows" and joining.id in strata and joining.lead in due:
            due.add(joining.id)
            drawn[f"{joining.id}（随 {joining.lead}）"] = f"{joining.id} (follows {joining.lead})"
    _compare(verdict, announcement, result.selection, receipt.subject, due)
    _compare_visits(verdict, result, receipt.subject, due, district)
    verdict.note(
        f"企业 {receipt.subject} 的签号为 {ticket}", f"the ticket of enterprise {receipt.subject} is {ticket}"
    )
    if drawn:
        verdict.note(f"应当抽中：{'、'.join(drawn)}", f"rightly drawn by: {', '.join(drawn.values())}")
    if missed:
        verdict.note(
            f"应当未抽中：{'、'.join(missed)}", f"rightly not drawn by: {', '.join(missed.values())}"
        )


def _place(announcement: Announcement, row: Row) -> tuple[Mapping[str, str], str, str]:
    """Return strata by task, district and the key of the enterprise's tickets."""
    where = f"{NAME}: {row.where}"
    if not announcement.sealed:
        detail = schema.record(row.value["detail"], where, ("closed", "district", "profile"))
        profile = schema.ident(detail["profile"], f"{where}: profile")
        strata = (announcement.profiles or {}).get(profile)
        if strata is None:
            raise Fault(f"档型 {profile} 不在公告中", f"profile {profile} is not announced")
        return strata, schema.ident(detail["district"], f"{where}: district"), str(row.value["id"])
    hidden = schema.record(row.hidden, where, ("closed", "district", "strata"))
    schema.days(hidden["closed"], f"{where}: closed")
    return (
        read_strata_of(hidden["strata"], f"{where}: strata"),
        schema.ident(hidden["district"], f"{where}: district"),
        f"{row.value['id']}:{row.salt}",
    )


def _sealed_cells(
    announcement: Announcement, receipt: Receipt, strata: Mapping[str, str]
) -> dict[str, _Cell]:
    """Return the strata of the enterprise's own tasks from the rows of strata and cutoffs."""
    cutoffs = {row.value["id"]: row for row in receipt.of("cutoffs")}
    found: dict[str, _Cell] = {}
    for row in receipt.of("strata"):
        task, stratum = lists.read_hidden_stratum(row.hidden, f"{NAME}: {row.where}")
        if strata.get(task) != stratum.id or task in found:
            raise Fault(f"{row.where} 不是该企业的层", f"{row.where} is no stratum of this enterprise")
        cutoff = cutoffs.pop(row.value["id"], None)
        if cutoff is None:
            raise Fault(f"缺少 {row.where} 的 cutoffs", f"the cutoffs of {row.where} are missing")
        n, tickets = lists.read_hidden_cutoff(cutoff.hidden, f"{NAME}: {cutoff.where}")
        if n != len(tickets) or stratum.expected != n or n > stratum.size:
            raise Fault(
                f"{row.where} 公告应抽 {stratum.expected} 户，cutoffs 为 {n} 户、{len(tickets)} 个签号",
                f"{row.where} was to have {stratum.expected} drawn; cutoffs say {n}, with {len(tickets)} tickets",
            )
        found[task] = _Cell(n, tickets, tickets[-1] if tickets else None, n == stratum.size)
    if cutoffs:
        raise Fault("有不属于该企业的 cutoffs", "there are cutoffs of other strata")
    own = {task for task in strata if task in announcement.tasks and announcement.tasks[task].mode == "own"}
    if found.keys() != own:
        raise Fault(
            f"回执应有任务 {sorted(own)} 的层，实有 {sorted(found)}",
            f"the receipt should show the strata of tasks {sorted(own)}, shows {sorted(found)}",
        )
    return found


def _open_cells(
    announcement: Announcement, selections: Mapping[str, Selection], strata: Mapping[str, str]
) -> dict[str, _Cell]:
    """Return the strata of the enterprise's own tasks from announcement and result."""
    found: dict[str, _Cell] = {}
    for task, stratum in strata.items():
        if task not in announcement.tasks or announcement.tasks[task].mode != "own":
            continue
        shown = selections[task].strata if task in selections else None
        drawn = next((one for one in shown or () if one.id == stratum), None)
        if drawn is None:
            raise Fault(
                f"结果没有任务 {task} 的层 {stratum}", f"the result lacks stratum {stratum} of {task}"
            )
        size = next((one.size for one in announcement.tasks[task].strata or () if one.id == stratum), None)
        found[task] = _Cell(drawn.n, None, drawn.cutoff, drawn.n == size)
    return found


def _check_tickets(verdict: Verdict, task: str, cell: _Cell, selection: Selection) -> None:
    """Check that the stratum's tickets are among those that the result publishes for the task."""
    if cell.tickets is None:
        return
    foreign = sorted(set(cell.tickets) - set(selection.tickets or ()))
    if foreign:
        verdict.fail(
            f"任务 {task} 的层中签号 {foreign[0]} 不在公布的签号中",
            f"ticket {foreign[0]} of a stratum of task {task} is not among its published tickets",
        )


def _inside(verdict: Verdict, task: str, cell: _Cell, ticket: str) -> bool:
    """Say whether the enterprise belongs to the sample of its stratum; a smaller ticket left out is a fault."""
    if cell.cutoff is None:
        if cell.n:
            verdict.fail(
                f"任务 {task} 的层抽了 {cell.n} 户却无分界签号",
                f"task {task} draws {cell.n} in the stratum, but shows no cutoff",
            )
        return False
    if ticket <= cell.cutoff if cell.tickets is None else ticket in cell.tickets:
        return True
    if cell.everyone:
        verdict.fail(
            f"任务 {task} 跳过了该企业：其层应全抽，签号 {ticket} 却不在抽中之列",
            f"task {task} passed over this enterprise: all of its stratum are drawn, but ticket {ticket} is not among them",
        )
    elif ticket < cell.cutoff:
        verdict.fail(
            f"任务 {task} 跳过了该企业：其签号 {ticket} 小于抽中者的最大签号 {cell.cutoff}，却不在其中",
            f"task {task} passed over this enterprise: its ticket {ticket} is smaller than the greatest selected one "
            f"{cell.cutoff}, but not among them",
        )
    return False


def _compare(
    verdict: Verdict,
    announcement: Announcement,
    selections: Mapping[str, Selection],
    subject: str,
    due: set[str],
) -> None:
    for task in sorted(announcement.tasks):
        chosen = task in selections and subject in selections[task].selected
        if chosen and task not in due:
            verdict.fail(
                f"任务 {task} 抽中了该企业，但其签号不在抽中之列",
                f"task {task} drew this enterprise, although its ticket is not among those drawn",
            )
        if not chosen and task in due:
            verdict.fail(
                f"任务 {task} 跳过了该企业：其签号在抽中之列，名单上却没有它",
                f"task {task} passed over this enterprise: its ticket is among those drawn, but the list lacks it",
            )


def _compare_visits(verdict: Verdict, result: Result, subject: str, due: set[str], district: str) -> None:
    """Check that the enterprise's visits are those of its tasks, in its own district."""
    if result.visits is None:
        return
    own = [visit for visit in result.visits if visit.enterprise == subject]
    tasks = {task for visit in own for task in visit.checks}
    if tasks != due:
        verdict.fail(
            f"该企业的检查应有任务 {sorted(due)}，公布为 {sorted(tasks)}",
            f"this enterprise's visits should have the tasks {sorted(due)}, published are {sorted(tasks)}",
        )
    for visit in own:
        if visit.district != district:
            verdict.fail(
                f"检查写明区划 {visit.district}，抽样框为 {district}",
                f"the visit names district {visit.district}, the frame {district}",
            )


def _pair(row: Row, sealed: bool) -> Sequence[str]:
    if sealed:
        return lists.read_hidden_pair(row.hidden, f"{NAME}: {row.where}")
    return str(row.value["id"]).split("~")


def _check_inspector(
    verdict: Verdict,
    announcement: Announcement,
    result: Result | None,
    roster: Collection[str],
    receipt: Receipt,
) -> None:
    rows = receipt.of("roster")
    if len(rows) != 1 or rows[0].value["id"] != receipt.subject:
        raise Fault("回执应有且仅有本人的名录行", "a receipt has exactly one roster row, its inspector's own")
    person = receipt.subject
    if announcement.sealed:
        person = lists.read_hidden_person(rows[0].hidden, f"{NAME}: {rows[0].where}")
    others = set()
    for row in receipt.of("recusals"):
        pair = _pair(row, announcement.sealed)
        if len(pair) != 2 or receipt.subject not in pair:
            raise Fault(f"{row.where} 与本人无关", f"{row.where} does not name this inspector")
        others |= set(pair) - {receipt.subject}
    verdict.note(
        f"名录 {receipt.subject} 是 {person}；回避 {len(others)} 条：{'、'.join(sorted(others)) or '无'}",
        f"roster id {receipt.subject} is {person}; {len(others)} recusals: {', '.join(sorted(others)) or 'none'}",
    )
    if result is None or result.visits is None or any(visit.crews is None for visit in result.visits):
        verdict.unchecked("检查组尚未公布，未核对回避", "crews are not published yet: bars are not compared")
        return
    colleagues = others.intersection(roster)
    for visit in result.visits:
        for crew in visit.crews or ():
            if receipt.subject in crew.seats and visit.enterprise in others:
                verdict.fail(
                    f"检查 {visit.name} 的检查组有应回避的本人",
                    f"this inspector serves on visit {visit.name} in spite of a recusal",
                )
            # a colleague's bar can only be told from a false one by the auditor, who sees all recusals
            if receipt.subject in crew.barred and visit.enterprise not in others and not colleagues:
                verdict.fail(
                    f"检查 {visit.name} 把本人列为回避，而本人没有任何相应的回避",
                    f"visit {visit.name} bars this inspector, whom no recusal keeps from it",
                )

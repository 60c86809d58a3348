"""The check `lists`: commitments, ids, references and openings (docs/protocol.md §2)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from operator import mul

from dualrandom.verify.announcement import Announcement, Commitment
from dualrandom.verify.lists import Frame, ListFile, foreign_salts, numbered, unmatched_seals
from dualrandom.verify.loading import Record
from dualrandom.verify.report import Verdict
from dualrandom.verify.rules import misplaced

_USCC_ALPHABET = "0123456789ABCDEFGHJKLMNPQRTUWXY"
_USCC_VALUE = {letter: value for value, letter in enumerate(_USCC_ALPHABET)}
_USCC_WEIGHTS = tuple(pow(3, i, 31) for i in range(17))


def is_uscc(code: str) -> bool:
    """Say whether ``code`` is a unified social credit code: 18 characters, digits 3–8 numeric, check digit valid."""
    if len(code) != 18 or not (code[2:8].isascii() and code[2:8].isdigit()):
        return False
    try:
        values = list(map(_USCC_VALUE.__getitem__, code))
    except KeyError:
        return False
    total: int = sum(map(mul, values, _USCC_WEIGHTS))  # of the 18 all but the check digit have a weight
    return values[17] == (31 - total % 31) % 31


def check_lists(record: Record, announcement: Announcement) -> None:
    """Check every list against what commits to it and to what it refers."""
    verdict = record.verdicts["lists"]
    _check_commitments(record, announcement, verdict)
    _check_ids(record, announcement, verdict)
    if record.frame_fault is not None:
        verdict.fail(record.frame_fault.zh, record.frame_fault.en)
    if (
        record.references_hold
        and record.frame is not None
        and announcement.sealed
        and record.strata is not None
    ):
        _check_hidden_strata(record, announcement, record.frame, verdict)
    if record.roster is not None:
        for inspector in record.roster.values():
            if inspector.department not in announcement.crews:
                verdict.fail(
                    f"{inspector.id} 的部门 {inspector.department} 没有任务",
                    f"{inspector.id} belongs to department {inspector.department}, which has no task",
                )
        if record.pairs is not None and "frame" in record.listed:
            _check_pairs(record, announcement, record.pairs, verdict)
    _check_openings(record, announcement, verdict)
    sizes = ", ".join(f"{name} {len(listed.ids)}" for name, listed in sorted(record.listed.items()))
    verdict.note(f"根、行数与标识相符：{sizes}", f"roots, sizes and ids are right: {sizes}")


def _check_commitments(record: Record, announcement: Announcement, verdict: Verdict) -> None:
    committed: dict[str, Commitment] = dict(announcement.lists)
    if record.result is not None:
        later = {"cutoffs": record.result.cutoffs, "visits": record.result.embargoed}
        committed |= {name: commitment for name, commitment in later.items() if commitment is not None}
    for name, commitment in committed.items():
        file_name = f"{name}.jsonl"
        listed = record.listed.get(name)
        if listed is None:
            if file_name in record.broken:
                verdict.unchecked(f"{file_name} 损坏", f"{file_name} is broken")
            else:
                verdict.fail(f"缺少 {file_name}", f"{file_name} is missing")
            continue
        found = listed.root(announcement.hash)
        if found.size != commitment.size:
            verdict.fail(
                f"{file_name} 有 {found.size} 行，承诺为 {commitment.size} 行",
                f"{file_name} has {found.size} rows, committed are {commitment.size}",
            )
        if found.root != commitment.root:
            verdict.fail(
                f"{file_name} 的根为 {found.root}，承诺为 {commitment.root}",
                f"{file_name} has root {found.root}, committed is {commitment.root}",
            )


def _check_ids(record: Record, announcement: Announcement, verdict: Verdict) -> None:
    listed = record.listed
    for name in ("frame", "roster"):
        if name in listed and len({key.lower() for key in listed[name].ids}) != len(listed[name].ids):
            verdict.fail(f"{name} 中有仅大小写不同的标识", f"{name} has ids that differ only in letter case")
    if "frame" in listed and "roster" in listed:
        shared = sorted(set(listed["frame"].ids) & set(listed["roster"].ids))
        if shared:
            verdict.fail(
                f"frame 与 roster 都有 {shared[0]}", f"{shared[0]} is both in the frame and in the roster"
            )
    if announcement.uscc and "frame" in listed:
        for code in listed["frame"].ids:
            if not is_uscc(code):
                verdict.fail(
                    f"{code} 不是有效的统一社会信用代码", f"{code} is no valid unified social credit code"
                )
    for kind, names in sorted(announcement.ids.items()):
        _check_case(verdict, kind, names)
    if record.roster is not None:
        _check_case(
            verdict,
            "district",
            [d for i in record.roster.values() for d in i.districts],
            record.frame.districts if record.frame is not None else (),
        )
        marks = [mark for inspector in record.roster.values() for mark in inspector.marks]
        _check_case(verdict, "mark", marks, announcement.ids["mark"])
    if announcement.sealed:
        for name, letter, width in (("recusals", "r", 6), ("strata", "s", 4)):
            if name in listed:
                _check_numbers(verdict, listed[name], numbered(letter, len(listed[name].ids), width))
        if (
            "cutoffs" in listed
            and "strata" in listed
            and list(listed["cutoffs"].ids) != list(listed["strata"].ids)
        ):
            verdict.fail("cutoffs 的标识应与 strata 相同", "cutoffs should have the ids of strata")
    if "visits" in listed:
        extra = ["prices", "selection"] if announcement.policy.embargo == "visits" else ["prices"]
        count = max(len(listed["visits"].ids) - len(extra), 0)
        _check_numbers(verdict, listed["visits"], [*extra, *numbered("v", count, 5)])


def _check_case(verdict: Verdict, kind: str, *groups: Iterable[str]) -> None:
    names = {name for group in groups for name in group}
    if len({name.lower() for name in names}) != len(names):
        verdict.fail(f"{kind} 的标识中有仅大小写不同者", f"ids of kind {kind} differ only in letter case")


def _check_numbers(verdict: Verdict, listed: ListFile, expected: Sequence[str]) -> None:
    for ours, theirs in zip(expected, listed.ids, strict=False):
        if ours != theirs:
            verdict.fail(
                f"{listed.name} 中应为 {ours}，实为 {theirs}",
                f"{listed.name} should have row {ours}, has {theirs}",
            )
            return


def _check_hidden_strata(record: Record, announcement: Announcement, frame: Frame, verdict: Verdict) -> None:
    cells = record.strata_cells or []
    order = [(task, stratum.id) for task, stratum in cells]
    if any(map(tuple.__ge__, order, order[1:])):
        verdict.fail("strata 未按（任务，层）升序排列", "strata are not ascending by (task, stratum)")
    for task, stratum in cells:
        if task not in announcement.tasks or announcement.tasks[task].mode != "own":
            verdict.fail(
                f"层 {stratum.id} 的任务 {task} 不是独立任务", f"stratum {stratum.id}: {task} is no own task"
            )
    _check_case(verdict, "stratum", [stratum.id for _, stratum in cells])
    _check_case(verdict, "group", [stratum.group for _, stratum in cells])
    for number, strata_of in enumerate(frame.strata):
        for zh, en in misplaced(announcement, strata_of, record.strata or {}):
            enterprise = frame.ids[frame.profile_of.index(number)]
            verdict.fail(f"企业 {enterprise}：{zh}", f"enterprise {enterprise} {en}")


def _check_pairs(
    record: Record, announcement: Announcement, pairs: Sequence[tuple[str, str]], verdict: Verdict
) -> None:
    roster = record.roster or {}
    enterprises = frozenset(record.listed["frame"].ids)
    for first, second in pairs:
        if first not in roster:
            verdict.fail(f"回避中的 {first} 不在名录中", f"recusals name {first}, who is not in the roster")
        elif second in roster:
            if not first < second:
                verdict.fail(
                    f"回避 {first}~{second} 的两人应按升序",
                    f"the inspectors of recusal {first}~{second} should be ascending",
                )
        elif second not in enterprises:
            verdict.fail(f"回避中的 {second} 不存在", f"recusals name {second}, which does not exist")
    if announcement.sealed:
        texts = [f"{first}~{second}" for first, second in pairs]
        if any(map(str.__ge__, texts, texts[1:])):
            verdict.fail(
                "recusals 未按 a~b 升序排列或有重复", "recusals are not ascending and distinct by a~b"
            )


def _check_openings(record: Record, announcement: Announcement, verdict: Verdict) -> None:
    draw, secret = announcement.draw, record.auditor.secret if record.auditor is not None else None
    for name, several in sorted(record.openings.items()):
        listed = record.listed.get(name)
        for openings in several:
            if listed is None:
                verdict.fail(
                    f"{name} 有启封，却没有该列表", f"there are openings of {name}, but no such list"
                )
                continue
            _report(
                verdict,
                unmatched_seals(listed, openings, announcement.hash),
                lambda key, name=name: (  # type: ignore[misc]
                    f"{name} 行 {key} 的启封与密封值不符",
                    f"the opening of {name} row {key} does not match its seal",
                ),
            )
            if secret is not None:
                _report(
                    verdict,
                    foreign_salts(openings, secret, draw),
                    lambda key, name=name: (  # type: ignore[misc]
                        f"{name} 行 {key} 的盐不出自列表密钥",
                        f"the salt of {name} row {key} does not come from the list secret",
                    ),
                )
    for name, listed in sorted(record.listed.items()):
        if listed.seals is None or name == "visits":
            continue  # embargoed rows are opened in time; what stays hidden is said by the checks that need it
        if record.auditor is None:
            verdict.unchecked(
                "密封行的内容须由审计方核对", "what the sealed rows hold is for the auditor to check"
            )
        elif listed.ids and not any(
            list(found.ids) == list(listed.ids) for found in record.openings.get(name, ())
        ):
            verdict.fail(
                f"审计材料未包含 {name} 的全部启封", f"the auditor's files do not open every row of {name}"
            )
    _check_persons(record, verdict)


def _report(verdict: Verdict, keys: Sequence[str], tell: Callable[[str], tuple[str, str]]) -> None:
    for key in keys:
        verdict.fail(*tell(key))


def _check_persons(record: Record, verdict: Verdict) -> None:
    if record.persons is None or record.roster is None:
        return
    seen: dict[tuple[str, str], str] = {}
    for inspector, person in zip(record.roster.values(), record.persons, strict=True):
        other = seen.setdefault((inspector.department, person), inspector.id)
        if other != inspector.id:
            verdict.fail(
                f"化名 {other} 与 {inspector.id} 是同一人",
                f"pseudonyms {other} and {inspector.id} are one person",
            )

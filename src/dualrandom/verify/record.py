"""All checks of docs/protocol.md §12 over the bytes of one published folder: no clock, network, database or solver."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from dualrandom.log.policy import Policy
from dualrandom.ticket import Tickets
from dualrandom.verify import crews, dates, draws, findings, seed_beacon, sizes_selection, visits
from dualrandom.verify.announcement import Announcement
from dualrandom.verify.attest import attested, check_attest
from dualrandom.verify.change_rows import NAME as CHANGES
from dualrandom.verify.changes import check_changes
from dualrandom.verify.crews import Hidden
from dualrandom.verify.folder import AuditorFiles
from dualrandom.verify.list_checks import check_lists
from dualrandom.verify.loading import Record, load_documents, load_lists
from dualrandom.verify.order import LogChecks
from dualrandom.verify.receipt import NAME as RECEIPT
from dualrandom.verify.receipt import check_receipt
from dualrandom.verify.report import CHECK_NAMES, Report, Verdict
from dualrandom.verify.result import Result, Selection, Visit
from dualrandom.verify.rules import broken_references, check_quotas, check_simple_rules
from dualrandom.verify.seats import Rules, replay_barring
from dualrandom.verify.totals import check_result
from dualrandom.verify.two_way import misnamed

Progress = Callable[[str, str], None]
"""Called with the name of what is being checked, in Chinese and English."""


def verify_record(
    files: Mapping[str, bytes],
    auditor: AuditorFiles | None = None,
    progress: Progress | None = None,
    log_policy: Policy | None = None,
    receipt: bytes | None = None,
) -> Report:
    """Check a published folder, ``files`` by relative name; with ``auditor`` a sealed draw is checked completely.

    ``log_policy`` says which logs and witnesses the reader trusts; without it the log is checked against its own key only.
    Never raises for anything that files can contain: what is wrong with them is in the report.
    """
    return _verify(files, auditor, progress or _silent, log_policy, voided=False, receipt=receipt)


def _verify(
    files: Mapping[str, bytes],
    auditor: AuditorFiles | None,
    tell: Progress,
    log_policy: Policy | None = None,
    *,
    voided: bool,
    receipt: bytes | None = None,
) -> Report:
    """Check a folder; for one of a ``voided`` draw, those that it voids in turn are checked beside it, not within."""
    record = Record(files, auditor)
    tell("读取文件", "reading documents")
    _guarded(record.verdicts["canonical"], lambda: load_documents(record))
    announcement = record.announcement
    if announcement is None:
        for name in CHECK_NAMES[1:]:
            record.verdicts[name].unchecked(
                "announcement.json 缺失或损坏", "announcement.json is missing or broken"
            )
        return Report(tuple(verdict.check() for verdict in record.verdicts.values()))
    tell("读取名录", "reading lists")
    _guarded(record.verdicts["canonical"], lambda: load_lists(record, announcement))
    check = _Checks(record, announcement)
    judge = None if voided else lambda inner: _verify(inner, None, _silent, voided=True)
    in_log = LogChecks(record, announcement)
    stages: tuple[tuple[str, str, str, Callable[[], None]], ...] = (
        ("signatures", "核对签名", "signatures", check.signatures),
        ("announcement", "核对公告", "announcement", check.announced),
        ("lists", "核对名录", "lists", lambda: check_lists(record, announcement)),
        ("log", "核对日志", "the log", lambda: in_log.check_log(log_policy, voided=voided)),
        ("events", "", "", in_log.check_events),
        ("events", "", "", in_log.check_exclusions),
        ("contributions", "核对随机贡献", "contributions", check.contributions),
        ("contributions", "", "", in_log.check_contributions),
        ("beacon", "核对信标", "beacon", check.beacon),
        ("seed", "核对种子", "seed", check.seed),
        ("selection", "重算抽选", "replaying the selection", check.selection),
        ("visits", "核对检查", "visits", check.visits),
        ("crews", "核对检查组", "crews", check.crews),
        ("prices", "核对价格", "prices", check.prices),
        ("dates", "重算日期", "replaying the dates", check.dates),
        ("result", "核对结果", "result", lambda: check_result(record, announcement)),
        ("changes", "核对抽取后的更改", "changes after the draw", check.changes),
        ("findings", "核对检查结果", "findings", check.findings),
        (
            "draws",
            "核对抽取的终结",
            "how the draw ended",
            lambda: draws.check_draws(record, announcement, judge),
        ),
        ("draws", "", "", in_log.check_draws),
    )
    for name, zh, en, run in stages:
        if zh:
            tell(zh, en)
        _guarded(record.verdicts[name], run)
    record.verdicts["canonical"].note(f"{len(files)} 个文件", f"{len(files)} files")
    if receipt is not None:
        verdict = record.verdicts[RECEIPT] = Verdict(RECEIPT)
        _guarded(verdict, lambda: check_receipt(verdict, record, receipt))
    return Report(attested(record, [verdict.check() for verdict in record.verdicts.values()]))


def _silent(_zh: str, _en: str) -> None:
    """Report progress to nobody."""


def _guarded(verdict: Verdict, run: Callable[[], None]) -> None:
    """Turn a failure of the verifier itself into a FAIL: a record that breaks it must not go unjudged."""
    try:
        run()
    except Exception as problem:
        verdict.fail(
            f"检查程序内部错误 {type(problem).__name__}：{str(problem)[:200]}",
            f"internal error of the checker, {type(problem).__name__}: {str(problem)[:200]}",
        )


@dataclass(slots=True)
class _Checks:
    """The checks that follow one from the other; each says why it cannot be made where that is so."""

    record: Record
    a: Announcement
    tickets: Tickets | None = None
    selections: Mapping[str, Selection] | None = None
    visits_: Sequence[Visit] | None = None
    """Complete or partly hidden visits whose tasks and items exist."""
    crews_sound: bool = False
    effective: Sequence[Visit] | None = None
    """The visits in effect after changes.jsonl, as far as they are known."""

    def signatures(self) -> None:
        """Check each party's signature, and the auditor's."""
        seed_beacon.check_signatures(self.record.verdicts["signatures"], self.a)
        check_attest(self.record, self.a)

    def announced(self) -> None:
        """Check the announcement's inner rules."""
        record, verdict = self.record, self.record.verdicts["announcement"]
        for zh, en in broken_references(self.a):
            verdict.fail(zh, en)
        record.references_hold = not verdict.faults
        check_simple_rules(verdict, self.a)
        if not record.references_hold:
            return
        if record.strata is None:
            self._hidden(
                verdict, "各层大小、期望、合计与比率", "sizes, quotas, totals and rates of strata", "strata"
            )
            return
        sizes = None
        if record.frame is not None:
            sizes = sizes_selection.frame_sizes(record.frame)
        else:
            verdict.unchecked(
                "抽样框缺失或损坏，各层大小未核对", "the frame is missing or broken: sizes not compared"
            )
        check_quotas(verdict, self.a, record.strata, sizes)
        for zh, en in misnamed(self.a, record.strata):
            verdict.fail(zh, en)
            record.references_hold = False
        verdict.note(
            f"{len(self.a.tasks)} 个任务的大小、期望、合计与比率相符",
            f"sizes, quotas, totals and rates of {len(self.a.tasks)} tasks are right",
        )

    def _hidden(self, verdict: Verdict, zh: str, en: str, name: str) -> None:
        """Say that something is not seen because a list is sealed, or because it is broken."""
        if self.a.sealed and self.record.auditor is None:
            verdict.unchecked(f"{zh}：密封，须由审计方核对", f"{en}: sealed, for the auditor to check")
        else:
            verdict.unchecked(f"{zh}：{name} 缺失或损坏", f"{en}: {name} is missing or broken")

    def _no_result(self, verdict: Verdict) -> bool:
        """Say why there is no result, if there is none."""
        if self.record.result is not None:
            return False
        if "result.json" in self.record.files:
            verdict.unchecked("result.json 损坏", "result.json is broken")
        elif "void.json" in self.record.files:
            verdict.unchecked("抽取已作废，没有结果", "the draw was voided, there is no result")
        else:
            verdict.unchecked("尚未抽取", "not drawn yet")
        return True

    def _needs(self, verdict: Verdict, name: str) -> bool:
        """Say that a document is missing, unless the draw has not got that far."""
        if name in self.record.broken:
            verdict.unchecked(f"{name} 损坏", f"{name} is broken")
        elif name in self.record.files:
            return False
        elif "result.json" in self.record.files:
            verdict.fail(f"有结果却缺少 {name}", f"there is a result, but {name} is missing")
        else:
            self._no_result(verdict)
        return True

    def contributions(self) -> None:
        """Check revealed and withheld nonces."""
        verdict = self.record.verdicts["contributions"]
        if "seed.txt" not in self.record.files and "result.json" in self.record.files:
            verdict.unchecked("缺少 seed.txt", "seed.txt is missing")  # the check `seed` fails
        elif not self._needs(verdict, "seed.txt") and self.record.statement is not None:
            seed_beacon.check_contributions(verdict, self.a, self.record.statement)

    def beacon(self) -> None:
        """Check the public randomness."""
        verdict = self.record.verdicts["beacon"]
        if not self._needs(verdict, "beacon.json") and self.record.beacon is not None:
            seed_beacon.check_beacon(verdict, self.a, self.record.beacon)

    def seed(self) -> None:
        """Check the seed's statement."""
        record, verdict = self.record, self.record.verdicts["seed"]
        if record.result is not None:
            self.tickets = Tickets(record.result.seed, self.a.suite)
        if not self._needs(verdict, "seed.txt") and record.statement is not None:
            seed = record.result.seed if record.result is not None else None
            seed_beacon.check_seed(verdict, self.a, record.beacon, record.statement, seed)

    def selection(self) -> None:
        """Check sample sizes and selection together: both come from one replay."""
        record = self.record
        sizes_verdict, verdict = record.verdicts["sizes"], record.verdicts["selection"]
        result = record.result
        if (
            self._no_result(sizes_verdict) | self._no_result(verdict)
            or result is None
            or self.tickets is None
        ):
            return
        if not record.references_hold:
            for each in (sizes_verdict, verdict):
                each.unchecked("公告自相矛盾", "the announcement contradicts itself")
            return
        if result.selection is None:
            for each in (sizes_verdict, verdict):
                _embargoed(each)
            return
        if result.selection.keys() != self.a.tasks.keys():
            verdict.fail(
                f"selection 应有任务 {sorted(self.a.tasks)}，实有 {sorted(result.selection)}",
                f"selection should have the tasks {sorted(self.a.tasks)}, has {sorted(result.selection)}",
            )
            sizes_verdict.unchecked("selection 的任务不对", "the tasks of the selection are wrong")
            return
        self.selections = result.selection
        sizes_selection.check_counts(sizes_verdict, self.a, self.selections)
        sizes: dict[tuple[str, str], int] = {}
        if record.strata is None:
            self._hidden(sizes_verdict, "各层样本量", "sample sizes of strata", "strata")
        else:
            sizes = sizes_selection.all_sizes(self.a, record.strata, self.tickets)
            sizes_selection.check_open_sizes(sizes_verdict, self.selections, sizes)
        if record.frame is None or record.strata is None:
            if "frame" in record.listed:
                sizes_selection.check_sealed_public_selection(
                    verdict, self.a, frozenset(record.listed["frame"].ids), self.selections
                )
            self._hidden(verdict, "签号与所属层", "tickets and strata", "frame")
            return
        sample = sizes_selection.draw_sample(self.a, record.frame, sizes, self.tickets)
        sizes_selection.check_selection(verdict, self.a, record.frame, sample, self.selections)
        if self.a.sealed:
            self._cutoffs(sizes, sample)

    def _cutoffs(self, sizes: Mapping[tuple[str, str], int], sample: sizes_selection.Sample) -> None:
        record = self.record
        if (
            record.cutoffs is None
            or record.strata_cells is None
            or len(record.cutoffs) != len(record.strata_cells)
        ):
            record.verdicts["sizes"].unchecked(
                "cutoffs 缺失、损坏或未启封", "cutoffs are missing, broken or not opened"
            )
            return
        for (task, stratum), (n, tickets) in zip(record.strata_cells, record.cutoffs, strict=True):
            cell = (task, stratum.id)
            expected = sizes.get(cell, 0)
            if n != expected:
                record.verdicts["sizes"].fail(
                    f"任务 {task} 层 {stratum.id} 应抽 {expected} 户，cutoffs 为 {n}",
                    f"task {task} stratum {stratum.id} should have n = {expected}, cutoffs say {n}",
                )
            numbers = tuple(sorted(sample.tickets[i].hex() for i in sample.of_stratum.get(cell, ())))
            if tickets != numbers:
                record.verdicts["selection"].fail(
                    f"任务 {task} 层 {stratum.id} 的 cutoffs 签号与重算不符",
                    f"the cutoffs of task {task} stratum {stratum.id} are not the tickets computed",
                )

    def visits(self) -> None:
        """Check that every selected enterprise is visited with exactly its checks."""
        record, verdict = self.record, self.record.verdicts["visits"]
        result = record.result
        if self._no_result(verdict) or result is None or self.tickets is None:
            return
        if not record.references_hold:
            verdict.unchecked("公告自相矛盾", "the announcement contradicts itself")
            return
        if result.visits is None:
            _embargoed(verdict)
            return
        faults = visits.broken_visits(self.a, result.visits)
        for zh, en in faults:
            verdict.fail(zh, en)
        if not faults:
            self.visits_ = result.visits
        if self.selections is None:
            verdict.unchecked("selection 不可用", "the selection cannot be used")
            return
        expected = visits.expected_visits(self.a, self.selections, self.tickets)
        visits.check_visits(verdict, result.visits, expected)
        if record.frame is not None:
            visits.check_districts(verdict, result.visits, record.frame)
        else:
            self._hidden(verdict, "企业的区划", "districts of enterprises", "frame")

    def _dated(self, verdict: Verdict) -> tuple[Result, Sequence[Visit]] | None:
        """Return the result and its complete visits, or say why there are none."""
        result = self.record.result
        if self._no_result(verdict) or result is None:
            return None
        if not result.complete:
            _embargoed(verdict)
            return None
        if self.visits_ is None:
            verdict.unchecked("检查的任务或事项不存在", "the visits name tasks or items that do not exist")
            return None
        return result, self.visits_

    def _rules(self, result: Result) -> Rules | None:
        return None if self.record.roster is None else Rules(self.a, self.record.roster, result.relief)

    def crews(self) -> None:
        """Check seats, bars and caps."""
        record, verdict = self.record, self.record.verdicts["crews"]
        found = self._dated(verdict)
        if found is None or self.tickets is None:
            return
        result, listed = found
        rules = self._rules(result)
        if rules is None:
            verdict.unchecked("roster 缺失或损坏", "roster.jsonl is missing or broken")
            return
        hidden = None
        if record.recusals is not None:
            hidden = Hidden(record.recusals, replay_barring(listed, record.recusals, self.tickets, rules))
        self.crews_sound = crews.check_crews(verdict, listed, rules, self.tickets, result.attempt, hidden)
        if hidden is None:
            self._hidden(
                verdict, "回避与 barred 的完整性", "recusals and whether barred is exact", "recusals"
            )

    def prices(self) -> None:
        """Check that the plan is the least one, and its prices."""
        record, verdict = self.record, self.record.verdicts["prices"]
        found = self._dated(verdict)
        if found is None or self.tickets is None:
            return
        result, listed = found
        rules = self._rules(result)
        if rules is None or result.prices is None:
            verdict.unchecked("roster 缺失或损坏", "roster.jsonl is missing or broken")
        elif not self.crews_sound:
            verdict.unchecked(
                "检查组不合规，价格证明不了什么", "the crews are not legal, so prices prove nothing"
            )
        else:
            crews.check_prices(
                verdict,
                listed,
                result.prices,
                rules,
                self.tickets,
                result.attempt,
                record.ties,
                withheld=not record.openly_complete(),
            )

    def dates(self) -> None:
        """Replay the lottery of dates."""
        record, verdict = self.record, self.record.verdicts["dates"]
        if record.result is not None:
            dates.check_ladder(verdict, self.a, record.result.relief)
        found = self._dated(verdict)
        if found is None or self.tickets is None:
            return
        result, listed = found
        dates.check_plain_rules(verdict, self.a, listed)
        if record.frame is None or record.roster is None or record.recusals is None:
            self._hidden(
                verdict,
                "抽签、歇业日与可排性",
                "lottery, closed days and seatability",
                "frame/roster/recusals",
            )
            return
        if any(visit.enterprise not in record.frame.index for visit in listed):
            verdict.unchecked("检查中有抽样框以外的企业", "visits name enterprises outside the frame")
            return
        dates.check_closed(verdict, record.frame, listed)
        calendar = dates.replay_dates(
            self.a, record.frame, record.roster, record.recusals, listed, self.tickets
        )
        moved = self.a.policy.calendar == "optimise"
        dates.check_lottery(verdict, calendar, listed, result.relief, moved=moved)

    def changes(self) -> None:
        """Replay what was changed after the draw."""
        record, verdict = self.record, self.record.verdicts["changes"]
        if record.result is None and CHANGES in record.files and "result.json" not in record.files:
            verdict.fail(f"没有结果却有 {CHANGES}", f"there is {CHANGES} without a result")
        elif not self._no_result(verdict) and record.result is not None:
            self.effective = check_changes(record, self.a, record.result)

    def findings(self) -> None:
        """Check findings against the visits."""
        record, verdict = self.record, self.record.verdicts["findings"]
        if "findings.json" not in record.files:
            if not self._no_result(verdict):
                verdict.unchecked("尚未公布检查结果", "no findings are published yet")
            return
        if record.findings is None:
            verdict.unchecked("findings.json 损坏", "findings.json is broken")
            return
        if self._no_result(verdict) or record.result is None:
            return
        known = record.result.visits if record.result.visits is not None else record.opened
        if CHANGES in record.files:
            if self.effective is None:
                verdict.unchecked(f"{CHANGES} 不可用", f"{CHANGES} cannot be used")
                return
            known = tuple(self.effective)
        findings.check_findings(verdict, self.a, record.findings, known, hidden=record.result.visits is None)


def _embargoed(verdict: Verdict) -> None:
    verdict.unchecked("仍在保密期，尚未全部启封", "under an embargo: not all of it is opened yet")

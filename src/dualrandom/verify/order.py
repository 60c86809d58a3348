"""Is every document of the draw in the log, in its order, and was all that decides public before the round? (docs/protocol.md §11)

:mod:`dualrandom.log.order` holds the rule of §11.3 once more, for those who draw and for witnesses. The two are kept apart on
purpose: what judges a record shares no decision with what made it. A test compares them.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from functools import partial

from dualrandom.errors import DualRandomError
from dualrandom.hashing import hash_hex
from dualrandom.log.checkpoint import Checkpoint, open_checkpoint
from dualrandom.log.entry import EntryType, document_path, draw_parts
from dualrandom.log.errors import LogError
from dualrandom.log.policy import Policy
from dualrandom.verify import schema
from dualrandom.verify.announcement import Announcement, parse_announcement
from dualrandom.verify.exclusions import FOLDER as EXCLUSIONS
from dualrandom.verify.exclusions import check_exclusions
from dualrandom.verify.loading import Record
from dualrandom.verify.nonces import REVEALS, Reveal, check_reuse, parse_reveal
from dualrandom.verify.public_log import ANNOUNCED, CHECKPOINT, FOLDER, PublicLog, read_log
from dualrandom.verify.report import Fault, Verdict

ONE_FILE = {
    EntryType.ANNOUNCE: "announcement.json",
    EntryType.BEACON: "beacon.json",
    EntryType.RESULT: "result.json",
    EntryType.VOID: "void.json",
    EntryType.FINDINGS: "findings.json",
    EntryType.OPEN: "openings.jsonl",
    EntryType.ATTEST: "attest.json",
}
"""Types whose latest entry is of the published file of this name."""
RENEWED = frozenset({EntryType.FINDINGS, EntryType.OPEN, EntryType.ATTEST})
"""Types whose file grows or is made anew: only the latest version is published."""
CHANGES = "changes.jsonl"
TYPES_OF_CHANGES = {
    "exclude": EntryType.EXCLUDE,
    "substitute": EntryType.SUBSTITUTE,
    "replace": EntryType.AMEND,
    "withdraw": EntryType.AMEND,
}


class LogChecks:
    """The checks that need the log: `log`, `events`, and what it adds to `contributions` and `draws`."""

    def __init__(self, record: Record, announcement: Announcement) -> None:
        self.record = record
        self.a = announcement
        self.log: PublicLog | None = None
        self.reveals: dict[str, Reveal] = {}
        self.announced: Checkpoint | None = None
        """The announced checkpoint, once it is known to be one of this log."""
        self.unusable = False
        """There is a log, and itself, not only what it holds of this draw, is broken."""

    # --- log

    def check_log(self, trust: Policy | None, *, voided: bool) -> None:
        """Check that every document of the draw stands in the log and every entry of the draw has its document."""
        verdict = self.record.verdicts["log"]
        for name, data in sorted(self.record.files.items()):
            if name.startswith(REVEALS):
                reveal = self.record.parse_bytes(name, data, partial(parse_reveal, name=name))
                if reveal is not None:
                    self.reveals[name] = reveal
        log = read_log(self.record.files, trust, verdict)
        self.unusable = bool(verdict.faults)
        self.log = None if self.unusable else log
        if log is None:
            if not verdict.faults:
                self._no_log(verdict, voided)
            return
        self._check_trust(log, verdict)
        self._check_consistency(log, verdict)
        self._check_documents(log, verdict)
        self._check_voids(log, verdict)
        self._check_copies(log, verdict)
        self._check_plan(log, verdict)
        chain = log.chain(self.a.draw)
        steps = ", ".join(
            f"{index} {entry.type.value}" for index, entry in zip(chain.indices, chain.entries, strict=True)
        )
        verdict.note(
            f"{log.checkpoint.origin}：{log.checkpoint.size} 条；本抽取 {steps}",
            f"{log.checkpoint.origin}: {log.checkpoint.size} entries; of this draw {steps}",
        )

    def _no_log(self, verdict: Verdict, voided: bool) -> None:
        left = sorted(
            name for name in self.record.files if name == ANNOUNCED or name.startswith((REVEALS, EXCLUSIONS))
        )
        if left and not voided:
            verdict.fail(f"有 {left[0]} 却没有日志", f"there is {left[0]}, but no log")
        verdict.unchecked(
            "没有透明日志：缺失的抽取与两面之词未核对",
            "there is no transparency log: missing draws and equivocation are not checked",
        )

    def _check_trust(self, log: PublicLog, verdict: Verdict) -> None:
        if not log.trusted:
            verdict.unchecked(
                f"日志公钥取自被核验的文件夹，是否可信由读者判断：{log.policy.logs[-1].key.text}；用 --log-policy 给出您信任的公钥",
                f"the log's key is that of the folder itself; whether to trust it is the reader's affair: {log.policy.logs[-1].key.text}; "
                "give the one that you trust with --log-policy",
            )
        try:
            verified = log.policy.verify(self.record.files[CHECKPOINT])
        except LogError as problem:
            tell = verdict.unchecked if problem.code == "quorum-missing" else verdict.fail
            tell(f"{CHECKPOINT}：{problem.message('zh')}", f"{CHECKPOINT}: {problem.message('en')}")
            return
        if not log.policy.needs_witnesses:
            verdict.unchecked(
                "没有见证方：不能排除向不同的人出示不同的日志",
                "no witnesses: nothing shows that everybody sees the same log",
            )
        elif verified.cosigned:
            names = ", ".join(sorted(verified.cosigned))
            verdict.note(f"见证方：{names}", f"witnesses: {names}")

    def _check_consistency(self, log: PublicLog, verdict: Verdict) -> None:
        data = self.record.files.get(ANNOUNCED)
        if data is None:
            return
        try:
            checkpoint = open_checkpoint(data, (one.key for one in log.policy.logs))[0]
        except LogError as problem:
            verdict.fail(f"{ANNOUNCED}：{problem.message('zh')}", f"{ANNOUNCED}: {problem.message('en')}")
            return
        if checkpoint.size > log.checkpoint.size:
            verdict.fail(
                f"{ANNOUNCED} 有 {checkpoint.size} 条，日志只有 {log.checkpoint.size} 条：日志被截短",
                f"{ANNOUNCED} covers {checkpoint.size} entries, the log has {log.checkpoint.size}: it was cut short",
            )
        elif log.root_of(checkpoint.size) != checkpoint.root:
            verdict.fail(
                f"{ANNOUNCED} 与日志不一致：日志分叉", f"{ANNOUNCED} is inconsistent with the log: a fork"
            )
        else:
            self.announced = checkpoint

    def _documents(self) -> Iterator[tuple[EntryType, str, bytes]]:
        """Yield type, name and bytes of every document that the log must have."""
        files = self.record.files
        for kind, name in ONE_FILE.items():
            # a beacon that came to no result decides nothing
            if name in files and (kind is not EntryType.BEACON or "result.json" in files):
                yield kind, name, files[name]
        for name in self.reveals:
            yield EntryType.REVEAL, name, files[name]
        for number, row in enumerate(files.get(CHANGES, b"").splitlines(), 1):
            of_change = _type_of_change(row)
            if of_change is not None:
                yield of_change, f"{CHANGES} {number}", row

    def _check_documents(self, log: PublicLog, verdict: Verdict) -> None:
        held = log.indices(self.a.draw)
        digests = {}
        if (beacon := self.record.files.get(ONE_FILE[EntryType.BEACON])) is not None:
            # it answers its entry also where the draw was interrupted before its result
            digests[EntryType.BEACON, hash_hex(beacon, self.a.hash)] = ONE_FILE[EntryType.BEACON]
        for kind, name, data in self._documents():
            digest = hash_hex(data, self.a.hash)
            digests[kind, digest] = name
            if not any(
                entry.type is kind and entry.digest == digest and entry.size == len(data) for _, entry in held
            ):
                verdict.fail(f"日志中没有 {name}（{kind.value}）", f"{name} is not in the log ({kind.value})")
        latest = {entry.type: index for index, entry in held}
        for index, entry in held:
            replaced = entry.type in RENEWED and index != latest[entry.type]
            if replaced or (entry.type, entry.digest) in digests:
                continue
            verdict.fail(
                f"第 {index} 条 {entry.type.value} 的文书不在公布之列（摘要 {entry.digest}）",
                f"the document of entry {index} {entry.type.value} is not published here (digest {entry.digest})",
            )

    def _check_voids(self, log: PublicLog, verdict: Verdict) -> None:
        for draw in self.a.voids:
            chain = log.chain(draw)
            if not chain.is_void:
                verdict.fail(f"日志中 {draw} 没有作废", f"the log does not show that {draw} was voided")
            for kind in (EntryType.ANNOUNCE, EntryType.VOID):
                data = self.record.files.get(f"voided/{draw}/{ONE_FILE[kind]}")
                if data is not None and not any(
                    entry.type is kind and entry.is_of(data) for entry in chain.entries
                ):
                    verdict.fail(
                        f"日志中没有 voided/{draw}/{ONE_FILE[kind]}",
                        f"voided/{draw}/{ONE_FILE[kind]} is not in the log",
                    )

    def _check_copies(self, log: PublicLog, verdict: Verdict) -> None:
        """Check that each announcement that is here has the form of one, and is of the draw that its entry says."""
        for draw, chain in sorted(log.chains.draws.items()):
            first = chain.entries[0]
            name = FOLDER + document_path(first.digest)
            data = self.record.files.get(name)
            if data is None or not first.is_of(data):
                continue
            try:
                found = parse_announcement(data, name).draw
            except Fault as fault:
                verdict.fail(fault.zh, fault.en)
                continue
            if found != draw:
                verdict.fail(
                    f"{name} 是 {found} 的公告，登记为 {draw}",
                    f"{name} announces {found}, it is logged as {draw}",
                )

    def _check_plan(self, log: PublicLog, verdict: Verdict) -> None:
        """Look for a second announcement of the same plan: one of the two must be void, and named as such."""
        own_void = log.chain(self.a.draw).is_void
        for draw, chain in sorted(log.chains.draws.items()):
            first = chain.entries[0]
            if draw == self.a.draw or draw in self.a.voids:
                continue
            data = self.record.files.get(FOLDER + document_path(first.digest))
            if data is None or not first.is_of(data):
                verdict.unchecked(
                    f"未公布 {draw} 的公告：不知是否为同一计划",
                    f"the announcement of {draw} is not here: whether it is of the same plan is not known",
                )
            elif _plan_of(data) == (self.a.authority, self.a.plan) and not own_void:
                verdict.fail(
                    f"同一计划 {self.a.plan} 还公告了 {draw}，既未作废也未列入 voids"
                    if not chain.is_void
                    else f"已作废的 {draw} 是同一计划，voids 未列出",
                    f"the same plan {self.a.plan} was announced as {draw} as well, which is not void"
                    if not chain.is_void
                    else f"the voided {draw} is of the same plan, and voids does not name it",
                )

    # --- events

    def check_events(self) -> None:
        """Check that announcement and revealed nonces were witnessed before the round was due."""
        verdict = self.record.verdicts["events"]
        labels = self.record.labels
        if labels is not None and labels.rehearsal:
            verdict.unchecked(
                "labels.json 说明这是演练：公告时信标轮次已经公开",
                "labels.json says that this is a rehearsal: the round was already known when it was announced",
            )
        if self.unusable:
            verdict.unchecked("日志不可用", "the log cannot be used")
            return
        if self.log is None:
            verdict.unchecked(
                "没有带见证方的日志，无法证明公告先于信标轮次公开",
                "without a log with witnesses nothing proves that the announcement was public before the round",
            )
            return
        data = self.record.files.get(ANNOUNCED)
        if data is None or self.announced is None:
            self._without_checkpoint(verdict, data is None)
            return
        self._check_places(self.log, self.announced, verdict)
        self._check_time(self.log, data, verdict, rehearsal=labels is not None and labels.rehearsal)

    def _without_checkpoint(self, verdict: Verdict, absent: bool) -> None:
        if not absent:
            verdict.fail(f"{ANNOUNCED} 不属于此日志", f"{ANNOUNCED} is not of this log")
        elif "result.json" in self.record.files:
            verdict.fail(f"已抽取却没有 {ANNOUNCED}", f"drawn, but there is no {ANNOUNCED}")
        else:
            verdict.unchecked(f"尚无 {ANNOUNCED}", f"there is no {ANNOUNCED} yet")

    def _check_places(self, log: PublicLog, announced: Checkpoint, verdict: Verdict) -> None:
        held = log.indices(self.a.draw)
        places = {entry.type: index for index, entry in reversed(held)}
        end = places.get(EntryType.BEACON, places.get(EntryType.VOID))
        if places.get(EntryType.ANNOUNCE, log.checkpoint.size) >= announced.size:
            verdict.fail(f"{ANNOUNCED} 不含公告", f"{ANNOUNCED} does not hold the announcement")
        for index, entry in held:
            if index >= announced.size and (end is None or index < end):
                verdict.fail(
                    f"第 {index} 条 {entry.type.value} 在 {ANNOUNCED}（{announced.size} 条）之后",
                    f"entry {index} {entry.type.value} came after {ANNOUNCED} ({announced.size} entries)",
                )
        if EntryType.BEACON in places:
            if places[EntryType.BEACON] < announced.size:
                verdict.fail(f"{ANNOUNCED} 已含信标", f"{ANNOUNCED} holds the beacon already")
        elif EntryType.VOID in places:
            if places[EntryType.VOID] >= announced.size:
                verdict.unchecked(
                    "作废在最后一份经见证的检查点之后：作废时结果可能已可推知",
                    "voided after the last witnessed checkpoint: the outcome may have been knowable",
                )
        else:
            verdict.unchecked("信标轮次尚未登记", "the round is not in the log yet")

    def _check_time(self, log: PublicLog, data: bytes, verdict: Verdict, *, rehearsal: bool) -> None:
        if self.a.beacon.kind == "local":
            verdict.unchecked(
                "local 随机数没有公开的时间", "local randomness has no time at which it became known"
            )
        if not log.policy.needs_witnesses:
            verdict.unchecked(
                "没有读者信任的见证方：共签的时间未核对",
                "no witnesses that the reader trusts: the times of cosignatures are not checked",
            )
            return
        try:
            at = log.policy.verify(data).quorum_time
        except LogError as problem:
            verdict.fail(f"{ANNOUNCED}：{problem.message('zh')}", f"{ANNOUNCED}: {problem.message('en')}")
            return
        assert at is not None
        seen, due = _instant(at), self.a.beacon.time
        if seen is None or seen >= due:
            tell = verdict.unchecked if rehearsal else verdict.fail
            tell(
                f"见证方在 {seen or at} 才共签，信标轮次的时间是 {due}",
                f"the witnesses cosigned at {seen or at}, the round was due at {due}",
            )
            return
        verdict.note(
            f"见证方法定数至迟于 {seen} 见到公告，早于轮次 {due}",
            f"a quorum of witnesses had seen the announcement at {seen}, before the round at {due}",
        )

    def check_exclusions(self) -> None:
        """Check that each exclusion was witnessed before its own round."""
        check_exclusions(self.record, self.a, self.log)

    # --- what the log adds to other checks

    def check_contributions(self) -> None:
        """Check that exactly the nonces inside the announced checkpoint count as revealed."""
        verdict = self.record.verdicts["contributions"]
        if self.unusable:
            verdict.unchecked("日志不可用", "the log cannot be used")
        if self.log is None or self.announced is None:
            return
        committed = {one.party: one.commitment for one in self.a.contributions}
        revealed: dict[str, str] = {}
        for index, entry in self.log.indices(self.a.draw):
            if entry.type is not EntryType.REVEAL or index >= self.announced.size:
                continue
            for name, reveal in self.reveals.items():
                if hash_hex(self.record.files[name], self.a.hash) != entry.digest:
                    continue
                shown = f"dualrandom/v1/nonce\n{self.a.draw} {reveal.party} {reveal.nonce}\n".encode()
                if reveal.draw != self.a.draw or hash_hex(shown, self.a.hash) != committed.get(reveal.party):
                    verdict.fail(
                        f"{name} 与 {reveal.party} 的承诺不符",
                        f"{name} does not match a commitment of {reveal.party}",
                    )
                revealed[reveal.party] = reveal.nonce
        check_reuse(verdict, self.a, self.log, self.record.files, revealed)
        if self.record.statement is None:
            return
        for party, word, value in self.record.statement.contributions:
            if party in revealed and (word, value) != ("revealed", revealed[party]):
                verdict.fail(
                    f"{party} 的随机数已在 {ANNOUNCED} 之内公开，种子却未采用",
                    f"{party} revealed within {ANNOUNCED}, but the seed does not use that nonce",
                )
            elif party not in revealed and word == "revealed":
                verdict.fail(
                    f"{party} 在 {ANNOUNCED} 之内没有公开，种子却按已公开计",
                    f"{party} did not reveal within {ANNOUNCED}, but the seed counts it as revealed",
                )

    def check_draws(self) -> None:
        """List the authority's open, void and missing draws."""
        verdict = self.record.verdicts["draws"]
        if self.log is None:
            return
        try:
            authority, year, _ = draw_parts(self.a.draw)
        except LogError:
            return  # the announcement's own check says so
        prefix = f"{authority}-{year}-"

        def listed(draws: tuple[str, ...]) -> str:
            return ", ".join(draw for draw in draws if draw.startswith(prefix)) or "-"

        chains = self.log.chains
        missing = listed(chains.missing_draws)
        if missing != "-":
            verdict.unchecked(
                f"日志中没有 {authority} {year} 年的 {missing}",
                f"the log does not show these draws of {authority} in {year}: {missing}",
            )
        verdict.note(
            f"日志中未终结的抽取：{listed(chains.open_draws)}；作废：{listed(chains.void_draws)}",
            f"draws in the log that are open: {listed(chains.open_draws)}; void: {listed(chains.void_draws)}",
        )


def _type_of_change(row: bytes) -> EntryType | None:
    try:
        return TYPES_OF_CHANGES.get(json.loads(row)["type"])
    except (ValueError, KeyError, TypeError, RecursionError):
        return None  # its own check says so


def _plan_of(data: bytes) -> tuple[object, object] | None:
    """Return authority and plan of another draw's announcement, as far as it can be read."""
    try:
        document: Mapping[str, object] = schema.parsed(data, "log/documents")
        return document["authority"], document["plan"]
    except (Fault, KeyError, TypeError, DualRandomError):
        return None


def _instant(seconds: int) -> datetime | None:
    try:
        return datetime.fromtimestamp(seconds, UTC)
    except (OverflowError, OSError, ValueError):
        return None

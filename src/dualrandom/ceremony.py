"""The ceremony of one draw as a state machine: what may happen next and what may not. No I/O, no clock.

    drafted → announced → waiting → seeded → drawn → published → executing ⇄ closed
                  └──────────┴─────────┴───────┴──→ void

``waiting``: all that was revealed is witnessed, and the round has not come. The instants are the caller's: those of
witnesses where there are some. A ceremony never changes; each step returns the next one or raises StateError. Every
command that changes a draw asks it, with the state that :func:`dualrandom.campaign.state.state_of` reads off the folder.

Invariants
----------

>>> from datetime import UTC, datetime
>>> def at(hour): return datetime(2026, 11, 1, hour, tzinfo=UTC)
>>> drafted = Ceremony("ezhou-2026-000001")
>>> def refused(step, *arguments):
...     try:
...         step(*arguments)
...     except StateError as error:
...         return error.code

1. A draw is announced once, and only while its round is unknown.

>>> announced = drafted.announce({"amr", "fire"}, due=at(12), now=at(9))
>>> refused(announced.announce, {"amr"}, at(13), at(9)), refused(drafted.announce, {"amr"}, at(12), at(12))
('already-announced', 'round-already-known')

2. Nonces are revealed by announced parties, once each, before the contributions close, which is when the round is due or
   earlier.

>>> revealed = announced.reveal("amr", now=at(10))
>>> refused(revealed.reveal, "amr", at(10)), refused(revealed.reveal, "chance", at(10))
('already-revealed', 'party-unknown')
>>> refused(revealed.reveal, "fire", at(12))
'contributions-closed'
>>> refused(drafted.announce({"amr"}, at(12), at(9), closes=at(11)).reveal, "amr", at(11))
'contributions-closed'

3. Witnesses have seen the announcement and every revealed nonce before the round is due. A nonce that is revealed later
   has to be witnessed as well, so nobody can choose afterwards which ones count.

>>> waiting = revealed.witness(at(11))
>>> refused(revealed.witness, at(12)), refused(revealed.seed), refused(waiting.reveal("fire", at(11)).seed)
('witnessed-too-late', 'not-witnessed', 'not-witnessed')

4. Once the seed is known nothing enters it any more: what was not revealed counts as withheld.

>>> seeded = waiting.seed()
>>> refused(seeded.reveal, "fire", at(11)), refused(seeded.witness, at(11)), refused(seeded.seed)
('contributions-closed', 'contributions-closed', 'already-seeded')

5. One result for one seed; it is published before anything is carried out, and attested only then.

>>> drawn = seeded.draw()
>>> refused(drawn.draw), refused(drawn.change), refused(drawn.attest)
('already-drawn', 'not-drawn', 'not-drawn')
>>> published = drawn.publish()

6. A draw may be voided with a reason, in any phase from its announcement up to its publication, never afterwards. A
   void is final: the next announcement begins a ceremony of its own.

>>> refused(drawn.void, " "), refused(published.void, "we do not like it"), refused(drafted.void, "?")
('reason-missing', 'result-published', 'not-announced')
>>> voided = waiting.void("the register was wrong")
>>> refused(voided.seed), refused(voided.announce, {"amr"}, at(13), at(9)), refused(voided.void, "again")
('draw-is-void', 'draw-is-void', 'draw-is-void')

7. After publication only exclusions, substitutes, replacements, withdrawals, openings, findings, corrections and
   attestations are added. The draw is closed while all of it is there: a finding for each check of each visit in effect
   that has a date and whose crew is not unfilled, and no exclusion that waits for its substitute. A correction leaves
   it closed; an exclusion opens it again.

>>> executing = published.change()
>>> executing.phase.name, executing.close().phase.name, executing.close().change().phase.name
('EXECUTING', 'CLOSED', 'EXECUTING')
>>> refused(executing.publish), refused(executing.close().publish), executing.attest() == executing
('already-published', 'already-published', True)
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from enum import IntEnum

from dualrandom.errors import DualRandomError


class StateError(DualRandomError):
    """The campaign's state does not allow the step: announced already, changed since, drawn already."""


class Phase(IntEnum):
    """How far a draw has come; VOID stands apart."""

    DRAFTED = 0
    ANNOUNCED = 1
    WAITING = 2
    SEEDED = 3
    DRAWN = 4
    PUBLISHED = 5
    EXECUTING = 6
    CLOSED = 7
    VOID = 8


@dataclass(frozen=True, slots=True)
class Ceremony:
    """One draw in one phase.

    ``due`` is when the round is due; None means that nobody claims it was unknown (a rehearsal, local randomness), and
    then the rules about instants do not apply. ``closes``: until when nonces may be revealed; None: until ``due``.
    ``digest``: the announcement's.
    """

    draw_id: str = ""
    phase: Phase = Phase.DRAFTED
    parties: frozenset[str] = frozenset()
    revealed: frozenset[str] = frozenset()
    due: datetime | None = None
    closes: datetime | None = None
    digest: str = ""

    def announce(
        self,
        parties: Iterable[str],
        due: datetime | None,
        now: datetime,
        closes: datetime | None = None,
        digest: str = "",
    ) -> Ceremony:
        """Drafted → announced."""
        if self.phase is Phase.VOID:
            raise self._refusal("draw-is-void")
        if self.phase is not Phase.DRAFTED:
            raise self._refusal("already-announced", self.digest or None)
        if due is not None and now >= due:
            raise self._refusal("round-already-known", f"{due:%Y-%m-%dT%H:%M:%SZ}")
        return replace(
            self,
            phase=Phase.ANNOUNCED,
            parties=frozenset(parties),
            due=due,
            closes=None if due is None else min(closes or due, due),
            digest=digest,
        )

    def reveal(self, party: str, now: datetime) -> Ceremony:
        """Add a revealed nonce; what was witnessed before has to be witnessed again."""
        self._within(Phase.ANNOUNCED, Phase.WAITING, "contributions-closed")
        if party not in self.parties:
            raise self._refusal("party-unknown", party)
        if party in self.revealed:
            raise self._refusal("already-revealed", party)
        closes = self.closes or self.due
        if closes is not None and now >= closes:
            raise self._refusal("contributions-closed")
        return replace(self, phase=Phase.ANNOUNCED, revealed=self.revealed | {party})

    def witness(self, at: datetime | None) -> Ceremony:
        """Announced → waiting: a quorum had seen announcement and nonces at that instant; None where there is no witness."""
        self._within(Phase.ANNOUNCED, Phase.WAITING, "contributions-closed")
        if self.due is not None and at is not None and at >= self.due:
            raise self._refusal("witnessed-too-late")
        return replace(self, phase=Phase.WAITING)

    def seed(self) -> Ceremony:
        """Waiting → seeded: the round's randomness is there."""
        self._within(Phase.ANNOUNCED, Phase.WAITING, "already-seeded")
        if self.phase is Phase.ANNOUNCED:
            raise self._refusal("not-witnessed")
        return replace(self, phase=Phase.SEEDED)

    def draw(self) -> Ceremony:
        """Seeded → drawn: the result is computed."""
        self._within(Phase.SEEDED, Phase.SEEDED, "already-drawn", "not-seeded")
        return replace(self, phase=Phase.DRAWN)

    def publish(self) -> Ceremony:
        """Drawn → published."""
        self._within(Phase.DRAWN, Phase.DRAWN, "already-published", "not-drawn")
        return replace(self, phase=Phase.PUBLISHED)

    def change(self) -> Ceremony:
        """Published, executing or closed → executing: a row of changes.jsonl, a finding."""
        self._within(Phase.PUBLISHED, Phase.CLOSED, "", "not-drawn")
        return replace(self, phase=Phase.EXECUTING)

    def close(self) -> Ceremony:
        """Published or executing → closed: nothing is missing any more."""
        self._within(Phase.PUBLISHED, Phase.CLOSED, "", "not-drawn")
        return replace(self, phase=Phase.CLOSED)

    def attest(self) -> Ceremony:
        """Stay where it is, published or later: the auditor signs what is there."""
        self._within(Phase.PUBLISHED, Phase.CLOSED, "", "not-drawn")
        return self

    def void(self, reason: str) -> Ceremony:
        """Any phase from announced to drawn → void."""
        self._within(Phase.ANNOUNCED, Phase.DRAWN, "result-published")
        if not reason.strip():
            raise self._refusal("reason-missing")
        return replace(self, phase=Phase.VOID)

    def announced(self) -> Ceremony:
        """Insist that there is an announcement, void or not."""
        if self.phase is Phase.DRAFTED:
            raise self._refusal("not-announced")
        return self

    def _within(self, first: Phase, last: Phase, after: str, before: str = "") -> None:
        if self.phase is Phase.VOID:
            raise self._refusal("draw-is-void")
        if self.phase is Phase.DRAFTED:
            raise self._refusal("not-announced")
        if self.phase < first:
            raise self._refusal(before)
        if self.phase > last:
            raise self._refusal(after)

    def _refusal(self, code: str, value: str | None = None) -> StateError:
        zh, en, remedy_zh, remedy_en = _REFUSALS[code]
        said = self.draw_id if value is None else value
        return StateError(
            code,
            said,
            {"zh": zh.format(draw=self.draw_id, value=said), "en": en.format(draw=self.draw_id, value=said)},
            {"zh": remedy_zh, "en": remedy_en},
        )


_REFUSALS = {
    "already-announced": (
        "抽取 {draw} 已公告，摘要 {value}",
        "draw {draw} has been announced, digest {value}",
        "公告不能更改。继续：dualrandom draw；放弃：dualrandom void --reason …，再重新公告。",
        "An announcement cannot be changed. Go on: dualrandom draw; give up: dualrandom void --reason …, then announce.",
    ),
    "round-already-known": (
        "信标轮次的时间 {value} 已过：随机数已公开，公告不再可信",
        "the beacon's round was due at {value}: its randomness is known, the announcement proves nothing",
        "在 [beacon] 中选择将来的轮次；仅演练时用 --rehearsal（结果会注明）。",
        "Choose a future round under [beacon]; for a rehearsal only, use --rehearsal (the result says so).",
    ),
    "not-announced": (
        "尚未公告",
        "nothing has been announced",
        "先运行 dualrandom announce。",
        "Run dualrandom announce first.",
    ),
    "draw-is-void": (
        "该抽取已作废",
        "this draw is void",
        "重新运行 dualrandom announce。",
        "Announce again with dualrandom announce.",
    ),
    "party-unknown": (
        "公告中没有参与方 {value}",
        "the announcement names no party {value}",
        "核对 --party；可写的是计划 [[contributions]] 中的 party。",
        "Look at --party: it is a party of [[contributions]] in the plan.",
    ),
    "already-revealed": (
        "{value} 已经公开随机数",
        "{value} has revealed its nonce already",
        "不必再做。",
        "There is nothing left to do.",
    ),
    "contributions-closed": (
        "随机贡献已截止：截止时间或信标轮次的时间已到，或种子已定",
        "contributions are closed: their deadline has passed, the round is due, or the seed is fixed",
        "未公开的随机数按其承诺计入种子，抽取照常进行：dualrandom draw。",
        "Nonces that were not revealed enter the seed by their commitments; go on with dualrandom draw.",
    ),
    "witnessed-too-late": (
        "见证方共签时信标轮次的时间已到：不能证明公告在先",
        "the witnesses cosigned when the round was due already: nothing proves that the announcement came first",
        "作废（dualrandom void --reason …），以将来的轮次重新公告，并及早共签。",
        "Void it (dualrandom void --reason …), announce again for a future round, and cosign in time.",
    ),
    "not-witnessed": (
        "公告或其后公开的随机数未经见证",
        "the announcement, or a nonce revealed after it, has not been witnessed",
        "信标轮次到来之前运行 dualrandom cosign；已错过的，须作废并重新公告。",
        "Run dualrandom cosign before the round is due; if that was missed, void the draw and announce again.",
    ),
    "already-seeded": (
        "种子已定",
        "the seed is fixed already",
        "运行 dualrandom draw。",
        "Run dualrandom draw.",
    ),
    "not-seeded": (
        "随机数尚未产生",
        "the randomness is not there yet",
        "等待信标轮次。",
        "Wait for the beacon's round.",
    ),
    "already-drawn": (
        "已经抽取",
        "it has been drawn",
        "重算：dualrandom draw 得到相同的字节。",
        "Drawing again gives the same bytes.",
    ),
    "already-published": (
        "结果已经发布",
        "the result has been published",
        "已发布的内容不会被覆盖。",
        "What was published is not overwritten.",
    ),
    "not-drawn": (
        "尚未抽取并发布结果",
        "no result has been drawn and published yet",
        "先运行 dualrandom draw。",
        "Run dualrandom draw first.",
    ),
    "result-published": (
        "结果已发布，不能作废",
        "the result has been published and cannot be voided",
        "执行中的变化按递补和更正规则处理。",
        "Changes during execution are substitutions and corrections.",
    ),
    "reason-missing": (
        "作废必须说明理由",
        "a void needs a reason",
        "用 --reason 写明，将会公布。",
        "State it with --reason; it will be published.",
    ),
}
"""What is wrong and what to do, Chinese and English, by code."""

"""Succession of a log's key: how trust passes from one key to the next, and how a key is revoked.

Both are signed notes, numbered and published beside the log. A *rotation* is signed by the old key and the new one:

    dualrandom/v1/rotation
    <origin>
    <old verifier key>
    <new verifier key>
    <instant>

A *revocation* is signed by the key itself, or by the key that is current at that point:

    dualrandom/v1/revocation
    <origin>
    <verifier key>
    <instant>
    <reason>

A revoked key's checkpoints count only if a quorum of witnesses had cosigned them before the instant.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from dualrandom.log.errors import LogError, refusal
from dualrandom.log.note import Note, Signer, VerifierKey, parse_note, parse_vkey, verified_signatures
from dualrandom.log.policy import Policy, PolicyLog

ROTATION = "dualrandom/v1/rotation"
REVOCATION = "dualrandom/v1/revocation"
_INSTANT = "%Y-%m-%dT%H:%M:%SZ"
_INSTANT_FORM = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}Z")


@dataclass(frozen=True, slots=True)
class Succession:
    """A log's keys in order, and the revoked ones with the second from which they count no more."""

    keys: tuple[VerifierKey, ...]
    revoked: tuple[tuple[VerifierKey, int], ...] = ()

    @property
    def current(self) -> VerifierKey | None:
        """The key that signs now; None after it was revoked without a successor."""
        last = self.keys[-1]
        return None if any(key == last for key, _ in self.revoked) else last


def key_note_path(number: int) -> str:
    """Return the path of a rotation or revocation below the log, numbered from 1."""
    return f"keys/{number:06d}.note"


def rotation(old: Signer, new: Signer, at: datetime) -> bytes:
    """Return the note by which ``old`` hands over to ``new``. Raises LogError ``succession-refused`` for two names or one key."""
    if old.name != new.name or old.key == new.key:
        raise _refused("新旧密钥须同名而不同", "the keys must be two and have the same name")
    text = _text(ROTATION, old.name, old.key.text, new.key.text, _written(at))
    return Note(text, (old.sign(text), new.sign(text))).data


def revocation(signer: Signer, key: VerifierKey, at: datetime, reason: str) -> bytes:
    """Return the note that revokes ``key`` from ``at``. Raises LogError ``succession-refused`` for a bad reason or name."""
    if signer.name != key.name:
        raise _refused("密钥名称不同", "the keys have different names")
    if not reason.strip() or any(c < " " for c in reason):
        raise _refused("须写明一行理由", "a reason of one line is needed")
    text = _text(REVOCATION, key.name, key.text, _written(at), reason)
    return Note(text, (signer.sign(text),)).data


def succession(first: VerifierKey, notes: Iterable[bytes], *, begins: bool = False) -> Succession:
    """Follow the notes, in their order, from a key that is trusted already.

    Notes from before that key was made are skipped, but if the log ``begins`` with it there are none. Raises LogError
    ``succession-refused``, or what a note's signature lacks.
    """
    state = Succession((first,))
    for data in notes:
        note = parse_note(data)
        skips = not begins and len(state.keys) == 1 and not state.revoked
        lines = note.text[:-1].split("\n")
        match lines:
            case [kind, origin, old, new, at] if kind == ROTATION and origin == first.name:
                _seconds(at)  # refuses what is no instant
                state = _rotated(state, note, parse_vkey(old), parse_vkey(new), skips=skips)
            case [kind, origin, key, at, reason] if kind == REVOCATION and origin == first.name and reason:
                state = _revoked(state, note, parse_vkey(key), _seconds(at), skips=skips)
            case _:
                raise _refused("不是本日志的轮换或吊销文书", "not a rotation or revocation of this log")
    return state


def with_succession(policy: Policy, notes: Iterable[bytes]) -> Policy:
    """Return the policy that also knows the keys to which its logs' keys handed over, and which were revoked.

    ``notes`` are those of one log; logs of other origins stay as they are. Raises LogError like :func:`succession`.
    """
    kept = tuple(notes)
    origin = parse_note(kept[0]).text.split("\n")[1] if kept else None
    logs: list[PolicyLog] = []
    revoked = list(policy.revoked)
    for log in policy.logs:
        logs.append(log)
        if log.key.name == origin:
            state = succession(log.key, kept)
            logs += [replace(log, key=key) for key in state.keys[1:]]
            revoked += state.revoked
    return replace(policy, logs=tuple(dict.fromkeys(logs)), revoked=tuple(dict.fromkeys(revoked)))


def _rotated(state: Succession, note: Note, old: VerifierKey, new: VerifierKey, *, skips: bool) -> Succession:
    if old != state.current:
        if skips:
            return state
        raise _refused("不是由现行密钥交接", "not handed over by the current key")
    if new.name != old.name or new in state.keys:
        raise _refused("新密钥的名称不同，或曾经用过", "the new key has another name or was used before")
    if {s.key_id for s in verified_signatures(note, (old, new))} != {old.key_id, new.key_id}:
        raise _refused("须由新旧两把密钥签名", "both keys must sign")
    return replace(state, keys=(*state.keys, new))


def _revoked(state: Succession, note: Note, key: VerifierKey, at: int, *, skips: bool) -> Succession:
    if key not in state.keys:
        if skips:
            return state
        raise _refused("被吊销的不是本日志的密钥", "the revoked key is not one of this log")
    verified_signatures(note, {key, state.current or key})
    return replace(state, revoked=(*state.revoked, (key, at)))


def _text(*lines: str) -> str:
    return "".join(f"{line}\n" for line in lines)


def _written(at: datetime) -> str:
    return at.astimezone(UTC).strftime(_INSTANT)


def _seconds(text: str) -> int:
    if _INSTANT_FORM.fullmatch(text):
        try:
            return int(datetime.strptime(text, _INSTANT).replace(tzinfo=UTC).timestamp())
        except ValueError:
            pass
    raise _refused("时刻有误", "the instant is wrong")


def _refused(zh: str, en: str) -> LogError:
    return refusal(
        "succession-refused", "", f"密钥交接文书不成立：{zh}", f"the note on keys does not hold: {en}"
    )

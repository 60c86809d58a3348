"""Policies: which logs and witnesses a reader trusts, and how many witnesses must have cosigned (C2SP tlog-policy)."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Set
from dataclasses import dataclass, replace

from dualrandom.log.checkpoint import Checkpoint, open_checkpoint
from dualrandom.log.cosignature import CosignerKey, parse_cosigner_key, stated_time
from dualrandom.log.errors import LogError, refusal
from dualrandom.log.note import Note, VerifierKey, parse_vkey, verified_signatures

_SPACE = re.compile(r"[ \t]+")
_NUMBER = re.compile(r"[1-9][0-9]{0,5}")
NONE = "none"


@dataclass(frozen=True, slots=True)
class PolicyLog:
    """A log that is trusted to exist: its key, whose name is the origin, and an address or None."""

    key: VerifierKey
    url: str | None = None


@dataclass(frozen=True, slots=True)
class PolicyWitness:
    """A witness: its name within the policy, its key, and its submission prefix or None."""

    name: str
    key: CosignerKey
    url: str | None = None


@dataclass(frozen=True, slots=True)
class Group:
    """Met when at least ``least`` of its members (witnesses or earlier groups) are."""

    name: str
    least: int
    members: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Verified:
    """A checkpoint that a policy accepts.

    ``cosigned`` maps the policy's witness names to the earliest time (seconds since 1970) of their cosignatures.
    ``quorum_time`` is the earliest time by which the quorum had cosigned: the log's content up to this checkpoint
    existed then. None if the policy asks for no witness, since then nobody but the log vouches for a time.
    """

    checkpoint: Checkpoint
    note: Note
    log_key: VerifierKey
    cosigned: Mapping[str, int]
    quorum_time: int | None


@dataclass(frozen=True, slots=True)
class Policy:
    """Logs, witnesses, groups in the order of their definitions, the quorum's name, and keys that were revoked.

    ``revoked`` maps keys to the second from which they count no more; see :func:`dualrandom.log.keys.with_succession`.
    """

    logs: tuple[PolicyLog, ...]
    witnesses: tuple[PolicyWitness, ...]
    groups: tuple[Group, ...]
    quorum: str
    revoked: tuple[tuple[VerifierKey, int], ...] = ()

    @property
    def needs_witnesses(self) -> bool:
        """Whether any cosignature is asked for."""
        return self.quorum != NONE

    def is_met(self, witnesses: Set[str]) -> bool:
        """Say whether these witnesses, by their names in the policy, make the quorum."""
        met = {witness.name for witness in self.witnesses} & witnesses
        for group in self.groups:
            if len(met & set(group.members)) >= group.least:
                met.add(group.name)
        return not self.needs_witnesses or self.quorum in met

    def verify(self, data: bytes) -> Verified:
        """Return what a signed checkpoint is worth under this policy.

        Raises LogError: malformed, ``origin-unknown``, ``signature-missing``, ``signature-invalid``,
        ``quorum-missing``, ``key-revoked``.
        """
        checkpoint, note, log_keys = open_checkpoint(data, (log.key for log in self.logs))
        cosigned = self.cosignatures(note)
        quorum_time = next((at for at in sorted(cosigned.values()) if self._met_by(cosigned, at)), None)
        if self.needs_witnesses and quorum_time is None:
            names = ", ".join(sorted(cosigned)) or "-"
            raise refusal(
                "quorum-missing",
                names,
                f"共签的见证方不足法定数（已共签：{names}）",
                f"too few witnesses cosigned (those that did: {names})",
                remedy_zh="向见证方补取共签，或等待其恢复；在此之前不能说明日志对所有人一致。",
                remedy_en="Ask the witnesses again, or wait until they answer; until then nothing shows that all see one log.",
            )
        unrevoked = [key for key in log_keys if self._counts(key, quorum_time)]
        if not unrevoked:
            raise refusal(
                "key-revoked",
                log_keys[0].text,
                "签署检查点的密钥已吊销",
                "the key that signed the checkpoint was revoked",
                remedy_zh="使用由现行密钥签署的检查点。",
                remedy_en="Use a checkpoint signed by the current key.",
            )
        proven = quorum_time if self.needs_witnesses else None
        return Verified(checkpoint, note, unrevoked[0], cosigned, proven)

    def cosignatures(self, note: Note) -> dict[str, int]:
        """Return witness name → earliest stated time of the known witnesses' cosignatures, each verified.

        Raises LogError ``signature-invalid`` if one by a known witness does not hold.
        """
        keys = {(witness.key.name, witness.key.key_id): witness for witness in self.witnesses}
        if not any((signature.name, signature.key_id) in keys for signature in note.signatures):
            return {}
        times: dict[str, int] = {}
        for signature in verified_signatures(note, (witness.key for witness in self.witnesses)):
            name = keys[signature.name, signature.key_id].name
            time = stated_time(signature.value)
            if time is not None:
                times[name] = min(time, times.get(name, time))
        return times

    def _counts(self, key: VerifierKey, quorum_time: int | None) -> bool:
        """Say whether a log key was not revoked, or a quorum had cosigned before it was."""
        since = min((at for revoked, at in self.revoked if revoked == key), default=None)
        if since is None:
            return True
        return self.needs_witnesses and quorum_time is not None and quorum_time < since

    def _met_by(self, cosigned: Mapping[str, int], at: int) -> bool:
        return self.is_met({name for name, time in cosigned.items() if time <= at})

    def with_logs(self, logs: Iterable[PolicyLog]) -> Policy:
        """Return the policy with other logs."""
        return replace(self, logs=tuple(logs))


def parse_policy(data: bytes) -> Policy:
    """Read a policy file. Raises LogError ``policy-refused`` naming the first line that cannot stand.

    Names are octets to the specification: bytes that are not UTF-8 are kept as lone surrogates.
    """
    if any((byte < 0x20 and byte not in b"\t\n") or byte == 0x7F for byte in data):
        raise _refused(0, "含控制字符", "control characters")
    if data and not data.endswith(b"\n"):
        raise _refused(0, "最后一行没有换行", "the last line has no newline")
    reader = _Reader()
    for number, raw in enumerate(data.decode("utf-8", "surrogateescape").split("\n"), 1):
        line = raw.strip(" \t")
        if line and not line.startswith("#"):
            try:
                reader.line(_SPACE.split(line))
            except LogError as problem:
                raise _refused(number, problem.message("zh"), problem.message("en")) from problem
    if reader.quorum is None:
        raise _refused(0, "没有 quorum 行", "no quorum line")
    return Policy(tuple(reader.logs), tuple(reader.witnesses), tuple(reader.groups), reader.quorum)


class _Reader:
    """Folds the lines of one policy file."""

    def __init__(self) -> None:
        self.logs: list[PolicyLog] = []
        self.witnesses: list[PolicyWitness] = []
        self.groups: list[Group] = []
        self.quorum: str | None = None
        self.names: set[str] = set()

    def line(self, words: list[str]) -> None:
        match words:
            case ["log", vkey, *url] if len(url) <= 1:
                self._log(PolicyLog(parse_vkey(vkey), url[0] if url else None))
            case ["witness", name, vkey, *url] if len(url) <= 1:
                self._witness(PolicyWitness(name, parse_cosigner_key(vkey), url[0] if url else None))
            case ["group", name, least, *members] if members:
                self._group(name, least, members)
            case ["quorum", name]:
                if self.quorum is not None:
                    raise _wrong(name, "quorum 行不止一条", "more than one quorum line")
                if name != NONE:
                    self._defined(name)
                self.quorum = name
            case _:
                raise _wrong(" ".join(words), "无法识别的行", "a line of no known form")

    def _log(self, log: PolicyLog) -> None:
        if any(log.key.public == other.key.public for other in self.logs):
            raise _wrong(log.key.text, "同一日志公钥出现两次", "the same log key twice")
        self.logs.append(log)

    def _witness(self, witness: PolicyWitness) -> None:
        if any(witness.key.public == other.key.public for other in self.witnesses):
            raise _wrong(witness.name, "同一见证方公钥出现两次", "the same witness key twice")
        self._new(witness.name)
        self.witnesses.append(witness)

    def _group(self, name: str, least: str, members: list[str]) -> None:
        taken = {member for group in self.groups for member in group.members}
        for member in members:
            self._defined(member)
            if member in taken:
                raise _wrong(member, "同一成员不能出现两次", "a member of two groups, or twice of one")
            taken.add(member)
        if least in {"any", "all"}:
            count = 1 if least == "any" else len(members)
        elif _NUMBER.fullmatch(least) and int(least) <= len(members):
            count = int(least)
        else:
            raise _wrong(
                least,
                "门限应为 any、all 或 1 至成员数",
                "the threshold is any, all, or 1 to the members' number",
            )
        self._new(name)
        self.groups.append(Group(name, count, tuple(members)))

    def _new(self, name: str) -> None:
        if name == NONE or name in self.names:
            raise _wrong(name, f"名称 {name} 已被占用", f"the name {name} is taken")
        self.names.add(name)

    def _defined(self, name: str) -> None:
        if name not in self.names:
            raise _wrong(name, f"{name} 在此行之前没有定义", f"{name} is not defined above this line")


def _wrong(value: str, zh: str, en: str) -> LogError:
    return refusal("policy-refused", value.encode("utf-8", "replace").decode(), zh, en)


def _refused(line: int, zh: str, en: str) -> LogError:
    place = (f"第 {line} 行：", f"line {line}: ") if line else ("", "")
    return refusal(
        "policy-refused",
        str(line or ""),
        f"信任策略有误：{place[0]}{zh}",
        f"the trust policy is wrong: {place[1]}{en}",
        remedy_zh="按 c2sp.org/tlog-policy 更正该行。",
        remedy_en="Correct the line; the form is that of c2sp.org/tlog-policy.",
    )

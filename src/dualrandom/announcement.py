"""The announcement (抽取公告) and the lists that it commits to (docs/protocol.md §2–3)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from fractions import Fraction
from typing import Any

from dualrandom import __version__
from dualrandom.canonical import canonical
from dualrandom.frame import Frozen
from dualrandom.hashing import Digest, commitment, row_salt, seal_bytes
from dualrandom.policy.plan import Plan, Task, VisitLimit
from dualrandom.quota import Stratum
from dualrandom.registry.models import Item, Libraries


@dataclass(frozen=True, slots=True)
class ListFile:
    """A list: its rows' bytes without newlines, in order, and for sealed rows the openings (same order)."""

    name: str
    rows: tuple[bytes, ...]
    openings: tuple[bytes, ...]

    def file(self) -> bytes:
        """Return the bytes of ``<name>.jsonl``."""
        return lines(self.rows)

    def openings_file(self) -> bytes:
        """Return the bytes of the file of openings."""
        return lines(self.openings)

    def commitment(self, digest: Digest) -> dict[str, Any]:
        """Return ``{"root","size"}``."""
        return commitment(self.rows, digest)


def lines(rows: Sequence[bytes]) -> bytes:
    """Join rows to the bytes of a .jsonl file."""
    return b"\n".join(rows) + b"\n" if rows else b""


def sealed_row(
    name: str,
    row_id: str,
    hidden: bytes,
    secret: bytes,
    draw: str,
    digest: Digest,
    detail: bytes | None = None,
) -> tuple[bytes, bytes]:
    """Return a sealed row and its opening. ``hidden`` and ``detail`` are canonical JSON; ids are plain ASCII."""
    salt = row_salt(secret, draw, name, row_id)
    sealed = seal_bytes(hidden, salt, digest)
    shown = b'"detail":' + detail + b"," if detail is not None else b""
    row = b'{%b"id":"%b","sealed":"%b"}' % (shown, row_id.encode(), sealed.encode())
    opening = b'{"hidden":%b,"id":"%b","list":"%b","salt":"%b"}' % (
        hidden,
        row_id.encode(),
        name.encode(),
        salt.encode(),
    )
    return row, opening


def numbered(letter: str, count: int, width: int) -> list[str]:
    """Return ids like ``s0001`` … that sort as their numbers do."""
    width = max(width, len(str(count)))
    return [f"{letter}{number:0{width}d}" for number in range(1, count + 1)]


def profile_ids(frozen: Frozen) -> list[str]:
    """Return the ids of an open draw's profiles, in their order."""
    return numbered("p", len(frozen.profiles), 4)


def list_files(frozen: Frozen, secret: bytes | None, digest: Digest) -> dict[str, ListFile]:
    """Return the lists frame, roster, recusals and, when sealed, strata."""
    if secret is None:
        return {
            "frame": _open_frame(frozen),
            "roster": _open_roster(frozen),
            "recusals": _open_recusals(frozen),
        }
    return {
        "frame": _sealed_list("frame", _hidden_frame(frozen), frozen.draw, secret, digest),
        "roster": _sealed_list("roster", _hidden_roster(frozen), frozen.draw, secret, digest),
        "recusals": _sealed_list("recusals", _hidden_recusals(frozen), frozen.draw, secret, digest),
        "strata": _sealed_list("strata", _hidden_strata(frozen), frozen.draw, secret, digest),
    }


def _open_frame(frozen: Frozen) -> ListFile:
    names = profile_ids(frozen)
    rows = tuple(
        canonical(
            {"detail": {"closed": list(closed), "district": district, "profile": names[profile]}, "id": i}
        )
        for i, closed, district, profile in zip(
            frozen.ids, frozen.closed, frozen.districts, frozen.profile.tolist(), strict=True
        )
    )
    return ListFile("frame", rows, ())


def _roster_detail(frozen: Frozen) -> Iterator[tuple[str, str, dict[str, Any]]]:
    for row in frozen.roster:
        yield (
            row.id,
            row.person,
            {
                "absent": list(row.absent),
                "daily": row.daily,
                "department": row.department,
                "districts": list(row.districts),
                "marks": list(row.marks),
                "total": row.total,
            },
        )


def _open_roster(frozen: Frozen) -> ListFile:
    rows = tuple(canonical({"detail": detail, "id": i}) for i, _, detail in _roster_detail(frozen))
    return ListFile("roster", rows, ())


def recusal_pairs(frozen: Frozen) -> list[tuple[tuple[str, str], str]]:
    """Return ((a, b), ground) of all recusals in the order of the bytes of ``a~b``."""
    pairs = [*frozen.recused.items(), *frozen.incompatible.items()]
    return sorted(pairs, key=lambda pair: "~".join(pair[0]))


def _open_recusals(frozen: Frozen) -> ListFile:
    rows = tuple(
        canonical({"detail": {"ground": ground}, "id": f"{a}~{b}"})
        for (a, b), ground in recusal_pairs(frozen)
    )
    return ListFile("recusals", rows, ())


Hidden = Iterator[tuple[str, bytes, bytes | None]]
"""Row id, canonical hidden content, canonical detail."""


def _hidden_frame(frozen: Frozen) -> Hidden:
    strata = [canonical(dict(profile)) for profile in frozen.profiles]
    no_days = canonical([])
    quoted = {district: canonical(district) for district in set(frozen.districts)}
    for i, closed, district, profile in zip(
        frozen.ids, frozen.closed, frozen.districts, frozen.profile.tolist(), strict=True
    ):
        days = canonical(list(closed)) if closed else no_days
        yield i, b'{"closed":%b,"district":%b,"strata":%b}' % (days, quoted[district], strata[profile]), None


def _hidden_roster(frozen: Frozen) -> Hidden:
    for i, person, detail in _roster_detail(frozen):
        yield i, canonical({"person": person}), canonical(detail)


def _hidden_recusals(frozen: Frozen) -> Hidden:
    pairs = recusal_pairs(frozen)
    for i, ((a, b), ground) in zip(numbered("r", len(pairs), 6), pairs, strict=True):
        yield i, canonical({"ground": ground, "pair": [a, b]}), None


def strata_in_order(frozen: Frozen) -> list[tuple[str, Stratum]]:
    """Return (task, stratum) of all strata, the order of the sealed lists ``strata`` and ``cutoffs``."""
    return [(task, stratum) for task in sorted(frozen.strata) for stratum in frozen.strata[task]]


def _hidden_strata(frozen: Frozen) -> Hidden:
    rows = strata_in_order(frozen)
    for i, (task, stratum) in zip(numbered("s", len(rows), 4), rows, strict=True):
        yield i, canonical({**stratum_document(stratum), "task": task}), None


def _sealed_list(name: str, hidden: Hidden, draw: str, secret: bytes, digest: Digest) -> ListFile:
    rows, openings = [], []
    for row_id, content, detail in hidden:
        row, opening = sealed_row(name, row_id, content, secret, draw, digest, detail)
        rows.append(row)
        openings.append(opening)
    return ListFile(name, tuple(rows), tuple(openings))


def ratio(value: Fraction | int) -> str:
    """Return a ratio in the protocol's form, ``p/q`` in lowest terms."""
    value = Fraction(value)
    return f"{value.numerator}/{value.denominator}"


def instant(time: datetime) -> str:
    """Return an instant in the protocol's form (UTC, whole seconds)."""
    return time.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def stratum_document(stratum: Stratum) -> dict[str, Any]:
    """Return a stratum as it stands in documents."""
    return {
        "expected": ratio(stratum.expected),
        "group": stratum.group,
        "id": stratum.id,
        "size": stratum.size,
    }


@dataclass(frozen=True, slots=True)
class SignedContribution:
    """A party's commitment with its Ed25519 key and signature (both base64)."""

    party: str
    key: str
    commitment: str
    signature: str


def build_announcement(
    plan: Plan,
    libraries: Libraries,
    frozen: Frozen,
    days: Sequence[date],
    lists: Mapping[str, Mapping[str, Any]],
    contributions: Sequence[SignedContribution],
    auditor: Mapping[str, str] | None,
    voids: Sequence[str],
) -> dict[str, Any]:
    """Return ``announcement.json`` as a value. ``lists``: name → commitment."""
    is_open = plan.disclosure == "open"
    items = {item.id: item for item in libraries.items}
    departments = sorted({task.department for task in plan.tasks})
    seats = {department.id: department.seats for department in plan.departments}
    tasks = sorted(plan.tasks, key=lambda task: task.id)
    return {
        "type": "dualrandom/v1/announcement",
        "draw": frozen.draw,
        "plan": plan.id,
        "authority": plan.authority,
        "timezone": plan.timezone,
        "suite": plan.suite,
        "disclosure": plan.disclosure,
        "enterprise_ids": plan.enterprise_ids,
        "auditor": None if is_open else auditor,
        "beacon": {
            "kind": plan.beacon.kind,
            "round": plan.beacon.round,
            "source": plan.beacon.source,
            "time": instant(plan.beacon.time),
        },
        "contributions": [
            {"commitment": c.commitment, "key": c.key, "party": c.party, "signature": c.signature}
            for c in sorted(contributions, key=lambda c: c.party)
        ],
        "period": {"end": plan.period[1].isoformat(), "start": plan.period[0].isoformat()},
        "days": [day.isoformat() for day in days],
        "deadlines": {
            "findings": instant(plan.deadlines.findings),
            "result": instant(plan.deadlines.result),
            "reveal": instant(plan.deadlines.reveal),
        },
        "lists": dict(lists),
        "crews": [
            {"department": department, "seats": [sorted(marks) for marks in seats[department]]}
            for department in departments
        ],
        "tasks": [_task_document(task, items, frozen, is_open) for task in tasks],
        "profiles": [
            {"id": name, "strata": dict(profile)}
            for name, profile in zip(profile_ids(frozen), frozen.profiles, strict=True)
        ]
        if is_open
        else None,
        "policy": {
            "calendar": plan.calendar,
            "cross_district": plan.cross_district,
            "embargo": plan.embargo,
            "relief": [dict(step) for step in plan.relief],
            "substitution": plan.substitution,
            "undated": plan.undated,
            "visit_limit": None if plan.visit_limit is None else _limit_document(plan.visit_limit),
        },
        "rates": [
            _rates_document(task.id, frozen.strata[task.id], is_open) for task in tasks if task.mode == "own"
        ],
        "software": {"name": "dualrandom", "version": __version__},
        "voids": sorted(voids),
    }


def _task_document(task: Task, items: Mapping[str, Item], frozen: Frozen, is_open: bool) -> dict[str, Any]:
    own = task.mode == "own"
    strata = frozen.strata.get(task.id, ())
    return {
        "control": task.control,
        "department": task.department,
        "id": task.id,
        "items": [
            {"hours": ratio(items[i].hours), "id": i, "marks": sorted(items[i].marks)}
            for i in sorted(task.items)
        ],
        "lead": task.lead,
        "mode": task.mode,
        "strata": [stratum_document(stratum) for stratum in strata] if own and is_open else None,
        "total": ratio(sum((stratum.expected for stratum in strata), Fraction(0))) if own else None,
    }


def _limit_document(limit: VisitLimit) -> dict[str, Any]:
    return {
        "checks": limit.checks,
        "departments": limit.departments,
        "hours": None if limit.hours is None else ratio(limit.hours),
    }


def _rates_document(task: str, strata: Sequence[Stratum], is_open: bool) -> dict[str, Any]:
    rates = [stratum.expected / stratum.size for stratum in strata if stratum.size]
    small = [s.id for s in strata if 0 < s.size < 5 and s.expected in (0, s.size)]
    return {
        "greatest": ratio(max(rates, default=Fraction(0))),
        "least": ratio(min(rates, default=Fraction(0))),
        "small": sorted(small) if is_open else len(small),
        "task": task,
    }

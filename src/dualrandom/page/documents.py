"""The published documents of one draw, parsed and joined for reading (docs/protocol.md §2, 3, 9, 10).

Nothing is verified here: :mod:`dualrandom.verify` does that, and the page says how. What is missing (before the
draw, under an embargo, after a void) is ``None`` or empty.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from dualrandom.canonical import parse_canonical
from dualrandom.changes import WITHDRAWALS, Counts, alarms, counts_of, effective_visits
from dualrandom.errors import DualRandomError
from dualrandom.hashing import hash_hex, suite_digest
from dualrandom.page.markup import Both


@dataclass(frozen=True, slots=True)
class Crew:
    """One department's crew: inspectors in seat order, and how many of its inspectors were barred."""

    department: str
    seats: tuple[str, ...]
    barred: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Visit:
    """One visit as far as it is visible. ``crews``: ``None`` under an embargo, else one a department."""

    enterprise: str
    part: int
    district: str
    date: str | None
    checks: tuple[tuple[str, tuple[str, ...]], ...]
    """(task, items), ascending by task."""
    crews: tuple[Crew, ...] | None

    @property
    def undated(self) -> bool:
        """Whether the draw found no day for it; an embargoed visit has one that is not shown yet."""
        return self.crews is not None and self.date is None


@dataclass(frozen=True, slots=True)
class Finding:
    """The latest revision of one check's finding, and the codes and reasons that it replaced."""

    code: str
    date: str
    method: str
    revision: int
    reason: str | None
    earlier: tuple[str, ...]


CheckKey = tuple[str, int, str, str]
"""(enterprise, part, task, item)."""


@dataclass(frozen=True)
class Documents:
    """All documents that are there; ``files`` are the published ones by name."""

    announcement: Mapping[str, Any]
    digest: str
    """Of the announcement's bytes, in hex."""
    labels: Mapping[str, Any]
    beacon: Mapping[str, Any] | None
    seed_text: str | None
    result: Mapping[str, Any] | None
    statistics: Mapping[str, Any] | None
    void: Mapping[str, Any] | None
    visits: tuple[Visit, ...]
    hidden_visits: int
    """Visits of an embargo ``visits`` that are not opened yet; 0 otherwise."""
    findings: Mapping[CheckKey, Finding]
    recorded: bool
    """Whether findings have been published at all."""
    changes: tuple[Mapping[str, Any], ...]
    """Rows of ``changes.jsonl``; ``visits`` takes account of them."""
    counts: Counts
    """Of ``changes``."""
    alarms: tuple[tuple[str, str], ...]
    """What was changed unusually often, in Chinese and English."""
    files: Mapping[str, int | None]
    """Sizes in bytes; ``None`` for a committed list that is published but was not handed in."""

    @property
    def draw(self) -> str:
        """The id of the draw."""
        return str(self.announcement["draw"])

    @property
    def sealed(self) -> bool:
        """Whether quotas and classes stay with the auditor."""
        return bool(self.announcement["disclosure"] == "sealed")

    @property
    def embargo(self) -> str:
        """``none``, ``crews`` or ``visits``."""
        return str(self.announcement["policy"]["embargo"])

    @property
    def tasks(self) -> Mapping[str, Mapping[str, Any]]:
        """Tasks by id, as announced."""
        return {task["id"]: task for task in self.announcement["tasks"]}

    def withdrawal_of(self, department: str) -> Both | None:
        """Return why a department withdrew, None if it did not."""
        for row in self.changes:
            if row["type"] == "withdraw" and row["department"] == department:
                reason = WITHDRAWALS.get(row["reason"])
                return Both(row["reason"], row["reason"]) if reason is None else Both(reason.zh, reason.en)
        return None

    def name(self, kind: str, identifier: str) -> Both:
        """Return the label of an id (kind: a map of ``labels.json``), or the id itself."""
        label = self.labels.get(kind, {}).get(identifier)
        return (
            Both(label["zh"] or identifier, label["en"] or identifier)
            if label
            else Both(identifier, identifier)
        )

    def has_name(self, kind: str, identifier: str) -> bool:
        """Whether ``labels.json`` says more than the id."""
        return identifier in self.labels.get(kind, {})

    @property
    def authority(self) -> Both:
        """Who draws."""
        label = self.labels.get("authority")
        own = str(self.announcement["authority"])
        return Both(label["zh"] or own, label["en"] or own) if label else Both(own, own)


def read_documents(files: Mapping[str, bytes]) -> Documents:
    """Parse what is in ``files`` (names relative to the folder of the draw).

    Raises :class:`DualRandomError` ``no-announcement`` without ``announcement.json``, ``not-canonical`` for damaged
    bytes.
    """
    if "announcement.json" not in files:
        raise DualRandomError(
            code="no-announcement",
            value="announcement.json",
            message={
                "zh": "没有抽取公告，无法生成页面",
                "en": "there is no announcement to make a page from",
            },
            remedy={"zh": "请先运行 dualrandom announce。", "en": "Run dualrandom announce first."},
        )
    announcement = parse_canonical(files["announcement.json"], "announcement.json")
    result = _document(files, "result.json")
    opened = dict(_opened_rows(files))
    changes = _rows(files, "changes.jsonl")
    drawn = _drawn(result, opened)
    visits = tuple(_visit(visit) for visit in effective_visits({"visits": drawn}, changes))
    staffed = [visit for visit in drawn if "crews" in visit]
    findings = _document(files, "findings.json")
    labels = _named_by(changes, _document(files, "labels.json") or {})
    hidden = 0
    if result is not None and result["visits"] is None:
        hidden = result["totals"]["visits"] - len(visits)
    seed_text = files.get("seed.txt")
    return Documents(
        announcement=announcement,
        digest=hash_hex(files["announcement.json"], suite_digest(announcement["suite"])),
        labels=labels,
        beacon=_document(files, "beacon.json"),
        seed_text=None if seed_text is None else seed_text.decode("utf-8", "replace"),
        result=result,
        statistics=_document(files, "statistics.json"),
        void=_document(files, "void.json"),
        visits=visits,
        hidden_visits=hidden,
        findings=_latest(findings["findings"]) if findings else {},
        recorded=findings is not None,
        changes=changes,
        counts=counts_of({"visits": staffed}, changes),
        alarms=alarms({"visits": staffed}, changes) if changes else (),
        files=_published(files, announcement),
    )


def _published(files: Mapping[str, bytes], announcement: Mapping[str, Any]) -> dict[str, int | None]:
    sizes: dict[str, int | None] = {f"{name}.jsonl": None for name in announcement["lists"]}
    sizes.update({name: len(data) for name, data in files.items() if name != "index.html"})
    return dict(sorted(sizes.items(), key=lambda entry: ("/" in entry[0], entry[0])))


def frame_profile(files: Mapping[str, bytes], enterprise: str) -> str | None:
    """Return the profile of one enterprise in an open frame, without parsing the whole list."""
    wanted = json.dumps(enterprise, ensure_ascii=False).encode()
    for line in files.get("frame.jsonl", b"").split(b"\n"):
        if wanted in line:
            found = json.loads(line)
            if found["id"] == enterprise and "detail" in found:
                return str(found["detail"]["profile"])
    return None


def _document(files: Mapping[str, bytes], name: str) -> dict[str, Any] | None:
    if name not in files:
        return None
    parsed: dict[str, Any] = parse_canonical(files[name], name)
    return parsed


def _rows(files: Mapping[str, bytes], name: str) -> tuple[dict[str, Any], ...]:
    return tuple(parse_canonical(line, name) for line in files.get(name, b"").splitlines())


def _named_by(changes: Sequence[Mapping[str, Any]], labels: dict[str, Any]) -> dict[str, Any]:
    """Return the labels with the names that substitutes bring."""
    names = {key: name for row in changes for key, name in row.get("names", {}).items()}
    return {**labels, "enterprises": {**labels.get("enterprises", {}), **names}} if names else labels


def _opened_rows(files: Mapping[str, bytes]) -> Iterator[tuple[tuple[str, int], dict[str, Any]]]:
    """Whole visits that openings have uncovered; the rows ``prices`` and ``selection`` are for verifiers."""
    for line in files.get("openings.jsonl", b"").splitlines():
        opening = parse_canonical(line, "openings.jsonl")
        if opening["list"] == "visits" and isinstance(opening["hidden"], dict):
            visit = opening["hidden"]
            yield (visit["enterprise"], visit["part"]), visit


def _drawn(
    result: Mapping[str, Any] | None, opened: Mapping[tuple[str, int], dict[str, Any]]
) -> list[dict[str, Any]]:
    """Return the result's visits as far as they are visible."""
    if result is None:
        return []
    known = {(visit["enterprise"], visit["part"]): visit for visit in result["visits"] or ()}
    known.update(opened)
    return [known[key] for key in sorted(known)]


def _visit(visit: Mapping[str, Any]) -> Visit:
    crews = None
    if "crews" in visit:
        crews = tuple(Crew(c["department"], tuple(c["seats"]), tuple(c["barred"])) for c in visit["crews"])
    return Visit(
        enterprise=visit["enterprise"],
        part=visit["part"],
        district=visit["district"],
        date=visit.get("date"),
        checks=tuple((check["task"], tuple(check["items"])) for check in visit["checks"]),
        crews=crews,
    )


def _latest(findings: list[dict[str, Any]]) -> dict[CheckKey, Finding]:
    latest: dict[CheckKey, Finding] = {}
    for entry in findings:
        key = (entry["enterprise"], entry["part"], entry["task"], entry["item"])
        before = latest.get(key)
        latest[key] = Finding(
            code=entry["code"],
            date=entry["date"],
            method=entry["method"],
            revision=entry["revision"],
            reason=entry["reason"],
            earlier=(*before.earlier, before.code) if before else (),
        )
    return latest

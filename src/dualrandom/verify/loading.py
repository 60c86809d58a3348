"""From files to a typed record: parses every document and list, and notes under `canonical` what does not parse."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TypeVar

from dualrandom.verify import attestation, figures, lists, published, result, seed_beacon
from dualrandom.verify.announcement import NAME as ANNOUNCEMENT
from dualrandom.verify.announcement import Announcement, Stratum, parse_announcement
from dualrandom.verify.folder import AuditorFiles
from dualrandom.verify.lists import Frame, Inspector, ListFile, Openings, Recusals
from dualrandom.verify.report import CHECK_NAMES, Fault, Verdict
from dualrandom.verify.result import Prices, Result, Selection, Tie, Visit
from dualrandom.verify.rules import Strata

T = TypeVar("T")

DOCUMENTS = frozenset(
    {
        ANNOUNCEMENT, "beacon.json", "result.json", "ties.json", "statistics.json", "labels.json", "findings.json",
        "void.json", "frame.jsonl", "roster.jsonl", "recusals.jsonl", "strata.jsonl", "cutoffs.jsonl", "visits.jsonl",
        "openings.jsonl", "changes.jsonl", "attest.json",
    }
)  # fmt: skip
"""Names that this protocol gives a meaning; any other .json or .jsonl file beside them is refused."""


@dataclass(slots=True)
class Record:
    """What a folder holds, parsed. None means absent, broken or hidden; ``broken`` names what does not parse."""

    files: Mapping[str, bytes]
    auditor: AuditorFiles | None
    verdicts: dict[str, Verdict] = field(
        default_factory=lambda: {name: Verdict(name) for name in CHECK_NAMES}
    )
    broken: set[str] = field(default_factory=set)
    announcement: Announcement | None = None
    references_hold: bool = False
    beacon: published.Beacon | None = None
    statement: seed_beacon.SeedStatement | None = None
    result: Result | None = None
    void: published.Void | None = None
    findings: published.Findings | None = None
    labels: published.Labels | None = None
    statistics: figures.Statistics | None = None
    ties: tuple[Tie, ...] | None = None
    ties_digest: str = ""
    attest: attestation.Attest | None = None
    """The auditor's attestation; once the check `signatures` is made, None unless it stands."""
    listed: dict[str, ListFile] = field(default_factory=dict)
    openings: dict[str, list[Openings]] = field(default_factory=dict)
    """list → openings of it, from the auditor and from openings.jsonl"""
    in_public: Mapping[str, Openings] = field(default_factory=dict)
    """list → openings of it in openings.jsonl, which everybody sees"""
    frame: Frame | None = None
    frame_fault: Fault | None = None
    roster: dict[str, Inspector] | None = None
    pairs: list[tuple[str, str]] | None = None
    """The recusals' pairs in row order."""
    recusals: Recusals | None = None
    strata: Strata | None = None
    strata_cells: list[tuple[str, Stratum]] | None = None
    """Sealed: (task, stratum) in the order of the strata list."""
    persons: list[str] | None = None
    cutoffs: list[tuple[int, tuple[str, ...]]] | None = None
    opened: tuple[Visit, ...] = ()
    """Embargoed visits that were opened; all of them once the result is complete."""
    opened_in_public: tuple[Visit, ...] = ()
    """Those of them that openings.jsonl opens."""

    def openly_complete(self) -> bool:
        """Say whether everybody sees the whole result: no row of the embargoed list is without its opening in openings.jsonl."""
        if self.result is None or self.result.embargoed is None:
            return True
        listed, opened = self.listed.get("visits"), self.in_public.get("visits")
        return listed is not None and opened is not None and set(listed.ids) <= set(opened.ids)

    def parse(self, name: str, read: Callable[[bytes], T], check: str = "canonical") -> T | None:
        """Return the parsed document, or None if it is absent or does not parse; the fault is one of ``check``."""
        data = self.files.get(name)
        return None if data is None else self.parse_bytes(name, data, read, check)

    def parse_bytes(
        self, name: str, data: bytes, read: Callable[[bytes], T], check: str = "canonical"
    ) -> T | None:
        """Return the parsed bytes, or None if they do not parse; the fault is one of ``check``."""
        try:
            return read(data)
        except Fault as fault:
            self.verdicts[check].fail(fault.zh, fault.en)
            self.broken.add(name)
            return None


def load_documents(record: Record) -> None:
    """Parse all single documents."""
    canonical = record.verdicts["canonical"]
    for name in sorted(record.files):
        if name not in DOCUMENTS and "/" not in name and name.endswith((".json", ".jsonl")):
            canonical.fail(f"{name[:80]} 不是本协议的文件", f"{name[:80]} is no document of this protocol")
    if ANNOUNCEMENT not in record.files:
        canonical.fail(f"缺少 {ANNOUNCEMENT}", f"{ANNOUNCEMENT} is missing")
    announcement = record.announcement = record.parse(ANNOUNCEMENT, parse_announcement)
    record.beacon = record.parse("beacon.json", published.parse_beacon)
    record.void = record.parse("void.json", published.parse_void)
    record.findings = record.parse("findings.json", published.parse_findings)
    record.labels = record.parse("labels.json", published.parse_labels)
    record.statistics = record.parse("statistics.json", figures.parse_statistics)
    record.attest = record.parse(attestation.NAME, attestation.parse_attest)
    ties = record.parse("ties.json", result.parse_ties)
    if ties is not None:
        record.ties_digest, record.ties = ties
    if announcement is not None:
        record.statement = record.parse(
            "seed.txt", lambda data: seed_beacon.parse_seed(data, announcement), "seed"
        )
        record.result = record.parse("result.json", lambda data: result.parse_result(data, announcement))


def load_lists(record: Record, announcement: Announcement) -> None:
    """Parse the lists and whatever openings there are."""
    for name in ("frame", "recusals", "strata", "cutoffs", "visits"):
        if name in ("frame", "recusals") and not announcement.sealed:
            continue
        found = record.parse(f"{name}.jsonl", lambda data, name=name: lists.read_sealed(data, name))  # type: ignore[misc]
        if found is not None:
            record.listed[name] = found
    roster = record.parse("roster.jsonl", lambda data: lists.read_roster(data, announcement))
    if roster is not None:
        record.listed["roster"], record.roster = roster
    if not announcement.sealed:
        _load_open_lists(record, announcement)
        record.strata = {
            task.id: task.strata or () for task in announcement.tasks.values() if task.mode == "own"
        }
    opened = record.parse("openings.jsonl", lambda data: lists.read_openings(data, "openings.jsonl"))
    record.in_public = opened or {}
    for name, openings in record.in_public.items():
        record.openings.setdefault(name, []).append(openings)
    if record.auditor is not None:
        _load_auditor(record, announcement, record.auditor.openings)
    if record.pairs is not None:
        record.recusals = _recusals(record.pairs, record.roster or {})
    if record.result is not None and record.result.embargoed is not None:
        record.parse_bytes("openings.jsonl", b"", lambda _: _lift_embargo(record, announcement))


def _load_open_lists(record: Record, announcement: Announcement) -> None:
    frame = record.parse("frame.jsonl", lambda data: lists.read_open_frame(data, announcement))
    if frame is not None:
        record.listed["frame"] = frame[0]
        if isinstance(frame[1], Fault):
            record.frame_fault = frame[1]
        else:
            record.frame = frame[1]
    recusals = record.parse("recusals.jsonl", lists.read_open_recusals)
    if recusals is not None:
        record.listed["recusals"], record.pairs = recusals


def _load_auditor(record: Record, announcement: Announcement, openings: Mapping[str, bytes]) -> None:
    for name, data in openings.items():
        file_name = f"openings/{name}.jsonl"
        if name == "frame" and announcement.sealed:
            frame = record.parse_bytes(
                file_name, data, lambda data: lists.read_frame_openings(data, announcement)
            )
            if frame is not None:
                record.openings.setdefault("frame", []).append(frame[0])
                record.frame = frame[1]
            continue
        found = record.parse_bytes(
            file_name,
            data,
            lambda data, file_name=file_name: lists.read_openings(data, file_name),  # type: ignore[misc]
        )
        for other, opened in (found or {}).items():
            record.openings.setdefault(other, []).append(opened)
    if not announcement.sealed:
        return
    record.pairs = _read_hidden(record, "recusals", lists.read_hidden_pair)
    record.persons = _read_hidden(record, "roster", lists.read_hidden_person)
    record.cutoffs = _read_hidden(record, "cutoffs", lists.read_hidden_cutoff)
    record.strata_cells = _read_hidden(record, "strata", lists.read_hidden_stratum)
    if record.strata_cells is not None:
        strata: dict[str, tuple[Stratum, ...]] = {}
        for task, stratum in record.strata_cells:
            strata[task] = (*strata.get(task, ()), stratum)
        record.strata = strata


def _read_hidden(record: Record, name: str, read: Callable[[object, str], T]) -> list[T] | None:
    """Return the hidden contents of all rows of a list in row order, or None unless all are open."""
    openings = record.openings.get(name)
    listed = record.listed.get(name)
    if listed is not None and not listed.ids:
        return []
    if not openings or listed is None or list(openings[-1].ids) != list(listed.ids):
        return None
    values = openings[-1].values
    places = [f"openings/{name}.jsonl: {key}" for key in listed.ids]
    return record.parse_bytes(
        f"openings/{name}.jsonl",
        b"",
        lambda _: [read(value, place) for value, place in zip(values, places, strict=True)],
    )


def _recusals(pairs: Sequence[tuple[str, str]], roster: Mapping[str, Inspector]) -> Recusals:
    colleagues: dict[str, set[str]] = {}
    enterprise = set()
    for first, second in pairs:
        if first in roster and second in roster:
            colleagues.setdefault(first, set()).add(second)
            colleagues.setdefault(second, set()).add(first)
        else:
            enterprise.add((first, second))
    return Recusals(
        frozenset(enterprise), {inspector: frozenset(others) for inspector, others in colleagues.items()}
    )


def _lift_embargo(record: Record, announcement: Announcement) -> None:
    """Put what openings show in the place of what the embargo hides, where all of it is open."""
    drawn = record.result
    listed = record.listed.get("visits")
    assert drawn is not None
    if listed is None:
        return
    values = {
        key: value
        for openings in record.openings.get("visits", ())
        for key, value in zip(openings.ids, openings.values, strict=True)
    }
    keys = [key for key in listed.ids if key not in ("prices", "selection")]
    opened = {
        i: result.read_visit(values[key], f"opening {key}", hidden=False)
        for i, key in enumerate(keys)
        if key in values
    }
    record.opened = tuple(opened.values())
    in_public = frozenset(record.in_public["visits"].ids if "visits" in record.in_public else ())
    record.opened_in_public = tuple(visit for i, visit in opened.items() if keys[i] in in_public)
    if drawn.visits is not None:
        shown = dict(enumerate(drawn.visits))
        for i, visit in opened.items():
            if shown.get(i) != replace(visit, date=None, crews=None):
                record.verdicts["result"].fail(
                    f"已启封的检查 {visit.name} 与公开的不同",
                    f"the opened visit {visit.name} is not the one that was published",
                )
    if any(key not in values for key in listed.ids) or "prices" not in values:
        return
    visits = result.read_visits([values[key] for key in keys], "openings", hidden=False)
    prices: Prices = result.read_prices(values["prices"], "opening prices")
    selection: Mapping[str, Selection] | None = drawn.selection
    if selection is None:
        if "selection" not in values:
            return
        selection = result.read_selections(values["selection"], "opening selection", announcement)
    record.result = replace(drawn, visits=visits, prices=prices, selection=selection)

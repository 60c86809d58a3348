"""Findings: entered, published in the record, disputed, corrected, their words removed without breaking a proof."""

import csv
import hashlib
import io
import json
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select, text
from sqlmodel import col

from dualrandom.campaign import record_findings
from dualrandom.errors import InputError
from dualrandom.store import activity, publishing
from dualrandom.store.activity import Actor
from dualrandom.store.attachments import attach, attachment_of
from dualrandom.store.database import StaleError
from dualrandom.store.errors import ConflictError, UnknownError
from dualrandom.store.findings import (
    Entry,
    dispute,
    enter,
    finding_of,
    list_findings,
    opened,
    remove_text,
    text_of,
)
from dualrandom.store.fsck import database_faults
from dualrandom.store.ledger import LedgerFilter, list_ledger
from dualrandom.store.publishing import ask_publication, enter_sheet, publish
from dualrandom.store.referrals import change_referral, feedback, list_referrals, refer, referral_of
from dualrandom.store.tables import Activity, DrawRow, FindingText, Job, Referral, Visit
from dualrandom.store.visit_lists import VisitFilter, VisitView, list_visits, visit_of
from dualrandom.verify import read_auditor, read_public, verify_record

DISPATCHER = Actor("user:dispatcher", "dispatcher")
AFTER = datetime.fromisoformat("2023-10-02T02:00:00+00:00")


def of(department: str) -> Actor:
    return Actor(f"user:{department}", "department", department)


def views(drawn: Any, actor: Actor = DISPATCHER) -> list[VisitView]:
    with drawn.database.reading() as session:
        return list_visits(session, actor, VisitFilter(draw=drawn.draw), limit=500)[0]


def clean(view: VisitView, code: str = "1", **more: Any) -> list[Entry]:
    assert view.visit.date is not None
    return [
        Entry(one.check.task, item, code, "on-site", view.visit.date, **more)
        for one in view.checks
        for item in one.check.items
    ]


def verified(drawn: Any, folder: Path) -> Path:
    """Hold the published record against the protocol, as anybody and as the auditor."""
    laid: Path = drawn.folder(folder)
    for auditor in (None, read_auditor(laid)):
        report = verify_record(read_public(laid / "public"), auditor)
        assert [(c.name, c.reason_en) for c in report.checks if c.status == "FAIL"] == []
        assert report.status("findings") == "PASS"
    return laid


def test_every_fault_of_every_entry_is_told_at_once(drawn: Any) -> None:
    view = views(drawn, of("amr"))[0]
    day = view.visit.date
    assert day is not None
    task = view.checks[0].check.task
    wrong = [
        Entry(task, "publicity-of-nothing", "Z", "by-ear", day - timedelta(days=1), attachments=("0" * 64,)),
        Entry("joint-food-fire", "fire-safety", "1", "on-site", day),
        Entry(task, view.checks[0].check.items[0], "1", "on-site", date(2030, 1, 1)),
    ]
    with drawn.database.writing() as session, pytest.raises(InputError) as told:
        enter(session, view.visit.id or 0, wrong, actor=of("amr"), now=AFTER)
    assert [(fault.row, fault.column, fault.code) for fault in told.value.problems] == [
        (1, "code", "finding-code"),
        (1, "method", "finding-method"),
        (1, "attachments", "finding-attachment"),
        (1, "item", "finding-item"),
        (1, "found_on", "finding-early"),
        (2, "task", "finding-task"),
        (3, "found_on", "finding-in-future"),
    ]
    with drawn.database.reading() as session:
        assert list_findings(session, DISPATCHER)[0] == []


def test_findings_are_published_corrected_and_removed_and_the_record_stays_provable(
    drawn: Any, tmp_path: Path
) -> None:
    amr = of("amr")
    view = views(drawn, amr)[0]
    number = view.visit.id or 0
    with drawn.database.writing() as session:
        photograph = attach(
            session, drawn.vault, "photo.jpg", "image/jpeg", b"\xff\xd8photo", actor=amr, now=AFTER
        )
        entries = clean(view, "2", text="过期食品三袋\n已封存", attachments=(photograph.sha256,))
        assert len(enter(session, number, entries, actor=amr, now=AFTER)) == len(entries)
        assert enter(session, number, entries, actor=amr, now=AFTER) == []
        ask_publication(session, drawn.draw, department="amr", actor=amr, now=AFTER)
    assert len(drawn.do(AFTER, "findings")) == 1
    laid = verified(drawn, tmp_path / "first")
    published = json.loads((laid / "public/findings.json").read_bytes())["findings"]
    assert [(row["item"], row["code"], row["revision"]) for row in published] == sorted(
        (entry.item, "2", 1) for entry in entries
    )
    assert "过期食品" not in "".join(path.read_text("utf-8") for path in (laid / "public").rglob("*.json*"))

    with drawn.database.writing() as session:
        found = list_findings(session, amr, visit=number)[0]
        first = found[0]
        assert first.finding.published_at == AFTER
        assert text_of(session, amr, first.finding.id or 0) == "过期食品三袋\n已封存"
        with pytest.raises(InputError, match="finding-differs"):
            enter(session, number, clean(view, "1"), actor=amr, now=AFTER)
        dispute(session, first.finding.id or 0, "当日未营业", actor=amr, now=AFTER)
    told = drawn.messages("dispute")
    assert "A finding is disputed" in told["department:amr"]
    assert {f"inspector:{code}" for code in first.check.crew} <= told.keys()
    with drawn.database.reading() as session:
        assert [row.finding.id for row in list_findings(session, amr, disputed=True)[0]] == [first.finding.id]

    with drawn.database.writing() as session:
        corrected = Entry(
            first.check.task, first.finding.item, "1", "on-site", first.finding.found_on, reason="复核后更正"
        )
        (second,) = enter(session, number, [corrected], actor=amr, now=AFTER)
        assert second.version == 2
        ask_publication(session, drawn.draw, department="amr", actor=amr, now=AFTER)
    drawn.do(AFTER, "findings")
    laid = verified(drawn, tmp_path / "second")
    published = json.loads((laid / "public/findings.json").read_bytes())["findings"]
    own = [row for row in published if row["item"] == first.finding.item]
    assert [(row["revision"], row["code"], row["reason"]) for row in own] == [
        (1, "2", None),
        (2, "1", "复核后更正"),
    ]

    before = read_public(laid / "public")
    assert database_faults(drawn.database, drawn.vault) == ()
    with drawn.database.writing() as session:
        remove_text(session, first.finding.id or 0, "（2023）云行终 1 号", actor=DISPATCHER, now=AFTER)
    laid = verified(drawn, tmp_path / "third")
    assert read_public(laid / "public") == before
    with drawn.database.reading() as session:
        with pytest.raises(UnknownError, match="finding-text-removed"):
            text_of(session, amr, first.finding.id or 0)
        with pytest.raises(UnknownError, match="finding-text-removed"):
            opened(session, amr, first.finding.id or 0)
        with pytest.raises(UnknownError, match="unknown-attachment"):
            attachment_of(session, drawn.vault, photograph.sha256, actor=amr)
        gone = finding_of(session, amr, first.finding.id or 0).finding
        assert (gone.salt, gone.digest) == ("", first.finding.digest)
        assert {f"inspector:{code}" for code in first.check.crew} <= drawn.messages("text-removed").keys()
        assert list(activity.faults(session)) == []


def by_hand(salt: str, hidden: dict[str, Any]) -> str:
    """The salted hash as the protocol's text has it, without a function of ours."""
    canonical = json.dumps(hidden, ensure_ascii=False, separators=(",", ":"), sort_keys=True)
    return hashlib.sha256(f"dualrandom/v1/sealed\n{salt}\n{canonical}".encode()).hexdigest()


def test_the_salted_hash_of_words_is_in_the_record_the_log_and_the_activity_log(
    drawn: Any, tmp_path: Path
) -> None:
    amr = of("amr")
    view = views(drawn, amr)[1]
    with drawn.database.writing() as session:
        # what is entered again before the publication is one revision with the last words
        enter(session, view.visit.id or 0, clean(view, text="一切正常"), actor=amr, now=AFTER)
        rows = enter(session, view.visit.id or 0, clean(view, text="正常\n无异议"), actor=amr, now=AFTER)
        ask_publication(session, drawn.draw, department="amr", actor=amr, now=AFTER)
    drawn.do(AFTER, "findings")
    row = rows[0]
    hidden = {
        "attachments": [],
        "code": "1",
        "date": row.found_on.isoformat(),
        "enterprise": view.visit.enterprise,
        "item": row.item,
        "method": "on-site",
        "part": view.visit.part,
        "task": view.checks[0].check.task,
        "text": "正常\n无异议",
        "version": 2,
    }
    assert row.digest == by_hand(row.salt, hidden)
    with drawn.database.reading() as session:
        shown = opened(session, amr, row.id or 0)
        assert (shown.hidden, shown.published) == (hidden, row.digest)
        assert by_hand(shown.salt, dict(shown.hidden)) == shown.digest
        with pytest.raises(UnknownError):
            opened(session, of("fire"), row.id or 0)
        details = session.scalars(
            select(col(Activity.detail)).where(col(Activity.action) == "publish-findings")
        )
        assert any(row.digest in detail["digests"] for detail in details)
    laid = verified(drawn, tmp_path / "laid")
    data = (laid / "public/findings.json").read_bytes()
    own = [
        each
        for each in json.loads(data)["findings"]
        if (each["enterprise"], each["item"]) == (view.visit.enterprise, row.item)
    ]
    assert [(each["sealed"], each["revision"]) for each in own] == [(row.digest, 1)]
    assert not (laid / "public/findings").exists()

    # other words alone are a further revision, with a reason and a hash of their own
    with drawn.database.writing() as session:
        other = clean(view, text="称重后更正", reason="复核")
        enter(session, view.visit.id or 0, other, actor=amr, now=AFTER)
        ask_publication(session, drawn.draw, department="amr", actor=amr, now=AFTER)
    drawn.do(AFTER, "findings")
    laid = verified(drawn, tmp_path / "again")
    again = [
        each
        for each in json.loads((laid / "public/findings.json").read_bytes())["findings"]
        if (each["enterprise"], each["item"]) == (view.visit.enterprise, row.item)
    ]
    assert [(each["revision"], each["reason"], each["code"]) for each in again] == [
        (1, None, "1"),
        (2, "复核", "1"),
    ]
    assert again[0] == own[0]
    assert again[1]["sealed"] != again[0]["sealed"]
    assert database_faults(drawn.database, drawn.vault) == ()


def test_a_finding_without_words_has_no_salted_hash_in_the_record(drawn: Any, tmp_path: Path) -> None:
    view = next(each for each in views(drawn, of("amr")) if not each.checks[0].entered)
    with drawn.database.writing() as session:
        rows = enter(session, view.visit.id or 0, clean(view), actor=of("amr"), now=AFTER)
        ask_publication(session, drawn.draw, department="amr", actor=of("amr"), now=AFTER)
    drawn.do(AFTER, "findings")
    laid = verified(drawn, tmp_path / "laid")
    own = [
        each
        for each in json.loads((laid / "public/findings.json").read_bytes())["findings"]
        if each["enterprise"] == view.visit.enterprise and each["task"] == view.checks[0].check.task
    ]
    assert own
    assert not any("sealed" in each for each in own)
    with drawn.database.writing() as session:
        # an order that finds nothing to remove changes nothing
        remove_text(session, rows[0].id or 0, "（2023）云行终 1 号", actor=DISPATCHER, now=AFTER)
        assert opened(session, of("amr"), rows[0].id or 0).published is None
    assert database_faults(drawn.database, drawn.vault) == ()


def test_words_that_were_changed_behind_the_service_are_found(drawn: Any) -> None:
    with drawn.database.writing() as session:
        words = session.scalars(select(FindingText).where(col(FindingText.removed_at).is_(None))).first()
        assert words is not None
        kept, words.text = words.text, "别的"
        session.add(words)
    assert {fault.code for fault in database_faults(drawn.database, drawn.vault)} == {"finding-changed"}
    with drawn.database.writing() as session:
        words.text = kept
        session.add(words)
    assert database_faults(drawn.database, drawn.vault) == ()


def test_a_sheet_is_taken_as_a_whole_with_its_notes_or_not_at_all(drawn: Any) -> None:
    health = of("health")
    view = views(drawn, health)[0]
    assert view.visit.date is not None

    def sheet(*rows: tuple[str, ...]) -> bytes:
        stream = io.StringIO(newline="")
        csv.writer(stream).writerows(
            [("enterprise", "part", "task", "item", "date", "method", "code", "备注"), *rows]
        )
        return stream.getvalue().encode()

    check = view.checks[0].check
    place = (view.visit.enterprise, str(view.visit.part), check.task)
    good = [(*place, item, view.visit.date.isoformat(), "on-site", "1", "卫生良好") for item in check.items]
    bad = (*place, "no-such-item", "1999-01-01", "by-ear", "Z", "")
    with drawn.database.writing() as session, pytest.raises(InputError) as told:
        enter_sheet(session, drawn.vault, drawn.draw, "a.csv", sheet(*good, bad), "", actor=health, now=AFTER)
    assert {fault.code for fault in told.value.problems} == {"finding-item", "finding-code", "finding-method"}
    foreign = views(drawn, of("urban"))[0]
    assert foreign.visit.date is not None
    urban = foreign.checks[0].check
    row = (foreign.visit.enterprise, str(foreign.visit.part), urban.task, urban.items[0])
    theirs = (*row, foreign.visit.date.isoformat(), "on-site", "1", "")
    with drawn.database.writing() as session, pytest.raises(InputError, match="finding-task"):
        enter_sheet(session, drawn.vault, drawn.draw, "a.csv", sheet(theirs), "", actor=health, now=AFTER)
    with drawn.database.writing() as session:
        added = enter_sheet(
            session, drawn.vault, drawn.draw, "a.csv", sheet(*good), "", actor=health, now=AFTER
        )
        assert added == len(good)
        found = list_findings(session, health, visit=view.visit.id)[0]
        assert text_of(session, health, found[0].finding.id or 0) == "卫生良好"


def test_two_who_enter_the_same_finding_at_once_both_count(drawn: Any) -> None:
    view = next(each for each in views(drawn, of("urban")) if not each.checks[0].entered)
    start = threading.Barrier(4)

    def enter_one(code: str) -> None:
        start.wait()
        with drawn.database.writing() as session:
            enter(session, view.visit.id or 0, clean(view, code), actor=of("urban"), now=AFTER)

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(enter_one, "1234"))
    with drawn.database.reading() as session:
        found = list_findings(session, of("urban"), visit=view.visit.id)[0]
    for place in {(row.check.task, row.finding.item) for row in found}:
        own = [row.finding for row in found if (row.check.task, row.finding.item) == place]
        assert [row.version for row in own] == [1, 2, 3, 4]
        assert sorted(row.code for row in own) == ["1", "2", "3", "4"]


def test_what_is_entered_anew_while_it_is_published_is_published_instead(
    own_town: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    town, urban = own_town, of("urban")
    view = views(town, urban)[0]

    def enter_as(code: str) -> None:
        with town.database.writing() as session:
            enter(session, view.visit.id or 0, clean(view, code), actor=urban, now=AFTER)

    def interrupted(*arguments: Any) -> Any:
        enter_as("3")
        return record_findings(*arguments)

    enter_as("1")
    with town.database.writing() as session:
        job = ask_publication(session, town.draw, department="urban", actor=urban, now=AFTER)
    monkeypatch.setattr(publishing, "record_findings", interrupted)
    with pytest.raises(StaleError):
        town.do(AFTER, "findings")
    monkeypatch.setattr(publishing, "record_findings", record_findings)
    # as the runner does
    with town.database.reading() as session:
        job = session.get_one(Job, job.id)
    publish(town.keeping, job, AFTER)
    with town.database.reading() as session:
        found = list_findings(session, urban, visit=view.visit.id, published=True)[0]
    assert {(row.finding.version, row.finding.code) for row in found} == {(2, "3")}


def test_a_violation_is_referred_once_and_comes_back_as_feedback(drawn: Any) -> None:
    fire = of("fire")
    view = views(drawn, fire)[0]
    with drawn.database.writing() as session:
        rows = enter(
            session, view.visit.id or 0, clean(view, "5", text="疏散通道堵塞"), actor=fire, now=AFTER
        )
        number = rows[0].id or 0
        with pytest.raises(ConflictError, match="not-a-violation"):
            refer(
                session,
                number,
                to_department="police",
                case_number=None,
                reinspect_on=None,
                actor=fire,
                now=AFTER,
            )
        ask_publication(session, drawn.draw, department="fire", actor=fire, now=AFTER)
    drawn.do(AFTER, "findings")
    with drawn.database.writing() as session:
        referral = refer(
            session,
            number,
            to_department="urban",
            case_number="案-1",
            reinspect_on=None,
            actor=fire,
            now=AFTER,
        )
        with pytest.raises(ConflictError, match="already-referred"):
            refer(
                session,
                number,
                to_department="urban",
                case_number=None,
                reinspect_on=None,
                actor=fire,
                now=AFTER,
            )
        changed = change_referral(
            session, referral.id or 0, 1, {"reinspect_on": date(2023, 10, 20)}, actor=fire, now=AFTER
        )
        assert changed.version == 2
    with drawn.database.reading() as session:
        # whoever is addressed sees the referral and its finding, others neither
        assert len(list_referrals(session, of("urban"))) == 1
        assert referral_of(session, of("urban"), referral.id or 0)[1].finding.code == "5"
        assert list_referrals(session, of("health")) == []
        with pytest.raises(UnknownError):
            referral_of(session, of("health"), referral.id or 0)
        rows_ = [row for row in feedback(session, fire, drawn.draw) if row[5] == rows[0].item]
    assert [(row[7], row[8], row[11], row[12], row[13]) for row in rows_] == [
        ("5", "违反其他部门法规", "urban", "案-1", date(2023, 10, 20))
    ]


def test_one_case_number_is_given_to_one_of_two_who_ask_at_once(drawn: Any) -> None:
    health = of("health")
    chosen = views(drawn, health)[-2:]
    with drawn.database.writing() as session:
        numbers = []
        for view in chosen:
            row = enter(session, view.visit.id or 0, clean(view), actor=health, now=AFTER)[0]
            referral = Referral(finding_id=row.id or 0, to_department="police", at=AFTER, by=health.name)
            session.add(referral)
            session.flush()
            numbers.append(referral.id or 0)
    told: list[str] = []

    def give(session: Any, number: int) -> None:
        change_referral(session, number, 1, {"case_number": "案-9"}, actor=health, now=AFTER)

    def other() -> None:
        try:
            with drawn.database.writing() as session:
                give(session, numbers[1])
        except ConflictError as error:
            told.append(error.code)

    thread = threading.Thread(target=other)
    with drawn.database.writing() as session:
        give(session, numbers[0])
        thread.start()
        # SQLite lets the other one not even begin
        while not drawn.database.is_sqlite and thread.is_alive():
            waits = text("SELECT count(*) FROM pg_locks WHERE NOT granted")
            with drawn.database.engine.connect() as watching:
                if watching.execute(waits).scalar_one():
                    break
    thread.join()
    assert told == ["case-number-taken"]


def test_published_findings_are_in_the_ledger_once_and_others_inspectors_are_not_shown(drawn: Any) -> None:
    with drawn.database.reading() as session:
        listed = [done for _, done in list_ledger(session, DISPATCHER, LedgerFilter(), limit=500)]
        every = [done for done in listed if not done.source.startswith("revision:")]
        own = [done for _, done in list_ledger(session, of("amr"), LedgerFilter(), limit=500)]
        rows = list_findings(session, DISPATCHER, published=True, limit=500)[0]
    assert {(d.source, d.task, d.item) for d in every} == {
        (f"visit:{row.visit.id}", row.check.task, row.finding.item) for row in rows
    }
    assert len(every) == len({(d.source, d.task, d.item) for d in every})
    assert all(done.inspectors for done in every)
    assert all((done.inspectors is not None) == (done.department == "amr") for done in own)


def test_what_others_found_is_not_to_be_seen(drawn: Any) -> None:
    with drawn.database.reading() as session:
        foreign = next(
            row
            for row in list_findings(session, DISPATCHER, limit=500)[0]
            if row.check.department_id == "amr"
        )
        assert all(
            row.check.department_id == "fire" for row in list_findings(session, of("fire"), limit=500)[0]
        )
        with pytest.raises(UnknownError, match="unknown-finding"):
            finding_of(session, of("fire"), foreign.finding.id or 0)


def test_a_draw_closes_by_itself_with_its_statistics_and_findings_can_still_be_corrected(
    drawn: Any, tmp_path: Path
) -> None:
    for view in views(drawn):
        with drawn.database.writing() as session:
            known = {
                (row.check.task, row.finding.item)
                for row in list_findings(session, DISPATCHER, visit=view.visit.id, limit=500)[0]
            }
            missing = [entry for entry in clean(view) if (entry.task, entry.item) not in known]
            if missing:
                enter(session, view.visit.id or 0, missing, actor=DISPATCHER, now=AFTER)
    with drawn.database.writing() as session:
        ask_publication(session, drawn.draw, department=None, actor=DISPATCHER, now=AFTER)
    done = drawn.do(AFTER, "findings", "close")
    assert [job.kind for job in done] == ["findings", "close"]
    with drawn.database.reading() as session:
        row = session.get_one(DrawRow, drawn.draw)
        assert row.state.value == "closed"
        closing = row.summary["closing"]
        published = list_findings(session, DISPATCHER, published=True, limit=500)[0]
        further = [each for each in published if (each.finding.revision or 0) > 1]
        assert closing["visits"]["done"] == len(session.scalars(select(Visit)).all())
    assert closing["visits"]["planned"] == 0
    assert closing["corrected"] == len(further) > 1
    assert closing["disputed"] == 0, "the correction settled the dispute"
    assert closing["violations"] == sum(closing["codes"].get(code, 0) for code in "23458ABCDE") > 0
    amr = of("amr")
    with drawn.database.writing() as session:
        found = next(row for row in list_findings(session, amr, limit=500)[0] if row.newest)
        corrected = Entry(
            found.check.task, found.finding.item, "E", "on-site", found.finding.found_on, reason="已责令改正"
        )
        enter(session, found.visit.id or 0, [corrected], actor=amr, now=AFTER)
        ask_publication(session, drawn.draw, department="amr", actor=amr, now=AFTER)
    drawn.do(AFTER)
    verified(drawn, tmp_path / "closed")
    with drawn.database.reading() as session:
        assert session.get_one(DrawRow, drawn.draw).state.value == "closed"
        assert visit_of(session, amr, found.visit.id or 0).visit.state == "done"


def test_nothing_of_all_this_damages_what_is_kept(drawn: Any) -> None:
    assert [(fault.code, fault.value) for fault in database_faults(drawn.database, drawn.vault)] == []

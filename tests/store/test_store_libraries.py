"""Importing libraries: all or nothing, a difference before acceptance, revisions that stay, a department's own rows only."""

import io
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import openpyxl
import pytest
from sqlalchemy import delete, func, select
from sqlmodel import Session, col

from dualrandom.errors import InputError
from dualrandom.store import accepting, imports, libraries, library_rows
from dualrandom.store.activity import Actor
from dualrandom.store.blobs import Vault
from dualrandom.store.database import Database, StaleError
from dualrandom.store.errors import ConflictError, ForbiddenError, RefusedError, UnknownError
from dualrandom.store.import_reading import import_now, read_import
from dualrandom.store.jobs import LeaseLostError, claim
from dualrandom.store.tables import Activity, Department, Import, Job, LibraryRow, Revision, StagedRow

NOW = datetime(2023, 8, 21, 1, 0, tzinfo=UTC)
DISPATCHER = Actor("user:dispatcher", "dispatcher")
AMR = Actor("user:amr", "department", "amr")
FIRE = Actor("user:fire", "department", "fire")
AUDITOR = Actor("user:auditor", "auditor")
SUPPORT = Actor("user:support", "support")

FIRMS = (
    "id,name,district,credit_class\n"
    "91420704000000000L,甲食品有限公司,420704,A\n"
    "91420704000000001P,乙食品有限公司,420703,D\n"
    "91420704000000002T,丙餐饮店,420704,C\n"
)
PEOPLE = "人员编号,姓名,部门,执法证号\np1,张三,市场监管局,L1\np2,李四,amr,L2\np3,王五,fire,L3\n"


@dataclass
class Desk:
    """An empty office with two departments; what an import leaves is taken away again."""

    database: Database
    vault: Vault

    def now(self, kind: Any, text: str | bytes, actor: Actor = DISPATCHER, name: str = "a.csv") -> Revision:
        content = text.encode() if isinstance(text, str) else text
        with self.database.writing() as session:
            return import_now(session, self.vault, kind, name, content, actor=actor, now=NOW)

    def upload(self, kind: Any, text: str | bytes, actor: Actor = DISPATCHER, **options: Any) -> Import:
        """Upload a file and let the job read it."""
        content = text.encode() if isinstance(text, str) else text
        with self.database.writing() as session:
            row, _ = imports.create_import(
                session, self.vault, kind, "a.csv", content, actor=actor, now=NOW, options=options
            )
        job = claim(self.database, "me", NOW, ["import"])
        assert job is not None
        read_import(self.database, self.vault, job, lambda: NOW)
        return self.read(row)

    def read(self, row: Import) -> Import:
        with self.database.reading() as session:
            return session.get_one(Import, row.id)

    def count(self, table: Any) -> int:
        with self.database.reading() as session:
            return session.scalars(select(func.count()).select_from(table)).one()

    @contextmanager
    def writing(self) -> Iterator[Session]:
        with self.database.writing() as session:
            yield session


@pytest.fixture
def desk(database: Database, vault: Vault) -> Iterator[Desk]:
    with database.writing() as session:
        for id_, name in (("amr", "市场监管局"), ("fire", "消防救援支队")):
            session.merge(Department(id=id_, name=name, name_en=id_, seats=[["leader"], []]))
    yield Desk(database, vault)
    with database.writing() as session:
        for table in (StagedRow, LibraryRow, Revision, Job, Import, Activity):
            session.execute(delete(table))


def test_an_import_waits_for_acceptance_and_then_is_the_next_revision(desk: Desk) -> None:
    row = desk.upload("enterprises", FIRMS)
    assert (row.state, row.rows, row.new, row.changed, row.gone, row.unchanged) == ("ready", 3, 3, 0, 0, 0)
    with desk.writing() as session:
        assert libraries.current_revisions(session) == {}
        revision = accepting.accept(session, row.id or 0, row.version, actor=DISPATCHER, now=NOW)
    assert (revision.number, revision.rows) == (1, 3)
    assert desk.read(row).state == "accepted"
    assert desk.count(StagedRow) == 0


def test_the_difference_names_new_changed_and_gone_rows_and_the_columns_that_changed(desk: Desk) -> None:
    desk.now("enterprises", FIRMS)
    changed = FIRMS.replace("420703,D", "420703,B").replace("91420704000000002T,丙餐饮店,420704,C\n", "")
    row = desk.upload("enterprises", changed + "91420704000000003X,丁超市,420704,A\n")
    assert (row.new, row.changed, row.gone, row.unchanged) == (1, 1, 1, 1)
    with desk.database.reading() as session:
        page = [change for _, change in imports.difference_page(session, row)]
        first, rest = (
            imports.difference_page(session, row, limit=1),
            imports.difference_page(session, row, after=1),
        )
        (gone,) = imports.difference_page(session, row, change="gone")
    assert {(each.change, each.key, each.columns) for each in page} == {
        ("new", "91420704000000003X", ("credit_class", "district", "id", "kind", "name")),
        ("changed", "91420704000000001P", ("credit_class",)),
        ("gone", "91420704000000002T", ("credit_class", "district", "id", "kind", "name")),
    }
    assert [change for _, change in (*first, *rest)] == page
    assert gone[1].before is not None
    assert gone[1].before["name"] == "丙餐饮店"
    with desk.writing() as session:
        accepting.accept(session, row.id or 0, row.version, actor=DISPATCHER, now=NOW)
    with desk.database.reading() as session:
        made = libraries.changes_of(session, "enterprises", 2, DISPATCHER)
        before = libraries.library_csv(session, "enterprises", 1).decode()
    assert {(each.change, each.key) for each in made} == {(each.change, each.key) for each in page}
    # the first revision can still be read as it was
    assert "丙餐饮店" in before
    assert "丁超市" not in before


def test_one_error_and_nothing_of_the_file_is_kept_but_its_problems(desk: Desk) -> None:
    row = desk.upload("enterprises", FIRMS.replace("91420704000000001P", "91420704000000001Q"))
    assert row.state == "refused"
    assert desk.count(StagedRow) == 0
    assert desk.count(LibraryRow) == 0
    assert [(found["code"], found["row"]) for found in row.problems] == [("uscc-check-digit", 3)]
    with desk.writing() as session, pytest.raises(ConflictError, match="import-not-ready"):
        accepting.accept(session, row.id or 0, row.version, actor=DISPATCHER, now=NOW)


def test_the_sheet_of_problems_marks_the_wrong_cells_of_the_wrong_rows(desk: Desk) -> None:
    row = desk.upload("enterprises", FIRMS.replace("91420704000000001P", "91420704000000001Q"))
    assert row.problem_sheet is not None
    with desk.database.reading() as session:
        book = openpyxl.load_workbook(io.BytesIO(desk.vault.get(session, row.problem_sheet)))
    marked, listed = book["标记 marked"], book["问题 problems"]
    assert [cell.value for cell in marked[2]] == [3, "91420704000000001Q", "乙食品有限公司", "420703", "D"]
    assert marked["B2"].fill.bgColor.rgb == "FFFFC7CE" or marked["B2"].fill.fgColor.rgb == "FFFFC7CE"
    assert marked["C2"].fill.fill_type is None
    assert "校验码" in marked["B2"].comment.text
    assert "check digit" in marked["B2"].comment.text
    assert marked.max_row == 2
    assert listed["J2"].value == "uscc-check-digit"


def test_a_file_that_cannot_be_read_at_all_is_refused_with_a_sheet(desk: Desk) -> None:
    row = desk.upload("enterprises", b"\x00\x01\x02")
    assert row.state == "refused"
    assert row.problem_count >= 1
    assert row.problem_sheet is not None


def test_gb18030_and_the_offices_own_words_are_understood(desk: Desk) -> None:
    desk.now("inspectors", PEOPLE.encode("gb18030"))
    with desk.database.reading() as session:
        rows = libraries.search(session, "inspectors", DISPATCHER, NOW)
    assert [(row.key, row.department) for row in rows] == [("p1", "amr"), ("p2", "amr"), ("p3", "fire")]


def test_a_department_that_the_office_does_not_have_is_an_error_with_a_hint(desk: Desk) -> None:
    row = desk.upload("inspectors", PEOPLE.replace("amr", "amt"))
    assert [(found["code"], found["value"], found["suggestion"]) for found in row.problems] == [
        ("department-unknown", "amt", "amr")
    ]


def test_columns_and_values_can_be_mapped(desk: Desk) -> None:
    text = "licence,Firm,Area,Risk\n91420704000000000L,甲,420704,high\n"
    row = desk.upload(
        "enterprises",
        text,
        columns={"id": "licence", "name": "Firm", "district": "Area", "credit_class": "Risk"},
        values={"credit_class": {"high": "D"}},
    )
    assert (row.state, row.new) == ("ready", 1)


def test_acceptance_on_top_of_a_change_that_came_in_between_is_refused(desk: Desk) -> None:
    desk.now("enterprises", FIRMS)
    row = desk.upload("enterprises", FIRMS.replace("甲食品", "甲甲食品"))
    desk.now("enterprises", FIRMS.replace("乙食品", "乙乙食品"))
    with desk.writing() as session, pytest.raises(ConflictError, match="import-base-changed"):
        accepting.accept(session, row.id or 0, row.version, actor=DISPATCHER, now=NOW)


def test_an_import_is_accepted_once(desk: Desk) -> None:
    row = desk.upload("enterprises", FIRMS)
    with desk.writing() as session:
        accepting.accept(session, row.id or 0, row.version, actor=DISPATCHER, now=NOW)
    with desk.writing() as session, pytest.raises(ConflictError):
        accepting.accept(session, row.id or 0, row.version, actor=DISPATCHER, now=NOW)
    with desk.writing() as session, pytest.raises(StaleError):
        imports.discard(session, row.id or 0, row.version, actor=DISPATCHER, now=NOW)
    assert desk.count(Revision) == 1


def test_a_discarded_import_leaves_nothing(desk: Desk) -> None:
    row = desk.upload("enterprises", FIRMS)
    with desk.writing() as session:
        imports.discard(session, row.id or 0, row.version, actor=DISPATCHER, now=NOW)
    assert (desk.count(StagedRow), desk.count(LibraryRow), desk.read(row).state) == (0, 0, "discarded")


def test_whoever_discards_while_somebody_accepts_comes_too_late(desk: Desk) -> None:
    row = desk.upload("enterprises", FIRMS)
    has_read = threading.Event()
    told: list[str] = []

    def discard() -> None:
        with desk.writing() as session:
            imports.import_of(session, row.id or 0, DISPATCHER)
            has_read.set()
            with pytest.raises(StaleError):
                imports.discard(session, row.id or 0, row.version, actor=DISPATCHER, now=NOW)
            told.append("changed meanwhile")

    thread = threading.Thread(target=discard)
    with desk.writing() as session:
        accepting.accept(session, row.id or 0, row.version, actor=DISPATCHER, now=NOW)
        thread.start()
        # SQLite lets the other one not even begin
        assert desk.database.is_sqlite or has_read.wait(60)
    thread.join()
    assert told == ["changed meanwhile"]
    assert (desk.read(row).state, desk.count(LibraryRow)) == ("accepted", 3)


@pytest.mark.parametrize("text", [FIRMS, "id,name\n1,wrong\n"])
def test_an_import_that_is_discarded_while_it_is_read_stays_so(desk: Desk, text: str) -> None:
    with desk.writing() as session:
        row, _ = imports.create_import(
            session, desk.vault, "enterprises", "a.csv", text.encode(), actor=DISPATCHER, now=NOW
        )
    job = claim(desk.database, "me", NOW, ["import"])
    assert job is not None

    def clock() -> datetime:
        if desk.read(row).state == "reading":
            with desk.writing() as session:
                imports.discard(session, row.id or 0, row.version, actor=DISPATCHER, now=NOW)
        return NOW

    read_import(desk.database, desk.vault, job, clock)
    assert (desk.read(row).state, desk.count(StagedRow)) == ("discarded", 0)
    with desk.database.reading() as session:
        assert session.get_one(Job, job.id).state == "done"


def test_a_department_replaces_its_own_people_and_nobody_elses(desk: Desk) -> None:
    desk.now("inspectors", PEOPLE)
    row = desk.upload("inspectors", "code,name,department,licence\np1,张三,amr,L1\np4,赵六,amr,L4\n", AMR)
    assert (row.new, row.changed, row.gone, row.unchanged) == (1, 0, 1, 1)
    with desk.writing() as session:
        accepting.accept(session, row.id or 0, row.version, actor=AMR, now=NOW)
        keys = [found.key for found in libraries.search(session, "inspectors", DISPATCHER, NOW)]
        assert session.scalars(select(col(Revision.rows)).where(col(Revision.number) == 2)).one() == 3
    assert keys == ["p1", "p3", "p4"]


def test_two_departments_can_import_at_the_same_time(desk: Desk) -> None:
    desk.now("inspectors", PEOPLE)
    one = desk.upload("inspectors", "code,name,department,licence\np1,张三三,amr,L1\n", AMR)
    two = desk.upload("inspectors", "code,name,department,licence\np3,王五五,fire,L3\n", FIRE)
    with desk.writing() as session:
        accepting.accept(session, one.id or 0, one.version, actor=AMR, now=NOW)
    with desk.writing() as session:
        accepting.accept(session, two.id or 0, two.version, actor=FIRE, now=NOW)
        names = [row.name for row in libraries.search(session, "inspectors", DISPATCHER, NOW)]
    assert names == ["张三三", "王五五"]


def test_a_row_of_another_department_is_refused_with_its_place(desk: Desk) -> None:
    row = desk.upload("inspectors", PEOPLE, AMR)
    assert row.state == "refused"
    assert [(found["code"], found["row"], found["column"]) for found in row.problems] == [
        ("row-of-another-department", 4, "部门")
    ]
    desk.now("inspectors", PEOPLE)
    row = desk.upload("recusals", "inspector,other,ground\np3,91420704000000000L,spouse\n", AMR)
    assert [found["code"] for found in row.problems] == ["row-of-another-department"]


def test_a_department_imports_neither_enterprises_nor_items_nor_visits(desk: Desk) -> None:
    for kind in ("enterprises", "items", "visits"):
        with desk.writing() as session, pytest.raises(ForbiddenError, match="library-not-yours"):
            imports.create_import(session, desk.vault, kind, "a.csv", b"x", actor=AMR, now=NOW)


def test_a_department_sees_its_own_people_recusals_and_imports_only(desk: Desk) -> None:
    desk.now("inspectors", PEOPLE)
    desk.now("recusals", "inspector,other,ground\np1,91420704000000000L,spouse\np3,p1,kin\n")
    row = desk.upload("inspectors", "code,name,department,licence\np3,王五,fire,L3\n", FIRE)
    with desk.database.reading() as session:
        assert [row.key for row in libraries.search(session, "inspectors", AMR, NOW)] == ["p1", "p2"]
        assert [row.key for row in libraries.search(session, "recusals", AMR, NOW)] == [
            "p1 91420704000000000L"
        ]
        assert [row.key for row in libraries.search(session, "recusals", FIRE, NOW)] == ["p3 p1"]
        for read in (
            lambda: libraries.current_row(session, "inspectors", "p3", AMR),
            lambda: libraries.history(session, "inspectors", "p3", AMR),
            lambda: libraries.history(session, "recusals", "p3 p1", AMR),
            lambda: imports.import_of(session, row.id or 0, AMR),
        ):
            with pytest.raises(UnknownError):
                read()
        assert imports.imports(session, AMR) == []
        # support sees how things stand, but no people
        assert libraries.search(session, "inspectors", SUPPORT, NOW) == []
        assert imports.imports(session, SUPPORT) == []
        with pytest.raises(UnknownError):
            libraries.history(session, "inspectors", "p1", SUPPORT)
        assert [change.key for change in libraries.changes_of(session, "inspectors", 1, AMR)] == ["p1", "p2"]


def test_credit_classes_are_shown_to_few_and_every_reading_is_recorded(desk: Desk) -> None:
    desk.now("enterprises", FIRMS)
    with desk.writing() as session:
        rows = libraries.search(session, "enterprises", AUDITOR, NOW, sealed=True)
        assert libraries.shown("enterprises", rows[0].cells, sealed=True)["credit_class"] == "A"
        assert "credit_class" not in libraries.shown("enterprises", rows[0].cells)
        read = session.scalars(select(Activity).where(col(Activity.action) == "read-sealed")).one()
        assert (read.actor, read.detail["rows"]) == ("user:auditor", 3)
    for actor in (AMR, SUPPORT):
        with desk.writing() as session, pytest.raises(ForbiddenError, match="sealed-column"):
            libraries.search(session, "enterprises", actor, NOW, sealed=True)


def test_a_library_is_searched_by_name_district_and_beginning_of_the_id_in_pages(desk: Desk) -> None:
    desk.now("enterprises", FIRMS)

    def found(**wanted: Any) -> list[str]:
        with desk.database.reading() as session:
            return [row.key[-2:] for row in libraries.search(session, "enterprises", AUDITOR, NOW, **wanted)]

    assert found() == ["0L", "1P", "2T"]
    assert found(text="食品") == ["0L", "1P"]
    assert found(text="%") == []
    assert found(district="420704") == ["0L", "2T"]
    assert found(prefix="914207040000000") == ["0L", "1P", "2T"]
    assert found(prefix="91420704000000002") == ["2T"]
    assert found(prefix="92") == []
    assert found(limit=2) == ["0L", "1P"]
    assert found(limit=2, after="91420704000000001P") == ["2T"]


def test_one_row_is_changed_in_a_revision_of_its_own(desk: Desk) -> None:
    desk.now("enterprises", FIRMS)
    key = "91420704000000001P"
    with desk.writing() as session:
        row = library_rows.change_row(
            session, "enterprises", key, 1, {"credit_class": "B"}, actor=DISPATCHER, now=NOW
        )
        assert (row.first, row.cells["credit_class"], row.cells["name"]) == (2, "B", "乙食品有限公司")
    with desk.database.reading() as session:
        versions = libraries.history(session, "enterprises", key, DISPATCHER)
        assert [(row.first, row.last, row.cells["credit_class"]) for row, _ in versions] == [
            (1, 1, "D"),
            (2, None, "B"),
        ]
        assert libraries.library_csv(session, "enterprises", 1).count(b"\n") == 4
        assert [
            (change.key, change.columns)
            for change in libraries.changes_of(session, "enterprises", 2, AUDITOR)
        ] == [(key, ("credit_class",))]
    with desk.writing() as session, pytest.raises(StaleError):
        library_rows.change_row(session, "enterprises", key, 1, {"name": "x"}, actor=DISPATCHER, now=NOW)
    with desk.writing() as session:
        # saying the same again makes no revision
        row = library_rows.change_row(
            session, "enterprises", key, 2, {"credit_class": "B"}, actor=DISPATCHER, now=NOW
        )
        assert row.first == 2


def test_a_changed_row_obeys_the_rules_of_files(desk: Desk) -> None:
    desk.now("inspectors", PEOPLE)

    def change(cells: dict[str, str], actor: Actor = DISPATCHER) -> None:
        with desk.writing() as session:
            library_rows.change_row(session, "inspectors", "p1", 1, cells, actor=actor, now=NOW)

    with pytest.raises(InputError, match="date-invalid"):
        change({"valid_until": "soon"})
    with pytest.raises(InputError, match="row-of-another-department"):
        change({"department": "fire"}, AMR)
    with pytest.raises(RefusedError, match="column-unknown"):
        change({"salary": "1"})
    with pytest.raises(RefusedError, match="text-invalid"):
        change({"name": "a\0"})
    with pytest.raises(ConflictError, match="row-exists"):
        change({"code": "p2"})
    with pytest.raises(UnknownError):
        change({"name": "x"}, FIRE)
    change({"code": "p9"})
    with desk.database.reading() as session:
        assert [row.key for row in libraries.search(session, "inspectors", DISPATCHER, NOW)] == [
            "p2",
            "p3",
            "p9",
        ]


def test_rows_are_added_and_taken_out_and_their_versions_stay(desk: Desk) -> None:
    desk.now("inspectors", PEOPLE)
    with desk.writing() as session:
        cells = {"inspector": "p1", "other": "91420704000000000L", "ground": "企业申请"}
        row = library_rows.add_row(session, "recusals", cells, actor=AMR, now=NOW)
        assert (row.first, row.cells["ground"]) == (1, "application")
        with pytest.raises(ConflictError, match="row-exists"):
            library_rows.add_row(session, "recusals", cells, actor=DISPATCHER, now=NOW)
        library_rows.remove_row(session, "recusals", row.key, 1, actor=AMR, now=NOW)
        assert libraries.search(session, "recusals", AMR, NOW) == []
        ((version, _),) = libraries.history(session, "recusals", row.key, DISPATCHER)
        assert (version.first, version.last) == (1, 1)
    with desk.writing() as session:
        with pytest.raises(ForbiddenError):
            library_rows.add_row(session, "items", {}, actor=AMR, now=NOW)
        with pytest.raises((InputError, RefusedError)):
            library_rows.add_row(session, "inspectors", {}, actor=AMR, now=NOW)


def test_whoever_takes_a_dead_runners_import_over_reads_it_from_the_beginning(desk: Desk) -> None:
    with desk.writing() as session:
        row, _ = imports.create_import(
            session, desk.vault, "enterprises", "a.csv", FIRMS.encode(), actor=DISPATCHER, now=NOW
        )
    dead = claim(desk.database, "dead", NOW, ["import"])
    assert dead is not None
    with desk.writing() as session:
        # it had begun to keep rows when it died
        assert list(imports.Difference({}, []).batches(10)) == []
        session.execute(
            StagedRow.__table__.insert().values(  # type: ignore[attr-defined]
                import_id=row.id, position=1, key="x", change="new", name="", district="", department="",
                cells={}, digest="x",
            )
        )  # fmt: skip
    later = NOW + timedelta(minutes=5)
    job = claim(desk.database, "alive", later, ["import"])
    assert job is not None
    read_import(desk.database, desk.vault, job, lambda: later)
    assert (desk.read(row).state, desk.count(StagedRow)) == ("ready", 3)
    with pytest.raises(LeaseLostError):
        read_import(desk.database, desk.vault, dead, lambda: later)


def test_a_file_of_another_kind_or_with_unknown_options_is_refused_at_once(desk: Desk) -> None:
    with desk.writing() as session:
        for name, options in (("a.exe", {}), ("a.csv", {"colour": "red"})):
            with pytest.raises(RefusedError, match="import-file"):
                imports.create_import(
                    session, desk.vault, "items", name, b"x", actor=DISPATCHER, now=NOW, options=options
                )


def test_people_who_edit_at_the_same_time_lose_nothing_and_one_row_is_changed_once(desk: Desk) -> None:
    desk.now("enterprises", FIRMS)
    keys = ["91420704000000000L", "91420704000000001P", "91420704000000002T"]

    def edit(number: int) -> str:
        try:
            with desk.writing() as session:
                library_rows.change_row(
                    session,
                    "enterprises",
                    keys[number % 3],
                    1,
                    {"address": f"{number} 号"},
                    actor=DISPATCHER,
                    now=NOW,
                )
        except StaleError:
            return "stale"
        return keys[number % 3]

    def add(number: int) -> str:
        cells = {"inspector": f"p{number % 2}", "other": "91420704000000000L", "ground": "spouse"}
        try:
            with desk.writing() as session:
                library_rows.add_row(session, "recusals", cells, actor=DISPATCHER, now=NOW)
        except ConflictError:
            return "there"
        return "added"

    with ThreadPoolExecutor(6) as pool:
        edited, added = list(pool.map(edit, range(9))), list(pool.map(add, range(6)))
    assert sorted(edited) == sorted([*keys, *["stale"] * 6])
    assert sorted(added) == ["added"] * 2 + ["there"] * 4
    with desk.database.reading() as session:
        assert libraries.current_revisions(session) == {"enterprises": 4, "recusals": 2}
        assert [row.first for row in libraries.search(session, "enterprises", DISPATCHER, NOW)] != [1, 1, 1]
        assert len(libraries.search(session, "recusals", DISPATCHER, NOW)) == 2

"""Receipts: honest ones pass, a passed-over enterprise and every edit are found (docs/protocol.md §14)."""

import copy
import json
import os
import random
import shutil
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from dualrandom.announcement import build_announcement, list_files
from dualrandom.campaign.folder import StateError
from dualrandom.campaign.receipts import give_receipt
from dualrandom.canonical import canonical
from dualrandom.cli import run
from dualrandom.draw import draw_result
from dualrandom.errors import DualRandomError
from dualrandom.hashing import hash_hex, suite_digest
from dualrandom.page.receipt import steps
from dualrandom.receipt import ReceiptLists, enterprise_receipt, inspector_receipt
from dualrandom.verify import read_public, verify_record
from dualrandom.verify.receipt import judge_receipt

ROOT = Path(__file__).resolve().parents[2]
DEEP = os.environ.get("DUALRANDOM_DEEP") == "1"
LONG_AFTER = datetime(2026, 1, 1, tzinfo=UTC)
SECRET = bytes(range(32))
LISTS = ("frame", "roster", "recusals", "strata", "cutoffs")


def lists_of(files: dict[str, bytes]) -> tuple[dict[str, Any], str, ReceiptLists]:
    announced = files["public/announcement.json"]
    announcement = json.loads(announced)
    digest = suite_digest(announcement["suite"])
    sealed = announcement["disclosure"] == "sealed"
    rows = {
        name: files[f"public/{name}.jsonl"].splitlines() for name in LISTS if f"public/{name}.jsonl" in files
    }
    openings = {
        name: {json.loads(row)["id"]: row for row in files[f"auditor/openings/{name}.jsonl"].splitlines()}
        for name in rows
        if sealed
    }
    return announcement, hash_hex(announced, digest), ReceiptLists(rows, openings, digest)


def published(files: dict[str, bytes]) -> dict[str, bytes]:
    return {name[7:]: data for name, data in files.items() if name.startswith("public/")}


@pytest.mark.parametrize(
    "name", ["open-drand", "sealed-drand", "sealed-sm3", "open-parts-keystring", "open-embargo-lifted"]
)
def test_every_enterprise_and_inspector_of_an_honest_draw_has_a_receipt_that_passes(
    name: str, vector: Callable[[str], dict[str, bytes]]
) -> None:
    files = vector(name)
    announcement, digest, lists = lists_of(files)
    schema = json.loads((ROOT / "docs" / "schemas" / "receipt.schema.json").read_text("utf-8"))
    for kind, make in (("frame", enterprise_receipt), ("roster", inspector_receipt)):
        for subject in lists.ids(kind):
            document = make(announcement, digest, lists, subject)
            Draft202012Validator(schema).validate(document)
            check = judge_receipt(published(files), canonical(document))
            assert check.status == "PASS", (subject, check.reason_en)


@pytest.mark.parametrize("name", ["open-announced", "open-embargo-visits"])
def test_without_an_open_selection_a_receipt_is_not_checked(
    name: str, vector: Callable[[str], dict[str, bytes]]
) -> None:
    files = vector(name)
    announcement, digest, lists = lists_of(files)
    receipt = canonical(enterprise_receipt(announcement, digest, lists, "E05"))
    assert judge_receipt(published(files), receipt).status == "NOT CHECKED"


def test_a_receipt_tells_each_enterprise_by_whom_it_was_drawn(town: Path, public: dict[str, bytes]) -> None:
    selection = json.loads(public["result.json"])["selection"]
    ids = [json.loads(row)["id"] for row in public["frame.jsonl"].splitlines()]
    drawn = sorted({i for one in selection for i in one["selected"]})
    for enterprise in (*drawn[: 40 if DEEP else 8], *ids[:: 10 if DEEP else 75]):
        given = give_receipt(town, enterprise=enterprise, now=LONG_AFTER)
        assert given.check.status == "PASS", given.check.reason_en
        told = given.check.reason_en.partition("rightly not drawn by")[0].partition("rightly drawn by")[2]
        for one in selection:
            assert (f"{one['task']} (" in told) == (enterprise in one["selected"]), one["task"]


def test_the_full_verification_shows_the_check_at_the_end(town: Path, public: dict[str, bytes]) -> None:
    given = give_receipt(town, inspector="i0001", now=LONG_AFTER)
    report = verify_record(public, receipt=given.data)
    assert report.checks[-1].name == "receipt"
    assert report.status("receipt") == "PASS"
    assert "receipt" not in {check.name for check in verify_record(public).checks}


def test_an_inspector_is_found_by_code_as_well_as_by_pseudonym(town: Path) -> None:
    by_id = give_receipt(town, inspector="i0003", now=LONG_AFTER)
    person = next(
        row["opening"]["hidden"]["person"]
        for row in json.loads(by_id.data)["rows"]
        if row["list"] == "roster"
    )
    assert give_receipt(town, inspector=person, now=LONG_AFTER).data == by_id.data
    assert person in by_id.check.reason_en


def drawn_enterprise(public: dict[str, bytes]) -> dict[str, Any]:
    visits: list[dict[str, Any]] = json.loads(public["result.json"])["visits"]
    # not on the last day, which may be told of everybody
    last = json.loads(public["announcement.json"])["days"][-1]
    return next(visit for visit in visits if visit["date"] not in (None, last))


def test_before_its_last_visit_a_drawn_enterprise_gets_no_receipt(
    town: Path, public: dict[str, bytes]
) -> None:
    visit = drawn_enterprise(public)
    on_the_day = datetime.fromisoformat(f"{visit['date']}T10:00:00+08:00")
    with pytest.raises(StateError) as refused:
        give_receipt(town, enterprise=visit["enterprise"], now=on_the_day)
    assert refused.value.code == "receipt-too-early"
    assert "foretells" in refused.value.message("en")
    assert visit["date"] not in refused.value.remedy("en")
    after = datetime.fromisoformat(f"{visit['date']}T23:59:59+08:00").timestamp() + 1
    given = give_receipt(town, enterprise=visit["enterprise"], now=datetime.fromtimestamp(after, UTC))
    assert given.check.status == "PASS"


def test_an_enterprise_that_was_not_drawn_gets_it_at_once(town: Path, public: dict[str, bytes]) -> None:
    visited = {visit["enterprise"] for visit in json.loads(public["result.json"])["visits"]}
    ids = [json.loads(row)["id"] for row in public["frame.jsonl"].splitlines()]
    enterprise = next(i for i in ids if i not in visited)
    assert give_receipt(town, enterprise=enterprise, now=datetime(2023, 8, 24, tzinfo=UTC)).data


def test_with_the_next_in_line_as_substitute_nobody_gets_it_before_the_period_ends(
    town: Path, copy_of_town: Path
) -> None:
    path = copy_of_town / "public" / "announcement.json"
    path.write_bytes(path.read_bytes().replace(b'"substitution":"fresh"', b'"substitution":"next"'))
    visited = {
        visit["enterprise"] for visit in json.loads((town / "public/result.json").read_bytes())["visits"]
    }
    ids = [json.loads(row)["id"] for row in (town / "public/frame.jsonl").read_bytes().splitlines()]
    enterprise = next(i for i in ids if i not in visited)
    with pytest.raises(StateError, match="receipt-too-early"):
        give_receipt(copy_of_town, enterprise=enterprise, now=datetime(2023, 8, 24, tzinfo=UTC))


@pytest.mark.parametrize(
    ("whom", "code"),
    [
        ({"enterprise": "91420000XN0000000X"}, "not-in-frame"),
        ({"inspector": "nobody"}, "not-in-roster"),
        ({}, "receipt-for-whom"),
        ({"enterprise": "a", "inspector": "b"}, "receipt-for-whom"),
    ],
)
def test_receipts_of_strangers_are_refused(town: Path, whom: dict[str, str], code: str) -> None:
    with pytest.raises(DualRandomError) as refused:
        give_receipt(town, now=LONG_AFTER, **whom)
    assert refused.value.code == code


def forged(world: Any, lie: Callable[[Any], Any]) -> tuple[dict[str, bytes], dict[str, bytes], Any]:
    """Return public files and openings of a draw by an operator who draws from other keys than those committed."""
    plan, frozen = world.inputs.plan, world.frozen
    digest = suite_digest(plan.suite)
    made = list_files(frozen, SECRET, digest)
    commitments = {name: file.commitment(digest) for name, file in made.items()}
    auditor = {"key": "A" * 43 + "=", "name": "x"}
    document = build_announcement(
        plan, world.inputs.libraries, frozen, world.days, commitments, [], auditor, []
    )
    data = canonical(document)
    seed = hash_hex(b"a seed")
    honest = draw_result(document, hash_hex(data), frozen, seed, SECRET)
    drawn = draw_result(document, hash_hex(data), lie(honest), seed, SECRET)
    lists = {**made, **drawn.lists}
    public = {f"{name}.jsonl": file.file() for name, file in lists.items()}
    public |= {"announcement.json": data, "result.json": canonical(drawn.result)}
    openings = {name: file.openings_file() for name, file in lists.items()}
    return public, openings, honest


def receipt_from(public: dict[str, bytes], openings: dict[str, bytes], enterprise: str) -> bytes:
    files = {f"public/{name}": data for name, data in public.items()}
    files |= {f"auditor/openings/{name}.jsonl": data for name, data in openings.items()}
    announcement, digest, lists = lists_of(files)
    return canonical(enterprise_receipt(announcement, digest, lists, enterprise))


def test_an_operator_who_passes_over_a_drawn_enterprise_is_caught_by_its_receipt(world: Any) -> None:
    victim: list[str] = []

    def lie(honest: Any) -> Any:
        own = next(one for one in honest.selection if one.drawn and len(one.by_ticket) > 3)
        victim.append(own.by_ticket[0])
        keys = [f"{key}x" if key.startswith(victim[0]) else key for key in world.frozen.keys]
        return replace(world.frozen, keys=tuple(keys))

    public, openings, honest = forged(world, lie)
    assert any(victim[0] in one.by_ticket for one in honest.selection)
    check = judge_receipt(public, receipt_from(public, openings, victim[0]))
    assert check.status == "FAIL"
    assert "passed over" in check.reason_en
    assert "跳过" in check.reason_zh
    # nobody else's receipt is wrong
    other = next(i for i in world.frozen.ids if i != victim[0])
    assert judge_receipt(public, receipt_from(public, openings, other)).status == "PASS"


def test_an_enterprise_struck_from_the_list_is_caught_though_its_ticket_stays(
    town: Path, copy_of_town: Path, public: dict[str, bytes]
) -> None:
    enterprise = drawn_enterprise(public)["enterprise"]
    path = copy_of_town / "public" / "result.json"
    result = json.loads(path.read_bytes())
    for one in result["selection"]:
        one["selected"] = [i for i in one["selected"] if i != enterprise]
    path.write_bytes(canonical(result))
    receipt = give_receipt(town, enterprise=enterprise, now=LONG_AFTER).data
    report = verify_record(read_public(copy_of_town / "public"), receipt=receipt)
    assert report.status("receipt") == "FAIL"
    assert "the list lacks it" in report.checks[-1].reason_en


def test_a_receipt_of_another_draw_is_refused(
    town: Path, public: dict[str, bytes], vector: Callable[[str], dict[str, bytes]]
) -> None:
    given = give_receipt(town, inspector="i0001", now=LONG_AFTER)
    assert judge_receipt(published(vector("sealed-drand")), given.data).status == "FAIL"
    assert judge_receipt(public, given.data).status == "PASS"


def test_a_false_bar_is_shown_by_the_inspectors_receipt(vector: Callable[[str], dict[str, bytes]]) -> None:
    files = vector("sealed-drand")
    announcement, digest, lists = lists_of(files)
    result = json.loads(files["public/result.json"])
    named = {i for row in lists.opened("recusals").values() for i in json.loads(row)["hidden"]["pair"]}
    free = next(i for i in lists.ids("roster") if i not in named)
    receipt = canonical(inspector_receipt(announcement, digest, lists, free))
    crew = next(crew for visit in result["visits"] for crew in visit["crews"])
    crew["barred"] = sorted([*crew["barred"], free])
    check = judge_receipt(published(files) | {"result.json": canonical(result)}, receipt)
    assert check.status == "FAIL"
    assert "no recusal keeps" in check.reason_en


def edits_of(value: Any) -> Iterator[Any]:
    """Yield copies of a JSON value with one field changed, added or taken away."""
    if isinstance(value, dict):
        for key, inner in value.items():
            yield {k: v for k, v in value.items() if k != key}
            for edit in edits_of(inner):
                yield value | {key: edit}
        yield value | {"more": 1}
    elif isinstance(value, list):
        for place, inner in enumerate(value):
            yield value[:place] + value[place + 1 :]
            for edit in edits_of(inner):
                yield [*value[:place], edit, *value[place + 1 :]]
        yield [*value, *(value[-1:] or ["x"])]
    elif isinstance(value, str):
        yield value[:-1] + ("0" if value[-1:] != "0" else "1")
        yield ""
    elif isinstance(value, int):
        yield value + 1
        yield -1
    else:
        yield "x"


@pytest.mark.parametrize("name", ["open-drand", "sealed-drand"])
@pytest.mark.parametrize("kind", ["enterprise", "inspector"])
def test_every_edit_of_a_receipt_is_refused(
    name: str, kind: str, vector: Callable[[str], dict[str, bytes]]
) -> None:
    files = vector(name)
    announcement, digest, lists = lists_of(files)
    roster = lists.ids("roster")[0]
    document = (
        enterprise_receipt(announcement, digest, lists, "E05")
        if kind == "enterprise"
        else inspector_receipt(announcement, digest, lists, roster)
    )
    record = published(files)
    assert judge_receipt(record, canonical(document)).status == "PASS"
    count = 0
    for edit in edits_of(copy.deepcopy(document)):
        if kind == "inspector" and set(edit) == set(document) and len(edit["rows"]) < len(document["rows"]):
            continue  # a recusal that is kept from its inspector is not told by the rest
        assert judge_receipt(record, canonical(edit)).status == "FAIL", edit
        count += 1
    assert count > 40


def test_every_changed_byte_of_a_receipt_is_refused(vector: Callable[[str], dict[str, bytes]]) -> None:
    files = vector("sealed-drand")
    announcement, digest, lists = lists_of(files)
    data = canonical(enterprise_receipt(announcement, digest, lists, "E05"))
    record = published(files)
    dice = random.Random(7)
    places = range(len(data)) if DEEP else sorted(dice.sample(range(len(data)), 150))
    for place in places:
        changed = bytearray(data)
        changed[place] ^= 1 << dice.randrange(7)
        assert judge_receipt(record, bytes(changed)).status == "FAIL", place
    for cut in (data[:-1], data + b"\n", b"", b"null", b"[]", b"\xff"):
        assert judge_receipt(record, cut).status == "FAIL"


@pytest.mark.skipif(shutil.which("xxd") is None, reason="the page's command lines use xxd")
@pytest.mark.parametrize("name", ["open-drand", "sealed-drand", "sealed-sm3"])
def test_the_command_lines_of_the_page_give_what_it_says(
    name: str, vector: Callable[[str], dict[str, bytes]]
) -> None:
    files = vector(name)
    announcement, digest, lists = lists_of(files)
    document = enterprise_receipt(announcement, digest, lists, "E05")
    sizes = lists.sizes()
    sized = {**document, "rows": [{**row, "size": sizes[row["list"]]} for row in document["rows"]]}
    seed = json.loads(files["public/result.json"])["seed"]
    found = steps(sized, announcement["suite"], seed)
    script = "\n".join(step.command for step in found)
    out = subprocess.run(["sh"], input=script, capture_output=True, text=True, check=True).stdout.splitlines()
    assert [line.removeprefix("SM3(stdin)= ").split()[0] for line in out] == [s.expected for s in found]
    assert announcement["lists"]["frame"]["root"] in {step.expected for step in found}


def test_the_command_writes_a_file_and_a_page_that_holds_the_ticket(
    copy_of_town: Path, public: dict[str, bytes], capsys: pytest.CaptureFixture[str]
) -> None:
    visit = drawn_enterprise(public)
    arguments = ["receipt", str(copy_of_town), "--enterprise", visit["enterprise"], "--json"]
    assert run([*arguments, "--now", "2023-08-24T00:00:00+08:00"]) == 2
    assert json.loads(capsys.readouterr().out)["error"]["code"] == "receipt-too-early"
    assert run([*arguments, "--now", "noon"]) == 2
    assert json.loads(capsys.readouterr().out)["error"]["code"] == "bad-instant"
    assert run(arguments) == 0
    told = json.loads(capsys.readouterr().out)
    page = Path(told["page"]).read_text("utf-8")
    assert Path(told["file"]).stat().st_mode & 0o077 == 0
    assert f":enterprise:{visit['enterprise']}:" in page
    assert "sha256sum" in page
    assert "<script" not in page
    assert told["sha256"] in page
    checked = ["verify", str(copy_of_town / "public"), "--receipt", told["file"], "--json"]
    assert run(checked) == 3
    assert json.loads(capsys.readouterr().out)["checks"][-1] | {"reason": ""} == {
        "name": "receipt",
        "status": "PASS",
        "reason": "",
    }

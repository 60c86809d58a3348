"""Each attack on a draw that docs/threats.md names, made on a logged and witnessed town with real keys, and what stops it.

The attacker is the office itself: it holds the log's key, the auditor's default key, all lists and secrets. It does not hold the
witnesses' keys, the future, or the reader's copy of the verifier.
"""

from __future__ import annotations

import base64
import hashlib
import itertools
import json
import re
import shutil
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from dualrandom import campaign
from dualrandom.campaign import StateError
from dualrandom.campaign.receipts import give_receipt
from dualrandom.canonical import canonical
from dualrandom.errors import DualRandomError
from dualrandom.hashing import seal_bytes, suite_digest
from dualrandom.log.cosignature import stated_time
from dualrandom.log.note import Note, Signature, parse_note
from dualrandom.verify import Report, verify_record
from dualrandom.verify.frame_change import frame_change
from dualrandom.verify.receipt import judge_receipt

LONG_AFTER = datetime(2026, 1, 1, tzinfo=UTC)
ANNOUNCED = "announced.checkpoint"
Files = dict[str, bytes]
Copied = Callable[[Any], Any]


@pytest.fixture
def copied(tmp_path: Path) -> Copied:
    """A copy of an office that a test may change."""
    numbers = itertools.count()
    return lambda office: office.copy(tmp_path / f"copy{next(numbers)}")


def judge(office: Any, changed: Files | None = None, *, auditor: bool = False) -> Report:
    files = office.files() | (changed or {})
    return verify_record(files, office.auditor() if auditor else None, log_policy=office.policy())


def failed(report: Report) -> set[str]:
    assert not any("internal error" in check.reason_en for check in report.checks), report
    return {check.name for check in report.checks if check.status == "FAIL"}


def rewritten(office: Any, name: str, change: Callable[[Any], Any]) -> Files:
    document = office.document(name)
    change(document)
    return {name: canonical(document)}


def test_the_record_that_is_attacked_is_an_honest_one(office: Any) -> None:
    report = judge(office, auditor=True)
    assert {check.status for check in report.checks} == {"PASS"}, report


# --- lists, ids or salts chosen after (or by trying) the seed


def test_lists_chosen_after_the_seed_are_refused(announced_office: Any, copied: Copied, town: Any) -> None:
    """The round is known; the office tries list secrets until the draw suits, and announces those lists only now."""
    late = copied(announced_office)
    shutil.rmtree(late.log)
    for name in ("public", "private"):
        shutil.rmtree(late.folder / name)
    shutil.rmtree(late.root / town.NAMES[0])
    shutil.rmtree(late.root / town.NAMES[1])
    campaign.announce(late.folder, now=town.ANNOUNCED)  # the office's own clock says August
    with pytest.raises(StateError, match="witnessed-too-late"):
        late.cosign(town.DUE + timedelta(minutes=5))
    # so it keeps the late checkpoint itself, and goes on
    shutil.copy(late.public / "log" / "checkpoint", late.public / ANNOUNCED)
    campaign.draw(late.folder)
    late.cosign(town.DUE + timedelta(hours=1))
    assert failed(judge(late)) == {"events"}


def test_lists_swapped_for_others_under_the_same_witnessed_announcement_are_refused(
    drawn_office: Any, copied: Copied, town: Any
) -> None:
    """A whole other draw of the same plan, sound in itself, is put in the place of the one that was witnessed."""
    other = copied(drawn_office)
    for name in ("public", "private"):
        shutil.rmtree(other.folder / name)
    plan = other.folder / "plan.toml"
    plan.write_text(plan.read_text("utf-8").partition("\n[log]")[0], "utf-8")
    campaign.announce(other.folder, now=town.ANNOUNCED)
    campaign.draw(other.folder)
    forged = other.files()
    assert failed(verify_record(forged)) == set()
    kept = {name: data for name, data in drawn_office.files().items() if name not in forged}
    assert "log" in failed(verify_record(kept | forged, log_policy=drawn_office.policy()))


# --- drawn again until it suits, a bad draw dropped


def test_a_second_draw_of_a_plan_is_seen_and_the_first_cannot_be_voided(
    drawn_office: Any, copied: Copied, town: Any
) -> None:
    again = copied(drawn_office)
    with pytest.raises(DualRandomError):
        campaign.void(again.folder, "it does not suit", town.DUE)
    second = type(again)(again.root, again.clock)
    shutil.copytree(again.folder, again.root / "first")
    for name in ("public", "private"):
        shutil.rmtree(second.folder / name)
    plan = second.folder / "plan.toml"
    plan.write_text(plan.read_text("utf-8").replace("number = 1", "number = 2", 1), "utf-8")
    campaign.announce(second.folder, now=town.ANNOUNCED + timedelta(days=2))
    second.cosign(town.ANNOUNCED + timedelta(days=2))
    campaign.draw(second.folder)
    second.cosign(town.DUE + timedelta(hours=2))
    report = judge(second)
    assert failed(report) == {"log"}
    assert town.DRAW in next(check.reason_en for check in report.checks if check.name == "log")


def test_a_draw_that_is_dropped_leaves_a_gap_in_the_numbers(
    announced_office: Any, copied: Copied, town: Any
) -> None:
    dropped = copied(announced_office)
    for path in (dropped.log, dropped.folder / "public", dropped.folder / "private"):
        shutil.rmtree(path)
    plan = dropped.folder / "plan.toml"
    plan.write_text(plan.read_text("utf-8").replace("number = 1", "number = 2", 1), "utf-8")
    campaign.announce(dropped.folder, now=town.ANNOUNCED)  # a new log that does not know the first draw
    seen = dropped.cosign(town.ANNOUNCED + timedelta(days=3))
    assert not seen.quorum  # the witnesses remember the log under that name
    report = judge(dropped)
    assert report.status("draws") == "NOT CHECKED"
    assert town.DRAW in next(check.reason_en for check in report.checks if check.name == "draws")
    old = verify_record(dropped.files(), log_policy=announced_office.policy())
    assert "log" in failed(old)


def test_an_open_draw_is_listed_and_does_not_pass(announced_office: Any) -> None:
    report = judge(announced_office)
    assert report.status("draws") == "NOT CHECKED"
    assert "yunxi-2023-000001" in next(check.reason_en for check in report.checks if check.name == "draws")


# --- ghost or missing enterprises


def test_a_ghost_or_a_missing_enterprise_is_refused_once_the_frame_is_committed(office: Any) -> None:
    rows = office.files()["frame.jsonl"].splitlines(keepends=True)
    ghost = json.loads(rows[0]) | {"id": "91420000MA4GHOST0X"}
    for changed in (
        b"".join(rows[1:]),
        b"".join([*rows, canonical(ghost) + b"\n"]),
        b"".join([rows[0], *rows]),
    ):
        assert failed(judge(office, {"frame.jsonl": changed})) & {"lists", "canonical"}


def test_an_enterprise_that_was_left_out_learns_it_and_everybody_sees_who_left(
    office: Any, copied: Copied, town: Any
) -> None:
    with pytest.raises(DualRandomError, match="not-in-frame"):
        give_receipt(office.folder, enterprise="91420000MA4GHOST0X", now=LONG_AFTER)
    later = copied(office)
    library = next(later.folder.glob("enterprises.*"))
    ids = [json.loads(row)["id"] for row in office.files()["frame.jsonl"].splitlines()]
    lines = library.read_text("utf-8").splitlines(keepends=True)
    spared = [line for line in lines if ids[7] not in line]
    assert len(spared) == len(lines) - 1
    library.write_text("".join(spared), "utf-8")
    for name in ("public", "private"):
        shutil.rmtree(later.folder / name)
    plan = later.folder / "plan.toml"
    text = plan.read_text("utf-8").replace("number = 1", "number = 2", 1)
    plan.write_text(text.replace('id = "2023-09"', 'id = "2023-09b"', 1), "utf-8")
    campaign.announce(later.folder, now=town.DUE + timedelta(days=8), rehearsal=True)
    change = frame_change(office.files(), later.files())
    assert ids[7] in change.left
    assert change.came == ()


# --- availability, recusals, quotas edited afterwards


def test_what_was_edited_after_the_announcement_is_refused(
    announced_office: Any, office: Any, copied: Copied, town: Any
) -> None:
    edited = copied(announced_office)
    inspectors = next(edited.folder.glob("inspectors.*"))
    data = inspectors.read_bytes()
    inspectors.write_bytes(data[: data.rindex(b"\n", 0, -1) + 1])
    with pytest.raises(DualRandomError):
        campaign.draw(edited.folder)  # the office's own program refuses what differs from what it froze
    day = office.document("announcement.json")["days"][0]
    rows = office.files()["roster.jsonl"].splitlines()
    first = json.loads(rows[0])
    first["detail"]["absent"] = [] if first["detail"]["absent"] else [day]
    changed = b"".join(row + b"\n" for row in [canonical(first), *rows[1:]])
    assert "lists" in failed(judge(office, {"roster.jsonl": changed}))
    recusals = b"".join(office.files()["recusals.jsonl"].splitlines(keepends=True)[1:])
    assert "lists" in failed(judge(office, {"recusals.jsonl": recusals}))
    quota = rewritten(office, "announcement.json", lambda a: a["tasks"][0].update(total="1/1"))
    assert {"log", "seed", "result"} <= failed(judge(office, quota))


# --- a substitute forced


def test_an_exclusion_that_was_logged_only_when_its_round_was_known_is_refused(
    drawn_office: Any, copied: Copied, town: Any
) -> None:
    """The office waits until it knows the randomness, and dates the exclusion back."""
    forced = copied(drawn_office)
    visit = forced.document("result.json")["visits"][0]
    campaign.exclude(forced.folder, visit["enterprise"], "suspended", None, town.NEXT)
    seen = forced.cosign(town.DUE + timedelta(minutes=1))
    assert seen.exclusions == ()
    report = judge(forced)
    assert report.status("events") == "NOT CHECKED"
    late = {"exclusions/1.checkpoint": forced.files()["log/checkpoint"]}
    assert failed(judge(forced, late)) == {"events"}


def test_a_substitute_that_was_picked_by_hand_is_refused(office: Any) -> None:
    rows = [json.loads(row) for row in office.files()["changes.jsonl"].splitlines()]
    frame = [json.loads(row)["id"] for row in office.files()["frame.jsonl"].splitlines()]
    visited = {visit["enterprise"] for visit in office.document("result.json")["visits"]}
    favourite = next(one for one in frame if one not in visited)
    for place in rows[1]["tasks"]:
        place["enterprise"] = favourite
    digest = hashlib.sha256(canonical(rows[1])).hexdigest()
    rows[2]["prev"] = digest
    forged = {"changes.jsonl": b"".join(canonical(row) + b"\n" for row in rows)}
    assert {"changes", "log"} <= failed(judge(office, forged, auditor=True))


def test_a_department_that_leaves_when_it_knows_who_follows_is_refused(
    drawn_office: Any, copied: Copied, town: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The office waits for the round, sees whose visit would follow, and lets the department leave before it is substituted."""
    sparing = copied(drawn_office)
    visits = sparing.document("result.json")["visits"]
    campaign.exclude(sparing.folder, visits[0]["enterprise"], "suspended", None, town.NEXT)
    crew = next(crew for visit in visits[1:] for crew in visit["crews"])
    leave = (crew["department"], date.fromisoformat(max(v["date"] for v in visits if seats(v, crew))))
    late = town.DUE + timedelta(hours=1)
    with pytest.raises(DualRandomError) as refused:
        campaign.withdraw(sparing.folder, *leave, "reorganised", None, late)
    assert refused.value.code == "substitute-pending"
    monkeypatch.setattr("dualrandom.withdrawal.require_nothing_due", lambda *_: None)
    campaign.withdraw(sparing.folder, *leave, "reorganised", None, late)
    assert failed(judge(sparing)) == {"changes"}


def seats(visit: Any, crew: Any) -> bool:
    return any(other["department"] == crew["department"] for other in visit["crews"])


def test_a_crew_that_is_quietly_left_unfilled_is_refused(office: Any) -> None:
    """No row says that a department left: its crew is simply not there, or the row is of one firm alone."""

    def unfilled(result: Any) -> None:
        result["visits"][0]["crews"][0]["seats"] = []

    assert {"crews", "log"} <= failed(judge(office, rewritten(office, "result.json", unfilled)))
    row = {
        "department": office.document("announcement.json")["tasks"][0]["department"],
        "enterprise": office.document("result.json")["visits"][-1]["enterprise"],
        "evidence": None,
        "from": office.document("announcement.json")["days"][-1],
        "reason": "reorganised",
        "time": "2023-08-30T00:00:00Z",
        "type": "withdraw",
    }
    rows = office.files()["changes.jsonl"]
    last = rows.splitlines()[-1]
    row |= {"number": json.loads(last)["number"] + 1, "prev": hashlib.sha256(last).hexdigest()}
    forged = {"changes.jsonl": rows + canonical(row) + b"\n"}
    assert {"changes", "log"} <= failed(judge(office, forged))


# --- different people shown different results


def test_two_histories_are_not_both_cosigned(announced_office: Any, copied: Copied, town: Any) -> None:
    """After the witnesses have seen one log, the office shows them, and others, another one."""
    one, other = copied(announced_office), copied(announced_office)
    campaign.draw(one.folder)
    campaign.void(other.folder, "nobody needs to know", town.DUE - timedelta(hours=1))
    one.cosign(town.DUE + timedelta(hours=1))
    for name in town.NAMES:  # the same witnesses, with what they remember
        shutil.rmtree(other.root / name)
        shutil.copytree(one.root / name, other.root / name)
    seen = other.cosign(town.DUE + timedelta(hours=2))
    assert not seen.quorum
    assert judge(one).status("log") == "PASS"
    report = judge(other)
    assert report.status("log") == "NOT CHECKED"
    assert "too few witnesses" in next(check.reason_en for check in report.checks if check.name == "log")


def test_the_result_of_one_history_beside_the_log_of_another_is_refused(office: Any) -> None:
    def other_date(result: Any) -> None:
        first = result["visits"][0]
        first["date"] = next(v["date"] for v in result["visits"] if v["date"] != first["date"])

    assert "log" in failed(judge(office, rewritten(office, "result.json", other_date)))


# --- backdated


def backdated(note: Note, seconds: int) -> bytes:
    """The same checkpoint with every cosignature's time set back."""
    signatures = []
    for signature in note.signatures:
        value = signature.value
        if stated_time(value) is not None and len(value) == 72:
            value = (int.from_bytes(value[:8], "big") - seconds).to_bytes(8, "big") + value[8:]
        signatures.append(Signature(signature.name, signature.key_id, value))
    return Note(note.text, tuple(signatures)).data


def test_a_cosignature_that_was_dated_back_is_refused(announced_office: Any) -> None:
    note = parse_note(announced_office.files()[ANNOUNCED])
    assert failed(judge(announced_office)) == set()
    assert "events" in failed(judge(announced_office, {ANNOUNCED: backdated(note, 3600)}))


def test_a_round_that_is_said_to_be_due_later_is_refused(announced_office: Any) -> None:
    moved = rewritten(
        announced_office, "announcement.json", lambda a: a["beacon"].update(time="2024-01-01T00:00:00Z")
    )
    assert {"announcement", "log"} <= failed(judge(announced_office, moved))


# --- the last contributor re-rolls or stalls


def test_a_contributor_who_waits_cannot_choose_and_cannot_stop_the_draw(
    drawn_office: Any, copied: Copied, town: Any
) -> None:
    assert (
        b"contribution fire withheld" in drawn_office.files()["seed.txt"]
    )  # stalled, and the draw took place
    late = copied(drawn_office)
    with pytest.raises(StateError):
        campaign.reveal(late.folder, town.DUE, ["fire"])
    nonce = (late.folder / "private" / "nonces" / "fire").read_text().strip()
    reveal = canonical({"draw": town.DRAW, "nonce": nonce, "party": "fire", "type": "dualrandom/v1/reveal"})
    seed = re.sub(
        rb"fire withheld [0-9a-f]{64}", b"fire revealed " + nonce.encode(), late.files()["seed.txt"]
    )
    assert seed != late.files()["seed.txt"]
    assert {"contributions", "seed"} <= failed(judge(late, {"seed.txt": seed, "reveals/fire.json": reveal}))


# --- a forged beacon


def test_a_forged_round_is_refused(
    drawn_office: Any, copied: Copied, town: Any, announced_office: Any
) -> None:
    identity = "c0" + "00" * 47
    for signature in (identity, town.ROUND_1001, "8" + "0" * 95):
        randomness = hashlib.sha256(bytes.fromhex(signature)).hexdigest()
        evidence = {"signature": signature, "randomness": randomness}
        forged = {"beacon.json": canonical(drawn_office.document("beacon.json") | evidence)}
        assert "beacon" in failed(judge(drawn_office, forged))
    forger = copied(announced_office)
    path = forger.root / "forged.json"
    path.write_text(json.dumps({"round": 1000, "signature": town.ROUND_1001}), "utf-8")
    with pytest.raises(DualRandomError):
        campaign.draw(forger.folder, beacon_file=path)


# --- small or biased randomness


@pytest.mark.parametrize("rule", ["first-20-bits", "modulo"])
def test_a_selection_by_shortened_tickets_is_refused(rule: str, office: Any, reading: Any) -> None:
    """As real platforms draw: few bits, or a remainder."""
    held = office.auditor()
    seed = office.document("result.json")["seed"]
    firms = [json.loads(row) for row in held.openings["frame"].splitlines()]

    def shortened(firm: Any) -> tuple[int, str]:
        key = f"{seed}:enterprise:{firm['id']}:{firm['salt']}"
        ticket = hashlib.sha256(key.encode()).digest()
        number = int.from_bytes(ticket, "big")
        return (number >> 236 & 0xFF if rule == "first-20-bits" else number % 97), str(firm["id"])

    def draw(result: Any) -> None:
        for one in result["selection"]:
            if one["tickets"] is None:
                continue
            scope = [firm for firm in firms if one["task"] in firm["hidden"]["strata"]]
            chosen = sorted(scope, key=shortened)[: len(one["selected"])]
            one["selected"] = sorted(str(firm["id"]) for firm in chosen)

    assert "selection" in failed(judge(office, rewritten(office, "result.json", draw), auditor=True))


# --- a credit class guessed from its hash


def test_a_class_cannot_be_guessed_from_its_seal(office: Any) -> None:
    """Somebody who knows everything but the salts tries every class with every salt that the record shows."""
    files = office.files()
    rows = {row["id"]: row["sealed"] for row in map(json.loads, files["frame.jsonl"].splitlines())}
    firms = [json.loads(row) for row in office.auditor().openings["frame"].splitlines()][:40]
    digest = suite_digest("sha256")
    shown = set(
        re.findall(rb"[0-9a-f]{64}", b"".join(files[name] for name in ("announcement.json", "result.json")))
    )
    salts = [one.decode() for one in sorted(shown)] + ["", "0" * 64]
    for firm in firms:
        guesses = [firm["hidden"]]
        for task in firm["hidden"]["strata"]:
            guesses += [
                firm["hidden"] | {"strata": firm["hidden"]["strata"] | {task: name}} for name in "ABCD"
            ]
        for guess, salt in itertools.product(guesses, salts):
            assert seal_bytes(canonical(guess), salt, digest) != rows[firm["id"]]
        assert seal_bytes(canonical(firm["hidden"]), firm["salt"], digest) == rows[firm["id"]]
    assert len({firm["salt"] for firm in firms}) == len(firms)


# --- a scope or a quota tailored to one firm


def test_a_tailored_scope_is_committed_beforehand_and_flagged(office: Any, copied: Copied) -> None:
    flags = office.document("statistics.json")["flags"]
    assert {"code": "small-frame", "task": "amr-special-equipment", "value": "5"} in flags
    hidden = rewritten(office, "statistics.json", lambda s: s.update(flags=s["flags"][:1]))
    assert failed(judge(office, hidden, auditor=True)) == {"result"}
    tailored = rewritten(
        office, "announcement.json", lambda a: a["rates"][0].update(greatest="1/1", least="1/1")
    )
    assert "announcement" in failed(judge(office, tailored, auditor=True))


# --- a relief chosen after the seed


def test_a_relief_that_was_not_announced_is_refused(office: Any) -> None:
    step = {"amount": 3, "department": "amr", "kind": "daily"}
    assert step not in office.document("announcement.json")["policy"]["relief"]
    chosen = rewritten(office, "result.json", lambda r: r.update(relief=[step]))
    assert failed(judge(office, chosen)) & {"canonical", "dates"}


# --- passed over, an enterprise finds it with its receipt


def test_an_enterprise_that_was_passed_over_finds_it_with_its_receipt(office: Any) -> None:
    selection = office.document("result.json")["selection"]
    task = next(one for one in selection if one["tickets"] and one["selected"])
    passed = task["selected"][0]
    receipt = give_receipt(office.folder, enterprise=passed, now=LONG_AFTER)
    assert receipt.check.status == "PASS"

    def spare(result: Any) -> None:
        for one in result["selection"]:
            if one["task"] == task["task"]:
                one["selected"].remove(passed)

    files = office.files() | rewritten(office, "result.json", spare)
    assert judge_receipt(files, receipt.data).status == "FAIL"


def test_an_attestation_by_anybody_but_the_announced_auditor_is_refused(office: Any) -> None:
    forged = rewritten(
        office, "attest.json", lambda a: a.update(signature=base64.b64encode(bytes(64)).decode())
    )
    assert {"signatures", "log"} <= failed(judge(office, forged))

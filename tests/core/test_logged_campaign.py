"""A campaign with a log and witnesses: what is logged, what counts as revealed, what a killed command leaves."""

from __future__ import annotations

import json
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from dualrandom import campaign
from dualrandom.campaign import StateError
from dualrandom.campaign.faults import faults_of
from dualrandom.demo import write_campaign
from dualrandom.errors import InputError
from dualrandom.keyring import revoke_key, rotate_key
from dualrandom.log.cosignature import Cosigner
from dualrandom.log.entry import Chain, chains_of
from dualrandom.log.errors import LogError
from dualrandom.log.policy import Policy, parse_policy
from dualrandom.log.reader import LogReader
from dualrandom.log.submit import Answer
from dualrandom.log.witness import Witness
from dualrandom.verify import Report, read_auditor, read_public, verify_record

NOW = datetime(2023, 8, 1, tzinfo=UTC)
DUE = datetime(2023, 8, 23, 15, 59, 24, tzinfo=UTC)
KILLS = 150 if os.environ.get("DUALRANDOM_DEEP") == "1" else 8
NAMES = ("chamber.example/w1", "university.example/w2")


@dataclass
class Office:
    """A campaign beside its log, with two witnesses that answer without a network."""

    root: Path
    clock: datetime = NOW

    @property
    def folder(self) -> Path:
        return self.root / "town"

    @property
    def public(self) -> Path:
        return self.folder / "public"

    @property
    def reader(self) -> LogReader:
        return LogReader(self.root / "log" / "public")

    def post(self, asleep: tuple[str, ...] = ()) -> Callable[[str, bytes], Answer]:
        keys = self.reader.succession.keys

        def answer(url: str, body: bytes) -> Answer:
            name = url.removeprefix("http://").removesuffix("/add-checkpoint")
            if name in asleep:
                raise OSError("asleep")
            witness = Witness(self.root / name, cosigner(name), keys, self.clock.timestamp)
            try:
                response = witness.add_checkpoint(body)
            finally:
                witness.close()
            return Answer(response.status, response.body)

        return answer

    def cosign(self, *asleep: str) -> campaign.Cosigned:
        return campaign.cosign(self.folder, self.post(asleep))

    def announce(self) -> str:
        return campaign.announce(self.folder, now=NOW).draw

    def policy(self) -> Policy:
        line = f"log {self.reader.first_key.text}\n".encode()
        return parse_policy(line + (self.root / "witnesses.policy").read_bytes())

    def chain(self, draw: str = "yunxi-2023-000001") -> Chain:
        return chains_of(self.reader.entries()).draws.get(draw, Chain(draw))

    def kinds(self) -> list[str]:
        return [entry.type.value for entry in self.chain().entries]

    def verified(self) -> Report:
        return verify_record(read_public(self.public), read_auditor(self.folder), log_policy=self.policy())


def cosigner(name: str) -> Cosigner:
    return Cosigner(name, Ed25519PrivateKey.from_private_bytes(bytes([16 + len(name)]) * 32))


@pytest.fixture(scope="module")
def drafted(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("office")
    write_campaign("town", root / "town")
    with (root / "town" / "plan.toml").open("a", encoding="utf-8") as plan:
        plan.write(
            '\n[log]\nfolder = "../log"\norigin = "log.example/yunxi"\npolicy = "../witnesses.policy"\n'
        )
    witnesses = [f"witness w{n} {cosigner(name).key.text} http://{name}\n" for n, name in enumerate(NAMES)]
    (root / "witnesses.policy").write_text("".join(witnesses) + "group both all w0 w1\nquorum both\n")
    return root


@pytest.fixture
def office(drafted: Path, tmp_path: Path) -> Office:
    shutil.copytree(drafted, tmp_path / "root")
    return Office(tmp_path / "root")


@pytest.fixture(scope="module")
def announced_root(drafted: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("announced") / "root"
    shutil.copytree(drafted, root)
    Office(root).announce()
    return root


@pytest.fixture(scope="module")
def drawn_root(announced_root: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A campaign that was drawn and cosigned. Read only."""
    root = tmp_path_factory.mktemp("drawn") / "root"
    shutil.copytree(announced_root, root)
    drawn = Office(root)
    assert campaign.reveal(drawn.folder, NOW).revealed == ("amr",)
    first = drawn.cosign()
    assert (first.quorum, first.kept, first.size, len(first.cosigned)) == (True, True, 2, 2)
    campaign.draw(drawn.folder)
    second = drawn.cosign()
    assert (second.quorum, second.kept, second.size) == (True, False, 4)
    return root


@pytest.fixture
def announced(announced_root: Path, tmp_path: Path) -> Office:
    shutil.copytree(announced_root, tmp_path / "root")
    return Office(tmp_path / "root")


def test_a_draw_is_logged_step_by_step_and_the_public_folder_alone_proves_it(drawn_root: Path) -> None:
    drawn = Office(drawn_root)
    assert drawn.kinds() == ["ANNOUNCE", "REVEAL", "BEACON", "RESULT"]
    report = drawn.verified()
    assert [check.name for check in report.checks if check.status != "PASS"] == ["findings"]
    assert faults_of(drawn.folder) == ()
    alone = verify_record(read_public(drawn.public))
    assert (alone.status("log"), alone.status("events")) == ("NOT CHECKED", "NOT CHECKED")
    assert "FAIL" not in {check.status for check in alone.checks}


def test_only_what_was_witnessed_counts_as_revealed(announced: Office) -> None:
    announced.cosign()
    campaign.draw(announced.folder)
    seed = (announced.public / "seed.txt").read_text()
    assert "contribution amr withheld" in seed
    assert announced.verified().status("contributions") == "PASS"


def test_a_nonce_revealed_after_the_witnesses_looked_needs_them_again(announced: Office) -> None:
    announced.cosign()
    campaign.reveal(announced.folder, NOW)
    with pytest.raises(StateError) as refused:
        campaign.draw(announced.folder)
    assert refused.value.code == "not-witnessed"
    announced.cosign()
    campaign.draw(announced.folder)
    assert "contribution amr revealed" in (announced.public / "seed.txt").read_text()


def test_nothing_is_revealed_or_witnessed_once_the_round_is_due(announced: Office) -> None:
    with pytest.raises(StateError, match="contributions-closed"):
        campaign.reveal(announced.folder, DUE)
    announced.clock = DUE
    with pytest.raises(StateError, match="witnessed-too-late"):
        announced.cosign()
    with pytest.raises(StateError, match="not-witnessed"):
        campaign.draw(announced.folder)
    campaign.void(announced.folder, "missed the round", DUE)
    assert announced.kinds() == ["ANNOUNCE", "VOID"]


def test_an_exclusion_is_witnessed_before_the_round_that_finds_its_substitute(
    drawn_root: Path, tmp_path: Path
) -> None:
    for name, minutes, kept in (("early", 5, (1,)), ("late", 15, ())):
        shutil.copytree(drawn_root, tmp_path / name)
        office = Office(tmp_path / name)
        now = DUE + timedelta(days=1)
        gone = json.loads((office.public / "result.json").read_bytes())["visits"][0]["enterprise"]
        row = campaign.exclude(office.folder, gone, "suspended", None, now).row
        # there is time for the witnesses before its round
        assert now + timedelta(minutes=10) <= datetime.fromisoformat(row["beacon"]["time"])
        assert office.verified().status("events") == "NOT CHECKED"
        office.clock = now + timedelta(minutes=minutes)
        assert office.cosign().exclusions == kept
        assert office.cosign().exclusions == ()
        assert (office.public / "exclusions" / "1.checkpoint").exists() is bool(kept)
        assert office.verified().status("events") == ("PASS" if kept else "NOT CHECKED")
        assert "FAIL" not in {check.status for check in office.verified().checks}


def test_a_withdrawal_is_logged_as_an_amendment_and_the_public_checks_it(
    drawn_root: Path, tmp_path: Path
) -> None:
    shutil.copytree(drawn_root, tmp_path / "office")
    office = Office(tmp_path / "office")
    visits = json.loads((office.public / "result.json").read_bytes())["visits"]
    last = max((v for v in visits if v["crews"]), key=lambda v: v["date"])
    department, since = last["crews"][0]["department"], date.fromisoformat(last["date"])
    now = DUE + timedelta(days=1)
    campaign.withdraw(office.folder, department, since, "ordered-elsewhere", None, now)
    assert office.kinds()[-1] == "AMEND"
    checked = office.verified()
    assert {name: checked.status(name) for name in ("log", "changes")} == {
        "log": "NOT CHECKED",
        "changes": "PASS",
    }
    office.cosign()
    assert office.verified().status("log") == "PASS"
    rows = (office.public / "changes.jsonl").read_bytes()
    (office.public / "changes.jsonl").write_bytes(rows.replace(b"ordered-elsewhere", b"force-majeure"))
    assert office.verified().status("log") == "FAIL"


def test_nonces_are_taken_until_their_own_deadline(office: Office) -> None:
    plan = office.folder / "plan.toml"
    with plan.open("a", encoding="utf-8") as stream:
        stream.write("\n[deadlines]\nreveal = 2023-08-20T00:00:00Z\n")
    office.announce()
    with pytest.raises(StateError, match="contributions-closed"):
        campaign.reveal(office.folder, datetime(2023, 8, 20, tzinfo=UTC))
    assert campaign.reveal(office.folder, datetime(2023, 8, 19, tzinfo=UTC)).revealed == ("amr",)


def test_a_log_is_not_gone_past_when_the_plan_cannot_be_read(announced: Office) -> None:
    """A void without its entry would be no void: others have seen the announcement in the log."""
    (announced.folder / "plan.toml").write_text("nonsense")
    with pytest.raises(InputError):
        campaign.void(announced.folder, "the plan was lost", NOW)
    assert not (announced.public / "void.json").exists()


def test_too_few_witnesses_are_said_so_and_asked_again(announced: Office) -> None:
    once = announced.cosign(NAMES[0])
    assert (once.quorum, once.kept) == (False, False)
    assert {failure.code for failure in once.failures} == {"witness-unreachable", "quorum-missing"}
    assert not (announced.public / "announced.checkpoint").exists()
    again = announced.cosign()
    assert (again.quorum, again.kept, again.failures) == (True, True, ())


def test_revealing_names_parties_and_repeats_nothing(announced: Office) -> None:
    assert campaign.reveal(announced.folder, NOW, ["fire"]).revealed == ("fire",)
    again = campaign.reveal(announced.folder, NOW, ["fire", "amr"])
    assert (again.revealed, again.before) == (("amr",), ("fire",))
    assert announced.kinds() == ["ANNOUNCE", "REVEAL", "REVEAL"]
    with pytest.raises(StateError, match="party-unknown"):
        campaign.reveal(announced.folder, NOW, ["nobody"])
    (announced.folder / "private" / "nonces" / "fire").unlink()
    assert campaign.reveal(announced.folder, NOW, ["fire"]).before == ("fire",)


def test_a_void_is_logged_and_the_next_announcement_follows_it(announced: Office) -> None:
    campaign.void(announced.folder, "名录有误", NOW)
    with pytest.raises(StateError, match="draw-is-void"):
        campaign.void(announced.folder, "again", NOW)
    assert announced.announce() == "yunxi-2023-000002"
    chains = chains_of(announced.reader.entries())
    assert chains.void_draws == ("yunxi-2023-000001",)
    campaign.reveal(announced.folder, NOW)
    announced.cosign()
    campaign.draw(announced.folder)
    announced.cosign()
    report = announced.verified()
    assert {check.name for check in report.checks if check.status != "PASS"} == {"findings"}
    assert (announced.public / "voided" / "yunxi-2023-000001" / "void.json").is_file()


def test_a_log_without_witnesses_still_orders_but_proves_no_time(announced: Office) -> None:
    (announced.root / "witnesses.policy").write_text("quorum none\n")
    campaign.reveal(announced.folder, NOW)
    campaign.draw(announced.folder)
    assert (announced.public / "announced.checkpoint").is_file()
    report = announced.verified()
    assert (report.status("log"), report.status("events")) == ("NOT CHECKED", "NOT CHECKED")
    assert "FAIL" not in {check.status for check in report.checks}


def test_two_campaigns_share_a_log_whose_numbers_have_no_gap(announced: Office) -> None:
    other = announced.root / "other"
    write_campaign("town", other)
    plan = (announced.folder / "plan.toml").read_text("utf-8").replace('id = "2023-09"', 'id = "2023-09b"')
    (other / "plan.toml").write_text(plan.replace("number = 1", "number = 3"), "utf-8")
    with pytest.raises(LogError, match="entry-out-of-order"):
        campaign.announce(other, now=NOW)
    assert not (other / "public" / "announcement.json").exists()
    (other / "plan.toml").write_text(plan + "\n", "utf-8")
    with pytest.raises(LogError, match="entry-out-of-order"):
        campaign.announce(other, now=NOW)


def test_a_rotated_key_goes_on_and_a_revoked_one_stops(announced: Office) -> None:
    first = announced.reader.first_key
    second = rotate_key(announced.root / "log", NOW)
    assert second != first
    campaign.reveal(announced.folder, NOW)
    announced.cosign()
    campaign.draw(announced.folder)
    announced.cosign()
    assert announced.verified().status("log") == "PASS"
    assert announced.verified().status("events") == "PASS"
    assert (announced.public / "log" / "keys" / "000001.note").is_file()
    revoke_key(announced.root / "log", None, NOW + timedelta(days=60), "the office was burgled")
    with pytest.raises(LogError, match="log-key-missing"):
        campaign.draw(announced.folder)


def test_keys_are_private_and_a_lost_password_is_said_so(
    announced: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    private = announced.root / "log" / "private"
    assert all(path.stat().st_mode & 0o077 == 0 for path in (private, *private.rglob("*")))
    monkeypatch.setenv("DUALRANDOM_LOG_PASSWORD", "not the password")
    with pytest.raises(LogError, match="password-wrong"):
        campaign.reveal(announced.folder, NOW)
    monkeypatch.delenv("DUALRANDOM_LOG_PASSWORD")
    (private / "password").unlink()
    with pytest.raises(LogError, match="password-missing"):
        campaign.reveal(announced.folder, NOW)


@pytest.mark.parametrize(
    "name", ["public/result.json", "public/log/checkpoint", "public/log/tile/entries/000.p/4", "plan.toml"]
)
def test_every_changed_file_is_found(drawn_root: Path, tmp_path: Path, name: str) -> None:
    shutil.copytree(drawn_root, tmp_path / "root")
    drawn = Office(tmp_path / "root")
    path = drawn.folder / name
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(bytes(data))
    problems = faults_of(drawn.folder)
    assert any(problem.severity == "error" for problem in problems)
    assert all(problem.message("zh") and problem.remedy("en") for problem in problems)


STEPS: Mapping[str, tuple[str, float]] = {
    "announce": ("campaign.announce(folder, now=NOW)", 2.5),
    "reveal": ("campaign.reveal(folder, NOW)", 0.6),
    "draw": ("campaign.draw(folder)", 4.0),
}
"""What is run, and the seconds within which it is killed."""
SCRIPT = """
import sys
from datetime import UTC, datetime
from pathlib import Path
from dualrandom import campaign
NOW = datetime(2023, 8, 1, tzinfo=UTC)
folder = Path(sys.argv[1])
print("ready", flush=True)
{step}
"""


def killed(office: Office, step: str, dice: random.Random) -> None:
    """Run a step in a process of its own and kill it at a random moment."""
    code, longest = STEPS[step]
    process = subprocess.Popen(
        [sys.executable, "-c", SCRIPT.format(step=code), str(office.folder)],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    )
    assert process.stdout is not None
    process.stdout.readline()
    time.sleep(dice.random() * longest)
    process.send_signal(signal.SIGKILL)
    process.wait()
    process.stdout.close()


def run_again(office: Office, step: str) -> None:
    if step == "announce":
        # a step that had come to its end before it was killed says so
        with suppress(StateError):
            office.announce()
    elif step == "reveal":
        campaign.reveal(office.folder, NOW)
    else:
        campaign.draw(office.folder)


@pytest.mark.parametrize("number", range(KILLS))
def test_a_step_killed_at_any_moment_is_finished_by_its_rerun(
    number: int, office: Office, announced_root: Path
) -> None:
    dice = random.Random(number)
    step = list(STEPS)[number % len(STEPS)]
    if step != "announce":
        shutil.rmtree(office.root)
        shutil.copytree(announced_root, office.root)
    if step == "draw":
        campaign.reveal(office.folder, NOW)
        office.cosign()
    for _ in range(dice.randint(1, 2)):
        killed(office, step, dice)
    path = office.public / "announcement.json"
    before = path.read_bytes() if path.exists() else None
    run_again(office, step)
    if before is not None:
        assert path.read_bytes() == before
    expected = {"announce": ["ANNOUNCE"], "reveal": ["ANNOUNCE", "REVEAL"]}
    assert office.kinds() == expected.get(step, ["ANNOUNCE", "REVEAL", "BEACON", "RESULT"])
    assert office.reader.entries() == LogReader(office.public / "log").entries()
    assert {problem.code for problem in faults_of(office.folder)} <= {"file-half-written"}
    assert "FAIL" not in {check.status for check in office.verified().checks}

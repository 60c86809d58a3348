"""The town of the demonstration as a logged, witnessed record with real keys: two draws, an exclusion, its substitute, an attestation.

Built once a session by `conftest.py`. Nothing waits: witnesses answer without a network, at the time that the story gives them.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Literal

import openpyxl
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from dualrandom import campaign
from dualrandom.campaign.attesting import attest
from dualrandom.campaign.changing import LEAD
from dualrandom.demo import write_campaign
from dualrandom.errors import DualRandomError
from dualrandom.log.cosignature import Cosigner
from dualrandom.log.policy import Policy, parse_policy
from dualrandom.log.reader import LogReader
from dualrandom.log.submit import Answer
from dualrandom.log.witness import Witness
from dualrandom.verify import AuditorFiles, read_auditor, read_public

ANNOUNCED = datetime(2023, 8, 1, tzinfo=UTC)
DUE = datetime(2023, 8, 23, 15, 59, 24, tzinfo=UTC)
"""When quicknet's round 1000 was due."""
NEXT = DUE + timedelta(seconds=1) - LEAD
"""When an exclusion is made that round 1001 decides."""
ROUND_1001 = (
    "b33bf3667cbd5a82de3a24b4e0e9fe5513cc1a0e840368c6e31f5fcfa79bea03f73896b25883abf2853d10337fb8fa41"
)
DRAW = "yunxi-2023-000001"
NAMES = ("chamber.example/w1", "university.example/w2")


def cosigner(name: str) -> Cosigner:
    return Cosigner(name, Ed25519PrivateKey.from_private_bytes(bytes([16 + len(name)]) * 32))


@dataclass
class Office:
    """A campaign beside its log, with two witnesses."""

    root: Path
    clock: datetime = ANNOUNCED

    @property
    def folder(self) -> Path:
        return self.root / "town"

    @property
    def public(self) -> Path:
        return self.folder / "public"

    @property
    def log(self) -> Path:
        return self.root / "log"

    @property
    def reader(self) -> LogReader:
        return LogReader(self.log / "public")

    def begin(self, scale: Literal["town", "city"] = "town") -> None:
        """Write the campaign and whom it asks to witness."""
        write_campaign(scale, self.folder)
        path = self.folder / "plan.toml"
        text = path.read_text("utf-8")
        text += '\n[log]\nfolder = "../log"\norigin = "log.example/yunxi"\npolicy = "../witnesses.policy"\n'
        path.write_text(text, "utf-8")
        lines = [f"witness w{n} {cosigner(name).key.text} http://{name}\n" for n, name in enumerate(NAMES)]
        (self.root / "witnesses.policy").write_text("".join(lines) + "group both all w0 w1\nquorum both\n")

    def post(self, *asleep: str) -> Callable[[str, bytes], Answer]:
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

    def cosign(self, at: datetime | None = None, *asleep: str) -> campaign.Cosigned:
        self.clock = at or self.clock
        return campaign.cosign(self.folder, self.post(*asleep))

    def policy_text(self) -> bytes:
        """What a reader trusts: the log's first key, both witnesses."""
        return f"log {self.reader.first_key.text}\n".encode() + (self.root / "witnesses.policy").read_bytes()

    def policy(self) -> Policy:
        return parse_policy(self.policy_text())

    def files(self) -> dict[str, bytes]:
        return read_public(self.public)

    def auditor(self) -> AuditorFiles:
        return read_auditor(self.folder)

    def document(self, name: str) -> Any:
        return json.loads((self.public / name).read_bytes())

    def copy(self, root: Path) -> Office:
        shutil.copytree(self.root, root)
        return Office(root, self.clock)


def announced(root: Path, scale: Literal["town", "city"] = "town") -> Office:
    """A town that was announced, with one nonce revealed, and cosigned in time."""
    office = Office(root)
    office.begin(scale)
    campaign.announce(office.folder, now=ANNOUNCED)
    assert "amr" in campaign.reveal(office.folder, ANNOUNCED).revealed
    assert office.cosign(ANNOUNCED + timedelta(days=1)).kept
    return office


def drawn(office: Office) -> Office:
    """The same, drawn and cosigned again."""
    campaign.draw(office.folder)
    office.cosign(DUE + timedelta(hours=1))
    return office


def lived(office: Office) -> Office:
    """The same, with an exclusion that was witnessed before its round, a substitute, a replacement, findings, an attestation."""
    visits = office.document("result.json")["visits"]
    gone = next(visit for visit in visits if visit["date"] is not None)
    campaign.exclude(office.folder, gone["enterprise"], "moved-away", None, NEXT)
    office.cosign(NEXT + timedelta(minutes=1))
    evidence = office.folder / "beacon-1001.json"
    evidence.write_text(json.dumps({"round": 1001, "signature": ROUND_1001}), "utf-8")
    campaign.substitute(office.folder, evidence)
    replaced(office, DUE + timedelta(days=6))
    campaign.record_findings(office.folder, filled_in(office))
    attest(office.folder, office.folder / "private" / "auditor.key")
    office.cosign(DUE + timedelta(days=7))
    return office


def filled_in(office: Office) -> Path:
    """The task sheet of market regulation, with nothing found anywhere."""
    book = openpyxl.load_workbook(office.folder / "exports" / "task-sheet-amr.xlsx")
    sheet = book.worksheets[0]
    place = {str(cell.value): column for column, cell in enumerate(sheet[1], 1)}
    for row in range(2, sheet.max_row + 1):
        sheet.cell(row, place["检查日期 date"]).value = sheet.cell(row, place["计划日期 planned"]).value
        sheet.cell(row, place["检查方式 method"]).value = "on-site"
        sheet.cell(row, place["检查结果 code"]).value = "1"
    path = office.root / "findings.xlsx"
    book.save(path)
    book.close()
    return path


def replaced(office: Office, now: datetime) -> None:
    """Replace the first inspector in whose place somebody can come."""
    rows = map(json.loads, (office.public / "changes.jsonl").read_bytes().splitlines())
    gone = {row["enterprise"] for row in rows if row["type"] == "exclude"}
    for visit in office.document("result.json")["visits"]:
        for crew in visit["crews"] if visit["enterprise"] not in gone else ():
            place = office.folder, visit["enterprise"], visit["part"], crew["seats"][0]
            try:
                campaign.replace_inspector(*place, "ill", now)
            except DualRandomError as problem:
                if isinstance(problem, campaign.StateError):
                    raise
                continue  # nobody can come: the next seat
            return
    raise AssertionError("nobody can be replaced")

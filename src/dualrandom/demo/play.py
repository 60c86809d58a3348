"""Playing a whole draw in one folder: the office, two departments, two witnesses, an auditor, an enterprise, a reader.

Beside the campaign's own folders:

    log/              the authority's log
    witnesses.policy  whom the office asks to cosign
    reader.policy     whom a reader trusts: this log and these witnesses, both of them
    others/           what the others keep to themselves: departments, witnesses, the auditor

Everybody's part is played in this process and with this machine's clock; keys are made for it. The beacon's round is a
real one of 2023, so the draw is a rehearsal, and says so.
"""

from __future__ import annotations

import csv
import io
import json
import time
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from dualrandom import contribution
from dualrandom.campaign import (
    Announced,
    Cosigned,
    DrawnSummary,
    Recorded,
    announce,
    cosign,
    draw,
    record_findings,
    reveal,
)
from dualrandom.campaign.attesting import Attested, attest
from dualrandom.campaign.folder import Campaign, write_private
from dualrandom.campaign.publishing import full_result
from dualrandom.campaign.receipts import FOLDER, Given, give_receipt
from dualrandom.demo.campaign import Scale, write_campaign
from dualrandom.keyring import (
    AUDITOR_KEY,
    WITNESS_PASSWORD,
    password_for,
    public_folder,
    public_text,
    signing_key_at,
)
from dualrandom.log.policy import Policy, parse_policy
from dualrandom.log.reader import LogReader
from dualrandom.log.submit import Answer
from dualrandom.log.witness import LOGS_FILE, create_witness, open_witness
from dualrandom.page.receipt_codes import receipt_codes_page
from dualrandom.policy.reader import read_plan
from dualrandom.progress import Progress, silent

OTHERS = "others"
READER_POLICY = "reader.policy"
WITNESSES_POLICY = "witnesses.policy"
REVEALING, SILENT = "amr", "fire"
"""The departments that contribute: one reveals in time, the other does not."""
WITNESSES = {"chamber": 8765, "university": 8766}
"""Name → port: where ``dualrandom witness --state others/NAME --port …`` would listen."""
CODES = ("1", "1", "1", "1", "1", "1", "2", "E", "7", "D")
"""Finding codes in about the shares of a quiet month."""


@dataclass(frozen=True)
class Played:
    """What became of the demonstration."""

    announced: Announced
    cosigned: Cosigned
    drawn: DrawnSummary
    recorded: Recorded
    attested: Attested
    receipt: Given
    receipt_path: Path
    codes_path: Path


Finished = Callable[[str, str], None]
"""Told the name of each act, Chinese and English, when it is over."""


def play(
    scale: Scale, out: Path, language: str, progress: Progress = silent, finished: Finished = silent
) -> Played:
    """Play the whole draw in ``out``. Raises what its steps raise."""
    others = out / OTHERS
    progress("写出示例名录", "writing the sample libraries")
    write_campaign(scale, out)
    _prepare(out, others)
    finished("准备：名录、各方密钥", "preparing: libraries, everybody's keys")

    for party in (REVEALING, SILENT):
        path = contribution.commit(others / party, _next_draw(out), party)
        _hand_over(path, out)
    finished("两个部门承诺随机数", "two departments commit to random numbers")

    announced = announce(out, rehearsal=True, now=datetime.now(UTC), progress=progress)
    _watch(out, others)
    finished("公告并登记日志", "announcing, and logging it")

    document = (out / "public" / "announcement.json").read_bytes()
    _hand_over(contribution.reveal(others / REVEALING, REVEALING, document), out)
    reveal(out, datetime.now(UTC))
    progress("请见证方共签", "asking the witnesses")
    cosigned = cosign(out, _post(others))
    finished("一个部门公开，见证方共签", "one reveals, the witnesses cosign")

    drawn = draw(out, progress=progress)
    finished("抽取并发布", "drawing and publishing")

    progress("登记检查结果", "recording findings")
    sheet = others / "findings.csv"
    sheet.write_bytes(findings_of(full_result(Campaign(out))))
    recorded = record_findings(out, sheet)
    finished("登记检查结果", "recording findings")

    progress("审计方复核并签名", "the auditor verifies and signs")
    cosign(out, _post(others))
    attested = attest(out, others / "auditor" / AUDITOR_KEY, log_policy=reader_policy(out))
    cosign(out, _post(others))
    finished("审计方签名，见证方再共签", "the auditor signs, the witnesses cosign again")

    progress("出具回执", "giving a receipt")
    visits = full_result(Campaign(out))["visits"]
    given = give_receipt(out, enterprise=visits[0]["enterprise"], now=datetime.now(UTC))
    codes = receipt_codes_page(json.loads(given.data), given.data, language)
    write_private(
        out / "private",
        {
            f"{FOLDER}/{given.name}.json": given.data,
            f"{FOLDER}/{given.name}.html": given.page,
            f"{FOLDER}/{given.name}.qr.html": codes,
        },
    )
    finished("一户企业的回执", "an enterprise's receipt")
    folder = out / "private" / FOLDER
    return Played(
        announced,
        cosigned,
        drawn,
        recorded,
        attested,
        given,
        folder / f"{given.name}.json",
        folder / f"{given.name}.qr.html",
    )


def reader_policy(out: Path) -> Policy:
    """Return the policy of a reader who trusts the demonstration's log and both of its witnesses."""
    return parse_policy((out / READER_POLICY).read_bytes())


def findings_of(result: dict[str, Any]) -> bytes:
    """Return an invented sheet of findings (csv) for every check of every visit that has a date: the same for the same result."""
    stream = io.StringIO(newline="")
    writer = csv.writer(stream)
    writer.writerow(("enterprise", "part", "task", "item", "date", "method", "code"))
    for visit in result["visits"]:
        for check in visit["checks"] if visit["date"] is not None else ():
            for item in check["items"]:
                name = f"{visit['enterprise']} {check['task']} {item}".encode()
                code = CODES[zlib.crc32(name) % len(CODES)]
                writer.writerow(
                    (visit["enterprise"], visit["part"], check["task"], item, visit["date"], "on-site", code)
                )
    return stream.getvalue().encode()


def _prepare(out: Path, others: Path) -> None:
    """Complete the plan: the auditor's public key, the log, and whom to ask for cosignatures."""
    key = public_text(signing_key_at(others / "auditor" / AUDITOR_KEY))
    plan = (out / "plan.toml").read_text("utf-8")
    head, auditor, rest = plan.partition("[auditor]\n")
    log = f'\n[log]\nfolder = "log"\npolicy = "{WITNESSES_POLICY}"\n'
    (out / "plan.toml").write_text(f'{head}{auditor}key = "{key}"\n{rest}{log}', "utf-8", newline="\n")
    lines = []
    for name, port in WITNESSES.items():
        folder = others / name
        password = password_for(folder, WITNESS_PASSWORD, has_keys=False)
        vkey = create_witness(folder, f"{name}.example/witness", password)
        lines.append(f"witness {name} {vkey} http://127.0.0.1:{port}/\n")
    names = " ".join(WITNESSES)
    lines.append(f"group both all {names}\nquorum both\n")
    (out / WITNESSES_POLICY).write_text("".join(lines), "utf-8")


def _next_draw(out: Path) -> str:
    plan = read_plan(out / "plan.toml").plan
    assert plan is not None
    return f"{plan.authority}-{plan.year}-{plan.number:06d}"


def _hand_over(path: Path, out: Path) -> None:
    target = out / "contributions" / path.name
    target.parent.mkdir(exist_ok=True)
    target.write_bytes(path.read_bytes())


def _watch(out: Path, others: Path) -> None:
    """Tell the witnesses and the reader which log it is."""
    line = f"log {LogReader(public_folder(out / 'log')).first_key.text}\n"
    for name in WITNESSES:
        (others / name / LOGS_FILE).write_text(f"{line}quorum none\n", "utf-8")
    policy = (out / WITNESSES_POLICY).read_text("utf-8")
    (out / READER_POLICY).write_text(line + policy, "utf-8")


def _post(others: Path) -> Callable[[str, bytes], Answer]:
    """Return what sends a request to a witness: here it is asked without a network."""
    names = {str(port): name for name, port in WITNESSES.items()}

    def post(address: str, body: bytes) -> Answer:
        folder = others / names[address.rpartition(":")[2].partition("/")[0]]
        password = password_for(folder, WITNESS_PASSWORD, has_keys=True)
        witness = open_witness(folder, password, time.time)
        try:
            response = witness.add_checkpoint(body)
        finally:
            witness.close()
        return Answer(response.status, response.body)

    return post

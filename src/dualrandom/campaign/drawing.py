"""Drawing: beacon → seed → sample → visits → dates → crews → the published record."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

from dualrandom.announcement import ListFile, list_files
from dualrandom.beacon import Evidence, read_evidence
from dualrandom.campaign.announcing import LIST_SECRET, inputs_unchanged
from dualrandom.campaign.contributing import nonce_of
from dualrandom.campaign.exporting import export
from dualrandom.campaign.folder import (
    Campaign,
    StateError,
    WaitingError,
    secret_hex,
    write_private,
    write_public,
)
from dualrandom.campaign.inputs import Inputs, Prepared, load_inputs, prepare
from dualrandom.campaign.logbook import (
    REVEALS,
    Logbook,
    announced_size,
    is_logged,
    put,
    revealed_documents,
)
from dualrandom.campaign.publishing import published_changes, write_index
from dualrandom.campaign.state import announcement_of, book_of, state_of
from dualrandom.campaign.witnessing import keep_unwitnessed
from dualrandom.canonical import canonical
from dualrandom.ceremony import Ceremony, Phase
from dualrandom.changes import effective_result
from dualrandom.draw import Drawn, draw_result
from dualrandom.hashing import Digest, hash_hex, suite_digest
from dualrandom.log.entry import EntryType
from dualrandom.log.storage import Document
from dualrandom.overlap import closeness
from dualrandom.progress import Progress, silent
from dualrandom.seed import commitment_of, seed_statement
from dualrandom.shortage import explanation
from dualrandom.statistics import labels_document, statistics_document

SEED = "seed.txt"


@dataclass(frozen=True)
class DrawnSummary:
    """What a draw did. ``digest`` is the result's; ``saved`` the visits that joining departments spared."""

    draw: str
    digest: str
    seed: str
    enterprises: int
    tasks: int
    visits: int
    checks: int
    saved: int
    closeness: Fraction | None
    """How close the visits came to the fewest possible: :func:`dualrandom.overlap.closeness`."""
    crews: int
    load: tuple[int, int, int]
    """Crews per inspector: least, median, greatest."""
    undated: int
    shortages: tuple[tuple[str, str], ...]
    """Why visits are undated: sentences in Chinese and English."""
    stages: Mapping[str, float]
    """Seconds per stage (English name)."""
    repeated: bool
    """Whether the result had been published before; the bytes are the same."""


class _Clock:
    """Reports stages and remembers how long each took."""

    def __init__(self, progress: Progress) -> None:
        self.progress = progress
        self.stages: dict[str, float] = {}
        self.current: tuple[str, float] | None = None

    def __call__(self, zh: str, en: str) -> None:
        self.end()
        self.current = en, time.perf_counter()
        self.progress(zh, en)

    def end(self) -> None:
        if self.current is not None:
            name, start = self.current
            self.stages[name] = self.stages.get(name, 0.0) + time.perf_counter() - start
            self.current = None


def draw(folder: Path, *, beacon_file: Path | None = None, progress: Progress = silent) -> DrawnSummary:
    """Draw, or draw again to the same bytes.

    Raises StateError (not announced, void, changed since), WaitingError (no beacon evidence yet), DualRandomError (forged
    beacon).
    """
    campaign = Campaign(folder)
    clock = _Clock(progress)
    book = book_of(campaign)
    stage = state_of(campaign, book)
    document = announcement_of(campaign, stage)
    if stage.phase is Phase.VOID:
        stage.seed()  # refuses
    digest, digest_hex = suite_digest(document["suite"]), stage.digest
    freeze = json.loads(private_file(campaign, "freeze.json"))
    # the cheapest refusal first: without the round there is nothing to compute
    evidence = _evidence(campaign, document, beacon_file)
    if stage.phase <= Phase.WAITING:
        stage = _seeded(campaign, book, stage)
    clock("读取计划和名录库", "reading plan and libraries")
    inputs = load_inputs(folder)
    inputs_unchanged(inputs, freeze["inputs"])
    clock("重建名录", "rebuilding the lists")
    secret = None
    if document["disclosure"] == "sealed" or document["policy"]["embargo"] != "none":
        secret = bytes.fromhex(private_file(campaign, LIST_SECRET).decode().strip())
    prepared, lists = rebuilt_lists(inputs, document, secret, digest)
    if book is not None:
        revealed = _logged(campaign, book, document)
    elif (campaign.public / SEED).exists():
        revealed = _in_the_seed(campaign, document)
    else:
        revealed = _revealed(campaign, inputs, document)
    statement = seed_statement(document, digest_hex, evidence.randomness, revealed)
    seed = hash_hex(statement, digest)
    drawn = draw_result(document, digest_hex, prepared.frozen, seed, secret, clock)
    _require_dated(document, drawn)
    clock("发布", "publishing")
    statistics = statistics_document(
        document, digest_hex, prepared.frozen, drawn, freeze["excluded"], freeze.get("flags", ())
    )
    labels = labels_document(
        inputs.plan, inputs.libraries, document, digest_hex, drawn.visits, freeze["rehearsal"]
    )
    ties = {} if drawn.ties is None else {"ties.json": canonical(drawn.ties)}
    # tied fillings name crews: under an embargo they wait in private until everything is opened
    withheld = document["policy"]["embargo"] != "none"
    files: dict[str, bytes] = {
        **{f"{name}.jsonl": file.file() for name, file in lists.items()},
        "beacon.json": canonical(_beacon_document(document, evidence)),
        "seed.txt": statement,
        **{f"{name}.jsonl": file.file() for name, file in drawn.lists.items()},
        **({} if withheld else ties),
        "statistics.json": canonical(statistics),
        "labels.json": canonical(labels),
        "result.json": canonical(drawn.result),
    }
    repeated = _same_as_published(campaign, files)
    if stage.phase is Phase.SEEDED:
        stage = stage.draw()
    if stage.phase is Phase.DRAWN:
        stage.publish()
    openings = {f"openings/{name}.jsonl": file.openings_file() for name, file in drawn.lists.items()}

    def write() -> None:
        if not repeated:
            write_private(campaign.private, openings | (ties if withheld else {}))
            write_public(campaign.public, files)
            write_index(campaign.public)

    entries = [
        Document(document["draw"], kind, files[name], document["suite"])
        for name, kind in (("beacon.json", EntryType.BEACON), ("result.json", EntryType.RESULT))
    ]
    put(book, entries, write)
    clock("导出", "exporting")
    people = {row.id: row.person for row in prepared.frozen.roster}
    export(campaign, inputs, document, effective_result(drawn.full, published_changes(campaign)), people)
    clock("说明未排期的原因", "explaining undated visits")
    shortages = tuple(
        zip(
            explanation(document, prepared.frozen, drawn, "zh"),
            explanation(document, prepared.frozen, drawn, "en"),
            strict=True,
        )
    )
    clock.end()
    totals = drawn.full["totals"]
    load = statistics["load"]
    overlap = statistics["overlap"]
    return DrawnSummary(
        draw=document["draw"],
        digest=hash_hex(files["result.json"], digest),
        seed=seed,
        enterprises=len(prepared.frozen.ids),
        tasks=len(document["tasks"]),
        visits=totals["visits"],
        checks=totals["checks"],
        saved=overlap["alone"] - totals["visits"],
        closeness=closeness(overlap),
        crews=totals["crews"],
        load=(load["least"], load["median"], load["greatest"]),
        undated=totals["undated"],
        shortages=shortages,
        stages=clock.stages,
        repeated=repeated,
    )


def private_file(campaign: Campaign, name: str) -> bytes:
    """Return a file of ``private/``. Raises StateError ``private-file-missing``."""
    path = campaign.private / name
    if not path.exists():
        raise StateError(
            code="private-file-missing",
            value=str(path),
            message={"zh": f"缺少 {path}", "en": f"{path} is missing"},
            remedy={
                "zh": "从备份恢复 private/；无法恢复时，以此为由作废本次抽取。",
                "en": "Restore private/ from its backup; if that is impossible, void the draw with that reason.",
            },
        )
    return path.read_bytes()


def _evidence(campaign: Campaign, document: Mapping[str, Any], beacon_file: Path | None) -> Evidence:
    beacon = document["beacon"]
    if beacon["kind"] == "local":
        randomness, new = secret_hex(campaign.private, "local-randomness")
        write_private(campaign.private, new)
        return Evidence(randomness, None, None)
    path = beacon_file or campaign.folder / "beacon.json"
    if not path.exists():
        raise WaitingError(
            code="beacon-not-there",
            value=f"{beacon['kind']} {beacon['source']} {beacon['round']}",
            message={
                "zh": f"还没有信标 {beacon['kind']} 第 {beacon['round']} 轮（应于 {beacon['time']} 产生）的证据",
                "en": f"no evidence yet for {beacon['kind']} round {beacon['round']}, due at {beacon['time']}",
            },
            remedy={
                "zh": f"轮次产生后存为 {campaign.folder / 'beacon.json'}，或用 --beacon 文件。不可换用其他轮次。",
                "en": f"When it is out, save it as {campaign.folder / 'beacon.json'} or use --beacon FILE; no other round will do.",
            },
        )
    return read_evidence(beacon["kind"], beacon["round"], path.read_bytes(), str(path))


def _beacon_document(document: Mapping[str, Any], evidence: Evidence) -> dict[str, Any]:
    return {
        "type": "dualrandom/v1/beacon",
        "kind": document["beacon"]["kind"],
        "source": document["beacon"]["source"],
        "round": document["beacon"]["round"],
        "randomness": evidence.randomness,
        "signature": evidence.signature,
        "keystring": evidence.keystring,
    }


def rebuilt_lists(
    inputs: Inputs, document: Mapping[str, Any], secret: bytes | None, digest: Digest
) -> tuple[Prepared, Mapping[str, ListFile]]:
    """Freeze the unchanged inputs again and insist on the announced commitments."""
    list_secret = secret if document["disclosure"] == "sealed" else None
    prepared = prepare(inputs, document["draw"], list_secret)
    lists = list_files(prepared.frozen, list_secret, digest)
    for name, file in lists.items():
        if file.commitment(digest) != document["lists"][name]:
            version = document["software"]["version"]
            raise StateError(
                code="lists-differ",
                value=name,
                message={
                    "zh": f"由名录重建的 {name} 与公告的承诺不符",
                    "en": f"the list {name} rebuilt from the libraries differs from the announced commitment",
                },
                remedy={
                    "zh": f"恢复公告时的 private/ 和名录文件，并使用当时的软件版本 {version}。",
                    "en": f"Restore private/ and the libraries as announced, and use the software of then, version {version}.",
                },
            )
    return prepared, lists


def _seeded(campaign: Campaign, book: Logbook | None, stage: Ceremony) -> Ceremony:
    """Seed the draw: announcement and nonces are witnessed; where no witness is asked for, the log's checkpoint is kept now."""
    if book is not None and stage.phase is Phase.ANNOUNCED and not book.policy().needs_witnesses:
        keep_unwitnessed(campaign, book)
        stage = stage.witness(None)
    return stage.seed()


def _logged(campaign: Campaign, book: Logbook, document: Mapping[str, Any]) -> dict[str, str]:
    """Return the nonces that the announced checkpoint covers: no others enter the seed.

    What was published but never logged, because ``reveal`` was killed in between, is taken back: it is withheld.
    """
    chain, suite = book.chain(document["draw"]), document["suite"]
    for path in (campaign.public / REVEALS).glob("*.json"):
        if not is_logged(chain, EntryType.REVEAL, path.read_bytes(), suite):
            path.unlink()
    covered = revealed_documents(campaign, chain, suite, announced_size(campaign))
    return {one["party"]: one["nonce"] for one in covered}


def _revealed(campaign: Campaign, inputs: Inputs, document: Mapping[str, Any]) -> dict[str, str]:
    """Return the nonces that are revealed; a party that withholds or did not send its nonce is left out."""
    willing = {contribution.party for contribution in inputs.plan.contributions if contribution.reveal}
    parties = [one["party"] for one in document["contributions"] if one["party"] in willing]
    nonces = {party: nonce_of(campaign, document, party) for party in parties}
    return {party: nonce for party, nonce in nonces.items() if nonce is not None}


def _in_the_seed(campaign: Campaign, document: Mapping[str, Any]) -> dict[str, str]:
    """Return the nonces in the seed that is published: what comes later counts for nothing.

    Raises StateError ``published-differs`` for one that its party had not committed to.
    """
    digest = suite_digest(document["suite"])
    committed = {one["party"]: one["commitment"] for one in document["contributions"]}
    found: dict[str, str] = {}
    for line in (campaign.public / SEED).read_text("ascii", errors="replace").splitlines():
        match line.split(" "):
            case ["contribution", party, "revealed", nonce]:
                if not nonce.isascii() or commitment_of(
                    document["draw"], party, nonce, digest
                ) != committed.get(party):
                    raise _differs(SEED)
                found[party] = nonce
    return found


def _require_dated(document: Mapping[str, Any], drawn: Drawn) -> None:
    undated = drawn.full["totals"]["undated"]
    if document["policy"]["undated"] == "void" and undated:
        raise StateError(
            code="undated-visits",
            value=str(undated),
            message={
                "zh": f"{undated} 次检查无法安排日期，按公告的规则本次抽取不成立",
                "en": f"{undated} visits found no date; by the announced rule this draw cannot stand",
            },
            remedy={
                "zh": "运行 dualrandom void --reason …，增加人员或减少任务后重新公告。",
                "en": "Run dualrandom void --reason …, add people or reduce tasks, and announce again.",
            },
        )


def _same_as_published(campaign: Campaign, files: Mapping[str, bytes]) -> bool:
    """Whether exactly these bytes are published already. Raises StateError if a published document differs.

    Before there is a result, the seed: whoever was stopped behind it may not go on with another one.
    """
    drawn = (campaign.public / "result.json").exists()
    if not drawn and not (campaign.public / "seed.txt").exists():
        return False
    different = [
        name
        for name, data in files.items()
        if (drawn or name == "seed.txt")
        and (not (campaign.public / name).exists() or (campaign.public / name).read_bytes() != data)
    ]
    if not different:
        return drawn
    raise _differs(", ".join(different))


def _differs(names: str) -> StateError:
    return StateError(
        code="published-differs",
        value=names,
        message={
            "zh": f"已发布的文件与重算结果不符：{names}",
            "en": f"published documents differ from the recomputed ones: {names}",
        },
        remedy={
            "zh": "已发布的内容不会被覆盖。请用 dualrandom verify 查明，并从备份恢复。",
            "en": "What was published is not overwritten. Find out with dualrandom verify and restore from the backup.",
        },
    )

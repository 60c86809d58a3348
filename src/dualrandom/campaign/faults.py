"""What is damaged in a log's folder or a campaign's: published documents, the log, its published copy, private files."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from dualrandom.campaign.folder import Campaign, StateError
from dualrandom.campaign.inputs import load_inputs
from dualrandom.campaign.logbook import PUBLISHED, Logbook, logbook_of
from dualrandom.canonical import canonical
from dualrandom.errors import DualRandomError, InputError, Problem
from dualrandom.hashing import suite_digest
from dualrandom.keyring import kept_secret, log_faults, public_folder, public_text
from dualrandom.log.checkpoint import parse_checkpoint
from dualrandom.log.entry import EntryType, document_path, parse_entry
from dualrandom.log.fsck import fsck
from dualrandom.log.note import parse_note
from dualrandom.log.policy import Policy
from dualrandom.log.reader import CHECKPOINT
from dualrandom.policy.reader import read_plan
from dualrandom.seed import commitment_of

_OUT_OF_FORM = (ValueError, LookupError, TypeError, AttributeError, ArithmeticError, RecursionError)
"""What reading a damaged document as if it were sound may raise."""
_AFTER_IT = ("seed.txt", "result.json", "void.json", f"{PUBLISHED}/{CHECKPOINT}")
"""Documents that are published only after an announcement."""
_RESTORE = ("从备份恢复该文件。", "Restore the file from its backup.")


def faults_of(path: Path, policy: Policy | None = None) -> tuple[Problem, ...]:
    """Return every fault of a log (its folder, or the public part of it) or a campaign, worst first; nothing is changed.

    ``policy`` says which logs and witnesses are trusted. Raises DualRandomError ``nothing-to-check`` for other folders.
    """
    of_log = log_faults(path, policy)
    if of_log is not None:
        return of_log
    if not (path / "plan.toml").is_file() and not (path / "public" / "announcement.json").is_file():
        raise StateError(
            "nothing-to-check",
            str(path),
            {"zh": f"{path} 不是日志或活动目录", "en": f"{path} is neither a log nor a campaign"},
            {
                "zh": "给出日志的文件夹（内有 public/）或活动目录（内有 plan.toml）。",
                "en": "Give a log's folder (with public/) or a campaign's (with plan.toml).",
            },
        )
    return tuple(sorted(_campaign(Campaign(path), policy), key=lambda problem: problem.severity))


def _campaign(campaign: Campaign, policy: Policy | None) -> Iterator[Problem]:
    yield from _leftovers(campaign.folder)
    if not (campaign.public / "announcement.json").is_file():
        after = [name for name in _AFTER_IT if (campaign.public / name).is_file()]
        if after:
            yield _problem(
                "file-missing",
                "public/announcement.json",
                after[0],
                f"文件不在，却有 {after[0]}",
                f"the file is missing, but {after[0]} is there",
            )
        return
    plan = read_plan(campaign.plan)
    book = None if plan.plan is None else logbook_of(campaign, plan.plan)
    yield from _published(campaign, policy or (None if book is None else _own_policy(book)))
    yield from _private(campaign)
    if plan.plan is None:
        yield from plan.problems
        return
    if book is not None:
        # without a reader's policy, the campaign's own makes the witnesses' signatures checkable
        yield from fsck(public_folder(book.folder), policy or _own_policy(book))
        yield from _copy(book)


def _published(campaign: Campaign, policy: Policy | None) -> Iterator[Problem]:
    """Verify the published folder, with the private openings where they are there."""
    from dualrandom.verify import read_auditor, read_public, verify_record  # noqa: PLC0415

    auditor = None
    if (campaign.private / "list-secret").is_file():
        try:
            auditor = read_auditor(campaign.folder)
        except DualRandomError as problem:
            yield _of(str(campaign.private), problem)
    # looked for in the bytes, since the document may be too damaged to be read
    elif b'"disclosure":"sealed"' in (campaign.public / "announcement.json").read_bytes():
        yield _problem("private-file-missing", "private/list-secret", "", "文件不在", "the file is missing")
    report = verify_record(read_public(campaign.public), auditor, log_policy=policy)
    for check in report.checks:
        if check.status == "FAIL":
            yield _problem(f"check-{check.name}", "public/", check.name, check.reason_zh, check.reason_en)


def _private(campaign: Campaign) -> Iterator[Problem]:
    """Compare the input files with what was frozen, and look for private files that others can read."""
    freeze = campaign.private / "freeze.json"
    if not freeze.is_file():
        yield _problem("private-file-missing", "private/freeze.json", "", "文件不在", "the file is missing")
    else:
        from dualrandom.campaign.announcing import inputs_unchanged  # noqa: PLC0415

        try:
            frozen = json.loads(freeze.read_bytes())
            if canonical(frozen) != freeze.read_bytes() or not _is_of(frozen, campaign):
                raise ValueError("not what was written")
            inputs_unchanged(load_inputs(campaign.folder), frozen["inputs"])
        except InputError as problem:
            yield from problem.problems
        except DualRandomError as problem:
            yield _of("plan.toml", problem)
        except _OUT_OF_FORM:
            yield _problem(
                "private-file-damaged", "private/freeze.json", "", "文件已损坏", "the file is damaged"
            )
    yield from _secrets(campaign)
    yield from _figures(campaign)
    for path in sorted(campaign.private.rglob("*")):
        if path.stat().st_mode & 0o077:
            name = path.relative_to(campaign.folder).as_posix()
            yield Problem(
                "private-file-exposed", name, None, None, None, "", "可被他人读取", "others can read it",
                "运行 chmod -R go= private。", "Run chmod -R go= private.",
            )  # fmt: skip


def _is_of(frozen: Mapping[str, object], campaign: Campaign) -> bool:
    """Say whether what was frozen names the announced draw, and calls it a rehearsal as the labels do where they can be read."""
    try:
        announced = json.loads((campaign.public / "announcement.json").read_bytes())["draw"]
        rehearsal = json.loads((campaign.public / "labels.json").read_bytes())["rehearsal"]
    except (OSError, *_OUT_OF_FORM):
        return True  # what is missing or damaged is told elsewhere
    keys = {"draw", "excluded", "flags", "inputs", "rehearsal"}
    return frozen.keys() == keys and (frozen["draw"], frozen["rehearsal"]) == (announced, rehearsal)


def _figures(campaign: Campaign) -> Iterator[Problem]:
    """Compute anew, from plan and libraries, what no record shows: who was left out for what reason, and all flags."""
    from dualrandom.campaign.announcing import LIST_SECRET  # noqa: PLC0415
    from dualrandom.campaign.drawing import rebuilt_lists  # noqa: PLC0415
    from dualrandom.flags import flags  # noqa: PLC0415

    path = campaign.public / "statistics.json"
    try:
        document = json.loads((campaign.public / "announcement.json").read_bytes())
        published = json.loads(path.read_bytes()) if path.is_file() else None
        frozen = json.loads((campaign.private / "freeze.json").read_bytes())
        secret = None
        if document["disclosure"] == "sealed":
            secret = bytes.fromhex((campaign.private / LIST_SECRET).read_text("ascii").strip())
        inputs = load_inputs(campaign.folder)
        prepared, _ = rebuilt_lists(inputs, document, secret, suite_digest(document["suite"]))
        found = flags(inputs.plan, inputs.libraries, document, prepared.frozen, inputs.previous)
        excluded = dict(prepared.placed.excluded)
        told = {"freeze.json": (frozen.get("flags"), frozen.get("excluded"))}
        if published is not None:
            rows = published.get("excluded")
            counted = frozen.get("excluded") if rows is None else {r["reason"]: r["count"] for r in rows}
            told["statistics.json"] = published.get("flags"), counted
    except (DualRandomError, OSError, *_OUT_OF_FORM):
        return  # what is missing or damaged is told above
    for name, shown in told.items():
        if shown != (found, excluded):
            yield _problem(
                "figures-differ",
                name,
                "",
                "标记或排除户数与由计划和名录重算的不符",
                "flags or counts of those left out are not what plan and libraries give",
            )


def _secrets(campaign: Campaign) -> Iterator[Problem]:
    """Compare nonces and keys with what the announcement commits to; those that are elsewhere are no fault."""
    try:
        announced = json.loads((campaign.public / "announcement.json").read_bytes())
        draw, digest = announced["draw"], suite_digest(announced["suite"])
        expected = {}
        for one in announced["contributions"]:
            party = one["party"]
            expected[f"nonces/{party}"] = one["commitment"]
            expected[f"keys/{party}"] = one["key"]
        if announced["auditor"] is not None:
            expected["auditor.key"] = announced["auditor"]["key"]
    except (DualRandomError, *_OUT_OF_FORM):
        return  # its own check says so
    for name, value in expected.items():
        path = campaign.private / name
        if not path.is_file():
            continue
        try:
            secret = kept_secret(path)
        except DualRandomError as problem:
            yield _of(f"private/{name}", problem)
            continue
        if name.startswith("nonces/"):
            shown = commitment_of(draw, path.name, secret, digest)
        else:
            shown = public_text(Ed25519PrivateKey.from_private_bytes(bytes.fromhex(secret)))
        if shown != value:
            yield _problem(
                "private-file-damaged",
                f"private/{name}",
                "",
                "与公告所承诺的不符",
                "it is not what the announcement commits to",
            )


def _own_policy(book: Logbook) -> Policy | None:
    try:
        return book.policy()
    except (DualRandomError, OSError):
        return None  # fsck says what is wrong with the log


def _copy(book: Logbook) -> Iterator[Problem]:
    """Compare the published copy with the log: it may be older, when another campaign has gone on, but not different."""
    copy = book.campaign.public / PUBLISHED
    if not (copy / CHECKPOINT).is_file():
        yield _problem(
            "file-missing", f"public/{PUBLISHED}/{CHECKPOINT}", "", "文件不在", "the file is missing"
        )
        return
    for path in sorted(copy.rglob("*")):
        name = path.relative_to(copy).as_posix()
        original = book.reader.file(name) if path.is_file() else None
        differs = original is not None and name != CHECKPOINT and original != path.read_bytes()
        if differs or (name == CHECKPOINT and not _is_checkpoint_of(book, path.read_bytes())):
            yield _problem(
                "copy-differs", f"public/{PUBLISHED}/{name}", "", "与日志不同", "it differs from the log"
            )
    for name in _announcements(book, (copy / CHECKPOINT).read_bytes()):
        if not (copy / name).is_file():
            yield _problem(
                "file-missing", f"public/{PUBLISHED}/{name}", "", "文件不在", "the file is missing"
            )


def _announcements(book: Logbook, checkpoint: bytes) -> list[str]:
    """Return the paths of the announcements that the log held at a checkpoint; none where either is damaged, which is told above."""
    try:
        size = parse_checkpoint(parse_note(checkpoint).text).size
        entries = [parse_entry(entry) for entry in book.reader.entries()[:size]]
    except DualRandomError:
        return []
    return [document_path(entry.digest) for entry in entries if entry.type is EntryType.ANNOUNCE]


def _is_checkpoint_of(book: Logbook, data: bytes) -> bool:
    """Say whether the log signed this checkpoint, with no signature under it that the log does not have."""
    try:
        note = parse_note(data)
        archived = parse_note(book.reader.checkpoint_note(parse_checkpoint(note.text).size))
    except DualRandomError:
        return False
    return note.text == archived.text and set(note.signatures) <= set(archived.signatures)


def _leftovers(folder: Path) -> Iterator[Problem]:
    for path in sorted(folder.rglob(".*.part")):
        yield Problem(
            "file-half-written", path.relative_to(folder).as_posix(), None, None, None, "",
            "被中断的写入所留", "left by an interrupted write",
            "重新运行被中断的命令，然后删除它。", "Run the interrupted command again, then delete it.",
            severity="warning",
        )  # fmt: skip


def _of(file: str, error: DualRandomError) -> Problem:
    return Problem(
        error.code, file, None, None, None, error.value, error.message("zh"), error.message("en"),
        error.remedy("zh"), error.remedy("en"),
    )  # fmt: skip


def _problem(code: str, file: str, value: str, zh: str, en: str) -> Problem:
    return Problem(code, file, None, None, None, value, zh, en, *_RESTORE)

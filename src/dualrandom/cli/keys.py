"""``dualrandom keys``: keys of logs, witnesses and auditors, made, handed over, revoked."""

from __future__ import annotations

from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from dualrandom.cli.options import AsJson, InLanguage
from dualrandom.cli.screen import opened
from dualrandom.errors import DualRandomError


class Action(StrEnum):
    """What to do with a key."""

    new = "new"
    rotate = "rotate"
    revoke = "revoke"


def keys(
    context: typer.Context,
    action: Annotated[
        Action,
        typer.Argument(metavar="ACTION", help="new 新建、rotate 轮换、revoke 吊销 · make, hand over, revoke"),
    ],
    folder: Annotated[
        Path,
        typer.Argument(
            metavar="FOLDER", help="日志、见证方或审计方的文件夹 · the log's, witness's or auditor's folder"
        ),
    ],
    name: Annotated[
        str | None,
        typer.Option("--name", metavar="NAME", help="新密钥的名称（日志的 origin） · the new key's name"),
    ] = None,
    witness: Annotated[
        bool, typer.Option("--witness", help="新建见证方，而非日志 · make a witness, not a log")
    ] = False,
    auditor: Annotated[
        bool,
        typer.Option("--auditor", help="新建审计方的签名密钥 · make an auditor's signing key"),
    ] = False,
    reason: Annotated[
        str | None,
        typer.Option("--reason", metavar="TEXT", help="吊销的理由，会公开 · why it is revoked; published"),
    ] = None,
    key: Annotated[
        str | None,
        typer.Option("--key", metavar="VKEY", help="要吊销的公钥，默认为现行 · default: the current key"),
    ] = None,
    as_json: AsJson = False,
    language: InLanguage = None,
) -> None:
    """日志、见证方与审计方的密钥：新建、轮换、吊销 · Keys of logs, witnesses, auditors: make, hand over, revoke.

    口令取自 DUALRANDOM_LOG_PASSWORD 或 DUALRANDOM_WITNESS_PASSWORD · the password is that of these variables
    """
    with opened(context, as_json, language) as screen:
        now = datetime.now(UTC)
        if action is Action.new:
            text = _auditor_key(folder) if auditor else _made(folder, _given(name, "--name"), witness=witness)
        else:
            from dualrandom.keyring import revoke_key, rotate_key  # noqa: PLC0415
            from dualrandom.log.note import parse_vkey  # noqa: PLC0415

            if action is Action.rotate:
                text = rotate_key(folder, now).text
            else:
                wanted = None if key is None else parse_vkey(key)
                text = revoke_key(folder, wanted, now, _given(reason, "--reason")).text
        told = {
            Action.new: ("新密钥的公钥", "The new key, to be published"),
            Action.rotate: ("现行公钥；请连同轮换文书公布", "The key from now on; publish it"),
            Action.revoke: ("已吊销", "Revoked"),
        }[action]
        screen.say(f"{told[0]}：{text}", f"{told[1]}: {text}")
        if action is Action.new and auditor:
            screen.say(
                f"把这一行公钥交给发起单位，填入计划的 [auditor] key；{folder / 'auditor.key'} 不得交出，用它签名：dualrandom attest。",
                f"Give this public key to the office, for [auditor] key of its plan; never hand over {folder / 'auditor.key'}, "
                "which signs: dualrandom attest.",
            )
        if action is not Action.new:
            screen.say(
                "下一次登记时，交接文书随日志公布到各活动的 public/log/keys/。",
                "With the next entry the note is published in public/log/keys/ of the campaign.",
            )
        screen.finish({"action": action.value, "folder": str(folder), "key": text})


def _auditor_key(folder: Path) -> str:
    from dualrandom.keyring import AUDITOR_KEY, public_text, signing_key_at  # noqa: PLC0415

    return public_text(signing_key_at(folder / AUDITOR_KEY))


def _made(folder: Path, name: str, *, witness: bool) -> str:
    from dualrandom.keyring import (  # noqa: PLC0415
        WITNESS_PASSWORD,
        begin_log,
        password_for,
    )
    from dualrandom.log.witness import KEY_FILE, create_witness  # noqa: PLC0415

    if not witness:
        return begin_log(folder, name).text
    has_keys = (folder / KEY_FILE).exists()
    return create_witness(folder, name, password_for(folder, WITNESS_PASSWORD, has_keys=has_keys))


def _given(value: str | None, option: str) -> str:
    if value is None or not value.strip():
        raise DualRandomError(
            "option-missing",
            option,
            {"zh": f"此操作需要 {option}", "en": f"this action needs {option}"},
            {"zh": f"加上 {option}。", "en": f"Add {option}."},
        )
    return value.strip()

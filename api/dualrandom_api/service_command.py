"""``dualrandom service``: begin an office, back its database up, restore it, give a forgotten password anew."""

from __future__ import annotations

import os
import secrets
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer

from dualrandom.cli.options import AsJson, InLanguage
from dualrandom.cli.screen import Screen, opened
from dualrandom.errors import DualRandomError

PASSWORD = "DUALRANDOM_PASSWORD"


class Action(StrEnum):
    """What to do."""

    init = "init"
    backup = "backup"
    restore = "restore"
    password = "password"


def service(
    context: typer.Context,
    action: Annotated[
        Action,
        typer.Argument(
            metavar="ACTION",
            help="init 建立、backup 备份、restore 恢复、password 重设密码 · begin, back up, restore, new password",
        ),
    ],
    file: Annotated[
        Path | None,
        typer.Argument(metavar="FILE", help="备份文件 · the backup", show_default=False),
    ] = None,
    data: Annotated[
        Path | None,
        typer.Option(
            "--data",
            metavar="DIR",
            help="数据目录，默认 DUALRANDOM_DATA 或 dualrandom-data · the data folder",
            show_default=False,
        ),
    ] = None,
    authority: Annotated[
        str | None,
        typer.Option("--authority", metavar="ID", help="机构代号 · the authority's id in draw ids"),
    ] = None,
    name: Annotated[str | None, typer.Option("--name", metavar="TEXT", help="机构名称 · its name")] = None,
    name_en: Annotated[
        str | None, typer.Option("--name-en", metavar="TEXT", help="机构英文名称 · its name in English")
    ] = None,
    username: Annotated[
        str, typer.Option("--username", metavar="NAME", help="调度员的用户名 · the dispatcher's user name")
    ] = "dispatcher",
    programs: Annotated[
        Path | None,
        typer.Option(
            "--programs",
            metavar="DIR",
            help="pg_dump 和 psql 所在目录 · where pg_dump and psql are",
            show_default=False,
        ),
    ] = None,
    as_json: AsJson = False,
    language: InLanguage = None,
) -> None:
    """带数据库的服务：建立、备份、恢复 · The database service: begin an office, back up, restore.

    数据库由 DUALRANDOM_DATABASE_URL 指定；密码取自 DUALRANDOM_PASSWORD，否则随机生成并只显示一次 · the database is that of
    DUALRANDOM_DATABASE_URL; the password that of DUALRANDOM_PASSWORD, else made and shown once
    """
    with opened(context, as_json, language) as screen:
        from dualrandom_api.service.settings import Settings  # noqa: PLC0415  (the extra may be missing)

        settings = Settings() if data is None else Settings(data=data)
        if action is Action.init:
            told = _init(
                screen, settings, _given(authority, "--authority"), _given(name, "--name"), name_en, username
            )
        elif action is Action.password:
            told = _password(screen, settings, username)
        elif file is None:
            raise _missing("FILE")
        elif action is Action.backup:
            told = _backup(screen, settings, file, programs)
        else:
            told = _restore(screen, settings, file, programs)
        screen.finish({"action": action.value, **told})


def _init(
    screen: Screen, settings: Any, authority: str, name: str, name_en: str | None, username: str
) -> dict[str, Any]:
    from dualrandom_api.service.application import create_parts  # noqa: PLC0415
    from dualrandom_api.service.starting import begin_office, bring_up, make_key  # noqa: PLC0415

    key = make_key(settings)
    parts = create_parts(settings)
    bring_up(parts.database, settings.data)
    password, made = _new_password()
    begin_office(
        parts,
        parts.clock(),
        authority=authority,
        name=name,
        name_en=name_en or authority,
        username=username,
        password=password,
    )
    parts.database.close()
    screen.say(f"已建立。调度员：{username}", f"Begun. The dispatcher: {username}")
    _tell_password(screen, password, made=made)
    if key is not None:
        screen.say(
            f"服务密钥：{key}。请另行备份；没有它，备份中的封存内容无法打开。",
            f"The service's key: {key}. Keep a copy elsewhere: without it nothing sealed in a backup can be opened.",
        )
    screen.say(
        "公告、作废等须两人办理：请再建一名调度员或审计人员。接着运行 dualrandom serve",
        "Announcing, voiding and key changes need two persons: add another dispatcher or an auditor. Now run dualrandom serve",
    )
    return {
        "database": parts.database.url.render_as_string(hide_password=True),
        "username": username,
        "password": password if made else None,
        "key": None if key is None else str(key),
    }


def _password(screen: Screen, settings: Any, username: str) -> dict[str, Any]:
    from dualrandom.store import accounts  # noqa: PLC0415
    from dualrandom.store.activity import SERVICE  # noqa: PLC0415
    from dualrandom_api.service.application import create_parts  # noqa: PLC0415

    parts = create_parts(settings)
    password, made = _new_password()
    hashed = parts.passwords.hashed(password, username)
    with parts.database.writing() as session:
        user = accounts.the_user(session, username)
        values = {"password_hash": hashed, "failed_attempts": 0, "locked_until": None}
        accounts.change_user(session, SERVICE, parts.clock(), username, user.version, values)
    parts.database.close()
    screen.say(f"已重设 {username} 的密码。", f"{username} has a new password.")
    _tell_password(screen, password, made=made)
    return {"username": username, "password": password if made else None}


def _backup(screen: Screen, settings: Any, file: Path, programs: Path | None) -> dict[str, Any]:
    from dualrandom.store.backup import back_up  # noqa: PLC0415
    from dualrandom.store.backups import record_backup  # noqa: PLC0415
    from dualrandom.store.database import Database, utc_now  # noqa: PLC0415

    database = Database(settings.url)
    screen.stage("备份", "backing up")
    manifest = back_up(database, file, programs)
    # announcing insists on a recent one
    with database.writing() as session:
        record_backup(
            session,
            utc_now(),
            file=file.name,
            sha256=manifest.sha256,
            activity_rows=manifest.activity_rows,
        )
    database.close()
    screen.end_stage()
    screen.say(
        f"已备份到 {file}；服务密钥不在其中，请另行保存。",
        f"Backed up to {file}; the service's key is not in it: keep it elsewhere.",
    )
    return {"file": str(file), "sha256": manifest.sha256, "activity_rows": manifest.activity_rows}


def _restore(screen: Screen, settings: Any, file: Path, programs: Path | None) -> dict[str, Any]:
    from dualrandom.store.backup import restore  # noqa: PLC0415
    from dualrandom.store.database import Database  # noqa: PLC0415

    database = Database(settings.url)
    screen.stage("恢复", "restoring")
    manifest = restore(file, database, programs)
    database.close()
    screen.end_stage()
    shown = database.url.render_as_string(hide_password=True)
    screen.say(
        f"已恢复到 {shown}；请运行 dualrandom fsck 核对。",
        f"Restored into {shown}; now run dualrandom fsck on it.",
    )
    return {"file": str(file), "database": shown, "activity_rows": manifest.activity_rows}


def _new_password() -> tuple[str, bool]:
    """Return the password of the environment, or a new one; and whether it is new."""
    given = os.environ.get(PASSWORD)
    return (given, False) if given else (secrets.token_urlsafe(15), True)


def _tell_password(screen: Screen, password: str, *, made: bool) -> None:
    if made:
        screen.say(f"密码（只显示这一次）：{password}", f"The password, shown this once: {password}")


def _given(value: str | None, option: str) -> str:
    if value is None or not value.strip():
        raise _missing(option)
    return value.strip()


def _missing(option: str) -> DualRandomError:
    return DualRandomError(
        "option-missing",
        option,
        {"zh": f"此操作需要 {option}", "en": f"this action needs {option}"},
        {"zh": f"加上 {option}。", "en": f"Add {option}."},
    )

"""``dualrandom witness``: run a witness, which cosigns logs that only grow."""

from __future__ import annotations

import sys
import time
from pathlib import Path
from typing import Annotated

import typer

from dualrandom.cli.options import AsJson, InLanguage
from dualrandom.cli.screen import opened


def witness(
    context: typer.Context,
    state: Annotated[
        Path,
        typer.Option(
            "--state",
            metavar="DIR",
            help="见证方的文件夹：密钥、所见证的日志、状态 · its folder: key, watched logs, state",
        ),
    ],
    port: Annotated[int, typer.Option("--port", metavar="N", help="端口 · the port")] = 8765,
    host: Annotated[
        str, typer.Option("--host", metavar="ADDRESS", help="监听的地址 · the address to listen on")
    ] = "127.0.0.1",
    as_json: AsJson = False,
    language: InLanguage = None,
) -> None:
    """运行见证方：只共签一贯增长的日志 · Run a witness: it cosigns logs that have only grown (C2SP tlog-witness).

    先用 keys new DIR --witness --name 名称 新建；在 DIR/logs 写入所见证日志的公钥 · make it with keys new first
    """
    with opened(context, as_json, language) as screen:
        from dualrandom.keyring import WITNESS_PASSWORD, password_for  # noqa: PLC0415
        from dualrandom.log.witness import KEY_FILE, run_witness  # noqa: PLC0415

        password = password_for(state, WITNESS_PASSWORD, has_keys=(state / KEY_FILE).exists())

        def ready(address: str) -> None:
            screen.say(
                f"见证方已在 {address} 运行；Ctrl+C 停止。",
                f"The witness listens at {address}; Ctrl+C stops it.",
            )
            screen.finish({"address": address})

        def report(line: str) -> None:
            print(line, file=sys.stderr, flush=True)

        run_witness(state, password, host, port, time.time, ready, report)

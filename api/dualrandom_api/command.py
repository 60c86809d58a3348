"""``dualrandom serve``: the public service of one record; the command line finds it by its entry point."""

from __future__ import annotations

import json
import socket
import sys
from pathlib import Path
from typing import Annotated

import typer

from dualrandom.cli.options import AsJson, InLanguage
from dualrandom.cli.screen import opened
from dualrandom.errors import DualRandomError


def serve(
    context: typer.Context,
    record: Annotated[
        Path | None,
        typer.Option(
            "--record", metavar="PUBLIC_DIR", help="公布目录 · the published folder", show_default=False
        ),
    ] = None,
    host: Annotated[str, typer.Option("--host", help="监听地址 · the address to listen on")] = "127.0.0.1",
    port: Annotated[
        int,
        typer.Option("--port", min=0, max=65535, help="端口，0 为任意空闲端口 · the port; 0: any free one"),
    ] = 8000,
    as_json: AsJson = False,
    language: InLanguage = None,
) -> None:
    """以网页和接口公开一份公布的记录（只读） · Serve a published record, read-only."""
    with opened(context, as_json, language, record) as screen:
        import uvicorn  # noqa: PLC0415  (the extra may be missing; the error must name it)

        from dualrandom_api.application import create_app  # noqa: PLC0415

        folder = _record_folder(record)
        listening = _listen(host, port)
        number = listening.getsockname()[1]
        shown = f"[{host}]" if ":" in host else host
        url = f"http://{shown}:{number}"
        if as_json:
            print(json.dumps({"url": url, "record": str(folder)}), flush=True)
        screen.say(
            f"正在公开 {folder}：{url} （按 Ctrl+C 停止）",
            f"Serving {folder} at {url} (Ctrl+C stops it)",
        )
        # a log that is a file should say so now, not when the server ends
        sys.stdout.flush()
        config = uvicorn.Config(create_app(folder), log_level="warning", server_header=False)
        uvicorn.Server(config).run(sockets=[listening])


def _record_folder(record: Path | None) -> Path:
    if record is None:
        raise DualRandomError(
            "no-database-service",
            "",
            {
                "zh": "带数据库的服务不在此版本中，只能公开一份已公布的记录",
                "en": "the database service is not part of this version; it serves a published record only",
            },
            {
                "zh": "请用 --record 给出公布目录，例如 dualrandom serve --record 活动目录/public",
                "en": "Give a published folder: dualrandom serve --record CAMPAIGN/public",
            },
        )
    from dualrandom.cli.verify import public_folder  # noqa: PLC0415

    return public_folder(record).resolve()


def _listen(host: str, port: int) -> socket.socket:
    """Return a listening socket. Raises DualRandomError ``cannot-listen``."""
    listening: socket.socket | None = None
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        listening = socket.socket(family, kind, protocol)
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind(address)
        listening.listen(128)
    except OSError as error:
        if listening is not None:
            listening.close()
        reason = error.strerror or str(error)
        raise DualRandomError(
            "cannot-listen",
            f"{host}:{port}",
            {
                "zh": f"无法监听 {host}:{port}（{reason}）",
                "en": f"cannot listen on {host}:{port} ({reason})",
            },
            {
                "zh": "请换一个 --port（0 为任意空闲端口）或 --host。",
                "en": "Choose another --port (0: any free one) or --host.",
            },
        ) from error
    return listening

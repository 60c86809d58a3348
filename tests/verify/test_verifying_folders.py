"""The shell of the verifier: folders on disk, progress, what the report says."""

import subprocess
import sys
from pathlib import Path

import pytest

from dualrandom.errors import DualRandomError
from dualrandom.verify import CHECK_NAMES, Check, Report, read_auditor, read_public, verify_record
from dualrandom.verify.list_checks import is_uscc

HAPPY = Path(__file__).resolve().parents[1] / "vectors" / "happy"


def test_a_folder_on_disk_verifies_like_its_bytes() -> None:
    report = verify_record(read_public(HAPPY / "open-drawn-after-void" / "public"))
    assert report.exit_code == 3
    assert report.status("draws") == "PASS"


def test_a_huge_file_beside_a_record_is_not_read(tmp_path: Path) -> None:
    for path in (HAPPY / "sealed-drand" / "public").glob("*.*"):
        (tmp_path / path.name).write_bytes(path.read_bytes())
    alone = verify_record(read_public(tmp_path))
    with (tmp_path / "film.mp4").open("wb") as film:
        film.truncate(2**40)
    files = read_public(tmp_path)
    assert files["film.mp4"] == b""
    assert verify_record(files).checks[1:] == alone.checks[1:]  # the first counts the files


def test_an_unreadable_file_beside_a_record_is_left_out_of_the_way(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "notes.bin").write_bytes(b"private")
    (tmp_path / "seed.txt").write_bytes(b"seed")
    monkeypatch.setattr("os.access", lambda path, mode: False)
    assert read_public(tmp_path) == {"notes.bin": b"", "seed.txt": b"seed"}


def test_the_auditors_folder_may_be_a_campaign_or_a_copy_of_its_private_part(tmp_path: Path) -> None:
    copy = HAPPY / "sealed-drand" / "auditor"
    (tmp_path / "private").symlink_to(copy)
    assert read_auditor(tmp_path) == read_auditor(copy)
    report = verify_record(read_public(HAPPY / "sealed-drand" / "public"), read_auditor(copy))
    assert report.status("selection") == "PASS"


@pytest.mark.parametrize("secret", [b"\x07" * 32, b"07" * 32, b"07" * 32 + b"\n"])
def test_a_list_secret_is_raw_or_hex(tmp_path: Path, secret: bytes) -> None:
    (tmp_path / "list-secret").write_bytes(secret)
    assert read_auditor(tmp_path).secret == b"\x07" * 32


def test_a_folder_that_is_none_is_an_error_with_a_remedy(tmp_path: Path) -> None:
    with pytest.raises(DualRandomError) as missing:
        read_public(tmp_path / "nowhere")
    assert missing.value.code == "no-folder"
    with pytest.raises(DualRandomError) as no_secret:
        read_auditor(tmp_path)
    assert no_secret.value.code == "no-list-secret"
    (tmp_path / "list-secret").write_bytes(b"short")
    with pytest.raises(DualRandomError) as bad_secret:
        read_auditor(tmp_path)
    assert bad_secret.value.code == "bad-list-secret"


def test_progress_is_told_in_both_languages() -> None:
    told: list[tuple[str, str]] = []
    verify_record(read_public(HAPPY / "open-drand" / "public"), progress=lambda zh, en: told.append((zh, en)))
    assert ("重算日期", "replaying the dates") in told
    assert all(zh and en for zh, en in told)


@pytest.mark.parametrize(
    ("statuses", "code"),
    [
        (("PASS", "PASS"), 0),
        (("PASS", "NOT CHECKED"), 3),
        (("FAIL", "NOT CHECKED"), 1),
        (("FAIL", "PASS"), 1),
    ],
)
def test_the_exit_code_is_that_of_the_worst_check(statuses: tuple[str, str], code: int) -> None:
    report = Report(tuple(Check(name, status, "", "") for name, status in zip("ab", statuses, strict=True)))  # type: ignore[arg-type]
    assert report.exit_code == code


def test_a_report_has_all_checks_in_the_protocols_order() -> None:
    page = (Path(__file__).resolve().parents[2] / "docs" / "protocol.md").read_text("utf-8")
    section = page[page.index("## 12.") : page.index("## 13.")]
    documented = [line.split("`")[1] for line in section.splitlines() if line.startswith("| `")]
    assert list(CHECK_NAMES) == documented
    assert [check.name for check in verify_record({}).checks] == documented


def test_unified_social_credit_codes_are_recognised() -> None:
    assert is_uscc("91350100M000100Y43")  # the example of GB 32100-2015
    for wrong in (
        "91350100M000100Y44",
        "91350100m000100y43",
        "91350100M000100Y4",
        "9135010XM000100Y43",
        "I1350100M000100Y43",
    ):
        assert not is_uscc(wrong)


def test_the_verifier_imports_nothing_that_draws() -> None:
    program = (
        "import sys; import dualrandom.verify; "
        "print(*sorted(m for m in sys.modules if m.startswith(('dualrandom', 'numpy', 'ortools'))))"
    )
    loaded = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    ).stdout.split()
    allowed = {
        "dualrandom",
        "dualrandom.canonical",
        "dualrandom.errors",
        "dualrandom.hashing",
        "dualrandom.ticket",
    }
    # of the log what computes from bytes alone: it opens no file and no connection
    pure = "checkpoint cosignature entry errors keys merkle note policy proof tile"
    allowed |= {"dualrandom.log", *(f"dualrandom.log.{name}" for name in pure.split())}
    assert {name for name in loaded if not name.startswith("dualrandom.verify")} <= allowed

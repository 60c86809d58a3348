"""How large is a published record? 公布的记录有多大？

    python benchmarks/record_size.py [FOLDER]

FOLDER is a published folder; without it the demonstration city is drawn first, which takes a minute. The frame is a file of its own, that is fetched only by who wants to compute the selection; all else is the record.
Kept in docs/measurements/record-size.md.
"""

from __future__ import annotations

import gzip
import subprocess
import sys
import tempfile
from pathlib import Path

FRAME = "frame.jsonl"
MB = 10**6


def sizes(folder: Path) -> dict[str, tuple[int, int]]:
    """Bytes of each file, and of it compressed by gzip -9."""
    files = {
        path.relative_to(folder).as_posix(): path for path in sorted(folder.rglob("*")) if path.is_file()
    }
    found = {}
    for name, path in files.items():
        data = path.read_bytes()
        found[name] = len(data), len(gzip.compress(data, 9, mtime=0))
    return found


def main() -> None:
    """Print the largest files and both totals."""
    with tempfile.TemporaryDirectory() as made:
        if len(sys.argv) > 1:
            public = Path(sys.argv[1])
        else:
            city = [sys.executable, "-m", "dualrandom", "demo", "--scale", "city", "--out", made, "--force"]
            subprocess.run(city, check=True, capture_output=True)
            public = Path(made) / "public"
        found = sizes(public)
    for name, (plain, packed) in sorted(found.items(), key=lambda one: -one[1][0])[:12]:
        print(f"{name:40.40} {plain / MB:8.3f} MB {packed / MB:8.3f} MB compressed")
    rest = [size for name, size in found.items() if name != FRAME]
    whole = [sum(size[at] for size in rest) / MB for at in (0, 1)]
    print(f"{'all but the frame':40} {whole[0]:8.3f} MB {whole[1]:8.3f} MB compressed")


if __name__ == "__main__":
    main()

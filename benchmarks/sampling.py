"""Time and memory of selecting enterprises, beside packages that draw samples.

    python benchmarks/sampling.py [--sizes 115900 1000000] [--peer-python PYTHON] [--limit 120] [--json]

Two jobs on made-up lists that are loaded already: all of a plan's 60 tasks at once (ours only: no peer shares one lottery number among
tasks), and one stratified sample of 4 classes, 4.1 % in all. Each row runs in a process of its own. Seconds are its processor time,
memory is what it takes above the loaded lists. Peers are not among this project's pins: install them where you like
(consistent-sampler cryptorandom samplics sortition-algorithms) and name that Python with --peer-python.

在已载入的虚构名录上抽取检查对象所用的时间与内存，并与其他抽样软件包比较：一个计划的全部 60 个任务；单个分层样本（四类，合计 4.1 %）。
每行在独立进程中运行，秒数为该进程的处理器时间。其他软件包不在本项目的锁定文件中，可另行安装，并用 --peer-python 指明其 Python。
"""

# Each row's process imports only what that row needs: peers may be absent, and memory is compared.
# ruff: noqa: PLC0415

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

SEED = "11" * 32
TASKS = 60
PROFILES = 800
PERCENT = {"A": 1, "B": 2, "C": 10, "D": 30}
CLASSES = "A" * 50 + "B" * 30 + "C" * 15 + "D" * 5
"""Class of unit i: CLASSES[i * 37 % 100]: half are A, 5 % are D."""

Job = Callable[[], int]
"""What is measured; returns how many were selected."""


def class_of(number: int) -> str:
    return CLASSES[number * 37 % 100]


def units(size: int) -> dict[str, list[str]]:
    members: dict[str, list[str]] = {name: [] for name in PERCENT}
    for number in range(size):
        members[class_of(number)].append(f"{number:018d}")
    return members


def wanted(members: dict[str, list[str]]) -> dict[str, int]:
    return {name: len(ids) * PERCENT[name] // 100 for name, ids in members.items()}


def lists(ids: tuple[str, ...], profile: Any, profiles: tuple[Any, ...], strata: dict[str, Any]) -> Any:
    from dualrandom.frame import Frozen

    return Frozen(
        draw="bench",
        ids=ids,
        keys=ids,
        districts=("d",) * len(ids),
        closed=((),) * len(ids),
        profile=profile,
        profiles=profiles,
        roster=(),
        recused={},
        incompatible={},
        strata=strata,
    )


def ours_plan(size: int) -> Job:
    """60 tasks: 5 over the whole frame, 55 over parts of it, monthly quotas of 1/2/10/30 % a year."""
    from fractions import Fraction

    import numpy as np

    from dualrandom.draw import select
    from dualrandom.quota import Stratum
    from dualrandom.ticket import Tickets

    ids = tuple(f"{number:018d}" for number in range(size))
    names = [f"t{task:02d}" for task in range(TASKS)]
    profiles = tuple(
        {name: "ABCD"[p % 4] for t, name in enumerate(names) if t < 5 or (p // 4 * 7 + t * 13) % 6 == 0}
        for p in range(PROFILES)
    )
    profile = np.random.default_rng(1).integers(0, PROFILES, size)
    counts = np.bincount(profile, minlength=PROFILES).tolist()
    strata = {}
    for name in names:
        sizes: dict[str, int] = {}
        for number, of in enumerate(profiles):
            if name in of:
                sizes[of[name]] = sizes.get(of[name], 0) + counts[number]
        strata[name] = tuple(
            Stratum(stratum, "all", n, Fraction(n * PERCENT[stratum], 1200))
            for stratum, n in sorted(sizes.items())
        )
    frozen = lists(ids, profile, profiles, strata)
    announcement = {
        "tasks": [{"id": name, "control": "one-way", "lead": None, "mode": "own"} for name in names]
    }
    return lambda: sum(len(s.by_ticket) for s in select(announcement, frozen, Tickets(SEED)))


def ours_two_way(size: int) -> Job:
    """Sizes of 60 tasks with 5 x 30 strata under two-way control; the frame's size only scales the quotas."""
    from fractions import Fraction

    from dualrandom.controlled_rounding import two_way_sizes
    from dualrandom.quota import Stratum
    from dualrandom.ticket import Tickets

    strata = [
        Stratum(
            f"{row}.d{column:02d}", row, size, Fraction(size * (17 * column + 5 * number + 1), 1200 * 997)
        )
        for number, row in enumerate("ABCDE")
        for column in range(30)
    ]
    return lambda: sum(
        sum(two_way_sizes(f"t{task:02d}", strata, Tickets(SEED)).values()) for task in range(TASKS)
    )


def ours_sample(size: int) -> Job:
    from fractions import Fraction

    import numpy as np

    from dualrandom.draw import select
    from dualrandom.quota import Stratum
    from dualrandom.ticket import Tickets

    members = units(size)
    takes = wanted(members)
    ids = tuple(f"{number:018d}" for number in range(size))
    profile = np.array(["ABCD".index(class_of(number)) for number in range(size)], dtype=np.int64)
    strata = {"t": tuple(Stratum(name, "all", len(members[name]), Fraction(takes[name])) for name in "ABCD")}
    profiles = tuple({"t": name} for name in "ABCD")
    frozen = lists(ids, profile, profiles, strata)
    announcement = {"tasks": [{"id": "t", "control": "one-way", "lead": None, "mode": "own"}]}
    return lambda: sum(len(s.by_ticket) for s in select(announcement, frozen, Tickets(SEED)))


def consistent_sampler(size: int) -> Job:
    from consistent_sampler import sampler

    members = units(size)
    takes = wanted(members)
    return lambda: sum(
        len(list(sampler(members[name], SEED, take=takes[name], output="id"))) for name in members
    )


def cryptorandom(size: int) -> Job:
    from cryptorandom.cryptorandom import SHA256
    from cryptorandom.sample import random_sample

    members = units(size)
    takes = wanted(members)

    def job() -> int:
        prng = SHA256(SEED)
        return sum(len(random_sample(members[name], takes[name], prng=prng)) for name in members)

    return job


def samplics(size: int) -> Job:
    import warnings

    warnings.simplefilter("ignore")
    import numpy as np
    from samplics import SampleSelection
    from samplics.utils import SelectMethod

    takes = wanted(units(size))
    ids = np.array([f"{number:018d}" for number in range(size)])
    stratum = np.array([class_of(number) for number in range(size)])

    def job() -> int:
        np.random.seed(1)
        method = SampleSelection(method=SelectMethod.srs_wor, strat=True, wr=False)
        return int(method.select(ids, samp_size=takes, stratum=stratum)[0].sum())

    return job


def sortition_algorithms(size: int) -> Job:
    from sortition_algorithms import Settings, read_in_features, read_in_people, run_stratification

    takes = wanted(units(size))
    rows = [
        {"feature": "class", "value": name, "min": str(n), "max": str(n)} for name, n in takes.items() if n
    ]
    features, *_ = read_in_features(["feature", "value", "min", "max"], rows)
    settings = Settings(
        id_column="id", columns_to_keep=["id"], selection_algorithm="legacy", random_number_seed=1
    )
    bodies = [
        {"id": f"{number:018d}", "class": class_of(number)}
        for number in range(size)
        if takes[class_of(number)]
    ]
    people, _ = read_in_people(["id", "class"], bodies, features, settings)

    def job() -> int:
        found, panels, report = run_stratification(features, people, sum(takes.values()), settings)
        if not found:
            raise RuntimeError(report.as_text())
        return len(panels[0])

    return job


JOBS: dict[str, tuple[Callable[[int], Job], str]] = {
    "dualrandom, 60 tasks": (
        ours_plan,
        "exact probabilities e/N; one public hash per enterprise, checkable by hand, shared by all tasks (most overlap)",
    ),
    "dualrandom, 60 x 5 x 30 two-way sizes": (
        ours_two_way,
        "every cell, both margins and the total rounded down or up, unbiased, exact arithmetic",
    ),
    "dualrandom, one sample": (ours_sample, "as above"),
    "consistent-sampler": (
        consistent_sampler,
        "one public SHA-256 ticket per id, checkable, shared by samples; no strata, sizes or tasks of its own",
    ),
    "cryptorandom": (
        cryptorandom,
        "SHA-256 generator, repeatable from seed and order of the list; no ticket of a unit's own, so no overlap",
    ),
    "samplics": (
        samplics,
        "stratified sample with weights; numpy's Mersenne Twister, repeatable only with that version; archived",
    ),
    "sortition-algorithms": (
        sortition_algorithms,
        "panel with quotas on several features (a harder job); legacy algorithm: probabilities not stated",
    ),
}
PEERS = ("consistent-sampler", "cryptorandom", "samplics", "sortition-algorithms")


def one(name: str, size: int) -> None:
    """Measure one row in this process and print it as JSON."""
    job = JOBS[name][0](size)
    before = resource.getrusage(resource.RUSAGE_SELF)
    started = time.process_time()
    selected = job()
    seconds = time.process_time() - started
    after = resource.getrusage(resource.RUSAGE_SELF)
    found = {
        "selected": selected,
        "seconds": round(seconds, 3),
        "lists_mb": before.ru_maxrss // 1024,
        "more_mb": (after.ru_maxrss - before.ru_maxrss) // 1024,
    }
    print(json.dumps(found))


def measured(name: str, size: int, python: str, limit: float) -> dict[str, Any]:
    command = [python, str(Path(__file__).resolve()), "--one", name, str(size)]
    row: dict[str, Any] = {"name": name, "units": size}
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=limit, check=False)
    except subprocess.TimeoutExpired:
        return {**row, "status": f"not within {limit:g} s"}
    if done.returncode == 0:
        return {**row, "status": "ok", **json.loads(done.stdout.splitlines()[-1])}
    last = (done.stderr.strip().splitlines() or ["failed"])[-1]
    return {**row, "status": "absent" if "ModuleNotFoundError" in last else last[:90]}


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--sizes", type=int, nargs="+", default=[115_900, 1_000_000])
    parser.add_argument(
        "--peer-python", default=sys.executable, help="Python with the peers · 装有其他软件包的 Python"
    )
    parser.add_argument("--limit", type=float, default=120, help="seconds per row · 每行限时（秒）")
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--one", nargs=2, metavar=("NAME", "UNITS"), help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.one:
        one(arguments.one[0], int(arguments.one[1]))
        return
    rows = []
    for name in JOBS:
        for size in arguments.sizes:
            python = arguments.peer_python if name in PEERS else sys.executable
            row = measured(name, size, python, arguments.limit)
            rows.append(row)
            if not arguments.json:
                shown = row["status"]
                if shown == "ok":
                    shown = f"{row['seconds']:9.3f} s  {row['lists_mb']:5} + {row['more_mb']:4} MB  {row['selected']:9,} selected"
                print(f"{name:38} {size:9,}  {shown}", flush=True)
    if arguments.json:
        print(json.dumps(rows, indent=1))
        return
    print()
    for name, (_, guarantee) in JOBS.items():
        print(f"{name:38} {guarantee}")


if __name__ == "__main__":
    main()

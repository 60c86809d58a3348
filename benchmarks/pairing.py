"""Dates, plan and certificate of the pairing, measured beside other solvers on the same instances.

    python benchmarks/pairing.py [--sizes 1000 5000 15000 75000] [--rival-limit 60] [--json]

"verify" is the verifier's own computation of prices and uniqueness, in plain Python, from costs already hashed.
Each row runs in a process of its own. Seconds are processor time of that process (the machine may be shared), for
rivals including the building of their model, and so is the limit (CP-SAT has two threads: twice the limit). A
rival that does not finish is said so, and is not tried on larger instances of the same kind. Sizes of 50,000
crews and more are paired without dates.
Synthetic instances are made up (see _pairing_instances.py); the public ones come from tests/solver/data.

测量编组的日期、方案与证书，并与其他求解器在同一批算例上比较。秒数与限时均为各自进程的处理器时间；
verify 为复核程序自行计算价格与唯一性（纯 Python，签号已算好）的时间。
未在限时内完成的求解器如实注明。50,000 组及以上不排日期。合成算例为虚构数据。
"""

from __future__ import annotations

import argparse
import importlib
import json
import math
import re
import resource
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
from _pairing_instances import read_roster, read_similarities, synthetic, undated

from dualrandom.verify.prices import PricedCrew
from dualrandom.verify.prices import least_prices as verified
from dualrandom_solver import Instance, is_unique, least_plan, least_prices, lottery_dates

DATA = Path(__file__).resolve().parent.parent / "tests" / "solver" / "data"
RIVALS = {"highs": "highs", "cpsat": "cp_sat", "scipy": "scipy_assignment"}  # functions of _pairing_rivals
WORKERS = {"cpsat": 2}  # threads, each with the limit to itself
UNDATED_FROM = 50_000
TIGHT = 1.02


def instance_of(name: str) -> Instance:
    kind, _, size = name.partition(" ")
    if kind == "month":
        return synthetic(int(size))
    if kind == "tight":
        return synthetic(int(size), utilisation=TIGHT)
    if kind == "undated":
        return undated(int(size))
    if kind == "roster":
        return read_roster(DATA / "inrc2" / size)
    return read_similarities(DATA / "assignment" / f"{size}.in")


def names(sizes: list[int]) -> list[str]:
    dated = [size for size in sizes if size < UNDATED_FROM]
    rows = ["matrix preflib1", "matrix preflib3", "matrix aamas2015", "roster n030w4"]
    rows += [f"month {size}" for size in dated]
    rows += [f"tight {size}" for size in dated]
    return rows + [f"undated {size}" for size in sizes if size >= UNDATED_FROM]


def measured(name: str) -> dict[str, object]:
    """Our own row, in this process."""
    instance = instance_of(name)
    reset = _reset_peak()
    seconds = {}

    def timed(label: str, step: Callable[[], object]) -> object:
        start = time.process_time()
        result = step()
        seconds[label] = round(time.process_time() - start, 3)
        return result

    dates = timed("dates_s", lambda: lottery_dates(instance))
    plan = timed("plan_s", lambda: least_plan(instance, dates))

    def certificate() -> bool:
        return is_unique(instance, dates, plan.members, least_prices(instance, dates, plan.members))

    unique = timed("certificate_s", certificate)
    peak = _peak_mb() if reset else None
    crews, caps = as_published(instance, dates, plan.members)
    timed("verify_s", lambda: verified(crews, caps).another_plan())
    return {
        "instance": name,
        "crews": instance.crews,
        "pairs": len(instance.cand_person),
        **seconds,
        "peak_mb": peak,
        "total": plan.cost,
        "unique": unique,
        "undated": int((dates < 0).sum()),
    }


def as_published(
    instance: Instance, dates: np.ndarray, members: np.ndarray
) -> tuple[list[PricedCrew], dict[str, tuple[int, int]]]:
    """Crews and caps as the verifier has them: names and dictionaries instead of arrays."""
    crews = []
    for crew, visit in enumerate(instance.crew_visit.tolist()):
        day = int(dates[visit])
        if day < 0:
            continue
        rows = slice(int(instance.cand_indptr[crew]), int(instance.cand_indptr[crew + 1]))
        here = ~instance.absent[instance.cand_person[rows], day] & (instance.cand_seats[rows] != 0)
        names = [str(person) for person in instance.cand_person[rows][here].tolist()]
        seated = members[instance.seat_indptr[crew] : instance.seat_indptr[crew + 1]]
        crews.append(
            PricedCrew(
                str(crew),
                str(day),
                tuple(str(person) for person in instance.cand_person[seated].tolist()),
                dict(zip(names, instance.cand_seats[rows][here].tolist(), strict=True)),
                dict(zip(names, instance.cand_cost[rows][here].tolist(), strict=True)),
            )
        )
    caps = {
        str(person): (daily, total)
        for person, (daily, total) in enumerate(
            zip(instance.daily.tolist(), instance.total.tolist(), strict=True)
        )
    }
    return crews, caps


def rival_row(name: str, rival: str, limit: float) -> dict[str, object]:
    instance = instance_of(name)
    dates = lottery_dates(instance)
    solver = getattr(importlib.import_module("_pairing_rivals"), RIVALS[rival])  # only here: it is large
    start = time.process_time()
    end = math.ceil(start + limit * WORKERS.get(rival, 1))
    resource.setrlimit(resource.RLIMIT_CPU, (end, resource.RLIM_INFINITY))  # the system ends us with SIGXCPU
    total, remark = solver(instance, dates)
    return {"seconds": round(time.process_time() - start, 3), "total": total, "remark": remark}


def _reset_peak() -> bool:
    """Forget the memory that making up the instance took, where the system can (Linux)."""
    try:
        Path("/proc/self/clear_refs").write_text("5", encoding="ascii")
    except OSError:
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss > 0
    return True


def _peak_mb() -> int:
    try:
        status = Path("/proc/self/status").read_text(encoding="ascii", errors="replace")
    except OSError:
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    found = re.search(r"VmHWM:\s+(\d+) kB", status)
    return (
        int(found.group(1)) // 1024 if found else resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    )


def apart(*arguments: str) -> dict[str, object] | None:
    """Run this script with the arguments in a new process; None when its time was up, a crash is told in the remark."""
    command = [sys.executable, str(Path(__file__).resolve()), *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode == -signal.SIGXCPU:
        return None
    if done.returncode:
        why = (done.stderr.strip().splitlines() or [f"exit status {done.returncode}"])[-1]
        return {"total": None, "seconds": None, "remark": f"failed: {why}"}
    answer: dict[str, object] = json.loads(done.stdout.splitlines()[-1])
    return answer


def compared(name: str, limit: float, beaten: set[tuple[str, str]]) -> dict[str, object]:
    row = apart("--measure", name)
    if row is None or row["total"] is None:
        raise SystemExit(f"{name}: failed · 失败: {row and row['remark']}")
    kind = name.partition(" ")[0]
    for rival in RIVALS:
        answer = None
        if (kind, rival) not in beaten and limit > 0:
            answer = apart("--rival", rival, "--rival-limit", str(limit), "--measure", name)
        row[f"{rival}_s"] = answer["seconds"] if answer and answer["total"] else None
        row[f"{rival}_total"] = answer["total"] if answer and answer["total"] else None
        row[f"{rival}_remark"] = _remark(answer, (kind, rival) in beaten, limit)
        if row[f"{rival}_s"] is None:
            beaten.add((kind, rival))
    return row


def _remark(answer: dict[str, object] | None, beaten: bool, limit: float) -> str:
    if limit <= 0:
        return "not asked for"
    if beaten:
        return "not tried: a smaller one was not finished"
    if answer is None:
        return f"not finished in {limit:g} s"
    return str(answer["remark"])


def shown(row: dict[str, object]) -> str:
    parts = [f"{row['instance']!s:18}{row['crews']:>8}{row['pairs']:>10}"]
    parts += [f"{row[key]:>9.2f}" for key in ("dates_s", "plan_s", "certificate_s", "verify_s")]
    parts.append(f"{row['peak_mb'] or 0:>8}")
    for rival in RIVALS:
        seconds = row[f"{rival}_s"]
        if seconds is None:
            parts.append(f"{'—':>10}")
            continue
        same = "=" if row[f"{rival}_total"] == row["total"] else "≠"
        parts.append(f"{seconds:>9.2f}{same}")
    return "".join(parts)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--sizes", type=int, nargs="+", default=[1000, 5000, 15_000, 75_000])
    parser.add_argument("--rival-limit", type=float, default=60.0, help="seconds; 0 leaves the rivals out")
    parser.add_argument("--json", action="store_true", help="one object a line")
    parser.add_argument("--measure", help=argparse.SUPPRESS)
    parser.add_argument("--rival", choices=sorted(RIVALS), help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.measure:
        row = (
            rival_row(options.measure, options.rival, options.rival_limit)
            if options.rival
            else measured(options.measure)
        )
        print(json.dumps(row))
        return
    beaten: set[tuple[str, str]] = set()
    if not options.json:
        print(
            f"{'instance 算例':16}{'crews':>8}{'pairs':>10}{'dates':>9}{'plan':>9}{'certif.':>9}{'verify':>9}{'MB':>8}",
            end="",
        )
        print("".join(f"{rival:>10}" for rival in RIVALS))
    remarks: dict[str, list[str]] = {}
    for name in names(sorted(options.sizes)):
        row = compared(name, options.rival_limit, beaten)
        print(json.dumps(row) if options.json else shown(row), flush=True)
        for rival in RIVALS:
            if row[f"{rival}_remark"]:
                remarks.setdefault(f"{rival}: {row[f'{rival}_remark']}", []).append(name)
    if not options.json:
        print("= same optimum 最优值相同   ≠ another total 总和不同   — no answer 无结果")
        for remark, where in remarks.items():
            print(f"{remark}: {', '.join(where)}")


if __name__ == "__main__":
    main()

"""How long the verifier page takes in Chromium for a large draw, from the choice of the folder to the verdict.

    python benchmarks/page.py [--visits 10000] [--frame 200000] [--runs 5] [--kinds open sealed auditor] [--json]

The record is made up and written once below --folder (a temporary folder by default): eight departments of 180
inspectors, eight tasks, each with 20 strata. "open" shows all rows; "sealed" hides them, as the public sees it;
"auditor" is the sealed record with all openings. Seconds are those between choosing the folder and the verdict, of
the wall clock, in a new tab each time. "processor" are the tab's seconds of processor time, all threads together:
other programs hardly change them. "others" says how many processors other programs used meanwhile, and so how much
the wall clock is worth; with --idle a run waits (an hour at most) until they leave this share of all processors free.

复核页面在 Chromium 中复核一次大型抽取所需的时间：从选定文件夹到得出结论，每次新开一页；并列出该页各线程的处理器时间，以及其间其他程序
占用的处理器数。记录为虚构。
"""

from __future__ import annotations

import argparse
import base64
import hashlib
import json
import os
import random
import statistics
import tempfile
import time
from collections.abc import Mapping
from datetime import date, timedelta
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
from playwright.sync_api import Browser, sync_playwright

from dualrandom.announcement import list_files, profile_ids, ratio, strata_in_order
from dualrandom.canonical import canonical
from dualrandom.draw import draw_result
from dualrandom.frame import Frozen, RosterRow
from dualrandom.hashing import row_salt, suite_digest
from dualrandom.quota import Stratum
from dualrandom.seed import seed_statement
from dualrandom.statistics import statistics_document

PAGE = Path(__file__).resolve().parents[1] / "api" / "dualrandom_api" / "assets" / "verify.html"
CHROMIUM = "/usr/bin/chromium"
QUICKNET = "52db9ba70e0cc0f6eaf7803dd07447a1f5477735fd3f661792ba94600c84e971"
SIGNATURE = "b44679b9a59af2ec876b1a6b1ad52ea9b1615fc3982b19576350f93447cb1125e342b73a8dd2bacbe47e4b6b63ed5e39"
"""Of quicknet's round 1000, which is public."""
# In the page: milliseconds from the choice of the files to the first frame after the verdict was put in. The browser's
# driver looks for the verdict only now and then, up to half a second later.
STOPWATCH = """() => {
  let start = 0;
  document.addEventListener("change", () => { start = performance.now(); }, { capture: true, once: true });
  window.verdictAfter = new Promise((resolve) => {
    new MutationObserver((_, observer) => {
      if (document.querySelector(".verdict") === null) return;
      observer.disconnect();
      requestAnimationFrame(() => resolve(performance.now() - start));
    }).observe(document.body, { childList: true, subtree: true });
  });
}"""
DRAW = "bench-2023-000001"
SECRET = hashlib.sha256(b"benchmark").digest()
DEPARTMENTS = tuple(f"dep{n}" for n in range(8))
DISTRICTS = tuple(f"district{n}" for n in range(5))
DAYS = tuple(
    str(day) for day in (date(2023, 9, 1) + timedelta(days=n) for n in range(30)) if day.weekday() < 5
)
INSPECTORS = 180
"""Of each department."""
OVERLAP = 0.49
"""Visits for each task's selection added up: tasks share their tickets, so some of their samples meet."""


def lists(size: int, visits: int, sealed: bool) -> Frozen:
    """Made-up lists of ``size`` enterprises from which some ``visits`` are drawn."""
    chance = random.Random(f"page {size}")
    ids = tuple(f"91420700{n:010d}" for n in range(size))
    districts = tuple(chance.choice(DISTRICTS) for _ in ids)
    classes = tuple(chance.choices("ABCD", (55, 30, 12, 3))[0] for _ in ids)
    scopes = tuple(chance.randrange(1, 256) & chance.randrange(1, 256) for _ in ids)
    profiles: dict[tuple[tuple[str, str], ...], int] = {}
    profile = []
    for district, credit, scope in zip(districts, classes, scopes, strict=True):
        tasks = [n for n in range(8) if (scope or 1) >> n & 1]
        key = tuple((f"task{n}", f"{credit}.{district}") for n in tasks)
        profile.append(profiles.setdefault(key, len(profiles)))
    sizes: dict[str, dict[str, int]] = {f"task{n}": {} for n in range(8)}
    known = tuple(profiles)
    for number in profile:
        for task, stratum in known[number]:
            sizes[task][stratum] = sizes[task].get(stratum, 0) + 1
    each = visits / OVERLAP / 8
    strata = {}
    for task, several in sizes.items():
        weight = sum(count * (1 + "ABCD".index(name[0])) for name, count in several.items())
        strata[task] = tuple(
            Stratum(name, name[0], count, Fraction(min(count, max(1, expected))))
            for name, count in sorted(several.items())
            for expected in [round(each * count * (1 + "ABCD".index(name[0])) / weight)]
        )
    people = []
    for department in DEPARTMENTS:
        for n in range(INSPECTORS):
            first = chance.randrange(len(DAYS))
            people.append(
                RosterRow(
                    id=f"{department}-{n:03d}",
                    person=f"{department}.{n}",
                    department=department,
                    districts=tuple(sorted({DISTRICTS[n % 5], chance.choice(DISTRICTS)})),
                    marks=("leader",) if n % 5 < 2 or chance.random() < 0.3 else (),
                    absent=DAYS[first : first + 3] if chance.random() < 0.3 else (),
                    daily=2,
                    total=40,
                )
            )
    roster = tuple(sorted(people, key=lambda person: person.id))
    recused = {(chance.choice(roster).id, ids[chance.randrange(size)]): "kin" for _ in range(size // 20)}
    pairs = {tuple(sorted(chance.sample([p.id for p in roster], 2))): "colleagues" for _ in range(40)}
    return Frozen(
        draw=DRAW,
        ids=ids,
        keys=tuple(f"{i}:{row_salt(SECRET, DRAW, 'frame', i)}" for i in ids) if sealed else ids,
        districts=districts,
        closed=tuple((DAYS[n % len(DAYS)],) if n % 50 == 0 else () for n in range(size)),
        profile=np.array(profile, dtype=np.int64),
        profiles=tuple(dict(key) for key in profiles),
        roster=roster,
        recused=recused,
        incompatible={(a, b): ground for (a, b), ground in pairs.items()},
        strata=strata,
    )


def announced(frozen: Frozen, sealed: bool) -> dict[str, Any]:
    """The announcement of these lists."""
    made = list_files(frozen, SECRET if sealed else None, suite_digest("sha256"))
    commitments = {name: one.commitment(suite_digest("sha256")) for name, one in made.items()}
    rates = []
    for task, strata in frozen.strata.items():
        shares = [s.expected / s.size for s in strata]
        small = [s.id for s in strata if s.size < 5 and s.expected in (0, s.size)]
        rates.append(
            {
                "greatest": ratio(max(shares)),
                "least": ratio(min(shares)),
                "small": len(small) if sealed else small,
                "task": task,
            }
        )
    tasks = [
        {
            "control": "one-way",
            "department": DEPARTMENTS[n],
            "id": f"task{n}",
            "items": [{"hours": "1/1", "id": f"item{n}", "marks": []}],
            "lead": None,
            "mode": "own",
            "strata": None
            if sealed
            else [
                {"expected": ratio(s.expected), "group": s.group, "id": s.id, "size": s.size}
                for s in frozen.strata[f"task{n}"]
            ],
            "total": ratio(sum((s.expected for s in frozen.strata[f"task{n}"]), Fraction(0))),
        }
        for n in range(8)
    ]
    return {
        "auditor": {"key": base64.b64encode(bytes(32)).decode(), "name": "audit"} if sealed else None,
        "authority": "bench",
        "beacon": {"kind": "drand", "round": "1000", "source": QUICKNET, "time": "2023-08-23T15:59:24Z"},
        "contributions": [],
        "crews": [{"department": name, "seats": [["leader"], []]} for name in DEPARTMENTS],
        "days": list(DAYS),
        "deadlines": {
            "findings": "2023-12-31T00:00:00Z",
            "result": "2023-08-31T00:00:00Z",
            "reveal": "2023-08-23T15:00:00Z",
        },
        "disclosure": "sealed" if sealed else "open",
        "draw": DRAW,
        "enterprise_ids": "free",
        "lists": commitments,
        "period": {"end": DAYS[-1], "start": DAYS[0]},
        "plan": "2023-09",
        "policy": {
            "calendar": "lottery",
            "cross_district": False,
            "embargo": "none",
            "relief": [],
            "substitution": "fresh",
            "undated": "list",
            "visit_limit": None,
        },
        "profiles": None
        if sealed
        else [
            {"id": name, "strata": dict(strata)}
            for name, strata in zip(profile_ids(frozen), frozen.profiles, strict=True)
        ],
        "rates": rates,
        "software": {"name": "benchmark", "version": "1"},
        "suite": "sha256",
        "tasks": tasks,
        "timezone": "Asia/Shanghai",
        "type": "dualrandom/v1/announcement",
        "voids": [],
    }


def labels(announcement: Mapping[str, Any], digest: str, result: Mapping[str, Any]) -> dict[str, Any]:
    """Names for readers."""
    named = {"en": "benchmark", "zh": "基准"}
    return {
        "announcement": digest,
        "authority": named,
        "departments": dict.fromkeys(DEPARTMENTS, named),
        "districts": dict.fromkeys(DISTRICTS, named),
        "enterprises": {visit["enterprise"]: named for visit in result["visits"]},
        "inspectors": {},
        "items": {
            item["id"]: named | {"basis": ""} for task in announcement["tasks"] for item in task["items"]
        },
        "rehearsal": True,
        "tasks": {task["id"]: named for task in announcement["tasks"]},
        "type": "dualrandom/v1/labels",
    }


def write(folder: Path, size: int, visits: int, sealed: bool) -> dict[str, int]:
    """Write the record as public/ and private/ below ``folder``; return its totals."""
    frozen = lists(size, visits, sealed)
    announcement = announced(frozen, sealed)
    data = canonical(announcement)
    digest = hashlib.sha256(data).hexdigest()
    randomness = hashlib.sha256(bytes.fromhex(SIGNATURE)).hexdigest()
    statement = seed_statement(announcement, digest, randomness, {})
    drawn = draw_result(announcement, digest, frozen, hashlib.sha256(statement).hexdigest(), SECRET)
    assert drawn.ties is None, "choose other numbers: a tie needs another attempt"
    beacon = {
        "keystring": None,
        "kind": "drand",
        "randomness": randomness,
        "round": "1000",
        "signature": SIGNATURE,
        "source": QUICKNET,
        "type": "dualrandom/v1/beacon",
    }
    excluded: dict[str, int] = {}
    figures = statistics_document(announcement, digest, frozen, drawn, excluded)
    made = list_files(frozen, SECRET if sealed else None, suite_digest("sha256")) | dict(drawn.lists)
    public = folder / "public"
    public.mkdir(parents=True)
    for name, value in {
        "beacon": beacon,
        "labels": labels(announcement, digest, drawn.full),
        "result": drawn.result,
        "statistics": figures,
    }.items():
        (public / f"{name}.json").write_bytes(canonical(value))
    (public / "announcement.json").write_bytes(data)
    (public / "seed.txt").write_bytes(statement)
    for name, one in made.items():
        (public / f"{name}.jsonl").write_bytes(one.file())
    if sealed:
        openings = folder / "private" / "openings"
        openings.mkdir(parents=True)
        (folder / "private" / "list-secret").write_text(SECRET.hex())
        for name, one in made.items():
            (openings / f"{name}.jsonl").write_bytes(one.openings_file())
        assert len(strata_in_order(frozen)) == 160
    totals: dict[str, int] = dict(drawn.result["totals"])
    return totals | {"relief": len(drawn.result["relief"]), "priced": len(drawn.result["prices"])}


def busy() -> float:
    """Seconds of processor time that all programs have used since the machine started."""
    user, nice, system, _idle, _wait, irq, soft, steal = map(
        int, Path("/proc/stat").read_text().split("\n", 1)[0].split()[1:9]
    )
    return (user + nice + system + irq + soft + steal) / os.sysconf("SC_CLK_TCK")


def wait_for_quiet(idle: float) -> None:
    """Wait until three seconds pass in which other programs leave this share of all processors free."""
    for _ in range(1200):
        before = busy()
        time.sleep(3)
        if busy() - before <= 3 * (1 - idle) * (os.cpu_count() or 1):
            return


def measured(browser: Browser, folder: Path) -> tuple[dict[str, float], dict[str, Any]]:
    """Seconds from choosing a folder to the verdict, of clock, tab and other programs, and what was found."""
    page = browser.new_page()
    page.goto(f"file://{PAGE}")
    page.wait_for_selector("#folder", state="attached")
    session = browser.new_browser_cdp_session()

    def used() -> tuple[float, float]:
        processes = session.send("SystemInfo.getProcessInfo")["processInfo"]
        tabs = sum(one["cpuTime"] for one in processes if one["type"] == "renderer")
        return tabs, sum(one["cpuTime"] for one in processes)

    page.evaluate(STOPWATCH)
    tab, ours, all_ = *used(), busy()
    start = time.perf_counter()
    page.set_input_files("#folder", str(folder))
    page.wait_for_selector(".verdict", timeout=120_000)
    elapsed = time.perf_counter() - start
    seconds = page.evaluate("window.verdictAfter") / 1000
    tab_after, ours_after = used()
    others = max(0.0, busy() - all_ - (ours_after - ours)) / elapsed
    session.detach()
    times = {"seconds": seconds, "processor": tab_after - tab, "others": others}
    found = {
        element.get_attribute("data-check"): element.get_attribute("data-status")
        for element in page.query_selector_all("[data-check]")
    }
    page.close()
    return times, found


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--visits", type=int, default=10_000)
    parser.add_argument("--frame", type=int, default=200_000)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--kinds", nargs="+", default=["open", "sealed", "auditor"])
    parser.add_argument("--folder", type=Path, help="where the records are, or are to be written")
    parser.add_argument("--idle", type=float, default=0.0, help="share of the processors to wait for")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    if not Path(CHROMIUM).exists():
        print(f"{CHROMIUM} is missing · 缺少 {CHROMIUM}")
        return
    rows = []
    with tempfile.TemporaryDirectory() as temporary, sync_playwright() as playwright:
        root = options.folder or Path(temporary)
        browser = playwright.chromium.launch(executable_path=CHROMIUM)
        for kind in options.kinds:
            folder = root / ("open" if kind == "open" else "sealed")
            if not folder.exists():
                print(folder.name, write(folder, options.frame, options.visits, kind != "open"), flush=True)
            runs = []
            for _ in range(options.runs):
                if options.idle:
                    wait_for_quiet(options.idle)
                times, found = measured(browser, folder if kind == "auditor" else folder / "public")
                assert "FAIL" not in found.values(), found
                runs.append(times)
            wall = [times["seconds"] for times in runs]
            passed = sum(status == "PASS" for status in found.values())
            size = sum(path.stat().st_size for path in (folder / "public").iterdir())
            rows.append(
                {
                    "kind": kind,
                    "megabytes": round(size / 1e6, 1),
                    "passed": passed,
                    "median": round(statistics.median(wall), 2),
                    "least": round(min(wall), 2),
                    "greatest": round(max(wall), 2),
                    "processor": round(statistics.median(times["processor"] for times in runs), 2),
                    "others": "–".join(
                        f"{value(times['others'] for times in runs):.1f}" for value in (min, max)
                    ),
                }
            )
        browser.close()
    if options.json:
        print(json.dumps(rows))
        return
    print("| record | MB | checks passed | median s | least | greatest | processor s of the tab | others |")
    print("|---|---|---|---|---|---|---|---|")
    for row in rows:
        print("| " + " | ".join(str(value) for value in row.values()) + " |")


if __name__ == "__main__":
    main()

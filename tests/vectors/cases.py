"""The happy paths of the vectors: small draws that together use every rule of docs/protocol.md."""

from __future__ import annotations

import copy
import hashlib
import json
from types import ModuleType
from typing import Any

import logged  # type: ignore[import-not-found]
import reference_changes as changed  # type: ignore[import-not-found]
import reference_receipts as receipts  # type: ignore[import-not-found]
import reference_withdrawals as withdrawn  # type: ignore[import-not-found]

QUICKNET = "52db9ba70e0cc0f6eaf7803dd07447a1f5477735fd3f661792ba94600c84e971"
ROUND_1000 = (
    "b44679b9a59af2ec876b1a6b1ad52ea9b1615fc3982b19576350f93447cb1125e342b73a8dd2bacbe47e4b6b63ed5e39"
)
"""The real signature of quicknet's round 1000 (public randomness)."""

DRAND = {
    "beacon": {"kind": "drand", "round": "1000", "source": QUICKNET, "time": "2023-08-23T15:59:24Z"},
    "evidence": {"signature": ROUND_1000},
}
KEYSTRING = {
    "beacon": {
        "kind": "keystring",
        "round": "2023-08-23",
        "source": "welfare-lottery",
        "time": "2023-08-23T13:15:00Z",
    },
    "evidence": {"keystring": "5.12.33.40.41.2./"},
}
DAYS = [f"2023-09-{day:02d}" for day in (4, 5, 6, 7, 8)]


def local(name: str) -> dict[str, Any]:
    """A made-up randomness, for what quicknet's one round does not happen to show."""
    return {
        "beacon": {"kind": "local", "round": "0", "source": "none", "time": "2023-08-23T13:15:00Z"},
        "evidence": {"randomness": hashlib.sha256(name.encode()).hexdigest()},
    }


def item(name: str, hours: str = "1/1", *marks: str) -> dict[str, Any]:
    return {"hours": hours, "id": name, "marks": sorted(marks)}


def task(name: str, department: str, *items: dict[str, Any], lead: str | None = None) -> dict[str, Any]:
    return {
        "department": department,
        "id": name,
        "items": list(items),
        "lead": lead,
        "mode": "own" if lead is None else "follows",
    }


def stratum(name: str, group: str, expected: str) -> dict[str, Any]:
    return {"expected": expected, "group": group, "id": name}


def person(
    number: int, department: str, districts: str = "d1 d2", marks: str = "", **more: Any
) -> dict[str, Any]:
    detail = {"absent": [], "daily": 2, "total": 6} | more
    return detail | {
        "department": department,
        "districts": districts.split(),
        "marks": sorted(marks.split()),
        "person": f"P{number:03d}",
    }


def firm(number: int, *tasks: str) -> dict[str, Any]:
    """Enterprise number n: class by n mod 3, district by n mod 2; it is in the strata of its class."""
    credit = "ABC"[number % 3]
    strata = {name: "all" if name.endswith("f") else credit for name in tasks}
    return {"closed": [], "district": f"d{number % 2 + 1}", "strata": strata}


def base() -> dict[str, Any]:
    """Two departments, three tasks, 18 enterprises, 11 inspectors, everything that an ordinary month has."""
    frame = {
        f"E{n:02d}": firm(n, "t1", *(["t2"] if n % 4 else []), *(["t3f"] if n % 5 else []))
        for n in range(1, 19)
    }
    frame["E03"]["closed"] = ["2023-09-04", "2023-09-05"]
    frame["E07"]["closed"] = ["2023-09-06"]
    roster = {
        "a1": person(1, "amr", marks="leader"),
        "a2": person(2, "amr", marks="gsp"),
        "a3": person(3, "amr", marks="leader gsp"),
        "a4": person(4, "amr", "d1", "gsp"),
        "a5": person(5, "amr", "d2", "gsp leader", absent=["2023-09-05", "2023-09-06"]),
        "a6": person(6, "amr", marks="leader", daily=1, total=2),
        "a7": person(7, "amr", marks="gsp", daily=1),
        "f1": person(11, "fire", marks="leader"),
        "f2": person(12, "fire"),
        "f3": person(13, "fire", "d1", "leader"),
        "f4": person(14, "fire", "d2", absent=["2023-09-04"]),
        "f5": person(15, "fire", daily=1),
    }
    return {
        "tasks": [
            task("t1", "amr", item("i1"), item("i2", "1/2", "gsp")),
            task("t2", "fire", item("i3")),
            task("t3f", "fire", item("i4", "3/2"), lead="t1"),
        ],
        "crews": {"amr": [["leader"], []], "fire": [["leader"], []]},
        "strata": {
            "t1": [stratum("A", "low", "3/2"), stratum("B", "low", "5/4"), stratum("C", "high", "9/4")],
            "t2": [stratum("A", "all", "2/3"), stratum("B", "all", "2/3"), stratum("C", "all", "5/3")],
        },
        "frame": frame,
        "roster": roster,
        "days": list(DAYS),
        "recusals": [
            ["a1", "E05", "kin"],
            ["a1", "a3", "colleagues"],
            ["a2", "f2", "colleagues"],
            ["f1", "E02", "interest"],
            *([f"f{n}", f"E{2 * n:02d}", "rotation"] for n in (2, 3, 5)),
        ],
        "nonces": {"amr": ("a1" * 32, True), "fire": ("f2" * 32, False)},
        **copy.deepcopy(DRAND),
    }


def divided(number: int, row: dict[str, Any]) -> dict[str, Any]:
    """A firm in the part of its stratum: in t1 one rule cuts A and B, not C; in t2 two rules cross and make four parts."""
    strata = dict(row["strata"])
    if strata["t1"] != "C":
        strata["t1"] += f".p{int(number % 4 < 2)}"
    if "t2" in strata:
        strata["t2"] = "all.p" + (("0", "1"), ("2", "1-2"))[number > 9][number % 2]
    return row | {"strata": strata}


def whole(strata: dict[str, Any]) -> dict[str, Any]:
    """The same strata with whole expected sizes, as a sealed draw needs them."""
    sizes = {"t1": {"A": "1", "B": "1", "C": "3"}, "t2": {"A": "0", "B": "1", "C": "2"}}
    return {t: [s | {"expected": sizes[t][s["id"]]} for s in several] for t, several in strata.items()}


def cases(reference: ModuleType) -> dict[str, Any]:
    """Return all happy paths by name: a Case, or (Case, drawn=False) for what is only announced."""
    found: dict[str, dict[str, Any]] = {}
    found["open-drand"] = base() | {"beside": findings}

    found["sealed-drand"] = sealed = base()
    sealed |= {"sealed": True, "strata": whole(sealed["strata"])}

    found["sealed-sm3"] = copy.deepcopy(sealed) | {"suite": "sm3"}

    found["open-parts-keystring"] = parts = base() | copy.deepcopy(KEYSTRING)
    limit = {"checks": 2, "departments": 1, "hours": "2/1"}
    parts["policy"] = {"visit_limit": limit, "cross_district": True}

    # Few people, few days: a visit stays undated and prices are above zero.
    found["open-scarce-local"] = scarce = base() | local("open-scarce-local-28")
    for row in scarce["roster"].values():
        row |= {"daily": 1, "total": 3}
    scarce["days"] = DAYS[:3]
    for row in scarce["roster"].values():
        row["absent"] = [day for day in row["absent"] if day in scarce["days"]]

    # The same with a ladder of reliefs, the third seat dropped, people lent and caps raised step by step.
    found["open-relief-local"] = relief = copy.deepcopy(scarce) | local("open-relief-local-25")
    relief["crews"] = {"amr": [["leader"], [], []], "fire": [["leader"], []]}
    relief["policy"] = {
        "relief": [
            {"amount": 0, "department": "amr", "kind": "seats"},
            {"amount": 0, "department": "fire", "kind": "lend"},
            {"amount": 1, "department": "fire", "kind": "daily"},
            {"amount": 1, "department": "amr", "kind": "total"},
        ]
    }

    found["sealed-embargo-crews"] = copy.deepcopy(sealed) | {
        "policy": {"embargo": "crews"},
        "open_embargoed": lambda key: key in ("v00001", "v00002"),
        "beside": findings,
    }
    found["open-embargo-undated"] = copy.deepcopy(scarce) | {"policy": {"embargo": "crews"}}
    found["open-embargo-visits"] = base() | {"policy": {"embargo": "visits"}, "beside": findings}
    found["open-embargo-lifted"] = base() | {
        "policy": {"embargo": "visits"},
        "open_embargoed": lambda key: True,
    }
    # Dates moved after the lottery: any feasible ones are right.
    found["open-optimised"] = base() | {"policy": {"calendar": "optimise"}, "moved": "2023-09-08"}
    # Two enterprises fall out and are substituted, two inspectors are replaced.
    found["open-changed"] = base() | {"policy": {"substitution": "fresh"}, "beside": changed.beside()}
    found["sealed-changed"] = copy.deepcopy(sealed) | {
        "policy": {"substitution": "fresh"},
        "beside": changed.beside(),
    }

    # Classes and districts are both held.
    found["open-two-way"] = table = base() | local("open-two-way-0")
    table["tasks"][0]["control"] = "two-way"
    sizes = {"A.d1": "1/2", "A.d2": "2/3", "B.d1": "3/4", "B.d2": "5/6", "C.d1": "5/4", "C.d2": "7/5"}
    table["strata"]["t1"] = [stratum(name, name[0], expected) for name, expected in sizes.items()]
    for row in table["frame"].values():
        row["strata"]["t1"] += f".{row['district']}"

    # Rules for some of a stratum's enterprises have cut strata in parts (docs/policies.md), each with a quota of its own.
    found["open-divided"] = cut = base() | local("open-divided-0")
    cut["frame"] = {key: divided(number, row) for number, (key, row) in enumerate(cut["frame"].items(), 1)}
    cut["strata"] = {
        "t1": [
            stratum("A.p0", "A", "1/2"),
            stratum("A.p1", "A", "9/5"),
            stratum("B.p0", "B", "2/1"),
            stratum("B.p1", "B", "1/3"),
            stratum("C", "C", "5/4"),
        ],
        "t2": [
            stratum("all.p0", "all", "1/4"),
            stratum("all.p1", "all", "3/4"),
            stratum("all.p1-2", "all", "7/3"),
            stratum("all.p2", "all", "1/1"),
        ],
    }

    found["open-announced"] = base()
    found["open-voided"] = base() | {"beside": voided}
    found["open-drawn-after-void"] = again = base() | {"draw": "test-2023-000002"}
    again["nonces"] = {"amr": ("b1" * 32, True), "fire": ("b2" * 32, False)}
    again["announcement"] = {"voids": ["test-2023-000001"]}
    again["beside"] = lambda built: {
        f"voided/test-2023-000001/{name}": data
        for name, data in reference.build(reference.Case(**found["open-voided"]), drawn=False).public.items()
    }
    # A log with two witnesses, in which another draw of the authority is open.
    found["open-logged"] = base() | {"beside": logged.publish(first=findings)}
    found["sealed-sm3-logged"] = copy.deepcopy(found["sealed-sm3"]) | {"beside": logged.publish()}
    found["open-logged-changed"] = copy.deepcopy(found["open-changed"]) | {
        "beside": logged.publish(first=changed.beside())
    }
    found["open-logged-announced"] = base() | {"beside": logged.publish()}
    found["open-logged-after-void"] = again | {
        "beside": logged.publish(logged.AfterVoid, first=again["beside"])
    }
    # The same changes where a public lottery, the draw's own seed or the operator's machine decides, or nothing does.
    for name, fields in {
        "open-changed-keystring": {"policy": {"substitution": "fresh"}} | copy.deepcopy(KEYSTRING),
        "open-changed-next": {"policy": {"substitution": "next"}},
        "open-changed-local": {"policy": {"substitution": "fresh"}} | local("open-changed-local-0"),
    }.items():
        found[name] = base() | fields | {"beside": changed.beside()}
    found["sealed-changed-next"] = copy.deepcopy(sealed) | {
        "policy": {"substitution": "next"},
        "beside": changed.beside(),
    }
    found["open-changed-none"] = base() | {"policy": {"substitution": "none"}, "beside": changed.alone}
    found["open-changed-pending"] = base() | {"policy": {"substitution": "fresh"}, "beside": changed.pending}
    found["open-changed-after-the-embargo"] = base() | {
        "policy": {"embargo": "visits", "substitution": "fresh"},
        "open_embargoed": lambda key: True,
        "beside": changed.beside(),
    }
    # The log's key is handed over and the old one revoked; what it had signed and witnesses had seen before, counts.
    found["open-logged-rotated"] = base() | {"beside": logged.publish(logged.Rotated, first=findings)}
    # The beacon came, and whoever draws has not got any further.
    found["open-logged-interrupted"] = base() | {"beside": logged.publish(logged.Interrupted)}
    # A log of several tiles at two levels.
    found["open-logged-long"] = base() | {"beside": logged.publish(logged.Long)}
    # Nobody had the witnesses' word for the exclusions in time.
    found["open-logged-unwitnessed"] = copy.deepcopy(found["open-changed"]) | {
        "beside": logged.publish(logged.Unwitnessed, first=changed.beside())
    }
    # The announced auditor has checked the draw and its changes, and signed so.
    found["sealed-attested"] = copy.deepcopy(found["sealed-changed"]) | {"beside": attested(changed.beside())}
    found["sealed-sm3-logged"]["beside"] = logged.publish(first=attested())
    # Departments leave after the announcement: their crews are unfilled, and findings commit to what they leave out.
    found["open-withdrawn"] = copy.deepcopy(found["open-changed"]) | {"beside": withdrawn.beside()}
    found["sealed-withdrawn"] = copy.deepcopy(found["sealed-changed"]) | {"beside": withdrawn.beside()}
    found["open-logged-withdrawn"] = copy.deepcopy(found["open-changed"]) | {
        "beside": logged.publish(first=withdrawn.beside())
    }
    found["open-withdrawn-next"] = copy.deepcopy(found["open-changed-next"]) | {
        "beside": withdrawn.beside(withdrawn.before)
    }
    found["sealed-withdrawn-next"] = copy.deepcopy(found["sealed-changed-next"]) | local("sealed-withdrawn-0")
    found["sealed-withdrawn-next"]["beside"] = withdrawn.beside(withdrawn.nothing_left)
    found["open-withdrawn-none"] = rest = base() | local("open-withdrawn-none-0")
    rest["policy"] = {"substitution": "none"}
    rest["beside"] = withdrawn.beside(withdrawn.alone)
    for row in rest["roster"].values():
        row["total"] = 2
    # nobody is in this stratum, which is no fault
    rest["strata"]["t2"].append(stratum("D", "all", "0/1"))
    # What is conspicuous is flagged: a small frame, a stratum drawn nearly whole, pools of few; one firm is always closed.
    found["open-conspicuous"] = few = base() | local("open-conspicuous-0")
    few["frame"] = {key: row for key, row in few["frame"].items() if key < "E13"}
    few["frame"]["E04"]["closed"] = list(DAYS)
    few["strata"]["t1"] = [
        stratum("A", "low", "3/1"),
        stratum("B", "low", "4/1"),
        stratum("C", "high", "9/4"),
    ]
    return {
        name: reference.Case(**fields | {"receipts": RECEIPTS.get(name, {})})
        for name, fields in found.items()
    }


def attested(first: Any = None) -> Any:
    """The auditor's attestation, and what else lies beside the result."""

    def beside(built: Any) -> dict[str, bytes]:
        files = {} if first is None else first(built)
        return files | {"attest.json": receipts.signed(receipts.attest(built, files))}

    return beside


def jcs(value: Any) -> bytes:
    return json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode()


def findings(built: Any) -> dict[str, bytes]:
    """Two findings of the first visit, the first of them corrected."""
    visit = next(visit for visit in built.visits if visit["date"])
    rows = []
    for number, check in enumerate(visit["checks"][:2]):
        row = {
            "code": "1",
            "date": visit["date"],
            "enterprise": visit["enterprise"],
            "item": check["items"][0],
            "method": "on-site",
            "part": visit["part"],
            "reason": None,
            "revision": 1,
            "task": check["task"],
        }
        rows.append(row)
        if number == 0:
            rows.append(row | {"code": "E", "reason": "复核后更正 corrected on review", "revision": 2})
    document = {
        "announcement": built.digest,
        "draw": built.draw,
        "findings": rows,
        "type": "dualrandom/v1/findings",
    }
    return {"findings.json": jcs(document)}


def voided(built: Any) -> dict[str, bytes]:
    """The end of a draw that never took place."""
    document = {
        "announcement": built.digest,
        "draw": built.draw,
        "reason": "名录有误 the register was wrong",
        "time": "2023-08-23T15:00:00Z",
        "type": "dualrandom/v1/void",
    }
    return {"void.json": jcs(document)}


RECEIPTS: dict[str, dict[str, tuple[str, str]]] = {
    "open-drand": {
        "drawn": ("enterprise", "E07"),
        "missed": ("enterprise", "E14"),
        "inspector": ("inspector", "a1"),
        "recused": ("inspector", "f1"),
        "free": ("inspector", "f4"),
    },
    "sealed-drand": {
        "drawn": ("enterprise", "E02"),
        "missed": ("enterprise", "E05"),
        "empty-stratum": ("enterprise", "E03"),
        "inspector": ("inspector", "a2"),
    },
    "sealed-sm3": {"drawn": ("enterprise", "E05"), "inspector": ("inspector", "f2")},
    "open-parts-keystring": {"drawn": ("enterprise", "E02")},
    "open-two-way": {"drawn": ("enterprise", "E11")},
    "open-divided": {"drawn": ("enterprise", "E12"), "missed": ("enterprise", "E03")},
    "open-announced": {"early": ("enterprise", "E05")},
    "open-embargo-visits": {"early": ("enterprise", "E05")},
    "sealed-embargo-crews": {"drawn": ("enterprise", "E02"), "inspector": ("inspector", "a1")},
    "open-embargo-lifted": {"drawn": ("enterprise", "E05")},
    "sealed-changed": {"drawn": ("enterprise", "E02")},
    "open-conspicuous": {"drawn": ("enterprise", "E04")},
}
"""Receipts by happy path and name."""

NOT_DRAWN = {"open-announced", "open-voided", "open-logged-announced", "open-logged-interrupted"}
"""Cases of which only the announcement exists."""

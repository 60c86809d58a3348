#!/usr/bin/env python3
"""Check a published double-random draw with Python's standard library alone. 只用标准库复核一次双随机抽取。

    python verify_draw.py PUBLIC_DIR [--auditor CAMPAIGN/private]

Written from docs/protocol.md; § below are its sections. Every check ends as PASS, FAIL or NOT CHECKED, with its reason.
Exit code: 0 all pass · 1 something FAILed · 3 nothing failed, something was NOT CHECKED · 2 wrong use.
Signatures (Ed25519, and drand's BLS) need libraries: always NOT CHECKED here; verify.html and `dualrandom verify` check them.
退出码：0 全部通过，1 有不符，3 无不符但有未核对，2 用法不对。签名需要专门的库，这里不核对，请用 verify.html。
"""

# Rows of the tables and one-line rules are kept on one line each, as in the protocol, instead of being spread out:
# fmt: off
# ruff: noqa: ARG005, B007, B905, C420, D102, D103, DTZ007, E401, E731, I001, N803, PERF401, PLW2901, RUF007, RUF021, SIM905, UP017, UP031
# One file, meant to be read from top to bottom in an evening: shapes, reading, dates and crews, then the checks in order.
import base64, hashlib, hmac, json, re, sys, unicodedata
from collections import Counter, defaultdict, deque
from datetime import datetime, timedelta, timezone
from fractions import Fraction
from pathlib import Path

QUICKNET = "52db9ba70e0cc0f6eaf7803dd07447a1f5477735fd3f661792ba94600c84e971"
CHECKS = ("canonical signatures log lists announcement events contributions beacon seed sizes selection visits dates "
          "crews prices result findings changes draws").split()
SEALED, EMBARGO, NOT_DRAWN = "密封，由审计方复核 sealed: for the auditor", "保密期内 under embargo", "尚未抽取 not drawn yet"

class Bad(Exception):
    """The record is wrong: FAIL."""

class Open(Exception):
    """What this check needs is not there: NOT CHECKED."""

def must(condition, reason):
    if not condition:
        raise Bad(reason)

def need(value, reason):
    if value is None:
        raise Open(reason)
    return value

# ---- hashes (§1, 2) -------------------------------------------------------------------------------------------------

def hasher(suite):
    name = {"sha256": "sha256", "sm3": "sm3"}[suite]
    try:
        hashlib.new(name)
    except ValueError:
        raise Open("此 Python 没有 SM3 this Python lacks SM3") from None
    return lambda data: hashlib.new(name, data).digest()

def tree(H, lines):
    """RFC 6962: neighbours are paired, an odd last node is carried up."""
    level = [H(b"\0" + line) for line in lines] or [H(b"")]
    while len(level) > 1:
        level = [H(b"\1" + b"".join(level[k:k + 2])) if k + 1 < len(level) else level[k] for k in range(0, len(level), 2)]
    return level[0].hex()

# ---- shapes of documents (§1-3, 9, 10): a dict has exactly these keys, a function judges a value ----------------------

def matches(pattern):
    return lambda x: isinstance(x, str) and re.fullmatch(pattern, x) is not None

def one(*values):
    return lambda x: any(x == v and type(x) is type(v) for v in values)

def whole(least=0):
    return lambda x: type(x) is int and least <= x < 2**53

def time(form):
    def test(x):
        try:
            return datetime.strptime(x, form).strftime(form) == x and len(x) in (10, 20)
        except (ValueError, TypeError):
            return False
    return test

def ratio(x):
    return matches("(0|[1-9][0-9]{0,99})/[1-9][0-9]{0,99}")(x) and "%d/%d" % Fraction(x).as_integer_ratio() == x

def maybe(shape):
    return lambda x: x is None or fits(x, shape)

def rows(shape, *keys, least=0):
    """An array; strictly ascending by these keys, by itself if the key is ''."""
    def test(x):
        if not isinstance(x, list) or len(x) < least or not all(fits(row, shape) for row in x):
            return False
        order = [tuple(row[k] if k else row for k in keys) for row in x]
        return not keys or all(a < b for a, b in zip(order, order[1:]))
    return test

def table(key, shape):
    return lambda x: isinstance(x, dict) and all(key(k) and fits(v, shape) for k, v in x.items())

def fits(x, shape):
    if isinstance(shape, dict):
        return isinstance(x, dict) and x.keys() == shape.keys() and all(fits(x[k], shape[k]) for k in shape)
    return shape(x)

def b64(length):
    def test(x):
        try:
            data = base64.b64decode(x, validate=True)
        except (ValueError, TypeError):
            return False
        return len(data) == length and base64.b64encode(data).decode() == x
    return test

NAME = "[0-9A-Za-z][0-9A-Za-z._-]{0,63}"
ID, HEX, NUMBER, NULL, YES_NO = matches(NAME), matches("[0-9a-f]{64}"), matches("0|[1-9][0-9]{0,99}"), one(None), one(True, False)
DAY, INSTANT, TEXT = time("%Y-%m-%d"), time("%Y-%m-%dT%H:%M:%SZ"), lambda x: isinstance(x, str)
IDS, DAYS, ROOT, NAMED = rows(ID, ""), rows(DAY, ""), {"root": HEX, "size": whole()}, {"en": TEXT, "zh": TEXT}
STEPS = rows({"amount": whole(), "department": ID, "kind": one("daily", "total", "lend", "seats")})
STRATUM = {"expected": ratio, "group": ID, "id": ID, "size": whole()}
CREW = {"barred": IDS, "department": ID, "seats": rows(ID)}
VISIT = {"checks": rows({"items": rows(ID, "", least=1), "task": ID}, "task", least=1), "district": ID, "enterprise": ID,
         "part": whole(1)}
DATED = VISIT | {"crews": rows(CREW, "department"), "date": maybe(DAY)}
PRICES = rows({"days": table(DAY, matches("[1-9][0-9]{0,99}")), "inspector": ID, "period": NUMBER}, "inspector")
TIED = {"department": ID, "enterprise": ID, "part": whole(1), "seats": rows(ID)}
FINDING = {"code": TEXT, "date": DAY, "enterprise": ID, "item": ID, "method": TEXT, "part": whole(1), "reason": maybe(TEXT),
           "revision": whole(1), "task": ID}
NAMES, HEAD = table(ID, NAMED), {"announcement": HEX, "draw": ID}
COUNTS = rows({"count": whole(), "district": ID}, "district")
SHAPES = {
    "beacon": {"keystring": maybe(lambda x: TEXT(x) and x.isascii()), "kind": ID, "randomness": HEX, "round": ID,
               "signature": maybe(matches("([0-9a-f]{2})*")), "source": ID},
    "ties": {"announcement": HEX, "attempts": rows({"attempt": whole(), "prices": PRICES, "crews": rows(
        TIED, "enterprise", "part", "department")}, "attempt")},
    "labels": {"announcement": HEX, "authority": NAMED, "rehearsal": YES_NO, "items": table(ID, NAMED | {"basis": TEXT})}
    | {k: NAMES for k in ("departments", "districts", "enterprises", "inspectors", "tasks")},
    "findings": HEAD | {"findings": rows(FINDING, "enterprise", "part", "task", "item", "revision")},
    "void": HEAD | {"reason": TEXT, "time": INSTANT},
    "statistics": HEAD | {
        "excluded": maybe(rows({"count": whole(), "reason": TEXT})), "frame": {"districts": COUNTS, "size": whole()},
        "flags": rows({"code": matches("small-frame|high-rate|small-pool|classes-changed|scope-changed|edits-not-checked"),
                       "task": lambda x: x == "" or ID(x), "value": TEXT}, "code", "task"),
        "load": dict.fromkeys(("greatest", "least", "median"), whole()), "sample": COUNTS,
        "overlap": {"alone": whole(), "independent": TEXT, "least_possible": TEXT, "visited": whole()},
        "tasks": rows({"expected": maybe(ratio), "selected": whole(), "task": ID}, "task"),
        "undated": rows({"enterprise": ID, "part": whole(1), "reason": TEXT}, "enterprise", "part"),
        "workload": rows({"crews": whole(), "days": whole(), "inspector": ID}, "inspector")},
}

def announcement_shape(sealed):
    task = {"control": one("one-way", "two-way"), "department": ID, "id": ID, "lead": maybe(ID), "mode": one("own", "follows"),
            "items": rows({"hours": ratio, "id": ID, "marks": IDS}, "id", least=1), "total": maybe(ratio),
            "strata": NULL if sealed else maybe(rows(STRATUM, "id"))}
    limit = {"checks": maybe(whole(1)), "departments": maybe(whole(1)), "hours": maybe(lambda x: ratio(x) and x != "0/1")}
    policy = {"calendar": one("lottery", "optimise"), "cross_district": YES_NO, "relief": STEPS, "visit_limit": maybe(limit),
              "embargo": one("none", "crews", "visits"), "substitution": one("fresh", "next", "none"),
              "undated": one("list", "void")}
    lists = ("frame", "recusals", "roster") + (("strata",) if sealed else ())
    return {"draw": ID, "plan": ID, "authority": ID, "timezone": TEXT, "suite": one("sha256", "sm3"), "voids": IDS,
            "disclosure": one("open", "sealed"), "enterprise_ids": one("uscc", "free"), "policy": policy,
            "auditor": {"key": b64(32), "name": TEXT} if sealed else NULL, "software": {"name": TEXT, "version": TEXT},
            "beacon": {"kind": one("drand", "keystring", "local"), "round": ID, "source": ID, "time": INSTANT},
            "contributions": rows({"commitment": HEX, "key": b64(32), "party": ID, "signature": b64(64)}, "party"),
            "period": {"end": DAY, "start": DAY}, "days": rows(DAY, "", least=1), "lists": dict.fromkeys(lists, ROOT),
            "deadlines": {"findings": INSTANT, "result": INSTANT, "reveal": INSTANT}, "tasks": rows(lambda x: fits(x, task) and (x["mode"] == "own" or x["control"] == "one-way"), "id", least=1),
            "crews": rows({"department": ID, "seats": rows(IDS)}, "department"),
            "profiles": NULL if sealed else rows({"id": ID, "strata": table(ID, ID)}, "id"),
            "rates": rows({"greatest": ratio, "least": ratio, "small": whole() if sealed else IDS, "task": ID}, "task")}

def selection_shape(ann):
    sealed, own = ann["disclosure"] == "sealed", {t["id"] for t in ann["tasks"] if t["mode"] == "own"}
    cuts = rows({"cutoff": maybe(HEX), "id": ID, "n": whole()}, "id")
    def row(x):
        lead = isinstance(x, dict) and x.get("task") in own
        return fits(x, {"selected": IDS if sealed else lambda ids: rows(ID)(ids) and len(ids) == len(set(ids)), "task": ID,
                        "strata": cuts if lead and not sealed else NULL, "tickets": rows(HEX, "") if lead and sealed else NULL})
    return rows(row, "task")

def result_shape(ann):
    embargo, counts = ann["policy"]["embargo"], ("checks", "crews", "undated", "visits")
    return {"announcement": HEX, "draw": ID, "seed": HEX, "attempt": whole(), "relief": STEPS,
            "selection": NULL if embargo == "visits" else selection_shape(ann), "prices": PRICES if embargo == "none" else NULL,
            "visits": NULL if embargo == "visits" else rows(DATED if embargo == "none" else VISIT, "enterprise", "part"),
            "cutoffs": ROOT if ann["disclosure"] == "sealed" else NULL, "embargoed": NULL if embargo == "none" else ROOT,
            "totals": dict.fromkeys(counts, whole()) | {"cost": NUMBER}}

def list_shapes(ann):
    """List -> (shape of a row, shape of what a sealed row hides)."""
    sealed, days = ann["disclosure"] == "sealed", set(ann["days"])
    some, pair = lambda x: DAYS(x) and days.issuperset(x), lambda x: rows(ID)(x) and len(x) == 2
    person = {"absent": some, "daily": whole(), "department": ID, "districts": IDS, "marks": IDS, "total": whole()}
    firm, ground, seal = {"closed": some, "district": ID}, {"ground": ID}, {"id": ID, "sealed": HEX}
    return {"frame": (seal if sealed else {"id": ID, "detail": firm | {"profile": ID}}, firm | {"strata": table(ID, ID)}),
            "roster": ({"id": ID, "detail": person} | (seal if sealed else {}), {"person": ID}),
            "recusals": (seal if sealed else {"id": matches(f"{NAME}~{NAME}"), "detail": ground}, ground | {"pair": pair}),
            "strata": (seal, STRATUM | {"task": ID}), "cutoffs": (seal, {"n": whole(), "tickets": rows(HEX, "")}),
            "visits": (seal, lambda x: fits(x, DATED) or PRICES(x) or selection_shape(ann)(x))}

# ---- reading a record -----------------------------------------------------------------------------------------------

def pairs(items):
    must(len(items) == len(dict(items)), "a key occurs twice")
    return dict(items)

def jcs(value):
    return json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":"), allow_nan=False)

def canonical(data):
    """Parse bytes that must be RFC 8785; encoding them again refuses lone surrogates."""
    value = json.loads(data.decode(), object_pairs_hook=pairs)
    must(jcs(value).encode() == data and unicodedata.is_normalized("NFC", data.decode()), "not RFC 8785, or not NFC")
    return value

WRONG = (Bad, ValueError, RecursionError, KeyError, TypeError, AttributeError)

class Record:
    """All documents that parse, in one form, whether rows were published open or opened; what stays sealed is None."""

    def __init__(self, files, auditor):
        self.files, self.auditor, self.bad, self.docs, self.lists, self.openings = files, auditor, [], {}, {}, {}
        self.ann = ann = self.load("announcement", lambda x: fits(x, announcement_shape(x["disclosure"] == "sealed")))
        if ann is None:
            return
        self.H, self.sealed, self.embargo = hasher(ann["suite"]), ann["disclosure"] == "sealed", ann["policy"]["embargo"]
        self.digest, self.tasks = self.H(files["announcement.json"]).hex(), {t["id"]: t for t in ann["tasks"]}
        self.own = [t for t in self.tasks if self.tasks[t]["mode"] == "own"]
        if not re.fullmatch(re.escape(ann["authority"]) + "-[0-9]{4}-[0-9]{6}", ann["draw"]):
            self.bad.append("announcement.json: draw")
        for name, shape in SHAPES.items():
            self.load(name, lambda x, s=shape: fits(x, s))
        self.res = self.load("result", lambda x: fits(x, result_shape(ann)))
        self.statement = re.fullmatch(
            r"dualrandom/v1/seed\nannouncement ([0-9a-f]{64})\nbeacon (\S+) (\S+) (\S+)\nrandomness ([0-9a-f]{64})\n"
            r"((?:contribution \S+ (?:revealed|withheld) [0-9a-f]{64}\n)*)", files.get("seed.txt", b"").decode("latin-1"))
        self.bad += ["seed.txt"] if "seed.txt" in files and not self.statement else []
        shapes = list_shapes(ann)
        for name, (row, _) in shapes.items():
            self.lists[name] = {r["id"]: r for r in self.lines(name, files.get(f"{name}.jsonl"), row, lambda r: r["id"])}
        for name, data in [("openings", files.get("openings.jsonl")), *(auditor[1] if auditor else {}).items()]:
            for o in self.lines(f"{name} (openings)", data, {"hidden": lambda _: True, "id": ID, "list": one(*shapes), "salt": HEX},
                                lambda o: (o["list"], o["id"])):
                good = fits(o["hidden"], shapes[o["list"]][1]) and self.openings.setdefault((o["list"], o["id"]), o) == o
                self.bad += [] if good and name in ("openings", o["list"]) else [f"{name}: opening of {o['list']} {o['id']}"]
        known = {*(f"{x}.json" for x in SHAPES), *(f"{x}.jsonl" for x in ("openings", "changes", *shapes)), "announcement.json", "result.json", "attest.json"}
        self.bad += [f"{f}: 不是该抽取的文件 not a file of this draw" for f in files if "/" not in f and f.endswith((".json", ".jsonl")) and f not in known]
        self.understand(ann)

    def load(self, name, good, folder=""):
        try:
            if (data := self.files.get(f"{folder}{name}.json")) is None:
                return None
            value = canonical(data)
            must(value.pop("type", f"dualrandom/v1/{name}") == f"dualrandom/v1/{name}" and b'"type":"' in data and good(value),
                 "keys, types, values or order of §3, 9, 10")
            self.docs[folder + name] = value
            return value
        except WRONG as error:
            self.bad.append(f"{folder}{name}.json: {str(error)[:100]}")

    def lines(self, name, data, shape, key):
        found, at = [], 0
        try:
            must(not data or data.endswith(b"\n"), "no newline at the end")
            for at, line in enumerate(data[:-1].split(b"\n") if data else (), 1):
                row = canonical(line)
                must(fits(row, shape) and not (found and key(row) <= key(found[-1])), "keys, types or order of §2")
                found.append(row)
        except WRONG as error:
            self.bad.append(f"{name} {at}: {str(error)[:100]}")
        return found

    def hidden(self, name):
        """What a sealed list hides, if every row of it is opened."""
        found = {i: self.openings.get((name, i)) for i in self.lists[name]}
        return None if None in found.values() or not self.files.get(f"{name}.jsonl") else {i: o["hidden"] for i, o in found.items()}

    def understand(self, ann):
        self.people = {i: r["detail"] for i, r in self.lists["roster"].items()}
        self.strata, self.cutoffs, self.firms, frame = {t: self.tasks[t]["strata"] for t in self.own}, None, None, self.lists["frame"]
        if self.sealed:
            firms, hidden, strata, cuts = (self.hidden(x) for x in ("frame", "recusals", "strata", "cutoffs"))
            self.firms = firms and {e: f | {"key": f"{e}:{self.openings['frame', e]['salt']}"} for e, f in firms.items()}
            self.recused = [tuple(h["pair"]) for h in hidden.values()] if hidden or not self.lists["recusals"] and self.auditor else None
            self.strata = strata and {t: [s for s in strata.values() if s["task"] == t] for t in self.own}
            self.cutoffs = cuts and {(s["task"], s["id"]): c for s, c in zip(strata.values(), cuts.values())}
        else:
            profiles = {p["id"]: p["strata"] for p in ann["profiles"]}
            self.firms = {e: r["detail"] | {"key": e, "strata": profiles.get(r["detail"]["profile"], {})} for e, r in frame.items()}
            self.recused = [tuple(i.split("~")) for i in self.lists["recusals"]]
        self.recusals, self.foes = set(self.recused or ()), defaultdict(set)
        for a, b in self.recusals:
            if b in self.people:
                self.foes[a].add(b), self.foes[b].add(a)
        if (res := self.res) is None:
            return
        self.selection, self.visits, self.prices, self.complete = res["selection"], res["visits"], res["prices"], self.embargo == "none"
        self.ticket = lambda stage, name: self.H(f"{res['seed']}:{stage}:{name}".encode()).hex()
        if not self.complete and (hidden := self.hidden("visits")):
            selection, prices = (hidden.pop("selection", None) if self.embargo == "visits" else self.selection), hidden.pop("prices", None)
            if PRICES(prices) and selection_shape(ann)(selection) and rows(DATED, "enterprise", "part")(list(hidden.values())):
                self.complete, self.selection, self.visits, self.prices = True, selection, list(hidden.values()), prices
            else:
                self.bad.append("visits.jsonl: what its rows hide")

    def stage(self, attempt):
        return f"pair.{attempt}" if attempt else "pair"

    def cost(self, stage, visit, department, person):
        return int(self.ticket(stage, f"{visit['enterprise']}:{department}:{person}")[:10], 16)

# ---- dates and crews (§8) -------------------------------------------------------------------------------------------

class Rules:
    """Who may sit where, under the first steps of the relief ladder."""

    def __init__(self, r, steps):
        self.r, self.of = r, defaultdict(list)
        self.lent, self.cut = ({s["department"] for s in steps if s["kind"] == kind} for kind in ("lend", "seats"))
        self.daily, self.total = ({i: p[k] + sum(s["amount"] for s in steps if (s["department"], s["kind"]) == (p["department"], k))
                                   for i, p in r.people.items()} for k in ("daily", "total"))
        for i, p in r.people.items():
            self.of[p["department"]].append(i)
        self.before = Rules(r, steps[:-1]) if steps else None

    def fits(self, i, marks):
        return set(marks) <= set(self.r.people[i]["marks"])

    def crews(self, visit):
        """§8.1: department -> its seats' marks."""
        needs, found = defaultdict(set), {}
        for check in visit["checks"]:
            task = self.r.tasks[check["task"]]
            needs[task["department"]].update(m for item in task["items"] if item["id"] in check["items"] for m in item["marks"])
        for d in sorted(needs):
            seats = next([list(s) for s in c["seats"]] for c in self.r.ann["crews"] if c["department"] == d)
            for mark in sorted(needs[d]):
                if not any(mark in s for s in seats):
                    seats += [] if [] in seats else [[]]
                    seats[seats.index([])] = [mark]
            while d in self.cut and len(seats) > 2 and [] in seats:
                del seats[len(seats) - 1 - seats[::-1].index([])]
            found[d] = seats
        return found

    def able(self, visit, recused=False):
        """Department -> who could sit in some seat; dates, absences, caps, bars and (unless asked) recusals aside."""
        r, anywhere = self.r, self.r.ann["policy"]["cross_district"]
        return {d: [i for i in self.of[d] if (anywhere or d in self.lent or visit["district"] in r.people[i]["districts"])
                    and any(self.fits(i, s) for s in seats) and not (recused and (i, visit["enterprise"]) in r.recusals)]
                for d, seats in self.crews(visit).items()}

    def barred(self, visit):
        """§8.3, and §8.6 with relief: who gives way to an incompatible colleague."""
        r, now = self.r, {i for able in self.able(visit, True).values() for i in able if i in self.r.foes}
        barred = self.before.barred(visit) if self.before else set()
        old = {i for able in self.before.able(visit, True).values() for i in able} if self.before else set()
        free = now & old - barred
        for _, i in sorted((r.ticket("pair", f"{visit['enterprise']}:{r.people[i]['department']}:{i}"), i) for i in now - old):
            (barred if r.foes[i] & free else free).add(i)
        return barred

class Seating:
    """Persons for seats, grown by augmenting paths: all seats are filled exactly if they can be. Seat = (crew, number)."""

    def __init__(self, rules):
        self.rules, self.holder, self.may, self.load, self.seats = rules, {}, {}, Counter(), defaultdict(set)

    def add(self, visit, day):
        """Seat a visit on a day, or leave all as it was and say False."""
        undo, r, barred, able = [], self.rules.r, self.rules.barred(visit), self.rules.able(visit, True)
        for d, seats in self.rules.crews(visit).items():
            here = [i for i in able[d] if i not in barred and day not in r.people[i]["absent"]]
            for n, marks in enumerate(seats):
                seat = ((visit["enterprise"], visit["part"], d), n)
                self.may[seat] = (day, [i for i in here if self.rules.fits(i, marks)])
                if not self.augment(seat, undo):
                    for changed, old in reversed(undo):
                        self.put(changed, old)
                    return False
        return True

    def put(self, seat, person):
        day, old = self.may[seat][0], self.holder.get(seat)
        for who, change in ((old, -1), (person, 1)):
            if who is not None:
                self.load[who] += change
                (self.seats[who, day].add if change > 0 else self.seats[who, day].discard)(seat)
        self.holder[seat] = person
        return seat, old

    def augment(self, start, undo):
        asked, queue, seen = {start: None}, deque([start]), set()  # asked: seat -> the seat that asks for its holder
        def ask(seats, by):
            new = [s for s in seats if s not in asked]
            asked.update(dict.fromkeys(new, by))
            queue.extend(new)
        while queue:
            seat = queue.popleft()
            day, able = self.may[seat]
            for p in able:
                own = [s for s in self.seats[p, day] if s[0] == seat[0]]
                if own or (p, day) in seen:
                    ask(own, seat)
                    continue
                seen.add((p, day))
                free = len(self.seats[p, day]) < self.rules.daily[p]
                if free and self.load[p] < self.rules.total[p]:
                    while seat is not None:  # p takes this seat, its holder the seat that asked for him, and so on
                        undo.append(self.put(seat, p))
                        seat, p = asked[seat], undo[-1][1]
                    return True
                ask(self.seats[p, day], seat)
                if free and p not in seen:
                    seen.update([p, *((p, t) for t in self.rules.r.ann["days"])])
                    for t in self.rules.r.ann["days"]:
                        ask(self.seats[p, t], seat)
        return False

def lottery(r):
    """§8.4, 8.6: the date of every visit and the relief steps used, from scratch."""
    keys = {e: f["key"] for e, f in r.firms.items()}
    order = sorted(r.visits, key=lambda v: (r.ticket("date", keys[v["enterprise"]]), v["enterprise"], v["part"]))
    dated, ladder = {}, r.ann["policy"]["relief"]
    for used in range(len(ladder) + 1):
        seating = Seating(Rules(r, ladder[:used]))
        for v in order:
            if (v["enterprise"], v["part"]) in dated:
                must(seating.add(v, dated[v["enterprise"], v["part"]]), "dated visits no longer fit")
        for v in order:
            e, n = v["enterprise"], v["part"]
            closed = {*r.firms[e]["closed"], *(day for (x, _), day in dated.items() if x == e)}
            if (e, n) not in dated:
                days = sorted(set(r.ann["days"]) - closed, key=lambda t: (r.ticket("day", f"{t}:{keys[e]}"), t))
                if (day := next((t for t in days if seating.add(v, t)), None)) is not None:
                    dated[e, n] = day
        if len(dated) == len(order):
            break
    return dated, ladder[:used]

def least_prices(r, rules, crews, stage):
    """§8.7: the least prices of a plan, and whether it is unique. A crew: (visit, department, marks, persons, barred)."""
    people, days, load, arcs = r.people, r.ann["days"], Counter(), []  # an arc: p, q who can replace p, day, both costs
    for v, _, _, persons, _ in crews:
        load.update([*persons, *((p, v["date"]) for p in persons)])
    for v, d, marks, persons, barred in crews:
        seats = range(len(marks))
        moves = {n: {n} for n in seats}  # seats that are left if somebody takes seat n, its occupant moves on, and so on
        for _ in seats:
            for n in seats:
                moves[n] |= {b for a in tuple(moves[n]) for b in seats if rules.fits(persons[a], marks[b])}
        for q in rules.able(v)[d]:
            if q not in persons and q not in barred and v["date"] not in people[q]["absent"]:
                for n in set().union(*(moves[n] for n in seats if rules.fits(q, marks[n]))):
                    arcs.append((persons[n], q, v["date"], r.cost(stage, v, d, persons[n]), r.cost(stage, v, d, q)))
    full = {(p, t) for p in people for t in days if load[p, t] >= rules.daily[p]}
    at = lambda p, t: (p, t) if (p, t) in full else p  # where a day is not full, a(p, t) = period(p)
    out, price, depth = defaultdict(list), Counter(), Counter()
    for p, q, t, a, b in arcs:
        out[at(p, t)].append((at(q, t), a - b))
    for p, t in full:
        out[p].append(((p, t), 0))
    queue = deque(out)
    while queue:
        x = queue.popleft()
        for y, gain in out[x]:
            if price[x] + gain > price[y]:
                price[y], depth[y] = price[x] + gain, depth[x] + 1
                slack = y in people and load[y] < rules.total[y]
                must(not slack and depth[y] <= len(people) * (len(days) + 1), "方案不是成本最小的 not the least plan")
                queue.append(y)
    priced = [{"days": {t: str(price[p, t] - price[p]) for t in days if (p, t) in full and price[p, t] > price[p]},
               "inspector": p, "period": str(price[p])} for p in sorted(people)]
    graph, tight = defaultdict(set), [((p, t), (q, t)) for p, q, t, a, b in arcs if price[at(q, t)] + b == price[at(p, t)] + a]
    for x, y in tight:
        graph[x].add(y)
    for p in people if tight else ():
        graph[p] |= {"sink"} if load[p] < rules.total[p] else set()
        graph["sink"] |= {p} if load[p] and not price[p] else set()
        for t in days:
            graph[p, t] |= set() if (p, t) in full else {p}
            graph[p] |= {(p, t)} if load[p, t] and price[at(p, t)] == price[p] else set()
    def leads(a, b):
        seen, todo = {a}, [a]
        while todo:
            new = graph[todo.pop()] - seen
            seen |= new
            todo += new
        return b in seen
    return [x for x in priced if x["days"] or x["period"] != "0"], not any(leads(y, x) for x, y in tight)

# ---- the checks (§12) -----------------------------------------------------------------------------------------------

def canonical_(r):
    must(not r.bad and r.ann, "; ".join(r.bad[:4]) or "announcement.json is missing")
    return f"{len(r.files)} 个文件 files"

def lists(r):
    frame, roster, announced = r.lists["frame"], r.lists["roster"], dict(r.ann["lists"])
    if r.res:
        announced |= {"cutoffs": r.res["cutoffs"], "visits": r.res["embargoed"]}
    for name in r.lists:
        data, commitment = r.files.get(f"{name}.jsonl"), announced.get(name)
        must((data is None) == (commitment is None), f"{name}.jsonl 缺失或未经承诺 is missing or was never committed")
        if commitment:
            lines = data.split(b"\n")[:-1]
            must((len(lines), tree(r.H, lines)) == (commitment["size"], commitment["root"]), f"{name} 不是所承诺的名单 is not the committed list")
            must(len(r.lists[name]) == len(lines), f"{name}.jsonl could not be read")
    must(all(len({i.lower() for i in x}) == len(x) for x in (frame, roster)), "标识仅大小写不同 ids differ only in letter case")
    must(not frame.keys() & roster.keys(), "同一标识既是人又是企业 an id is both enterprise and inspector")
    letters = "0123456789ABCDEFGHJKLMNPQRTUWXY"
    for i in frame if r.ann["enterprise_ids"] == "uscc" else ():  # GB 32100-2015
        must(re.fullmatch(f"[{letters}]{{18}}", i) and (sum(letters.index(c) * pow(3, k, 31) for k, c in enumerate(i[:17]))
                                                        + letters.index(i[17])) % 31 == 0, f"{i} 不是有效代码 is no credit code")
    for name, letter, width in (("recusals", "r", 6), ("strata", "s", 4), ("cutoffs", "s", 4), ("visits", "v", 5)):
        ids = [i for i in r.lists[name] if i not in ("prices", "selection")]
        right = [f"{letter}{k:0{max(width, len(str(len(ids))))}}" for k in range(1, len(ids) + 1)]
        must(ids == right or (name == "recusals" and not r.sealed), f"{name}: rows are not numbered 1, 2, …")
    for (name, i), o in r.openings.items():
        text = f"dualrandom/v1/sealed\n{o['salt']}\n{jcs(o['hidden'])}".encode()
        must(r.H(text).hex() == r.lists[name].get(i, {}).get("sealed"), f"{name} {i}: 启封与密封不符 the opening does not match its seal")
        if r.auditor:
            salt = hmac.new(r.auditor[0], f"{r.ann['draw']}\n{name}\n{i}".encode(), hashlib.sha256).hexdigest()
            must(salt == o["salt"], f"{name} {i}: 盐不出自列表密钥 the salt is not from the list secret")
    for name, found in r.lists.items() if r.auditor else ():
        must(all((name, i) in r.openings for i, row in found.items() if "sealed" in row), f"{name}: 缺启封 openings are withheld")
    departments, persons = {t["department"] for t in r.tasks.values()}, [h["person"] for h in (r.hidden("roster") or {}).values()]
    must(all(p["department"] in departments for p in r.people.values()), "人员属于无任务的部门 a person of no task's department")
    must(len(set(persons)) == len(persons), "一人两个化名 one person under two pseudonyms")
    must(all(a in roster and (b in frame or b in roster and a < b) for a, b in r.recused or ()), "回避涉及不存在者 recusal of nobody")
    must((r.recused or []) == sorted(r.recusals, key="~".join), "回避次序 order of recusals")
    order = [(h["task"], h["id"]) for h in (r.hidden("strata") or {}).values()] if r.sealed else []
    must(order == sorted(set(order)) and all(t in r.own for t, _ in order), "strata: order, or of no own task")
    known = {t: {s["id"] for s in several or ()} for t, several in (r.strata or {}).items()}
    for e, f in (r.firms or {}).items() if r.strata else ():
        must(f["strata"] and all(t in r.tasks and s in known.get(t, ("all",)) for t, s in f["strata"].items()), f"{e}: 未公告的层 unknown stratum")
    need(r.firms if r.recused is not None else None, SEALED)
    return ", ".join(f"{k} {len(v)}" for k, v in r.lists.items() if v)

def announcement(r):
    a, tasks, deadlines, beacon = r.ann, r.tasks, r.ann["deadlines"], r.ann["beacon"]
    must(a["period"]["start"] <= a["days"][0] and a["days"][-1] <= a["period"]["end"], "日期超出期间 days outside the period")
    must(deadlines["reveal"] <= beacon["time"] <= deadlines["result"] <= deadlines["findings"], "期限次序 deadlines out of order")
    if beacon["kind"] == "drand":
        must(beacon["source"] == QUICKNET and re.fullmatch("[1-9][0-9]{0,11}", beacon["round"]), "不是 quicknet not a round of quicknet")
        due = datetime(1970, 1, 1, tzinfo=timezone.utc) + timedelta(seconds=1692803367 + 3 * (int(beacon["round"]) - 1))
        must(f"{due:%Y-%m-%dT%H:%M:%SZ}" == beacon["time"], "时刻与轮次不符 the beacon's time is not its round's")
    must(beacon["kind"] != "local" or (beacon["source"], beacon["round"]) == ("none", "0"), "local: source or round")
    departments = [c["department"] for c in a["crews"]]
    must(departments == sorted({t["department"] for t in tasks.values()}), "席位与部门 crews: one per department of a task")
    must(all(len(c["seats"]) >= 2 for c in a["crews"]), "不足两席 a crew of fewer than two seats")
    must(all(s["department"] in departments for s in a["policy"]["relief"]), "relief for no department")
    for t in tasks.values():
        must((t["lead"] is None and t["total"] is not None and (r.sealed or t["strata"] is not None)) if t["mode"] == "own" else
             (t["lead"] in r.own and t["strata"] is t["total"] is None), f"{t['id']}: lead, strata, total")
    for s in [s for t in r.own if tasks[t]["control"] == "two-way" for s in (r.strata or {}).get(t) or ()]:
        must(s["id"].startswith(s["group"] + ".") and ID(s["id"][len(s["group"]) + 1:]), f"{s['id']}: 不是组.列 not its group, a dot and a column")
    must([x["task"] for x in a["rates"]] == r.own, "rates: one per own task")
    must(not r.sealed or all(tasks[t]["total"].endswith("/1") for t in r.own), "密封抽取须为整数 a sealed draw's totals are whole")
    profiles = [jcs(p["strata"]) for p in a["profiles"] or ()]
    must("{}" not in profiles and len(set(profiles)) == len(profiles), "画像为空或重复 an empty or repeated profile")
    sizes = Counter((t, s) for f in need(r.firms, SEALED).values() for t, s in f["strata"].items())
    for t, rate in zip(r.own, a["rates"]):
        strata = [(s, Fraction(s["expected"])) for s in need(r.strata, SEALED)[t]]
        for s, e in strata:
            must(s["size"] == sizes[t, s["id"]], f"{t} {s['id']}: 大小与抽样框不符 size is not the frame's")
            must(e <= s["size"] and (not r.sealed or e.denominator == 1), f"{t} {s['id']}: 期望数 quota")
        must(sum(e for _, e in strata) == Fraction(tasks[t]["total"]), f"{t}: 总数 total")
        share = [e / s["size"] for s, e in strata if s["size"]] or [Fraction(0)]
        must((min(share), max(share)) == (Fraction(rate["least"]), Fraction(rate["greatest"])), f"{t}: 比率 rates")
        small = [s["id"] for s, e in strata if 0 < s["size"] < 5 and e in (0, s["size"])]
        must(rate["small"] == (len(small) if r.sealed else small), f"{t}: 小层 small strata")
    return f"{len(tasks)} 项任务 tasks, {len(a['days'])} 天 days"

def parties(r):
    return [line.split()[1:] for line in need(r.statement, NOT_DRAWN)[6].split("\n")[:-1]]

def contributions(r):
    commitments = {c["party"]: c["commitment"] for c in r.ann["contributions"]}
    for party, how, value in parties(r):
        shown = r.H(f"dualrandom/v1/nonce\n{r.ann['draw']} {party} {value}\n".encode()).hex() if how == "revealed" else value
        must(commitments.get(party, shown) == shown, f"{party}: 与承诺不符 not what was committed")
    return f"{len(parties(r))} 方 parties"

def beacon(r):
    b, a = need(r.docs.get("beacon"), NOT_DRAWN), r.ann["beacon"]
    must(all(b[k] == a[k] for k in ("kind", "source", "round")), "不是公告的信标 another beacon than announced")
    if b["kind"] == "drand":
        must(b["source"] == QUICKNET and b["keystring"] is None and len(b["signature"] or "") == 96, "not quicknet's evidence")
        must(int(b["signature"][:2], 16) & 0xC0 == 0x80, "单位元，或不是压缩点 the identity, or no compressed point")
        must(hashlib.sha256(bytes.fromhex(b["signature"])).hexdigest() == b["randomness"], "随机数不是签名的散列 not the signature's hash")
        raise Open("BLS 签名请用 verify.html 核对 use verify.html for the BLS signature")
    must(b["signature"] is None and (b["keystring"] is None) == (b["kind"] == "local"), "evidence of another kind of beacon")
    if b["kind"] == "keystring":
        must(hashlib.sha256(b["keystring"].encode()).hexdigest() == b["randomness"], "随机数不是号码串的散列 not the key string's hash")
        raise Open("请与公开来源核对号码 compare the key string with its public source")
    raise Open("操作者机器自选，仅供开发 chosen by the operator's machine: for development")

def seed(r):
    b, shown = need(r.docs.get("beacon"), NOT_DRAWN), need(r.statement, NOT_DRAWN).groups()[:5]
    must(shown == (r.digest, b["kind"], b["source"], b["round"], b["randomness"]), "属于另一公告或信标 of another announcement or beacon")
    must([p[0] for p in parties(r)] == [c["party"] for c in r.ann["contributions"]], "各方缺失或次序不对 parties are missing or out of order")
    must(r.H(r.files["seed.txt"]).hex() == need(r.res, NOT_DRAWN)["seed"], "结果的种子不是 seed.txt 的散列 not the hash of seed.txt")
    return r.res["seed"]

def two_way(r, task):
    """§6.2: stratum -> n_h, by steps along cycles of cells that are not whole."""
    strata = {(s["group"], s["id"][len(s["group"]) + 1:]): Fraction(s["expected"]) for s in r.strata[task]}
    groups, columns = ([*sorted({key[k] for key in strata}), None] for k in (0, 1))  # None is the slack row and column
    f = {(g, c): strata.get((g, c), Fraction(0)) % 1 for g in groups for c in columns}
    f |= {(g, None): -sum(f[g, c] for c in columns) % 1 for g in groups} | {(None, c): -sum(f[g, c] for g in groups) % 1 for c in columns}
    f[None, None] = sum(f[g, c] for g in groups[:-1] for c in columns[:-1]) % 1
    for k in range(len(f)):
        if (start := next((g for g in groups for c in columns if 0 < f[g, c] < 1), 0)) == 0:
            break
        walk, cells, came, at = [(0, start)], [], "no column yet", start
        while True:
            if len(cells) % 2 == 0:
                cell = next((at, c) for c in columns if 0 < f[at, c] < 1 and c != came)
            else:
                cell = next((g, at) for g in groups if 0 < f[g, at] < 1 and g != came)
            cells.append(cell)
            came, at = at, cell[len(cells) % 2]
            if (node := (len(cells) % 2, at)) in walk:
                break
            walk.append(node)
        cycle = cells[walk.index(node):]
        odd, even = cycle[::2], cycle[1::2]
        up, down = min([1 - f[x] for x in odd] + [f[x] for x in even]), min([f[x] for x in odd] + [1 - f[x] for x in even])
        more = int(r.ticket("control", f"{task}:{k}"), 16) * (up + down) < down * 2**256
        for x in cycle:
            f[x] += (up if more else -down) * (1 if x in odd else -1)
    return {s["id"]: int(e + f[key] - e % 1) for s, (key, e) in zip(r.strata[task], strata.items())}

def sample_sizes(r, task):
    """§6: stratum -> n_h."""
    if r.tasks[task]["control"] == "two-way":
        return two_way(r, task)
    total, found, strata = Fraction(int(r.ticket("rounding", task), 16), 2**256), {}, r.strata[task]
    group = {s["id"]: min(x["id"] for x in strata if x["group"] == s["group"]) for s in strata}
    for s in sorted(strata, key=lambda s: (group[s["id"]], r.ticket("order", f"{task}:{s['id']}"), s["id"])):
        total, before = total + Fraction(s["expected"]), int(total)
        found[s["id"]] = int(total) - before
    return found

def chosen(r):
    return {s["task"]: s for s in need(need(r.res, NOT_DRAWN) and r.selection, EMBARGO)}

def sizes(r):
    shown = chosen(r)
    must(not r.sealed or all(Fraction(len(shown[t]["selected"])) == Fraction(r.tasks[t]["total"]) for t in r.own), "户数与公告不符 not as many as announced")
    for t, strata in need(r.strata, SEALED).items():
        n = {s["id"]: need(r.cutoffs, SEALED)[t, s["id"]]["n"] for s in strata} if r.sealed else {s["id"]: s["n"] for s in shown[t]["strata"]}
        must(n == sample_sizes(r, t), f"{t}: 样本量 sample sizes")
    return f"{len(r.own)} 项任务 tasks"

def selection(r):
    shown, marks = chosen(r), (defaultdict(str), defaultdict(str))
    must(list(shown) == sorted(r.tasks), "one selection per task")
    for t, s in shown.items():
        if t not in r.own:
            must({*s["selected"]} <= {*shown[r.tasks[t]["lead"]]["selected"]}, f"{t}: 不在主任务中 not selected by its lead")
        for kind, things in zip(marks, (s["selected"], s["tickets"] or ()) if r.sealed and t in r.own else ()):
            for x in things:
                kind[x] += f" {t}"
    must(sorted(marks[0].values()) == sorted(marks[1].values()), "各任务签号不一致 tasks do not share their tickets")
    strata, firms = need(r.strata, SEALED), need(r.firms, SEALED)
    draw, members = {e: r.ticket("enterprise", f["key"]) for e, f in firms.items()}, defaultdict(list)
    for e, f in firms.items():
        for task in f["strata"].items():
            members[task].append((draw[e], e))
    for t, s in shown.items():
        if t in r.own:
            first = {x["id"]: sorted(members[t, x["id"]])[:sample_sizes(r, t)[x["id"]]] for x in strata[t]}
            for h, picked in first.items():
                tickets, cuts = [ticket for ticket, _ in picked], {c["id"]: c["cutoff"] for c in s["strata"] or ()}
                must(need(r.cutoffs, SEALED)[t, h]["tickets"] == tickets if r.sealed else cuts[h] == (tickets or [None])[-1], f"{t} {h}: 末位签号 cutoff")
            picked = sorted(x for several in first.values() for x in several)
            must(not r.sealed or s["tickets"] == [ticket for ticket, _ in picked], f"{t}: 签号 tickets")
        else:
            picked = sorted((draw[e], e) for e in shown[r.tasks[t]["lead"]]["selected"] if t in firms.get(e, {"strata": ()})["strata"])
        ids = [e for _, e in picked]
        must(s["selected"] == (sorted(ids) if r.sealed else ids), f"{t}: 不是签号最小者 not the smallest tickets, or their order")
    return f"{len(firms)} 户中 {len({e for s in shown.values() for e in s['selected']})} 户 enterprises"

def visits(r):
    joined, limit, right = defaultdict(lambda: defaultdict(list)), r.ann["policy"]["visit_limit"] or {}, defaultdict(list)
    for t, s in chosen(r).items():
        for e in s["selected"]:
            joined[e][r.tasks[t]["department"]].append(t)
    bounds = [Fraction(limit[k]) if limit.get(k) else None for k in ("departments", "checks", "hours")]
    for e, departments in joined.items():
        part, load = 1, (0, 0, 0)
        for _, d in sorted((r.ticket("order", f"{e}:{d}"), d) for d in departments):
            items = [i for t in departments[d] for i in r.tasks[t]["items"]]
            more = (1, len(items), sum(Fraction(i["hours"]) for i in items))
            after = tuple(a + b for a, b in zip(load, more))
            if load[0] and any(b is not None and x > b for x, b in zip(after, bounds)):
                part, after = part + 1, more
            load = after
            right[e, part] += departments[d]
    shown = {(v["enterprise"], v["part"]): v["checks"] for v in need(r.visits, EMBARGO)}
    must(shown.keys() == right.keys(), "检查有缺漏或多余 visits are missing or added")
    for key, tasks in right.items():
        must(shown[key] == [{"items": [i["id"] for i in r.tasks[t]["items"]], "task": t} for t in sorted(tasks)], f"{key[0]}: 任务或事项 checks")
    must(all(need(r.firms, SEALED)[v["enterprise"]]["district"] == v["district"] for v in r.visits), "区划 district")
    return f"{len(shown)} 次 visits"

def whole_plan(r):
    need(r.res, NOT_DRAWN)
    need(r.complete or None, EMBARGO)
    return Rules(r, r.res["relief"])

def dates(r):
    whole_plan(r)
    used, policy, ladder = r.res["relief"], r.ann["policy"], r.ann["policy"]["relief"]
    pairs, undated = [(v["enterprise"], v["date"]) for v in r.visits if v["date"]], [v for v in r.visits if not v["date"]]
    must(used == ladder[:len(used)] and not (undated and used != ladder), "放宽步骤 relief steps")
    must(not undated or policy["undated"] == "list", "有检查无日期即应作废 undated visits make this draw void")
    must(all(day in r.ann["days"] for _, day in pairs), "日期不在公告中 a date that was not announced")
    must(len(set(pairs)) == len(pairs), "两次检查同一天 two parts of a visit on one day")
    must(all(day not in need(r.firms, SEALED)[e]["closed"] for e, day in pairs), "歇业日检查 a visit on a closed day")
    need(r.recused, SEALED)
    dated, steps = lottery(r)
    must(steps == used, "放宽步骤 other relief steps were needed")
    for v in r.visits:
        right = dated.get((v["enterprise"], v["part"]))
        must(bool(right) == bool(v["date"]) and (right == v["date"] or policy["calendar"] == "optimise"), f"{v['enterprise']}: 应为 should be {right}")
    return f"{len(pairs)} 次有日期 dated, {len(undated)} 次无日期 undated"

def legal(r, rules, seats_of):
    """A plan's crews, checked as legal: §8.1, 8.2 and the caps."""
    found, load = [], Counter()
    for v in r.visits:
        marks, able = rules.crews(v) if v["date"] else {}, rules.able(v)
        must([c["department"] for c in v["crews"]] == list(marks), f"{v['enterprise']}: 检查组 crews")
        for c in v["crews"]:
            d, persons = c["department"], seats_of(v, c)
            must(len(persons) == len(marks[d]) == len(set(persons)), f"{v['enterprise']} {d}: 席位 seats")
            must(all(p in able[d] and p not in c["barred"] and v["date"] not in r.people[p]["absent"] and rules.fits(p, s)
                     for p, s in zip(persons, marks[d])), f"{v['enterprise']} {d}: 有人不得入席 somebody may not sit there")
            load.update([*persons, *((p, v["date"]) for p in persons)])
            found.append((v, d, marks[d], persons, c["barred"]))
    must(all(n <= (rules.daily[x[0]] if isinstance(x, tuple) else rules.total[x]) for x, n in load.items()), "超过上限 a cap is exceeded")
    return found

def crews(r):
    rules, stage = whole_plan(r), r.stage(r.res["attempt"])
    found = legal(r, rules, lambda _, c: c["seats"])
    def fills(persons, seats):
        return not seats or any(rules.fits(p, seats[0]) and fills([q for q in persons if q != p], seats[1:]) for p in persons)
    for v, d, marks, persons, barred in found:
        rest = sorted(persons, key=lambda p: (r.ticket(stage, f"{v['enterprise']}:{d}:{p}"), p))
        for n, p in enumerate(persons):
            first = next(q for q in rest if rules.fits(q, marks[n]) and fills([x for x in rest if x != q], marks[n + 1:]))
            must(first == p, f"{v['enterprise']} {d}: 席位次序 order of seats")
            rest.remove(p)
        able, bars = rules.able(v)[d], rules.barred(v)
        right = [i for i in able if i in bars or (i, v["enterprise"]) in r.recusals]
        must(set(barred) <= set(able) if r.recused is None else barred == right, f"{v['enterprise']} {d}: 回避 barred")
    need(r.recused, SEALED)
    return f"{len(found)} 组 crews"

def prices(r):
    rules, k = whole_plan(r), r.res["attempt"]
    plan = legal(r, rules, lambda _, c: c["seats"])
    found, unique = least_prices(r, rules, plan, r.stage(k))
    must(found == r.prices, "公布的不是最小价格 published prices are not the least ones")
    must(unique, "还有同样好的方案 another plan is as good")
    ties = r.docs.get("ties", {"attempts": []})["attempts"]
    must([x["attempt"] for x in ties] == list(range(k)), "缺并列证据 evidence of ties is missing")
    for x in ties:
        seats = {(c["enterprise"], c["part"], c["department"]): c["seats"] for c in x["crews"]}
        must(len(seats) == len(plan), "a tied plan lacks crews")
        tied = legal(r, rules, lambda v, c, s=seats: s[v["enterprise"], v["part"], c["department"]])
        must(least_prices(r, rules, tied, r.stage(x["attempt"])) == (x["prices"], False), "此前并无并列 an earlier attempt was not tied")
    return f"{len(plan)} 组，最小且唯一 crews: the least plan and the only one"

def result(r):
    labels, statistics = r.docs.get("labels"), r.docs.get("statistics")
    must("result.json" in r.files or not (labels and labels["enterprises"]), "抽取前已有企业名称 enterprises are named before the draw")
    res, ties, opened = need(r.res, NOT_DRAWN), r.files.get("ties.json"), {i: o["hidden"] for (n, i), o in r.openings.items() if n == "visits" and i[0] == "v"}
    totals, seen = res["totals"], {v["enterprise"] for v in [*(res["visits"] or ()), *opened.values()]}
    must((res["announcement"], res["draw"]) == (r.digest, r.ann["draw"]), "属于另一公告 of another announcement")
    must((ties is not None) == (res["attempt"] > 0 and r.complete), "ties.json")
    must({"beacon.json", "seed.txt", "labels.json", "statistics.json"} <= r.files.keys(), "缺文件 files are missing")
    must(all(r.docs.get(x, {"announcement": r.digest})["announcement"] == r.digest for x in ("labels", "statistics", "ties")), "附表属于另一公告 of another announcement")
    must(not labels or not (r.sealed and labels["inspectors"]) and labels["enterprises"].keys() <= seen, "名称表泄露 labels name who must not be named")
    must(r.complete and r.embargo == "none" or totals["visits"] == res["embargoed"]["size"] - (2 if r.embargo == "visits" else 1), "总数 totals: visits")
    for (i, hidden), v in zip(((f"v{k:0{max(5, len(str(len(res['visits'] or ()))))}}", v) for k, v in enumerate(res["visits"] or (), 1)), res["visits"] or ()):
        must(all(opened.get(i, v)[k] == v[k] for k in VISIT), f"{v['enterprise']}: 密封的与公布的不同 the sealed visit is not the published one")
    if r.visits is not None:
        checks = sum(len(c["items"]) for v in r.visits for c in v["checks"])
        must((totals["visits"], totals["checks"]) == (len(r.visits), checks), "总数 totals")
    must(not statistics or r.embargo == "none" or not statistics["undated"] + statistics["workload"], "统计泄露 statistics under an embargo")
    if statistics and r.selection:  # derived figures; `dualrandom verify` and verify.html compute all of them
        must((statistics["overlap"]["visited"], statistics["overlap"]["alone"]) == (
            len({e for s in r.selection for e in s["selected"]}), sum(len(s["selected"]) for s in r.selection)), "统计 statistics: overlap")
        must([(x["task"], x["selected"]) for x in statistics["tasks"]] == [(s["task"], len(s["selected"])) for s in r.selection], "统计 statistics: tasks")
    whole_plan(r)
    made, stage = [(v, c) for v in r.visits for c in v["crews"]], r.stage(res["attempt"])
    due = sum(len({r.tasks[c["task"]]["department"] for c in v["checks"]}) for v in r.visits if v["date"])
    must(totals["crews"] == len(made) == due and totals["undated"] == sum(not v["date"] for v in r.visits), "总数 totals")
    must(totals["cost"] == str(sum(r.cost(stage, v, c["department"], i) for v, c in made for i in c["seats"])), "总成本 totals: cost")
    load = Counter(i for _, c in made for i in c["seats"])
    work, busy = ([] if r.embargo != "none" else [(i, load[i]) for i in r.people]), sorted(load[i] for i in r.people)
    busy = {"least": busy[0], "median": busy[(len(busy) - 1) // 2], "greatest": busy[-1]} if work else dict.fromkeys(("least", "median", "greatest"), 0)
    undated = [(v["enterprise"], v["part"]) for v in r.visits if not v["date"]] if work else []
    must(not statistics or [(x["enterprise"], x["part"]) for x in statistics["undated"]] == undated, "统计 statistics: undated")
    must(not statistics or (statistics["load"] == busy and [(x["inspector"], x["crews"]) for x in statistics["workload"]] == work), "统计 statistics: workload")
    return f"{totals['visits']} 次检查 visits, {totals['checks']} 个事项 checks"

def findings(r):
    doc, last = need(r.docs.get("findings"), "尚未公布 no findings yet"), {}
    must((doc["announcement"], doc["draw"]) == (r.digest, r.ann["draw"]), "属于另一公告 of another announcement")
    need(None if "changes.jsonl" in r.files else True, "有事后更改，请用 verify.html after changes: use verify.html")
    seen = r.visits or [o["hidden"] for (n, i), o in r.openings.items() if n == "visits" and i[0] == "v"]
    known = {(v["enterprise"], v["part"], c["task"], i) for v in seen for c in v["checks"] for i in c["items"]}
    for f in doc["findings"]:
        key = f["enterprise"], f["part"], f["task"], f["item"]
        must(key in known, f"{f['enterprise']}: 没有这项检查 not an item of a visit")
        must(re.fullmatch("[1-9A-F]", f["code"]) and f["method"] in
             ("on-site", "documents", "online", "laboratory", "expert", "other-department"), f"{f['enterprise']}: code or method")
        must(f["revision"] == last.get(key, 0) + 1 and (f["reason"] is None) == (f["revision"] == 1), f"{f['enterprise']}: 版次 revisions")
        last[key] = f["revision"]
    return f"{len(last)} 条 findings"

def draws(r):
    voided = sorted({f.split("/")[1] for f in r.files if f.startswith("voided/")})
    must(voided == r.ann["voids"], "已作废的与公告所列不同 voided draws are not those that the announcement names")
    for d in [*voided, *([""] if "void.json" in r.files else [])]:
        folder = f"voided/{d}/" if d else ""
        old = r.load("announcement", lambda x: fits(x, announcement_shape(x["disclosure"] == "sealed")), folder)
        void = r.load("void", lambda x: fits(x, SHAPES["void"]), folder)
        must(old and void and void["draw"] == old["draw"] == (d or r.ann["draw"]), f"{d}: 作废文件 void.json")
        must((old["plan"], old["authority"]) == (r.ann["plan"], r.ann["authority"]), f"{d}: 属于另一计划 of another plan")
        H = hasher(old["suite"])
        must(void["announcement"] == H(r.files[folder + "announcement.json"]).hex(), f"{d}: 作废的是另一公告 of another announcement")
        for name, commitment in old["lists"].items() if d else ():
            lines = r.files.get(f"{folder}{name}.jsonl", b"\n").split(b"\n")[:-1]
            must(tree(H, lines) == commitment["root"], f"{d}: {name} 不是所承诺的名单 is not the committed list")
    must(not {"result.json", "void.json"} <= r.files.keys(), "既有结果又作废 both a result and a void")
    need(True if {"result.json", "void.json"} & r.files.keys() else None, "已公告，尚未抽取 announced, not yet drawn")
    return f"此前作废 voided before: {len(voided)}"

def unchecked(reason):
    return lambda r: need(None, reason)

def changes(r):
    if (data := r.files.get("changes.jsonl")) is not None:
        must(r.res and r.complete and data.endswith(b"\n"), "没有结果或在保密期内，或为空 no result, under an embargo, or empty")
        before = r.H(r.files["result.json"]).hex()
        for number, line in enumerate(data[:-1].split(b"\n"), 1):
            must((row := canonical(line))["number"] == number and row["prev"] == before, f"第 {number} 行不接前一行 row {number}: broken chain")
            before = r.H(line).hex()
        raise Open("各行相连；替补和换人请用 verify.html 重算 the chain is whole; verify.html computes what the rows say")
    need(r.res, NOT_DRAWN)
    return "抽取后没有更改 nothing was changed after the draw"

NO_LOG = unchecked("此程序不核对透明日志 this program reads no transparency log")
RUN = {"canonical": canonical_, "signatures": unchecked("Ed25519：请用 verify.html 核对 use verify.html"), "log": NO_LOG, "events": NO_LOG} | {
    f.__name__: f for f in (lists, announcement, contributions, beacon, seed, sizes, selection, visits, dates, crews, prices,
                            result, findings, changes, draws)}

def verify(files, auditor=None):
    """Return [(check, status, reason)]. files: name -> bytes; auditor: (list secret, {list: bytes of its openings})."""
    report, r = [], None
    for name in CHECKS:
        try:
            r = r or Record(files, auditor)
            need(r.ann or None if name != "canonical" else True, "没有可读的公告 there is no readable announcement")
            report.append((name, "PASS", RUN[name](r)))
        except Open as reason:
            report.append((name, "NOT CHECKED", str(reason)))
        except Bad as reason:
            report.append((name, "FAIL", str(reason)))
        except Exception as error:  # documents refer to what is not there: whatever a hostile record does, it does not pass
            report.append((name, "FAIL", f"文件互不相符 documents do not fit together: {type(error).__name__} {str(error)[:90]}"))
    return report

def main(arguments):
    if len(arguments) not in (1, 3) or arguments[1:2] not in ([], ["--auditor"]) or not Path(arguments[0]).is_dir():
        print(__doc__)
        return 2
    root, auditor = Path(arguments[0]), None
    if len(arguments) == 3:
        private = Path(arguments[2])
        secret = (private / "list-secret").read_text().strip() if (private / "list-secret").is_file() else ""
        if not HEX(secret):
            print(f"{private}: list-secret?")
            return 2
        auditor = bytes.fromhex(secret), {p.stem: p.read_bytes() for p in (private / "openings").glob("*.jsonl")}
    report = verify({p.relative_to(root).as_posix(): p.read_bytes() for p in root.rglob("*") if p.is_file()}, auditor)
    for name, status, reason in report:
        print(f"{status:12} {name:14} {reason}")
    statuses = {status for _, status, _ in report}
    return 1 if "FAIL" in statuses else 3 if "NOT CHECKED" in statuses else 0

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

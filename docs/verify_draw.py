#!/usr/bin/env python3
"""Check a published double-random draw with nothing but Python's standard library. 用标准库复核一次双随机抽取。

    python verify_draw.py PUBLIC_DIR [--auditor CAMPAIGN/private]

Written from docs/protocol.md alone; § below are its sections. Every check ends as PASS, FAIL or NOT CHECKED with its reason.
Exit code: 0 all pass, 1 something FAILed, 3 nothing failed but something was NOT CHECKED. drand's BLS signature is always
NOT CHECKED here (it needs a pairing library): the page verify.html and `dualrandom verify` check it.
"""
import base64, hashlib, hmac, json, re, sys, unicodedata  # noqa: E401
from collections import Counter, defaultdict, deque
from datetime import date, datetime, timedelta, timezone
from fractions import Fraction
from pathlib import Path

QUICKNET = "52db9ba70e0cc0f6eaf7803dd07447a1f5477735fd3f661792ba94600c84e971"
CHECKS = ("canonical signatures log lists announcement events contributions beacon seed sizes selection visits dates crews "
          "prices result findings draws").split()


class Bad(Exception):
    """The record is wrong: FAIL."""


class Open(Exception):
    """What this check needs is not there: NOT CHECKED."""


def must(condition, reason):
    if not condition:
        raise Bad(reason)


# ---- hashes -----------------------------------------------------------------------------------------------------------

def sm3(data):
    """GB/T 32905, for a Python whose OpenSSL lacks it."""
    mask, v = 0xFFFFFFFF, [0x7380166F, 0x4914B2B9, 0x172442D7, 0xDA8A0600, 0xA96F30BC, 0x163138AA, 0xE38DEE4D, 0xB0FB0E4E]
    rot = lambda x, n: (x << n % 32 | x >> (32 - n % 32)) & mask if n % 32 else x  # noqa: E731
    data += b"\x80" + bytes((55 - len(data)) % 64) + (8 * len(data)).to_bytes(8, "big")
    for at in range(0, len(data), 64):
        w = [int.from_bytes(data[at + k:at + k + 4], "big") for k in range(0, 64, 4)]
        for j in range(16, 68):
            x = w[j - 16] ^ w[j - 9] ^ rot(w[j - 3], 15)
            w.append(x ^ rot(x, 15) ^ rot(x, 23) ^ rot(w[j - 13], 7) ^ w[j - 6])
        a, b, c, d, e, f, g, h = v
        for j in range(64):
            s1 = rot((rot(a, 12) + e + rot(0x79CC4519 if j < 16 else 0x7A879D8A, j)) & mask, 7)
            ff, gg = (a ^ b ^ c, e ^ f ^ g) if j < 16 else (a & b | a & c | b & c, e & f | ~e & g)
            t1, t2 = (ff + d + (s1 ^ rot(a, 12)) + (w[j] ^ w[j + 4])) & mask, (gg + h + s1 + w[j]) & mask
            a, b, c, d, e, f, g, h = t1, a, rot(b, 9), c, t2 ^ rot(t2, 9) ^ rot(t2, 17), e, rot(f, 19), g
        v = [x ^ y for x, y in zip(v, (a, b, c, d, e, f, g, h))]
    return b"".join(x.to_bytes(4, "big") for x in v)


def hasher(suite):
    if suite == "sha256":
        return lambda data: hashlib.sha256(data).digest()
    try:
        hashlib.new("sm3")
        return lambda data: hashlib.new("sm3", data).digest()
    except ValueError:
        return sm3


def tree(H, lines):
    """The RFC 6962 root of a list's rows."""
    level = [H(b"\0" + line) for line in lines]
    if not level:
        return H(b"").hex()
    while len(level) > 1:  # pairing neighbours and carrying an odd last node up is RFC 6962's tree
        level = [H(b"\1" + level[k] + level[k + 1]) if k + 1 < len(level) else level[k] for k in range(0, len(level), 2)]
    return level[0].hex()


P25519 = 2**255 - 19
D25519 = -121665 * pow(121666, -1, P25519) % P25519


def ed25519(key, message, signature):
    """RFC 8032 §5.1.7, for checking only: clear rather than fast."""
    def point(b):
        y, sign = int.from_bytes(b, "little") & (1 << 255) - 1, b[31] >> 7
        x2 = (y * y - 1) * pow(D25519 * y * y + 1, -1, P25519) % P25519
        x = pow(x2, (P25519 + 3) // 8, P25519)
        x = x if (x * x - x2) % P25519 == 0 else x * pow(2, (P25519 - 1) // 4, P25519) % P25519
        must(y < P25519 and (x * x - x2) % P25519 == 0 and not (x == 0 and sign), "not a point of the curve")
        return (P25519 - x if x & 1 != sign else x), y

    def add(p, q):
        (a, b), (c, d) = p, q
        k = D25519 * a * b * c * d % P25519
        return ((a * d + b * c) * pow(1 + k, -1, P25519) % P25519, (b * d + a * c) * pow(1 - k, -1, P25519) % P25519)

    def times(n, p):
        total = (0, 1)
        while n:
            total, p, n = (add(total, p) if n & 1 else total), add(p, p), n >> 1
        return total

    order, s = 2**252 + 27742317777372353535851937790883648493, int.from_bytes(signature[32:], "little")
    base = point((4 * pow(5, -1, P25519) % P25519).to_bytes(32, "little"))
    h = int.from_bytes(hashlib.sha512(signature[:32] + key + message).digest(), "little") % order
    return s < order and times(8 * s, base) == times(8, add(point(signature[:32]), times(h, point(key))))


# ---- shapes of documents (§1-3, 9, 10): a dict has exactly these keys, a function judges a value --------------------------

def matches(pattern):
    return lambda x: isinstance(x, str) and re.fullmatch(pattern, x) is not None


def one(*values):
    return lambda x: any(x == v and type(x) is type(v) for v in values)


def whole(least=0):
    return lambda x: type(x) is int and least <= x < 2**53


def parsed(pattern, form):
    def test(x):
        try:
            return matches(pattern)(x) and bool(datetime.strptime(x, form))
        except ValueError:
            return False
    return test


def ratio(x):
    return matches(r"(0|[1-9]\d*)/[1-9]\d*")(x) and "%d/%d" % Fraction(x).as_integer_ratio() == x


def maybe(shape):
    return lambda x: x is None or fits(x, shape)


def rows(shape, *keys, least=0):
    """An array, strictly ascending by these keys (by itself when the key is '')."""
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


IDENT = matches(r"[0-9A-Za-z][0-9A-Za-z._-]{0,63}")
HEX, TEXT, DECIMAL = matches("[0-9a-f]{64}"), (lambda x: isinstance(x, str)), matches(r"0|[1-9][0-9]*")
DAY, INSTANT = parsed(r"\d{4}-\d\d-\d\d", "%Y-%m-%d"), parsed(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", "%Y-%m-%dT%H:%M:%SZ")
IDS, DAYS, NAMES = rows(IDENT, ""), rows(DAY, ""), {"en": TEXT, "zh": TEXT}
COMMITMENT = {"root": HEX, "size": whole()}
BASE64 = lambda n: lambda x: isinstance(x, str) and len(b64(x)) == n and base64.b64encode(b64(x)).decode() == x  # noqa: E731
STEP = {"amount": whole(), "department": IDENT, "kind": one("daily", "total", "lend", "seats")}
STRATUM = {"expected": ratio, "group": IDENT, "id": IDENT, "size": whole()}
PERSON = {"absent": DAYS, "daily": whole(), "department": IDENT, "districts": IDS, "marks": IDS, "total": whole()}
CREW = {"barred": IDS, "department": IDENT, "seats": rows(IDENT)}
VISIT = {"checks": rows({"items": IDS, "task": IDENT}, "task", least=1), "district": IDENT, "enterprise": IDENT, "part": whole(1)}
DATED = VISIT | {"crews": rows(CREW, "department"), "date": maybe(DAY)}
PRICES = rows({"days": table(DAY, matches("[1-9][0-9]*")), "inspector": IDENT, "period": DECIMAL}, "inspector")


def b64(x):
    try:
        return base64.b64decode(x, validate=True)
    except ValueError:
        return b""


def announcement_shape(sealed):
    small = whole() if sealed else IDS
    task = {"control": one("one-way"), "department": IDENT, "id": IDENT, "lead": maybe(IDENT), "mode": one("own", "follows"),
            "items": rows({"hours": ratio, "id": IDENT, "marks": IDS}, "id", least=1), "total": maybe(ratio),
            "strata": maybe((lambda x: False) if sealed else rows(STRATUM, "id"))}
    limit = {"checks": maybe(whole(1)), "departments": maybe(whole(1)), "hours": maybe(lambda x: ratio(x) and x != "0/1")}
    policy = {"calendar": one("lottery", "optimise"), "cross_district": one(True, False), "relief": rows(STEP),
              "embargo": one("none", "crews", "visits"), "substitution": one("fresh", "next", "none"),
              "undated": one("list", "void"), "visit_limit": maybe(limit)}
    lists = ("frame", "recusals", "roster") + (("strata",) if sealed else ())
    return {"type": one("dualrandom/v1/announcement"), "draw": matches(r"[0-9A-Za-z._-]+-\d{4}-\d{6}"), "plan": IDENT,
            "authority": IDENT, "timezone": TEXT, "suite": one("sha256", "sm3"), "disclosure": one("open", "sealed"),
            "enterprise_ids": one("uscc", "free"), "auditor": {"key": BASE64(32), "name": TEXT} if sealed else one(None),
            "beacon": {"kind": one("drand", "keystring", "local"), "round": IDENT, "source": IDENT, "time": INSTANT},
            "contributions": rows({"commitment": HEX, "key": BASE64(32), "party": IDENT, "signature": BASE64(64)}, "party"),
            "period": {"end": DAY, "start": DAY}, "days": rows(DAY, "", least=1), "policy": policy,
            "deadlines": {"findings": INSTANT, "result": INSTANT, "reveal": INSTANT}, "lists": {k: COMMITMENT for k in lists},
            "crews": rows({"department": IDENT, "seats": rows(IDS)}, "department"), "tasks": rows(task, "id", least=1),
            "profiles": one(None) if sealed else rows({"id": IDENT, "strata": table(IDENT, IDENT)}, "id"),
            "rates": rows({"greatest": ratio, "least": ratio, "small": small, "task": IDENT}, "task"),
            "software": {"name": TEXT, "version": TEXT}, "voids": IDS}


def result_shape(ann):
    sealed, embargo, null = ann["disclosure"] == "sealed", ann["policy"]["embargo"], one(None)
    return {"type": one("dualrandom/v1/result"), "announcement": HEX, "draw": IDENT, "seed": HEX, "attempt": whole(),
            "relief": rows(STEP), "selection": null if embargo == "visits" else selection_shape(ann),
            "cutoffs": COMMITMENT if sealed else null, "prices": PRICES if embargo == "none" else null,
            "visits": null if embargo == "visits" else rows(DATED if embargo == "none" else VISIT, "enterprise", "part"),
            "embargoed": null if embargo == "none" else COMMITMENT,
            "totals": {"checks": whole(), "cost": DECIMAL, "crews": whole(), "undated": whole(), "visits": whole()}}


def selection_shape(ann):
    sealed, own = ann["disclosure"] == "sealed", {t["id"] for t in ann["tasks"] if t["mode"] == "own"}
    strata, tickets = rows({"cutoff": maybe(HEX), "id": IDENT, "n": whole()}, "id"), rows(HEX, "")

    def right(s):
        ids = s["selected"]
        return ((s["strata"] is None) == (sealed or s["task"] not in own) and len(ids) == len(set(ids))
                and (s["tickets"] is None) == (not sealed or s["task"] not in own) and (not sealed or ids == sorted(ids)))
    row = {"selected": rows(IDENT), "strata": maybe(strata), "task": IDENT, "tickets": maybe(tickets)}
    return rows(lambda x: fits(x, row) and right(x), "task")


COUNTS = rows({"count": whole(), "district": IDENT}, "district")
HEAD = {"announcement": HEX, "draw": IDENT}
SHAPES = {
    "beacon.json": {"keystring": maybe(lambda x: TEXT(x) and x.isascii()), "kind": IDENT, "randomness": HEX, "round": IDENT,
                    "signature": maybe(matches("([0-9a-f]{2})+")), "source": IDENT, "type": one("dualrandom/v1/beacon")},
    "ties.json": {"announcement": HEX, "type": one("dualrandom/v1/ties"), "attempts": rows({
        "attempt": whole(), "prices": PRICES, "crews": rows(
            {"department": IDENT, "enterprise": IDENT, "part": whole(1), "seats": rows(IDENT)}, "enterprise", "part", "department")},
        "attempt")},
    "labels.json": {"announcement": HEX, "authority": NAMES, "rehearsal": one(True, False), "type": one("dualrandom/v1/labels"),
                    "items": table(IDENT, NAMES | {"basis": TEXT}),
                    **{k: table(IDENT, NAMES) for k in ("departments", "districts", "enterprises", "inspectors", "tasks")}},
    "findings.json": HEAD | {"type": one("dualrandom/v1/findings"), "findings": rows({
        "code": TEXT, "date": DAY, "enterprise": IDENT, "item": IDENT, "method": TEXT, "part": whole(1), "reason": maybe(TEXT),
        "revision": whole(1), "task": IDENT}, "enterprise", "part", "task", "item", "revision")},
    "void.json": HEAD | {"reason": TEXT, "time": INSTANT, "type": one("dualrandom/v1/void")},
    "statistics.json": HEAD | {
        "excluded": maybe(rows({"count": whole(), "reason": IDENT}, "reason")), "frame": {"districts": COUNTS, "size": whole()},
        "flags": rows({"code": IDENT, "task": TEXT, "value": TEXT}, "code", "task"),
        "load": {"greatest": whole(), "least": whole(), "median": whole()}, "sample": COUNTS,
        "overlap": {"alone": whole(), "independent": TEXT, "least_possible": TEXT, "visited": whole()},
        "tasks": rows({"expected": maybe(ratio), "selected": whole(), "task": IDENT}, "task"),
        "type": one("dualrandom/v1/statistics"), "workload": rows({"crews": whole(), "days": whole(), "inspector": IDENT}, "inspector"),
        "undated": rows({"enterprise": IDENT, "part": whole(1), "reason": TEXT}, "enterprise", "part")},
}


# ---- reading a record -------------------------------------------------------------------------------------------------

def canonical(data):
    """Parse bytes that must be RFC 8785."""
    def pairs(items):
        must(len(items) == len(dict(items)), "a key occurs twice")
        return dict(items)
    text = data.decode("utf-8")
    value = json.loads(text, object_pairs_hook=pairs)
    again = json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":"), allow_nan=False)
    again.encode("utf-8")  # refuses lone surrogates
    must(again == text and unicodedata.is_normalized("NFC", text), "not canonical (RFC 8785, NFC)")
    return value


class Record:
    """All documents of a record that parse, and what follows from them."""

    def __init__(self, files, auditor):
        self.files, self.auditor, self.bad, self.docs, self.lists, self.openings = files, auditor, [], {}, {}, {}
        self.ann = self.load("announcement.json", lambda x: fits(x, announcement_shape(x["disclosure"] == "sealed")))
        if self.ann is None:
            return
        ann = self.ann
        self.H = hasher(ann["suite"])
        self.hex = lambda text: self.H(text.encode()).hex()
        self.digest, self.sealed = self.H(files["announcement.json"]).hex(), ann["disclosure"] == "sealed"
        if not re.fullmatch(re.escape(ann["authority"]) + r"-\d{4}-\d{6}", ann["draw"]):
            self.bad.append("announcement.json: draw")
        if not self.sealed and ann["policy"]["embargo"] == "none" and "openings.jsonl" in files:
            self.bad.append("openings.jsonl: nothing is sealed")
        self.embargo, self.days, self.tasks = ann["policy"]["embargo"], ann["days"], {t["id"]: t for t in ann["tasks"]}
        for name, shape in SHAPES.items():
            self.load(name, lambda x, s=shape: fits(x, s))
        self.load("result.json", lambda x: fits(x, result_shape(ann)))
        self.res, self.drawn = self.docs.get("result.json"), "result.json" in files
        if "seed.txt" in files:
            self.seedtext = re.fullmatch(rb"dualrandom/v1/seed\nannouncement ([0-9a-f]{64})\nbeacon (\S+) (\S+) (\S+)\nrandomness ([0-9a-f]{64})"
                                         rb"\n((?:contribution \S+ (?:revealed|withheld) [0-9a-f]{64}\n)*)", files["seed.txt"])
            self.bad += [] if self.seedtext else ["seed.txt"]
        inside = lambda days: all(d in self.dayset for d in days)  # noqa: E731
        self.dayset = set(self.days)
        sizes, detail = {"district": IDENT, "closed": lambda x: DAYS(x) and inside(x)}, {"detail": None, "id": IDENT}
        person = PERSON | {"absent": lambda x: DAYS(x) and inside(x)}
        ground, number, seal = {"ground": IDENT}, lambda c: matches(c + r"\d+"), {"sealed": HEX}
        pair = matches(r"[0-9A-Za-z][0-9A-Za-z._-]{0,63}~[0-9A-Za-z][0-9A-Za-z._-]{0,63}")
        opened = {  # list -> shape of a row, shape of what a row hides
            "frame": (detail | {"detail": sizes | {"profile": IDENT}}, sizes | {"strata": table(IDENT, IDENT)}),
            "roster": (detail | {"detail": person}, {"person": IDENT}),
            "recusals": (detail | {"id": pair, "detail": ground}, ground | {"pair": lambda x: len(x) == 2 and all(map(IDENT, x))}),
            "strata": (None, STRATUM | {"task": IDENT}), "cutoffs": (None, {"n": whole(), "tickets": rows(HEX, "")}),
            "visits": (None, lambda x: fits(x, DATED) or PRICES(x) or selection_shape(ann)(x))}
        self.hidden_shape = {k: v[1] for k, v in opened.items()}
        for name, (row, _) in opened.items():
            if self.sealed or row is None:
                row = {"id": IDENT if name in ("frame", "roster", "visits") else number("r" if name == "recusals" else "s")} | seal
                row = row | ({"detail": person} if name == "roster" else {})
            self.load(f"{name}.jsonl", lambda x, s=row: fits(x, s), name)
        self.open_rows("openings.jsonl", files.get("openings.jsonl"), None)
        for name, data in (auditor[1] if auditor else {}).items():
            self.open_rows(f"auditor openings/{name}.jsonl", data, name)
        allowed = {"index.html", "seed.txt", "announcement.json", "result.json", "openings.jsonl", "attest.json", *SHAPES, *(f"{k}.jsonl" for k in opened)}
        self.bad += [f"{f}: unknown file" for f in files
                     if f not in allowed and not (re.match("voided/[^/]+/", f) and f.split("/", 2)[2] in allowed)]
        self.understand()

    def load(self, name, good, rowlist=None):
        if name not in self.files:
            return None
        data, place = self.files[name], name
        try:
            if rowlist is None:
                value = canonical(data)
                must(good(value), "keys, types or order of §3, 9, 10")
                self.docs[name] = value
                return value
            must(data == b"" or data.endswith(b"\n"), "no newline at the end")
            found, last = {}, ""
            for line in data[:-1].split(b"\n") if data else []:
                place = f"{name} line {len(found) + 1}"
                row = canonical(line)
                must(good(row) and last < row["id"], "keys, types or order of §2")
                last = row["id"]
                found[last] = row
            self.lists[rowlist] = found
        except (Bad, ValueError, RecursionError, KeyError, TypeError, AttributeError) as error:
            self.bad.append(f"{place}: {str(error)[:100]}")
        return None

    def open_rows(self, name, data, only):
        last = ("", "")
        try:
            must(not data or data.endswith(b"\n"), "no newline at the end")
            for line in data[:-1].split(b"\n") if data else []:
                o = canonical(line)
                must(o.keys() == {"hidden", "id", "list", "salt"} and HEX(o["salt"]) and IDENT(o["id"]), "keys of an opening")
                must(only in (None, o["list"]) and last < (o["list"], o["id"]), "list or order")
                must(fits(o["hidden"], self.hidden_shape[o["list"]]), f"what row {o['id']} hides")
                last = o["list"], o["id"]
                known = self.openings.setdefault(last, o)
                must(known == o, "two openings of one row differ")
        except (Bad, ValueError, RecursionError, KeyError, TypeError, AttributeError) as error:
            self.bad.append(f"{name}: {str(error)[:100]}")

    def hidden(self, name):
        """What a sealed list hides, when every row of it is opened."""
        found = {i: self.openings.get((name, i)) for i in self.lists.get(name, {})}
        return None if name not in self.lists or None in found.values() else {i: o["hidden"] for i, o in found.items()}

    def understand(self):
        """Bring open and opened records into one form; what is sealed stays None."""
        ann = self.ann
        self.firms = self.recused = self.selection = self.visits = self.prices = None
        self.strata = {t["id"]: t["strata"] for t in ann["tasks"] if t["mode"] == "own"}
        self.people = {i: r["detail"] for i, r in self.lists.get("roster", {}).items()}
        if self.sealed:
            frame, pairs, strata = self.hidden("frame"), self.hidden("recusals"), self.hidden("strata")
            self.firms = frame and {e: f | {"key": f"{e}:{self.openings['frame', e]['salt']}"} for e, f in frame.items()}
            self.recused = None if pairs is None else [tuple(p["pair"]) for p in pairs.values()]
            self.strata = strata and {t: sorted((s for s in strata.values() if s["task"] == t), key=lambda s: s["id"]) for t in self.strata}
        else:
            profiles = {p["id"]: p["strata"] for p in ann["profiles"]}
            if all(r["detail"]["profile"] in profiles for r in self.lists.get("frame", {}).values()):
                self.firms = {e: r["detail"] | {"key": e, "strata": profiles[r["detail"]["profile"]]}
                              for e, r in self.lists.get("frame", {}).items()}
            self.recused = [tuple(i.split("~")) for i in self.lists.get("recusals", {})]
        self.recusals, self.foes = set(self.recused or ()), defaultdict(set)
        for a, b in self.recusals:
            if b in self.people:
                self.foes[a].add(b), self.foes[b].add(a)
        if self.res is None:
            return
        self.selection, self.visits, self.prices = self.res["selection"], self.res["visits"], self.res["prices"]
        self.complete = self.embargo == "none"
        hidden = None if self.complete else self.hidden("visits")
        if hidden is not None and {"prices"} <= hidden.keys():
            self.complete, self.prices = True, hidden["prices"]
            self.selection = hidden.get("selection", self.selection)
            self.visits = [v for k, v in hidden.items() if k not in ("prices", "selection")]
            if not rows(DATED, "enterprise", "part")(self.visits) or not PRICES(self.prices) or not selection_shape(ann)(self.selection):
                self.bad.append("visits.jsonl: what is hidden in which row")
                self.complete, self.visits, self.prices, self.selection = False, None, None, self.res["selection"]
        self.seed = self.res["seed"]
        self.ticket = lambda stage, name: self.hex(f"{self.seed}:{stage}:{name}")
        self.stage = "pair" if self.res["attempt"] == 0 else f"pair.{self.res['attempt']}"


# ---- dates and crews (§8) -----------------------------------------------------------------------------------------------

class Rules:
    """Who may sit where, under the first steps of the relief ladder."""

    def __init__(self, r, steps):
        self.r, self.steps, kinds = r, steps, lambda kind: {s["department"] for s in steps if s["kind"] == kind}
        self.lent, self.cut = kinds("lend"), kinds("seats")
        extra = lambda i, kind: sum(s["amount"] for s in steps if (s["department"], s["kind"]) == (r.people[i]["department"], kind))  # noqa: E731
        self.daily, self.total = ({i: p[k] + extra(i, k) for i, p in r.people.items()} for k in ("daily", "total"))
        self.of = defaultdict(list)
        for i, p in r.people.items():
            self.of[p["department"]].append(i)

    def crews(self, visit):
        """§8.1: department -> its seats' marks."""
        needs = defaultdict(set)
        for check in visit["checks"]:
            task = self.r.tasks[check["task"]]
            needs[task["department"]] |= {m for item in task["items"] if item["id"] in check["items"] for m in item["marks"]}
        found = {}
        for d in sorted(needs):
            seats = next([list(s) for s in c["seats"]] for c in self.r.ann["crews"] if c["department"] == d)
            for mark in sorted(needs[d]):
                if not any(mark in s for s in seats):
                    seats[seats.index([])] = [mark] if [] in seats else seats.append([mark])
            while d in self.cut and len(seats) > 2 and [] in seats:
                del seats[len(seats) - 1 - seats[::-1].index([])]
            found[d] = seats
        return found

    def able(self, visit, recused=True):
        """Department -> inspectors who could sit in some seat; dates, absences, caps and bars aside."""
        r, people = self.r, self.r.people
        return {d: [i for i in self.of[d] if (r.ann["policy"]["cross_district"] or d in self.lent or visit["district"] in people[i]["districts"])
                    and any(set(s) <= set(people[i]["marks"]) for s in seats) and not (recused and (i, visit["enterprise"]) in r.recusals)]
                for d, seats in self.crews(visit).items()}

    def barred(self, visit):
        """§8.3 and, for relief, §8.6: those who give way to an incompatible colleague."""
        r, free, barred, before = self.r, set(), set(), set()
        for k in range(len(self.steps) + 1):
            now = {i for able in Rules(r, self.steps[:k]).able(visit).values() for i in able if i in r.foes}
            free &= now
            for _, i in sorted((r.ticket("pair", f"{visit['enterprise']}:{r.people[i]['department']}:{i}"), i) for i in now - before):
                (barred if r.foes[i] & free else free).add(i)
            before = now
        return barred


class Seating:
    """Persons for seats: grows by augmenting paths, so it fills all seats if anybody can."""

    def __init__(self, rules):
        self.rules, self.holder, self.seats = rules, {}, defaultdict(set)  # seat = (crew, n) -> person; (person, day) -> seats
        self.load, self.may = Counter(), {}

    def add(self, crew, day, seats):
        """Fill the seats [persons] of one more crew, or leave all as it was."""
        undo = []
        for n, persons in enumerate(seats):
            self.may[crew, n] = (day, persons)
            if not self.augment((crew, n), undo):
                return undo, False
        return undo, True

    def put(self, seat, person):
        day, old = self.may[seat][0], self.holder.get(seat)
        for who, change in ((old, -1), (person, 1)):
            if who is not None:
                self.load[who] += change
                (self.seats[who, day].add if change > 0 else self.seats[who, day].discard)(seat)
        self.holder[seat] = person
        return seat, old

    def augment(self, start, undo):
        came, queue, days, persons = {start: None}, deque([start]), set(), set()

        def free(seats, by):
            for s in seats:
                if s not in came:
                    came[s] = by
                    queue.append(s)
        while queue:
            seat = queue.popleft()
            crew, (day, able) = seat[0], self.may[seat]
            for p in able:
                own = [s for s in self.seats[p, day] if s[0] == crew]
                if own:
                    free(own, seat)
                elif (p, day) not in days:
                    days.add((p, day))
                    full = len(self.seats[p, day]) >= self.rules.daily[p]
                    if not full and self.load[p] < self.rules.total[p]:
                        while seat is not None:  # p takes this seat, its holder the seat that asked for him, and so on
                            seat_, old = self.put(seat, p)
                            undo.append((seat_, old))
                            seat, p = came[seat], old
                        return True
                    free(self.seats[p, day], seat)
                    if not full and p not in persons:
                        persons.add(p)
                        for t in self.rules.r.days:
                            days.add((p, t))
                            free(self.seats[p, t], seat)
        return False

    def back(self, undo):
        for seat, old in reversed(undo):
            self.put(seat, old)


def lottery(r):
    """§8.4 and §8.6: date of every visit, and the relief steps used, from scratch."""
    order = sorted(r.visits, key=lambda v: (r.ticket("date", r.firms[v["enterprise"]]["key"]), v["enterprise"], v["part"]))
    dated, used, ladder = {}, 0, r.ann["policy"]["relief"]
    while True:
        rules = Rules(r, ladder[:used])
        seating, people = Seating(rules), r.people

        def sit(v, day):
            undo, able, barred = [], rules.able(v), rules.barred(v)
            for d, seats in rules.crews(v).items():
                who = [[i for i in able[d] if i not in barred and day not in people[i]["absent"] and set(s) <= set(people[i]["marks"])]
                       for s in seats]
                more, done = seating.add((v["enterprise"], v["part"], d), day, who)
                undo += more
                if not done:
                    seating.back(undo)
                    return False
            return True
        for v in order:
            if (v["enterprise"], v["part"]) in dated:
                must(sit(v, dated[v["enterprise"], v["part"]]), "dated visits no longer fit")
        for v in order:
            e, n = v["enterprise"], v["part"]
            taken = {day for (x, _), day in dated.items() if x == e}
            key = r.firms[e]["key"]
            for day in sorted(r.days, key=lambda t: (r.ticket("day", f"{t}:{key}"), t)) if (e, n) not in dated else ():
                if day not in r.firms[e]["closed"] and day not in taken and sit(v, day):
                    dated[e, n] = day
                    break
        if len(dated) == len(order) or used == len(ladder):
            return dated, ladder[:used]
        used += 1


def least_prices(r, rules, crews, cost):
    """§8.7: the least prices of a plan, and whether it is unique. crews: [(visit, department, seats' marks, seats, barred)]."""
    people, load, arcs = r.people, Counter(), []
    for v, _, _, seated, _ in crews:
        load.update([(p, v["date"]) for p in seated] + list(seated))
    slack = lambda p: load[p] < rules.total[p]  # noqa: E731
    node = lambda p, t: (p, t) if load[p, t] >= rules.daily[p] else p  # noqa: E731  a(p,t) = period(p) where the day is not full
    for v, d, marks, seated, barred in crews:
        fit = lambda p: [n for n, s in enumerate(marks) if set(s) <= set(people[p]["marks"])]  # noqa: E731
        reach = {n: {n} for n in range(len(marks))}  # the occupant of seat n may move to these
        for _ in marks:
            for n in reach:
                reach[n] |= {b for a in list(reach[n]) for b in fit(seated[a])}
        for q in rules.able(v, recused=False)[d]:
            if q not in seated and q not in barred and v["date"] not in people[q]["absent"]:
                for n in set().union(*(reach[x] for x in fit(q))):
                    arcs.append((seated[n], q, v["date"], cost(v, d, seated[n]), cost(v, d, q)))
    out, price, depth, queue = defaultdict(list), Counter(), Counter(), deque()
    for p, q, t, a, b in arcs:
        out[node(p, t)].append((node(q, t), a - b))
    full = {x for p, t in load.keys() - people.keys() for x in ()} if False else {(p, t) for p in people for t in r.days if node(p, t) != p}
    for p, t in full:
        out[p].append(((p, t), 0))
    queue.extend(out)
    limit = len(people) * (len(r.days) + 1)
    while queue:
        x = queue.popleft()
        for y, w in out[x]:
            if price[x] + w > price[y]:
                price[y], depth[y] = price[x] + w, depth[x] + 1
                must(depth[y] <= limit and not (y in people and slack(y)), "the plan is not the least one")
                queue.append(y)
    found = []
    for p in sorted(people):
        days = {t: str(price[p, t] - price[p]) for t in r.days if (p, t) in full and price[p, t] != price[p]}
        if days or price[p]:
            found.append({"days": days, "inspector": p, "period": str(price[p])})
    graph, tight = defaultdict(set), []
    value = lambda p, t: price[node(p, t)]  # noqa: E731
    for p, q, t, a, b in arcs:
        if value(q, t) + b == value(p, t) + a:
            graph[p, t].add((q, t))
            tight.append(((p, t), (q, t)))
    for p in people if tight else ():
        graph[p] |= {"sink"} if slack(p) else set()
        graph["sink"] |= {p} if load[p] and not price[p] else set()
        for t in r.days:
            graph[p, t] |= {p} if load[p, t] < rules.daily[p] else set()
            graph[p] |= {(p, t)} if load[p, t] and value(p, t) == price[p] else set()

    def leads(a, b):
        seen, todo = {a}, [a]
        while todo:
            for y in graph[todo.pop()] - seen:
                seen.add(y)
                todo.append(y)
        return b in seen
    return found, not any(leads(b, a) for a, b in tight)


# ---- the checks (§12), in order -----------------------------------------------------------------------------------------

def needs(value, what):
    if value is None:
        raise Open(what)
    return value


SEALED = "sealed: for the auditor to check 密封，由审计方复核"


def canonical_(r):
    must(not r.bad and r.ann is not None, "; ".join(r.bad[:5]) or "announcement.json is missing")
    return f"{len(r.files)} files"


def unchecked(reason):
    def check(_):
        raise Open(reason)
    return check


def lists(r):
    announced = dict(r.ann["lists"])
    if r.res is not None:
        announced |= {"cutoffs": r.res["cutoffs"], "visits": r.res["embargoed"]}
    for name, commitment in announced.items():
        if commitment is not None:
            data = r.files.get(f"{name}.jsonl")
            must(data is not None, f"{name}.jsonl is missing")
            lines = data.split(b"\n")[:-1]
            must(len(lines) == commitment["size"] and tree(r.H, lines) == commitment["root"], f"{name}: not the committed list")
            needs(r.lists.get(name), f"{name}.jsonl could not be read")
    frame, roster = r.lists["frame"], r.lists["roster"]
    for kind in (frame, roster):
        must(len({i.lower() for i in kind}) == len(kind), "ids differ only in letter case")
    must(not frame.keys() & roster.keys(), "an id is both enterprise and inspector")
    if r.ann["enterprise_ids"] == "uscc":
        letters = "0123456789ABCDEFGHJKLMNPQRTUWXY"
        for i in frame:
            must(re.fullmatch(f"[{letters}]{{18}}", i), f"{i} is no credit code")
            must(sum(letters.index(c) * pow(3, k, 31) for k, c in enumerate(i[:17])) % 31 == -letters.index(i[17]) % 31, f"{i}: check digit")
    departments = {t["department"] for t in r.tasks.values()}
    must(all(p["department"] in departments for p in r.people.values()), "an inspector of no task's department")
    for (name, i), o in r.openings.items():
        must(i in r.lists.get(name, {}) and "sealed" in r.lists[name][i], f"{name} {i}: nothing to open")
        text = b"dualrandom/v1/sealed\n" + o["salt"].encode() + b"\n" + json.dumps(
            o["hidden"], ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode()
        must(r.H(text).hex() == r.lists[name][i]["sealed"], f"{name} {i}: the opening does not match its seal")
        if r.auditor:
            salt = hmac.new(r.auditor[0], f"{r.ann['draw']}\n{name}\n{i}".encode(), hashlib.sha256).hexdigest()
            must(salt == o["salt"], f"{name} {i}: the salt is not from the list secret")
    for name, width in (("recusals", 6), ("strata", 4), ("cutoffs", 4), ("visits", 5)):
        ids = [i for i in r.lists.get(name, {}) if i not in ("prices", "selection")]
        if ids and (r.sealed or name == "visits"):
            letter, width = {"recusals": "r", "visits": "v"}.get(name, "s"), max(width, len(str(len(ids))))
            must(ids == [f"{letter}{k:0{width}}" for k in range(1, len(ids) + 1)], f"{name}: rows are not numbered 1, 2, …")
    if r.sealed and r.auditor:
        for name in r.lists:
            must(r.hidden(name) is not None, f"{name}: openings are withheld")
        persons = [h["person"] for h in r.hidden("roster").values()]
        must(len(set(persons)) == len(persons), "one person under two pseudonyms")
    if r.recused is not None and r.firms is not None:
        must(all(a in roster and (b in frame or (b in roster and a < b)) for a, b in r.recused), "a recusal of nobody or nothing")
        must(r.recused == sorted(r.recused, key="~".join) and len(r.recusals) == len(r.recused), "recusals: order")
        known = {t: {s["id"] for s in several} for t, several in (r.strata or {}).items()}
        for e, f in r.firms.items():
            must(f["strata"] and all(t in r.tasks and s in known.get(t, {"all"}) for t, s in f["strata"].items()), f"{e}: unknown stratum")
    must(r.sealed or r.firms is not None, "a row names no profile of the announcement")
    needs(r.firms if r.recused is not None else None, SEALED)
    return ", ".join(f"{k} {len(v)}" for k, v in r.lists.items())


def announcement(r):
    a, tasks, own = r.ann, r.tasks, sorted(r.strata or (t for t in r.tasks if r.tasks[t]["mode"] == "own"))
    must(a["period"]["start"] <= a["days"][0] and a["days"][-1] <= a["period"]["end"], "days outside the period")
    d, time = a["deadlines"], a["beacon"]["time"]
    must(d["reveal"] <= time <= d["result"] <= d["findings"], "deadlines are out of order")
    if a["beacon"]["kind"] == "drand":
        must(a["beacon"]["source"] == QUICKNET and re.fullmatch("[1-9][0-9]*", a["beacon"]["round"]), "not a round of quicknet")
        due = datetime(1970, 1, 1, tzinfo=timezone.utc) + timedelta(seconds=1692803367 + 3 * (int(a["beacon"]["round"]) - 1))
        must(f"{due:%Y-%m-%dT%H:%M:%SZ}" == time, "the beacon's time is not its round's")
    else:
        must(a["beacon"]["kind"] != "local" or (a["beacon"]["source"], a["beacon"]["round"]) == ("none", "0"), "local beacon")
    must([c["department"] for c in a["crews"]] == sorted({t["department"] for t in tasks.values()}), "crews: one per department of a task")
    must(all(len(c["seats"]) >= 2 for c in a["crews"]), "a crew of fewer than two seats")
    must(all(s["department"] in {c["department"] for c in a["crews"]} for s in a["policy"]["relief"]), "relief for no department")
    for t in tasks.values():
        if t["mode"] == "own":
            must(t["lead"] is None and t["total"] is not None and (r.sealed or t["strata"] is not None), f"{t['id']}: lead, strata, total")
        else:
            must(tasks.get(t["lead"], {}).get("mode") == "own" and t["strata"] is t["total"] is None, f"{t['id']}: follows no own task")
    must([x["task"] for x in a["rates"]] == own, "rates: one per own task")
    must(not r.sealed or all(Fraction(tasks[t]["total"]).denominator == 1 for t in own), "a sealed draw's totals are whole")
    for p in a["profiles"] or ():
        must(p["strata"], "an empty profile")
    must(len({json.dumps(p["strata"]) for p in a["profiles"] or ()}) == len(a["profiles"] or ()), "two profiles are the same")
    needs(r.firms, SEALED)
    sizes = Counter((t, s) for f in r.firms.values() for t, s in f["strata"].items())
    for t, rate in zip(own, a["rates"]):
        strata = needs(r.strata, SEALED)[t]
        expected = [Fraction(s["expected"]) for s in strata]
        for s, e in zip(strata, expected):
            must(s["size"] == sizes[t, s["id"]], f"{t} {s['id']}: size is not the frame's")
            must(e <= s["size"] and (not r.sealed or e.denominator == 1), f"{t} {s['id']}: quota")
        must(sum(expected) == Fraction(tasks[t]["total"]), f"{t}: total")
        share = [e / s["size"] for s, e in zip(strata, expected) if s["size"]] or [Fraction(0)]
        must((min(share), max(share)) == (Fraction(rate["least"]), Fraction(rate["greatest"])), f"{t}: rates")
        small = [s["id"] for s, e in zip(strata, expected) if 0 < s["size"] < 5 and e in (0, s["size"])]
        must(rate["small"] == (len(small) if r.sealed else small), f"{t}: small strata")
    return f"{len(tasks)} tasks, {len(a['days'])} days"


def contributions(r):
    lines = needs(r.seedtext, "no seed yet")[6].decode().split("\n")[:-1]
    commitments = {c["party"]: c["commitment"] for c in r.ann["contributions"]}
    for _, party, how, value in map(str.split, lines):
        if how == "revealed":
            value = r.hex(f"dualrandom/v1/nonce\n{r.ann['draw']} {party} {value}\n")
        must(commitments.get(party, value) == value, f"{party}: not what was committed")
    return f"{len(lines)} contributions"


def beacon(r):
    b, a = needs(r.docs.get("beacon.json"), "no beacon yet"), r.ann["beacon"]
    must(all(b[k] == a[k] for k in ("kind", "source", "round")), "another beacon than announced")
    if b["kind"] == "drand":
        must(b["source"] == QUICKNET and b["keystring"] is None and b["signature"] and len(b["signature"]) == 96, "not quicknet's evidence")
        must(not b["signature"].startswith("c0"), "the identity point")
        must(hashlib.sha256(bytes.fromhex(b["signature"])).hexdigest() == b["randomness"], "randomness is not the signature's hash")
        raise Open("BLS signatures need a pairing library: use verify.html or `dualrandom verify`")
    must(b["signature"] is None and (b["keystring"] is None) == (b["kind"] == "local"), "evidence of another kind of beacon")
    if b["kind"] == "keystring":
        must(hashlib.sha256(b["keystring"].encode()).hexdigest() == b["randomness"], "randomness is not the key string's hash")
        raise Open("compare the key string with the public source 请与公开来源核对号码")
    raise Open("chosen by the operator's machine: for development 操作者机器自选，仅供开发")


def seed(r):
    b, statement = needs(r.docs.get("beacon.json"), "no beacon yet"), needs(r.seedtext, "no seed yet")
    d, kind, source, round_, randomness, parties = (x.decode() for x in statement.groups())
    must(d == r.digest, "binds another announcement")
    must((kind, source, round_, randomness) == (b["kind"], b["source"], b["round"], b["randomness"]), "of another beacon")
    must([x.split()[1] for x in parties.split("\n")[:-1]] == [c["party"] for c in r.ann["contributions"]], "parties are missing or out of order")
    must(r.H(r.files["seed.txt"]).hex() == needs(r.res, "no result yet")["seed"], "the result's seed is not the hash of seed.txt")
    return r.res["seed"]


def sizes_of(r, t):
    """§6: stratum -> n_h."""
    order, groups, total, found = [], {}, Fraction(r.strata and int(r.ticket("rounding", t), 16), 2**256), {}
    for s in r.strata[t]:
        groups[s["group"]] = min(s["id"], groups.get(s["group"], s["id"]))
    order = sorted(r.strata[t], key=lambda s: (groups[s["group"]], r.ticket("order", f"{t}:{s['id']}"), s["id"]))
    for s in order:
        found[s["id"]] = int(total + Fraction(s["expected"])) - int(total)
        total += Fraction(s["expected"])
    return found


def chosen(r):
    return {s["task"]: s for s in needs(needs(r.res, "no result yet") and r.selection, "under embargo 保密期内")}


def sizes(r):
    for t, s in chosen(r).items():
        if r.sealed and r.tasks[t]["mode"] == "own":
            must(len(s["selected"]) == Fraction(r.tasks[t]["total"]), f"{t}: not as many as announced")
    hidden = r.sealed and needs(r.hidden("cutoffs") if r.strata else None, SEALED)
    numbered = r.sealed and dict(zip(((h["task"], h["id"]) for h in r.hidden("strata").values()), hidden.values()))
    for t in needs(r.strata, SEALED):
        n = sizes_of(r, t)
        shown = {s["id"]: numbered[t, s["id"]]["n"] for s in r.strata[t]} if r.sealed else {s["id"]: s["n"] for s in chosen(r)[t]["strata"]}
        must(shown == n, f"{t}: sizes of samples")
    return f"{len(r.strata)} tasks"


def selection(r):
    shown, marks = chosen(r), (defaultdict(set), defaultdict(set))
    must(list(shown) == sorted(r.tasks), "one selection per task")
    for t, s in shown.items():
        if r.tasks[t]["mode"] == "follows":
            must(set(s["selected"]) <= set(shown[r.tasks[t]["lead"]]["selected"]), f"{t}: not selected by its lead")
        elif r.sealed:
            must(len(s["tickets"]) == len(s["selected"]), f"{t}: tickets")
            for kind, things in zip(marks, (s["selected"], s["tickets"])):
                for x in things:
                    kind[x].add(t)
    must(*(Counter(map(frozenset, kind.values())) for kind in marks) if False else (
        Counter(map(frozenset, marks[0].values())) == Counter(map(frozenset, marks[1].values())), "tasks do not share their tickets"))
    firms, strata = needs(r.firms, SEALED), needs(r.strata, SEALED)
    draw = {e: r.ticket("enterprise", f["key"]) for e, f in firms.items()}
    hidden = dict(zip(((h["task"], h["id"]) for h in r.hidden("strata").values()), needs(r.hidden("cutoffs"), SEALED).values())) if r.sealed else {}
    for t, s in shown.items():
        if r.tasks[t]["mode"] == "follows":
            lead = shown[r.tasks[t]["lead"]]["selected"]
            must(sorted(s["selected"]) == sorted(e for e in lead if t in firms[e]["strata"]), f"{t}: not the lead's")
            ids = s["selected"]
            must(r.sealed or ids == sorted(ids, key=lambda e: (draw[e], e)), f"{t}: order")
            continue
        n, members, picked = sizes_of(r, t), defaultdict(list), []
        for e, f in firms.items():
            if t in f["strata"]:
                members[f["strata"][t]].append((draw[e], e))
        for x in strata[t]:
            first = sorted(members[x["id"]])[:n[x["id"]]]
            picked += first
            if r.sealed:
                must(hidden[t, x["id"]]["tickets"] == [ticket for ticket, _ in first], f"{t} {x['id']}: tickets in cutoffs")
            else:
                must({c["id"]: c["cutoff"] for c in s["strata"]}.get(x["id"]) == (first[-1][0] if first else None), f"{t} {x['id']}: cutoff")
        ids = [e for _, e in sorted(picked)]
        must(s["selected"] == (sorted(ids) if r.sealed else ids), f"{t}: not the smallest tickets")
        must(not r.sealed or s["tickets"] == sorted(ticket for ticket, _ in picked), f"{t}: tickets")
    return f"{len({e for s in shown.values() for e in s['selected']})} enterprises"


def visits(r):
    joined, limit, right = defaultdict(lambda: defaultdict(list)), r.ann["policy"]["visit_limit"], {}
    for t, s in chosen(r).items():
        for e in s["selected"]:
            joined[e][r.tasks[t]["department"]].append(t)
    for e, departments in joined.items():
        part, load = 1, [0, 0, Fraction(0)]
        for _, d in sorted((r.ticket("order", f"{e}:{d}"), d) for d in departments):
            items = [i for t in departments[d] for i in r.tasks[t]["items"]]
            more = [1, len(items), sum(Fraction(i["hours"]) for i in items)]
            after = [a + b for a, b in zip(load, more)]
            bounds = [limit and limit[k] for k in ("departments", "checks", "hours")]
            if load[0] and any(b is not None and x > Fraction(b) for x, b in zip(after, bounds)):
                part, after = part + 1, more
            load = after
            right.setdefault((e, part), []).extend(departments[d])
    shown = {(v["enterprise"], v["part"]): v["checks"] for v in needs(r.visits, "under embargo 保密期内")}
    must(shown.keys() == right.keys(), "visits are missing or added")
    for key, tasks in right.items():
        must(shown[key] == [{"items": [i["id"] for i in r.tasks[t]["items"]], "task": t} for t in sorted(tasks)], f"{key[0]}: checks")
    for v in r.visits:
        must(needs(r.firms, SEALED)[v["enterprise"]]["district"] == v["district"], f"{v['enterprise']}: district")
    return f"{len(shown)} visits"


def whole_plan(r):
    needs(r.res, "no result yet")
    needs(r.complete or None, "under embargo 保密期内")


def dates(r):
    whole_plan(r)
    used, ladder, undated = r.res["relief"], r.ann["policy"]["relief"], [v for v in r.visits if v["date"] is None]
    must(used == ladder[:len(used)] and not (undated and used != ladder), "relief steps are not the ladder's")
    must(not undated or r.ann["policy"]["undated"] == "list", "undated visits make this draw void")
    must(all(v["date"] is None or v["date"] in r.dayset for v in r.visits), "a date that was not announced")
    pairs = [(v["enterprise"], v["date"]) for v in r.visits if v["date"]]
    must(len(set(pairs)) == len(pairs), "two parts of a visit on one day")
    must(all(v["date"] not in needs(r.firms, SEALED)[v["enterprise"]]["closed"] for v in r.visits), "a visit on a closed day")
    needs(r.recused, SEALED)
    if r.ann["policy"]["calendar"] == "lottery":
        dated, steps = lottery(r)
        must(steps == used, "other relief steps were needed")
        for v in r.visits:
            must(dated.get((v["enterprise"], v["part"])) == v["date"], f"{v['enterprise']}: the lottery gives another date")
    return f"{len(pairs)} dated, {len(undated)} undated"


def plan(r, rules, crew_seats):
    """The crews of a plan, checked as legal: §8.1, 8.2 and the caps."""
    found, load = [], Counter()
    for v in r.visits:
        marks = rules.crews(v) if v["date"] else {}
        must([c["department"] for c in v["crews"]] == list(marks), f"{v['enterprise']}: crews")
        able = rules.able(v, recused=False)
        for c in v["crews"]:
            d, seated = c["department"], crew_seats(v, c)
            must(len(seated) == len(marks[d]) == len(set(seated)), f"{v['enterprise']} {d}: seats")
            for p, s in zip(seated, marks[d]):
                must(p in able[d] and p not in c["barred"] and v["date"] not in r.people[p]["absent"] and
                     set(s) <= set(r.people[p]["marks"]), f"{v['enterprise']} {d}: {p} may not sit there")
                load.update([p, (p, v["date"])])
            found.append((v, d, marks[d], seated, c["barred"]))
    for x, n in load.items():
        must(n <= (rules.daily[x[0]] if isinstance(x, tuple) else rules.total[x]), f"{x}: a cap is exceeded")
    return found


def cost_of(r, stage):
    return lambda v, d, i: int(r.ticket(stage, f"{v['enterprise']}:{d}:{i}")[:10], 16)


def crews(r):
    whole_plan(r)
    rules = Rules(r, r.res["relief"])
    found = plan(r, rules, lambda _, c: c["seats"])
    for v, d, marks, seated, _ in found:
        def fills(persons, seats):
            return not seats or any(set(seats[0]) <= set(r.people[p]["marks"]) and fills([q for q in persons if q != p], seats[1:])
                                    for p in persons)
        rest = sorted(seated, key=lambda p: (r.ticket(r.stage, f"{v['enterprise']}:{d}:{p}"), p))
        for n, p in enumerate(seated):
            first = next(q for q in rest if set(marks[n]) <= set(r.people[q]["marks"]) and fills([x for x in rest if x != q], marks[n + 1:]))
            must(first == p, f"{v['enterprise']} {d}: order of seats")
            rest.remove(p)
    for v in r.visits:
        able = rules.able(v, recused=False) if v["date"] else {}
        for c in v["crews"]:
            must(set(c["barred"]) <= set(able[c["department"]]), f"{v['enterprise']}: barred lists somebody who could not sit")
            if r.recused is not None:
                barred = rules.barred(v)
                right = [i for i in able[c["department"]] if i in barred or (i, v["enterprise"]) in r.recusals]
                must(c["barred"] == right, f"{v['enterprise']} {c['department']}: barred")
    needs(r.recused, SEALED)
    return f"{len(found)} crews"


def prices(r):
    whole_plan(r)
    rules, k = Rules(r, r.res["relief"]), r.res["attempt"]
    crews_ = plan(r, rules, lambda _, c: c["seats"])
    found, unique = least_prices(r, rules, crews_, cost_of(r, r.stage))
    must(found == r.prices, "published prices are not the least ones")
    must(unique, "another plan is as good")
    ties = r.docs.get("ties.json") or {"attempts": []}
    must([x["attempt"] for x in ties["attempts"]] == list(range(k)), "evidence of ties is missing")
    for x in ties["attempts"]:
        seats = {(c["enterprise"], c["part"], c["department"]): c["seats"] for c in x["crews"]}
        must(len(seats) == len(crews_), "a tied plan lacks crews")
        tied = plan(r, rules, lambda v, c, seats=seats: seats[v["enterprise"], v["part"], c["department"]])
        found, unique = least_prices(r, rules, tied, cost_of(r, f"pair.{x['attempt']}" if x["attempt"] else "pair"))
        must(found == x["prices"] and not unique, "an earlier attempt was not tied")
    return f"{len(crews_)} crews: the least plan and the only one"


def result(r):
    res, totals = needs(r.res, "no result yet"), r.res["totals"]
    must((res["announcement"], res["draw"]) == (r.digest, r.ann["draw"]), "of another announcement")
    must(("ties.json" in r.files) == (res["attempt"] > 0 and r.complete), "ties.json")
    for name in ("labels.json", "statistics.json", "ties.json"):
        must(name in r.files or name == "ties.json", f"{name} is missing")
        must(needs(r.docs.get(name, {"announcement": r.digest}), name)["announcement"] == r.digest, f"{name}: of another announcement")
    must(not r.sealed or not r.docs["labels.json"]["inspectors"], "labels name inspectors of a sealed draw")
    must(r.embargo == "none" or not r.docs["statistics.json"]["undated"] + r.docs["statistics.json"]["workload"], "statistics: embargo")
    opened = [o["hidden"] for (name, i), o in r.openings.items() if name == "visits" and i not in ("prices", "selection")]
    seen = {v["enterprise"] for v in (res["visits"] or opened)}
    must(set(r.docs["labels.json"]["enterprises"]) <= seen, "labels name enterprises that are not visited")
    if res["embargoed"]:
        must(totals["visits"] == res["embargoed"]["size"] - (2 if r.embargo == "visits" else 1), "totals: visits")
    if res["visits"] is not None:
        for v, (_, o) in zip(res["visits"], sorted((i, o) for (n, i), o in r.openings.items() if n == "visits")) if r.complete else ():
            must(all(o["hidden"][k] == v[k] for k in VISIT), "a sealed visit is not the published one")
    if r.visits is not None:
        checks = sum(len(c["items"]) for v in r.visits for c in v["checks"])
        must((totals["visits"], totals["checks"]) == (len(r.visits), checks), "totals")
    whole_plan(r)
    cost, made = cost_of(r, r.stage), [(v, c) for v in r.visits for c in v["crews"]]
    must(totals["crews"] == len(made) and totals["undated"] == sum(v["date"] is None for v in r.visits), "totals")
    must(totals["cost"] == str(sum(cost(v, c["department"], i) for v, c in made for i in c["seats"])), "totals: cost")
    work = {i: {v["date"]: 0 for v in r.visits} for i in r.people}
    statistics, load = r.docs["statistics.json"], Counter(i for _, c in made for i in c["seats"])
    del work
    must({w["inspector"]: w["crews"] for w in statistics["workload"]} == {i: load[i] for i in r.people} or r.embargo != "none", "statistics")
    must((statistics["overlap"]["visited"], statistics["overlap"]["alone"]) == (
        len({e for s in r.selection for e in s["selected"]}), sum(len(s["selected"]) for s in r.selection)), "statistics: overlap")
    return f"{totals['visits']} visits, {totals['checks']} checks"


def findings(r):
    doc = needs(r.docs.get("findings.json"), "no findings yet")
    must((doc["announcement"], doc["draw"]) == (r.digest, r.ann["draw"]), "of another announcement")
    known = {(v["enterprise"], v["part"], c["task"], i) for v in needs(r.visits, "under embargo 保密期内") for c in v["checks"] for i in c["items"]}
    last = {}
    for f in doc["findings"]:
        key = f["enterprise"], f["part"], f["task"], f["item"]
        must(key in known, f"{f['enterprise']}: not an item of a visit")
        must(re.fullmatch("[1-9A-F]", f["code"]) and f["method"] in
             ("on-site", "documents", "online", "laboratory", "expert", "other-department"), f"{f['enterprise']}: code or method")
        must(f["revision"] == last.get(key, 0) + 1 and (f["reason"] is None) == (f["revision"] == 1), f"{f['enterprise']}: revisions")
        last[key] = f["revision"]
    return f"{len(last)} findings"


def draws(r):
    H, voided = r.H, {f.split("/")[1] for f in r.files if f.startswith("voided/")}
    must(sorted(voided) == r.ann["voids"], "voided draws are not those that the announcement names")
    for d in ["", *sorted(voided)]:
        if d or "void.json" in r.files:
            folder = f"voided/{d}/" if d else ""
            must(folder + "void.json" in r.files and folder + "announcement.json" in r.files, f"{d}: void.json is missing")
            void, old = (canonical(r.files[folder + name]) for name in ("void.json", "announcement.json"))
            H = hasher(old["suite"])
            must(fits(void, SHAPES["void.json"]) and void["draw"] == old["draw"] == (d or r.ann["draw"]) and
                 void["announcement"] == H(r.files[folder + "announcement.json"]).hex(), f"{d}: void of another announcement")
    must(not (r.drawn and "void.json" in r.files), "both a result and a void")
    needs(True if r.drawn or "void.json" in r.files else None, "announced, not yet drawn")
    return f"voided before: {len(voided)}"


NO_LOG = unchecked("without a transparency log this cannot be checked 尚无透明日志")
MADE = {"canonical": canonical_, "signatures": unchecked("Ed25519 needs a library: use verify.html or `dualrandom verify`"), "log": NO_LOG,
        "events": NO_LOG} | {f.__name__: f for f in (lists, announcement, contributions, beacon, seed, sizes, selection, visits, dates,
                                                      crews, prices, result, findings, draws)}


def verify(files, auditor=None):
    """files: name -> bytes; auditor: (list secret, {list: openings file}). Returns [(check, status, reason)]."""
    report = []
    try:
        r = Record(files, auditor)
    except Exception as error:  # noqa: BLE001  whatever a hostile file does, it is a FAIL and never a traceback
        return [("canonical", "FAIL", f"{type(error).__name__}: {str(error)[:100]}")]
    for name in CHECKS:
        try:
            if name != "canonical":
                needs(r.ann, "there is no readable announcement")
            report.append((name, "PASS", MADE[name](r)))
        except Open as reason:
            report.append((name, "NOT CHECKED", str(reason)))
        except Bad as reason:
            report.append((name, "FAIL", str(reason)))
        except Exception as error:  # noqa: BLE001  a document refers to what is not there
            report.append((name, "FAIL", f"documents do not fit together 文件互不相符: {type(error).__name__} {str(error)[:100]}"))
    return report


def main(arguments):
    if len(arguments) not in (1, 3) or (len(arguments) == 3 and arguments[1] != "--auditor"):
        print(__doc__)
        return 2
    root = Path(arguments[0])
    files = {p.relative_to(root).as_posix(): p.read_bytes() for p in root.rglob("*") if p.is_file()}
    auditor = None
    if len(arguments) == 3:
        private = Path(arguments[2])
        auditor = (bytes.fromhex((private / "list-secret").read_text().strip()),
                   {p.stem: p.read_bytes() for p in (private / "openings").glob("*.jsonl")})
    report = verify(files, auditor)
    for name, status, reason in report:
        print(f"{status:12} {name:14} {reason}")
    statuses = {status for _, status, _ in report}
    return 1 if "FAIL" in statuses else 3 if "NOT CHECKED" in statuses else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

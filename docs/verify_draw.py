#!/usr/bin/env python3
"""Check a published double-random draw with Python's standard library alone. 只用标准库复核一次双随机抽取。

    python verify_draw.py PUBLIC [--auditor PRIVATE] [--log-policy FILE] [--receipt FILE]
    python verify_draw.py RECEIPT.json PUBLIC    (PUBLIC: 内有 with announcement.json)

Written from docs/protocol.md; § are its sections. Each check is PASS, FAIL or NOT CHECKED, with its reason.
Exit code 退出码: 0 all pass 全部通过 · 1 FAIL 有不符 · 3 NOT CHECKED 有未核对 · 2 wrong use 用法不对. Python 3.11.
This file checks §2–7: lists, announcement, seed, who is visited. Three others beside it do the rest:
verify_documents.py (forms, §9, 10, 14), verify_crews.py (§8, 10.1, 13), verify_log.py (signatures, §11, 15).
What is left out is NOT CHECKED; so are BLS signatures: `dualrandom verify` and verify.html check them.
本文件核对名录、公告、种子与抽选，其余由同目录的三个文件核对，缺则记为未核对。BLS 签名请用 verify.html。
"""

# From top to bottom: forms of documents, the record, sample sizes and visits, then one function a check.
# fmt: off
# ruff: noqa: ARG001, ARG002, B020, B905, D102, D103, D204, DTZ001, E401, E701, I001, N803, PLW2901, RET503
# ruff: noqa: RUF021, SIM905, UP031
import base64, hashlib, importlib.util, json, re, sys, unicodedata
from collections import Counter, defaultdict
from datetime import datetime, timedelta
from fractions import Fraction
from itertools import count
from pathlib import Path

class Bad(Exception): """The record breaks a rule: FAIL."""
class Open(Exception): """What a check needs is sealed, absent, or out of form: NOT CHECKED."""

class Doc(dict):
    """An object of JSON; its keys are attributes too."""
    __getattr__ = dict.__getitem__

def must(holds, what):
    if not holds:
        raise Bad(what)

def same(shown, right, what):
    must(shown == right, f"{what}: 应为 should be {right!s:.150}, 公布 published {shown!s:.150}")

# ---- hashes and canonical JSON (§1, 2) -------------------------------------------------------------------
def hasher(suite):
    if suite not in hashlib.algorithms_available:
        raise Open("此 Python 没有 SM3 this Python has no SM3")
    return lambda data: hashlib.new(suite, data).digest()

def root(H, leaves):
    """RFC 6962: neighbours are paired, an odd last node is carried up."""
    level = leaves or [H(b"")]
    while len(level) > 1:
        level = [H(b"\1" + a + b) for a, b in zip(level[::2], level[1::2])] + level[len(level) & ~1:]
    return level[0]

def unbase(text):
    data = base64.b64decode(text, validate=True)
    must(base64.b64encode(data).decode() == text, "base64")
    return data

def whole(text):
    must(len(text) < 18 and abs(int(text)) < 2**53, f"数 number {text:.30}")
    return int(text)

def pairs(items):
    must(len(items) == len(dict(items)), "一键两次 a key twice")
    return Doc(items)

numbers = {"parse_int": whole, "parse_float": whole, "parse_constant": whole}
read = json.JSONDecoder(object_pairs_hook=pairs, **numbers).decode
jcs = json.JSONEncoder(ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode

def canonical(data):
    value = read(data.decode())
    must(jcs(value).encode() == data and unicodedata.is_normalized("NFC", data.decode()), "RFC 8785, NFC")
    return value

# ---- forms: verify_documents.py knows them ---------------------------------------------------------------
SHAPES, KEYS, RULES, FORMS = {}, {}, {}, []
NAME = "[0-9A-Za-z][0-9A-Za-z._-]{0,63}"

def shapes(table):
    """Learn objects, their keys and kinds; "!" is behind the keys by which arrays of them ascend."""
    for name, *fields in (shape.split() for shape in table.split(";")):
        SHAPES[name] = dict(field.replace("!", "").split(":") for field in fields)
        KEYS[name] = [field.split("!")[0] for field in fields if "!" in field]

# ---- the record (§2, 9) ----------------------------------------------------------------------------------
DOCUMENTS = "result beacon findings labels statistics ties void attest".split()
LISTS = {"frame": "sealed.seal*/frame_row*", "roster": "sealed.sealed_roster_row*/roster_row*",
         "recusals": "sealed.seal*/recusals_row*", "strata": "seal*", "cutoffs": "seal*", "visits": "seal*"}
HIDES = {"frame": "hidden_firm", "roster": "person", "recusals": "pair", "strata": "cell",
         "cutoffs": "cutoff", "visits": "visit", "prices": "price*", "selection": "chosen*"}

class Found(dict):
    """Documents by name."""
    def __missing__(self, name):
        raise Open(f"{name}: 没有或形式不对 absent or out of form")

class Record:
    """What the files show. What is sealed, absent or out of form is no attribute: it raises Open."""
    def __init__(self, files, auditor, policy, receipt, voided):
        self.files, self.auditor, self.policy, self.given = files, auditor, policy, receipt
        self.voided, self.kinds, self.told = voided, defaultdict(set), {}  # told: openings.jsonl of visits
        self.bad, self.docs, self.lists, self.openings, self.gaps = [], Found(), {}, {}, {}
        self.flags, self.own, self.days, self.sound, self.attested = set(), (), set(), False, set()
        self.attempt("announcement.json", self.document)
        if "announcement" in self.docs:
            self.attempt("", self.rest, self.docs["announcement"])
    def rest(self, _, a):
        """Read what the announcement announces."""
        self.ann, files, auditor = a, self.files, self.auditor
        self.H, self.digest = hasher(a.suite), hasher(a.suite)(files["announcement.json"]).hex()
        self.days, self.sealed, self.embargo = {*a.days}, "sealed" in self.flags, a.policy.embargo
        self.tasks, self.own = {t.id: t for t in a.tasks}, [t.id for t in a.tasks if t.mode == "own"]
        self.flags.add(self.embargo)
        for name in DOCUMENTS:
            self.attempt(f"{name}.json", self.document)
        for name, kind in LISTS.items():
            self.lists[name] = self.attempt(f"{name}.jsonl", self.table, files.get(f"{name}.jsonl"), kind)
        opened = {"openings": files.get("openings.jsonl"), **(auditor[1] if auditor else {})}
        for name, data in opened.items():
            for o in self.attempt(name, self.table, data, "opening*") or ():
                self.attempt(f"{o.list} {o.id}", self.form, HIDES.get(o.id) or HIDES.get(o.list), o.hidden)
                own = self.openings.setdefault((o.list, o.id), o) == o and name in ("openings", o.list)
                self.bad += [] if own else [f"{name} {o.list} {o.id}: 两种启封或非本表 two openings, or misplaced"]
                self.told |= {o.id: o.hidden} if (name, o.list) == ("openings", "visits") else {}
        ours = "announcement", *DOCUMENTS, *LISTS, "openings", "changes"
        self.bad += [f for f in files if re.search(r"^[^/]*\.jsonl?$", f) and f.partition(".")[0] not in ours]
        self.understand()
    def __getattr__(self, name):
        raise Open(f"{name}: 密封、保密期内、没有或形式不对 sealed, under an embargo, absent or out of form")
    def attempt(self, name, read, *more):
        """Read a file, or note that its form is wrong."""
        try:
            return read(name, *more)
        except (Bad, ValueError, RecursionError, LookupError, TypeError, AttributeError) as error:
            self.bad.append(f"{name}: {type(error).__name__} {error!s:.100}")
    def document(self, name):
        kind = name.removesuffix(".json")
        if name in self.files:
            value = canonical(self.files[name])
            self.flags |= {value.disclosure} if kind == "announcement" else set()
            same(value.pop("type"), f"dualrandom/v1/{kind}", "type")
            self.form(kind, kind, value)
            self.docs[kind] = value
    def table(self, name, data, kind):
        """Read the rows of a list or of openings."""
        if data is not None:
            must(not data or data.endswith(b"\n"), "末行没有换行 no newline at the end")
            return self.form("", kind, [canonical(line) for line in data.split(b"\n")[:-1]])
    def form(self, at, kind, x):
        """Insist that x, found at this place, is of a kind."""
        for insist in FORMS:
            insist(self, at, kind, x)
        return x
    def hidden(self, name):
        """What a sealed list hides, by row id, once all is opened; but for visits, only to the auditor."""
        opened = {row.id: self.openings.get((name, row.id)) for row in self.lists[name] or ()}
        known = (self.auditor or name == "visits") and None not in [self.lists[name], *opened.values()]
        return {i: o.hidden for i, o in opened.items()} if known else None
    def understand(self):
        """Bring open and sealed draws, with and without an embargo, to one form (§2, 9)."""
        seed = re.fullmatch(r"((?:.*\n){4})((?:contribution \S+ (?:revealed|withheld) [0-9a-f]{64}\n)*)",
                            self.files.get("seed.txt", b"").decode("latin-1"))
        known = {"cuts": self.hidden("cutoffs"), "frame": {x.id: x for x in self.lists["frame"] or ()}}
        if seed:
            known |= {"head": seed[1], "shares": [line.split(" ")[1:] for line in seed[2].split("\n")[:-1]]}
        if self.lists["roster"] is not None:
            known["people"] = {x.id: x.detail for x in self.lists["roster"]}
        if self.sealed:
            firms, pairs, cells = (self.hidden(name) for name in ("frame", "recusals", "strata"))
            salts = {i: o.salt for (name, i), o in self.openings.items() if name == "frame"}
            known["firms"] = firms and {e: Doc(f, key=f"{e}:{salts[e]}") for e, f in firms.items()}
            known["recused"] = None if pairs is None else {tuple(h.pair): 0 for h in pairs.values()}
            known["strata"] = cells and {t: [c for c in cells.values() if c.task == t] for t in self.own}
        else:
            of, rows = {p.id: p.strata for p in self.ann.profiles}, known["frame"].values()
            known["firms"] = {x.id: Doc(x.detail, key=x.id, strata=of.get(x.detail.profile)) for x in rows}
            known["recused"] = {tuple(x.id.split("~")): 0 for x in self.lists["recusals"] or ()}
            known["strata"] = {t: self.tasks[t].strata for t in self.own}
        known["foes"], people = defaultdict(set), known.get("people", ())
        for a, b in (pair for pair in known["recused"] or () if pair[1] in people):
            known["foes"][a].add(b), known["foes"][b].add(a)
        known["lifted"] = self.embargo == "none" or {x.id for x in self.lists["visits"] or ()} <= {*self.told}
        if "result" in self.docs:
            known["res"] = self.docs["result"]
            rest = self.hidden("visits") if self.embargo != "none" else None
            known |= {k: (rest or known["res"]).get(k, known["res"][k]) for k in ("selection", "prices")}
            known["visits"] = [v for k, v in rest.items() if k[0] == "v"] if rest else known["res"].visits
            known["plan"] = known["visits"] if known["prices"] is not None else None
            known["ticket"] = self.lot(known["res"].seed)
        self.__dict__.update({k: v for k, v in known.items() if v is not None})
    def gap(self, reason):
        self.gaps[reason] = True
    def part(self, check):
        """Make one check of several; what one of them lacks keeps none of the others from failing."""
        try:
            check(self)
        except Open as reason:
            self.gap(str(reason))
    def lot(self, seed):
        """The tickets of a seed, 64 hex digits each (§5)."""
        return lambda stage, name: self.H(f"{seed}:{stage}:{name}".encode()).hex()

# ---- sample sizes and visits (§6, 7) ---------------------------------------------------------------------
def two_way(r, task):
    """§6.2: stratum → n_h, by steps along cycles of cells that are not whole. None: the slack row, column."""
    cells = {(s.group, s.id[len(s.group) + 1:]): Fraction(s.expected) for s in r.strata[task]}
    rows, columns = ([*sorted({cell[k] for cell in cells}), None] for k in (0, 1))
    f = {(a, b): cells.get((a, b), Fraction(0)) % 1 for a in rows for b in columns}
    f |= {(a, None): -sum(f[a, b] for b in columns) % 1 for a in rows[:-1]}
    f |= {(None, b): -sum(f[a, b] for a in rows[:-1]) % 1 for b in columns[:-1]}
    f[None, None] = sum(f[a, b] for a in rows[:-1] for b in columns[:-1]) % 1
    for k in count():
        live = [x for x in f if 0 < f[x] < 1]
        if not live:
            return {s.id: int(e // 1 + f[x]) for s, (x, e) in zip(r.strata[task], cells.items())}
        path, seen = [], [(0, live[0][0])]  # cells, and the rows (0) and columns (1) between them
        while seen[-1] not in seen[:-1]:
            way, at = seen[-1]
            path.append(next(x for x in live if x[way] == at and x not in path[-1:]))
            seen.append((1 - way, path[-1][1 - way]))
        cycle = path[seen.index(seen[-1]):]
        odd, even = cycle[::2], cycle[1::2]
        up = min([1 - f[x] for x in odd] + [f[x] for x in even])
        down = min([f[x] for x in odd] + [1 - f[x] for x in even])
        more = int(r.ticket("control", f"{task}:{k}"), 16) * (up + down) < down * 2**256
        f |= {x: f[x] + (up if more else -down) * (1 if x in odd else -1) for x in cycle}

def sample_sizes(r, task):
    """§6: stratum → n_h."""
    if r.tasks[task].control == "two-way":
        return two_way(r, task)
    total, found, strata = Fraction(int(r.ticket("rounding", task), 16), 2**256), {}, r.strata[task]
    first = {s.group: min(x.id for x in strata if x.group == s.group) for s in strata}
    for s in sorted(strata, key=lambda s: (first[s.group], r.ticket("order", f"{task}:{s.id}"), s.id)):
        found[s.id] = (total + Fraction(s.expected)) // 1 - total // 1
        total += Fraction(s.expected)
    return found

def planned(r, chosen, ticket):
    """§7: (enterprise, part) → its tasks, for the enterprises chosen by each task."""
    limit, found, joined = r.ann.policy.visit_limit or {}, {}, defaultdict(lambda: defaultdict(list))
    for t in sorted(chosen):
        for e in chosen[t]:
            joined[e][r.tasks[t].department].append(t)
    bounds = [Fraction(limit.get(k) or 10**99) for k in ("departments", "checks", "hours")]
    for e in sorted(joined):
        part, load = 0, bounds
        for d in sorted(joined[e], key=lambda d: (ticket("order", f"{e}:{d}"), d)):
            items = [i for t in joined[e][d] for i in r.tasks[t]["items"]]
            more = 1, len(items), sum(Fraction(i.hours) for i in items)
            load = [a + b for a, b in zip(load, more)]
            if not part or any(x > bound for x, bound in zip(load, bounds)):
                part, load = part + 1, more
            found[e, part] = sorted([*found.get((e, part), ()), *joined[e][d]])
    return found

# ---- the checks (§12) ------------------------------------------------------------------------------------
def canonical_(r):
    """§1–3, 9, 10."""
    must(not r.bad and r.ann, "; ".join(r.bad[:4]))
    if not FORMS:
        r.gap("只核对了 RFC 8785，形式由 verify_documents.py 核对 the forms are left to verify_documents.py")

def lists(r):
    """§2."""
    result = r.docs.get("result") or Doc(cutoffs=None, embargoed=None)
    for name, commitment in {**r.ann.lists, "cutoffs": result.cutoffs, "visits": result.embargoed}.items():
        rows = r.files.get(f"{name}.jsonl", b"\n").split(b"\n")[:-1]
        found = {"root": root(r.H, [r.H(b"\0" + row) for row in rows]).hex(), "size": len(rows)}
        same(found if commitment else None, commitment, name)
    for kind, ids in {"frame": r.frame, "roster": r.people, **r.kinds}.items():
        same(len({i.lower() for i in ids}), len(ids), f"{kind}: 标识仅大小写不同 ids differ only in letter case")
    must(not r.frame.keys() & r.people.keys(), "既是人又是企业 both inspector and enterprise")
    letters, weights = "0123456789ABCDEFGHJKLMNPQRTUWXY", [pow(3, k, 31) for k in range(17)]  # GB 32100-2015
    for i in r.frame if r.ann.enterprise_ids == "uscc" else ():
        must(re.fullmatch(f"[{letters}]{{2}}[0-9]{{6}}[{letters}]{{10}}", i), f"{i}: 信用代码 credit code")
        check = sum(letters.index(c) * n for c, n in zip(i, weights)) + letters.index(i[17])
        must(check % 31 == 0, f"{i}: 信用代码 credit code")
    numbers = {"recusals": "r{:06}", "strata": "s{:04}", "cutoffs": "s{:04}", "visits": "v{:05}"}
    for name, form in numbers.items():
        more = ["prices", "selection"][:1 + (r.embargo == "visits")] if name == "visits" else []
        ids = [row.id for row in r.lists[name] or () if r.sealed or more]
        n = len(ids) - len(more)
        form = form if n < 10**int(form[-2]) else form[0] + "{:0%d}" % len(str(n))
        same(ids, [*more, *(form.format(k) for k in range(1, n + 1))] if ids else [], name)
    departments = {t.department for t in r.ann.tasks}
    must(departments.issuperset(p.department for p in r.people.values()), "roster: 部门 department")
    for a, b in r.recused:
        must(a in r.people and (b in r.people and a < b or b in r.frame), f"{a}~{b}: 回避 recusal")
    for e, f in r.firms.items():
        placed(r, e, f.strata)

def placed(r, what, strata):
    """§2, 3: insist that these strata are announced ones."""
    for t, s in strata.items():
        known = [x.id for x in r.strata[t]] if t in r.own else ["all"]
        must(t in r.tasks and s in known, f"{what}: 层 stratum {t} {s}")
    must(strata, f"{what}: 不在任何层 in no stratum")

def due(number):
    """When a round of quicknet is due (§4)."""
    must(re.fullmatch("[1-9][0-9]{0,11}", number), f"{number}: 轮次 round")
    return f"{datetime(1970, 1, 1) + timedelta(0, 1692803367 + 3 * int(number) - 3):%Y-%m-%dT%H:%M:%SZ}"

def announcement(r):
    """§3."""
    a, end, beacon, departments = r.ann, r.ann.deadlines, r.ann.beacon, {t.department for t in r.ann.tasks}
    must(a.days and a.period.start <= a.days[0] and a.days[-1] <= a.period.end, "days, period")
    must(a.tasks and all(t["items"] for t in a.tasks), "tasks, items")
    must(end.reveal <= beacon.time <= end.result <= end.findings, "deadlines")
    if beacon.kind == "drand":
        same((beacon.source, beacon.time), (QUICKNET, due(beacon.round)), "beacon")
    must(beacon.kind != "local" or (beacon.source, beacon.round) == ("none", "0"), "beacon: local")
    same([c.department for c in a.crews], sorted(departments), "crews")
    must(all(len(c.seats) > 1 for c in a.crews), "crews: seats")
    for s in a.policy.relief:
        must(s.department in departments and (s.amount or s.kind in ("lend", "seats")), "relief")
    must((a.policy.visit_limit or {}).get("hours") != "0/1", "visit_limit.hours")
    must(a.draw not in a.voids, "voids")
    must(all(t.lead in [None, *r.own] for t in a.tasks), "tasks: lead")
    same([x.task for x in a.rates], r.own, "rates")
    for p in a.profiles or ():
        placed(r, p.id, p.strata)
        same([q.id for q in a.profiles if q.strata == p.strata], [p.id], "profiles")
    sizes = Counter(cell for f in r.firms.values() for cell in f.strata.items())
    for rate in a.rates:
        task, total, rates, small = r.tasks[rate.task], 0, [], []
        for s in r.strata[task.id]:
            what, e = f"{task.id} {s.id}", Fraction(s.expected)
            same(s.size, sizes[task.id, s.id], f"{what}: size")
            must(e <= s.size and (e.denominator == 1 or not r.sealed), f"{what}: expected")
            named = re.fullmatch(f"{re.escape(s.group)}[.]{NAME}", s.id)
            must(named or task.control == "one-way", f"{what}: 应为组.列 should be group.column")
            total, rates = total + e, rates + ([e / s.size] if s.size else [])
            small += [s.id] if 0 < s.size < 5 and e in (0, s.size) else []
        same(Fraction(task.total), total, f"{task.id}: total")
        least, greatest = min(rates, default=0), max(rates, default=0)
        same((Fraction(rate.least), Fraction(rate.greatest)), (least, greatest), f"{task.id}: rates")
        same(rate.small, len(small) if r.sealed else small, f"{task.id}: rates.small")

def contributions(r):
    """§4."""
    announced = {c.party: c.commitment for c in r.ann.contributions}
    for party, how, value in r.shares:
        nonce = r.H(f"dualrandom/v1/nonce\n{r.ann.draw} {party} {value}\n".encode()).hex()
        same(nonce if how == "revealed" else value, announced.get(party), party)

def evidence(r, b, number):
    """§4: what is shown of the announced round gives its randomness."""
    kind, data = r.ann.beacon.kind, (b.keystring or "").encode() + bytes.fromhex(b.signature or "")
    note = {"drand": "BLS 签名未核对 BLS signature: `dualrandom verify`", "local": "仅供开发 for development only",
            "keystring": f"请与公开来源核对 compare with its public source: {b.keystring}"}[kind]
    same((b.keystring is None, b.signature is None), (kind != "keystring", kind != "drand"), "evidence")
    must(kind == "local" or hashlib.sha256(data).hexdigest() == b.randomness, "randomness")
    must(kind != "drand" or due(number) and len(data) == 48 and data[0] & 0xC0 == 0x80, "签名 signature")
    r.gap(note)

def beacon(r):
    """§4."""
    must("beacon.json" in r.files or "result.json" not in r.files, "没有 beacon.json is missing")
    b, a = r.docs["beacon"], r.ann.beacon
    same((b.kind, b.source, b.round), (a.kind, a.source, a.round), "beacon.json")
    must(a.kind != "drand" or a.source == QUICKNET, "source")
    evidence(r, b, b.round)

def seed(r):
    """§4."""
    must("head" in r.__dict__ if "seed.txt" in r.files else "result.json" not in r.files, "seed.txt")
    b, made = r.ann.beacon, r.H(r.files.get("seed.txt", b"")).hex()
    same(r.head, f"dualrandom/v1/seed\nannouncement {r.digest}\nbeacon {b.kind} {b.source} {b.round}\n"
         f"randomness {r.docs['beacon'].randomness}\n", "seed.txt")
    same([share[0] for share in r.shares], [c.party for c in r.ann.contributions], "seed.txt")
    same(r.docs.get("result", {"seed": made})["seed"], made, "seed")

def chosen(r):
    found = {s.task: s for s in r.res.selection or r.selection}
    same([*found], [*r.tasks], "selection")
    return found

def sizes(r):
    """§6.1, 6.2."""
    shown = chosen(r)
    for t in r.own if r.sealed else ():
        same((len(shown[t].selected), len(shown[t].tickets)), (Fraction(r.tasks[t].total),) * 2, t)
    n = iter([c.n for c in r.cuts.values()] if r.strata and r.sealed else ())
    for t in r.own:
        published = {s.id: next(n) for s in r.strata[t]} if r.sealed else {s.id: s.n for s in shown[t].strata}
        same(published, sample_sizes(r, t), t)

def selection(r):
    """§6.3, 12.1."""
    shown, drawn, tickets, members = chosen(r), set(), set(), defaultdict(list)
    for t, s in shown.items():
        among = r.frame if t in r.own else shown[r.tasks[t].lead].selected
        must({*s.selected} <= {*among}, f"{t}: 不在抽样框或主任务中 not in the frame, not selected by the lead")
        drawn, tickets = drawn | {*s.selected}, tickets | {*(s.tickets or ())}
    must(len(drawn) == len(tickets) or not r.sealed, "各任务签号不一致 the tasks do not share their tickets")
    rank = {e: (r.ticket("enterprise", f.key), e) for e, f in r.firms.items()}
    for e, f in r.firms.items():
        for cell in f.strata.items():
            members[cell].append(rank[e])
    cuts = iter(r.cuts.values() if r.sealed else ())
    for t, s in shown.items():
        n = sample_sizes(r, t) if t in r.own else {}
        cells = {stratum: sorted(members[t, stratum])[:n[stratum]] for stratum in n}
        if t in r.own:
            first = sorted(x for cell in cells.values() for x in cell)
        else:
            first = sorted(rank[e] for e in shown[r.tasks[t].lead].selected if t in r.firms[e].strata)
        if t in r.own and r.sealed:
            same(s.tickets, [ticket for ticket, _ in first], f"{t}: tickets")
            for cell in (cells[x.id] for x in r.strata[t]):
                same(next(cuts).tickets, [ticket for ticket, _ in cell], f"{t}: cutoffs")
        elif t in r.own:
            last = {stratum: cell[-1][0] if cell else None for stratum, cell in cells.items()}
            same({x.id: x.cutoff for x in s.strata}, last, f"{t}: cutoff")
        same(s.selected, sorted(e for _, e in first) if r.sealed else [e for _, e in first], f"{t}: selected")

def visits(r):
    """§7."""
    right = planned(r, {t: s.selected for t, s in chosen(r).items()}, r.ticket)
    same({(v.enterprise, v.part): [c.task for c in v.checks] for v in r.visits}, right, "visits")
    checked(r, r.visits)
    for v in r.visits:
        same(v.district, r.firms[v.enterprise].district, f"{v.enterprise}: district")

def checked(r, visits):
    for v, c in ((v, c) for v in visits for c in v.checks):
        same(c["items"], [i.id for i in r.tasks[c.task]["items"]], f"{v.enterprise} {c.task}: items")

def stage(attempt):
    return f"pair.{attempt}" if attempt else "pair"

def elsewhere(r):
    raise Open("由旁边的文件核对，这里没有 left to a file that is not beside this one")

QUICKNET = "52db9ba70e0cc0f6eaf7803dd07447a1f5477735fd3f661792ba94600c84e971"
CHECKS = ("canonical signatures log lists announcement events contributions beacon seed sizes selection "
          "visits dates crews prices result findings changes draws").split()
RUN = {name: [elsewhere] for name in [*sorted(CHECKS, key=["findings", "draws"].count), "receipt"]}
RUN |= {"canonical": [canonical_], "lists": [lists, lambda r: r.sealed and elsewhere(r)],
        "contributions": [contributions, lambda r: "log/checkpoint" in r.files and elsewhere(r)]}
RUN |= {f.__name__: [f] for f in (announcement, beacon, seed, sizes, selection, visits)}

def verify(files, auditor=None, policy=None, receipt=None, voided=False):
    """[(check, status, reason)]. files: name → bytes; auditor: (list secret, {list: its openings})."""
    try:
        report, r = {}, Record(files, auditor, policy or b"", receipt, voided)
    except Open as reason:  # no SM3
        return [(name, "NOT CHECKED", str(reason)) for name in CHECKS]
    for name in (name for name in RUN if name != "receipt" or receipt is not None):
        try:
            r.gaps, r.notes = {}, []
            for check in RUN[name]:
                r.part(check)
            if r.gaps and name in r.attested:
                r.gap(f"审计方已核对 attested by {r.ann.auditor.name}")
            sections = {check.__doc__.split(":")[0].strip("."): 1 for check in RUN[name] if check.__doc__}
            report[name] = "NOT CHECKED" if r.gaps else "PASS", "; ".join([*(r.gaps or sections), *r.notes])
        except Bad as fault:
            report[name] = "FAIL", str(fault)
        except Exception as error:  # names what is not there: a hostile record does not pass
            report[name] = "FAIL", f"文件互不相符 documents do not fit: {type(error).__name__} {error!s:.90}"
    return [(name, *report[name]) for name in [*CHECKS, "receipt"] if name in report]

OPTIONS = "--auditor", "--log-policy", "--receipt"

def main(arguments):
    options = dict(zip(arguments[1::2], arguments[2::2]))
    if arguments[1:] and arguments[0].endswith(".json"):
        arguments, options = arguments[1:], {"--receipt": arguments[0]}
    found = arguments and Path(arguments[0], "announcement.json").is_file()
    if not found or len(arguments) % 2 == 0 or options.keys() - {*OPTIONS}:
        print("没有 announcement.json there is no announcement.json" if arguments and not found else __doc__)
        return 2
    paths = {p.relative_to(arguments[0]).as_posix(): p for p in Path(arguments[0]).rglob("*") if p.is_file()}
    known = r"(?!(.*/)?[.])((log|reveals|exclusions|voided)/.*|[^/]+[.](jsonl?|txt|checkpoint))"
    files = {f: p.read_bytes() for f, p in paths.items() if re.fullmatch(known, f)}
    sys.stdout.reconfigure(errors="replace")  # whatever characters the terminal has
    auditor, policy, receipt = (key in options and Path(options[key]) for key in OPTIONS)
    if auditor:
        secret = (auditor / "list-secret").read_bytes()
        auditor = (secret if len(secret) == 32 else bytes.fromhex(secret.decode().strip()),
                   {p.stem: p.read_bytes() for p in (auditor / "openings").glob("*.jsonl")})
    policy, receipt = (path.read_bytes() if path else None for path in (policy, receipt))
    report = verify(files, auditor or None, policy, receipt)
    for name, status, reason in report:
        print(f"{status:12} {name:14} {reason}")
    statuses = {status for _, status, _ in report}
    return 1 if "FAIL" in statuses else 3 if "NOT CHECKED" in statuses else 0

sys.modules.setdefault("verify_draw", sys.modules.get(__name__))  # what lies beside imports it by this name
for beside in ("verify_documents", "verify_crews", "verify_log"):
    if (file := Path(__file__).with_name(f"{beside}.py")).is_file():
        spec = importlib.util.spec_from_file_location(beside, file)
        spec.loader.exec_module(importlib.util.module_from_spec(spec))

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

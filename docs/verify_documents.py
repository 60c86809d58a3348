"""The part of verify_draw.py for documents: their forms, sealed rows, §9, 10 and 14 of docs/protocol.md.

verify_draw.py 的一部分：文件形式、密封行、总数、统计、检查结果、作废与回执。各文件放在同一目录。
"""

# fmt: off
# ruff: noqa: ARG005, B007, B020, B905, E401, E731, I001, RUF021, UP031
import hmac, re
from collections import Counter, defaultdict
from datetime import datetime
from fractions import Fraction
from functools import lru_cache
from itertools import pairwise
from math import prod
from verify_draw import FORMS, HIDES, KEYS, LISTS, NAME, RULES, RUN, SHAPES, Bad, Open
from verify_draw import canonical, jcs, must, read, same, shapes, stage, unbase, verify

# ---- forms (§1–3, 9, 10) ---------------------------------------------------------------------------------
# An object, its keys; "!" is behind those by which an array of it ascends. "x?" is x or null, "x*" an array
# that ascends, "x~" one in any order, "x%" a map of ids; "sealed.x/y" is x in a sealed draw, else y or null.
# Kinds in capital letters are ids, no two of which differ in letter case alone; "a|b" is one of these texts.
TABLE = r"""announcement auditor:sealed.auditor authority:id beacon:round contributions:contribution*
 crews:seating* days:day* deadlines:deadlines disclosure:open|sealed draw:draw enterprise_ids:uscc|free
 lists:sealed.sealed_lists/lists period:period plan:id policy:policy profiles:open.profile* rates:rate*
 software:software suite:sha256|sm3 tasks:task* timezone:zone voids:id*; auditor key:b32 name:text;
round kind:drand|keystring|local round:id source:id time:instant; seating department!:Department seats:Mark*~;
contribution commitment:hex key:b32 party!:Party signature:b64; period end:day start:day;
deadlines findings:instant result:instant reveal:instant; software name:text version:text;
commitment root:hex size:count; lists frame:commitment recusals:commitment roster:commitment;
sealed_lists frame:commitment recusals:commitment roster:commitment strata:commitment;
policy calendar:lottery|optimise cross_district:bool embargo:none|crews|visits relief:step~ visit_limit:limit?
 substitution:fresh|next|none undated:list|void; limit checks:part? departments:part? hours:ratio?;
step amount:count department:Department kind:daily|total|lend|seats; profile id!:Profile strata:id%;
rate greatest:ratio least:ratio small:sealed.count/id* task!:id; item hours:ratio id!:Item marks:Mark*;
task control:one-way|two-way department:Department id!:Task items:item* lead:Task? mode:own|follows
 strata:stratum*? total:ratio?; stratum expected:ratio group:Group id!:Stratum size:count;
firm closed:workday* district:District profile:id; hidden_firm closed:workday* district:District strata:id%;
inspector absent:workday* daily:count department:id districts:District* marks:Mark* total:count;
frame_row detail:firm id!:id; roster_row detail:inspector id!:id; recusals_row detail:ground id!:twins;
sealed_roster_row detail:inspector id!:id sealed:hex; seal id!:id sealed:hex; ground ground:id;
person person:text; pair ground:id pair:id~; cell expected:ratio group:Group id:Stratum size:count task:id;
cutoff n:count tickets:hex*; opening list!:id id!:id hidden:any salt:hex;
beacon keystring:ascii? kind:drand|keystring|local randomness:hex round:id signature:bytes? source:id;
result announcement:hex attempt:count cutoffs:sealed.commitment draw:id prices:none.price* relief:step~
 seed:hex embargoed:crews.commitment/visits.commitment selection:none.chosen*/crews.chosen* totals:totals
 visits:none.visit*/crews.shown*; chosen selected:sealed.id*/id~ strata:cut*? task!:id tickets:hex*?;
cut cutoff:hex? id!:id n:count; shown checks:checked* district:id enterprise!:id part!:part;
visit checks:checked* crews:crew* date:day? district:id enterprise!:id part!:part; checked items:id* task!:id;
crew barred:id* department!:id seats:id~; price days:cost% inspector!:id period:number;
totals checks:count cost:number crews:count undated:count visits:count"""
shapes(TABLE)
DAY, DIGITS = "[0-9]{4}-[0-9]{2}-[0-9]{2}", "(0|[1-9][0-9]{0,99})"
KINDS = "Department", "District", "Group", "Item", "Mark", "Party", "Profile", "Stratum", "Task"
TEXTS = dict.fromkeys(["id", *KINDS], NAME) | dict.fromkeys(["text", "b32", "b64"], "(?s:.*)") | {
    "twins": f"{NAME}~{NAME}", "draw": f"{NAME}-[0-9]{{4}}-(?!000000)[0-9]{{6}}", "hex": "[0-9a-f]{64}",
    "bytes": "([0-9a-f]{2})+", "ascii": "[\0-\x7f]*", "zone": "[A-Za-z0-9_+-]+(/[A-Za-z0-9_+-]+)*",
    "number": DIGITS, "cost": "[1-9][0-9]{0,99}", "ratio": f"{DIGITS}/[1-9][0-9]{{0,99}}", "day": DAY,
    "workday": DAY, "instant": f"{DAY}T(?!24)[0-9]{{2}}(:[0-9]{{2}}){{2}}Z", "six": f"{DIGITS}[.][0-9]{{6}}"}
EXACT = {
    "day": datetime.fromisoformat, "instant": datetime.fromisoformat, "b32": lambda x: len(unbase(x)) == 32,
    "b64": lambda x: len(unbase(x)) == 64, "ratio": lambda x: "%d/%d" % Fraction(x).as_integer_ratio() == x}
OTHERS = {"count": lambda x: type(x) is int and x >= 0, "part": lambda x: type(x) is int and x > 0,
          "bool": lambda x: type(x) is bool, "null": lambda x: x is None, "any": lambda x: True}
RULES |= {  # what no key shows alone: record, object
    "announcement": lambda r, x: x.draw[:-12] == x.authority, "pair": lambda r, x: len(x.pair) == 2,
    "task": lambda r, x: [x.lead is None, x.total is None, x.strata is None] == (
        [True, False, "sealed" in r.flags] if x.mode == "own" else [False, True, True])
        and (x.mode == "own" or x.control == "one-way"),
    "chosen": lambda r, x: [x.tickets is None, x.strata is None] == [
        x.task not in r.own or not r.sealed, x.task not in r.own or r.sealed],
    "price": lambda r, x: x.days or x.period != "0",
    "inspector": lambda r, x: r.days.issuperset(x.absent), "firm": lambda r, x: r.days.issuperset(x.closed),
    "hidden_firm": lambda r, x: x.strata and r.days.issuperset(x.closed)}

@lru_cache(None)
def kind_of(kind, *flags):
    """The name of a kind in a draw with these flags, its mark, and what judges it if it is no object."""
    for option in kind.split("/"):
        when, _, kind = option.rpartition(".")
        if not when or when in flags:
            break
    else:
        kind = "null"
    name, mark = (kind[:-1], kind[-1]) if kind[-1] in "?*~%+" else (kind, "")
    match, exact = re.compile(TEXTS.get(name, name)).fullmatch, EXACT.get(name, OTHERS["any"])
    judge = OTHERS.get(name) or (lambda x: isinstance(x, str) and match(x) and exact(x))
    return name, mark, None if mark or name in SHAPES else judge

def form(r, kind, x):
    """Insist that x is of a kind of the TABLE; what is raised says where it is not."""
    (name, mark, judge), key = kind_of(kind, *r.flags), ""
    try:
        if judge:
            if not judge(x):
                raise Bad(f": {x!s:.60}")
            if name in KINDS:
                r.kinds[name].add(x)
        elif mark == "?":
            if x is not None:
                form(r, name, x)
        elif mark == "+":  # a key that may be absent
            form(r, name, x)
        elif mark == "%":
            must(isinstance(x, dict) and len({k.lower() for k in x}) == len(x), ": keys")
            for key, v in x.items():
                form(r, "day" if name == "cost" else "id", key)
                form(r, name, v)
        elif mark:
            must(isinstance(x, list), ": array")
            for key, v in enumerate(x):
                form(r, name, v)
            keys, key = [[v[k] for k in KEYS[name]] if name in KEYS else v for v in x], ""
            must(mark == "~" or all(a < b for a, b in pairwise(keys)), ": 次序 order")
        else:
            needed = {key for key, kind in SHAPES[name].items() if kind[-1] != "+"}
            must(isinstance(x, dict) and needed <= x.keys() <= SHAPES[name].keys(), ": 键 keys")
            for key, v in x.items():
                form(r, SHAPES[name][key], v)
            must(name not in RULES or RULES[name](r, x), f": {name}")
    except Bad as fault:
        raise Bad(f"{'' if key == '' else '.'}{key}{fault}") from None

def insist(r, at, kind, x):
    """Insist on a kind, and say where x is from."""
    try:
        form(r, kind, x)
    except Bad as fault:
        raise Bad(f"{at}{fault}") from None

FORMS.append(insist)

def order(r):
    """§9: the visits behind an embargo ascend too, once all are open."""
    places = [(v.enterprise, v.part) for v in r.__dict__.get("plan", ())]
    must(all(a < b for a, b in pairwise(places)), "visits: 次序 order")

# ---- the rest of `lists` (§2) ----------------------------------------------------------------------------
def openings(r):
    """§2: seals, salts, and what only an auditor sees of the lists."""
    seals = {(name, row.id): row.get("sealed") for name, rows in r.lists.items() for row in rows or ()}
    for (name, i), o in r.openings.items():
        seal = r.H(f"dualrandom/v1/sealed\n{o.salt}\n{jcs(o.hidden)}".encode()).hex()
        same(seal, seals.get((name, i)), f"{name} {i}: 启封 opening")
        if r.auditor:
            salt = hmac.digest(r.auditor[0], f"{r.ann.draw}\n{name}\n{i}".encode(), "sha256").hex()
            same(o.salt, salt, f"{name} {i}: 盐 salt")
    for name, i in seals if r.auditor else ():
        must(name == "visits" or not seals[name, i] or (name, i) in r.openings, f"{name} {i}: 未启封 not opened")
    if r.sealed and r.auditor:
        persons = [(r.people[i].department, h.person) for i, h in r.hidden("roster").items()]
        must(len({*persons}) == len(persons), "一人两个化名 one person under two pseudonyms")
        pairs, cells = r.hidden("recusals").values(), [(c.task, c.id) for c in r.hidden("strata").values()]
        same(["~".join(h.pair) for h in pairs], sorted("~".join(pair) for pair in r.recused), "recusals")
        must(cells == sorted({*cells}) and all(t in r.own for t, _ in cells), "strata")

# ---- the result and its figures (§9, 10) -----------------------------------------------------------------
shapes("""labels announcement:hex authority:names departments:names% districts:names% enterprises:names%
 inspectors:names% items:basis% rehearsal:bool tasks:names%; names en:text zh:text; basis basis:text en:text
 zh:text; statistics announcement:hex draw:id excluded:excluded*? flags:flag* frame:sizes load:load
 overlap:overlap sample:share* tasks:tally* undated:undated* workload:work*; excluded count:part reason!:id;
sizes districts:share* size:count; flag code!:text task!:text value:text; share count:count district!:id;
work crews:count days:count inspector!:id; load greatest:count least:count median:count;
tally expected:ratio? selected:count task!:id;
overlap alone:count independent:six least_possible:six visited:count;
undated enterprise!:id part!:part reason:closed|seat-without-candidate|no-seatable-day""")
FLAGS = {"small-frame": "number", "high-rate": "ratio", "small-pool": "number", "classes-changed": "cost",
         "scope-changed": "scope", "edits-not-checked": "no-snapshot"}
RULES["flag"] = lambda r, x: r.form("flag", FLAGS[x.code], x.value) or (
    x.task == "" if x.code == "edits-not-checked" else re.fullmatch(NAME, x.task))
EDITS = {"classes-changed", "scope-changed"}
RULES["statistics"] = lambda r, x: not (codes := {flag.code for flag in x.flags}) & EDITS or (
    "edits-not-checked" not in codes)

def result(r):
    """§9, 10."""
    must("labels.json" in r.files, "没有 labels.json is missing")
    opened = {i: o.hidden for (name, i), o in r.openings.items() if name == "visits" and i[0] == "v"}
    told = [v for i, v in r.told.items() if i[0] == "v"]  # not what only the auditor's files open
    shown = {v.enterprise for v in [*(r.docs.get("result", {}).get("visits") or ()), *told]}
    labels = r.docs.get("labels")
    if labels:
        same(labels.announcement, r.digest, "labels.json")
        seen = labels.enterprises.keys() <= shown or "result.json" in r.files and "result" not in r.docs
        must(seen and not (r.sealed and labels.inspectors), "labels.json: leak")
    res = r.res
    same((res.announcement, res.draw), (r.digest, r.ann.draw), "announcement, draw")
    files = {"statistics.json": True, "ties.json": res.attempt > 0 and r.lifted, "strata.jsonl": r.sealed,
             "cutoffs.jsonl": r.sealed, "visits.jsonl": r.embargo != "none"}
    same({f: f in r.files for f in files}, files, "文件 files")
    for name in ("statistics", "ties"):
        same(r.docs.get(name, {"announcement": r.digest})["announcement"], r.digest, name)
    for v, i in zip(res.visits or (), [row.id for row in r.lists["visits"] or () if row.id[0] == "v"]):
        same({k: opened.get(i, v)[k] for k in v}, v, f"{i}: 密封的检查 the sealed visit")
    if r.embargo != "none":
        others = 1 + (r.embargo == "visits")  # prices, selection
        same(res.totals.visits, res.embargoed.size - others, "totals: visits")
    checks = sum(len(c["items"]) for v in r.visits for c in v.checks)
    same((res.totals.visits, res.totals.checks), (len(r.visits), checks), "totals")
    made = [(v, c) for v in r.plan if v.date for c in v.crews]
    seats = [f"{v.enterprise}:{c.department}:{i}" for v, c in made for i in c.seats]
    cost = sum(int(r.ticket(stage(res.attempt), seat)[:10], 16) for seat in seats)
    right = len(made), sum(not v.date for v in r.plan), str(cost)
    same((res.totals.crews, res.totals.undated, res.totals.cost), right, "totals")

def statistics(r):
    """§10: all figures that the documents at hand determine."""
    s = r.res and r.docs["statistics"]
    tally = lambda districts: [{"count": n, "district": d} for d, n in sorted(Counter(districts).items())]
    six = lambda x: f"{(n := round(x * 10**6)) // 10**6}.{n % 10**6:06d}"
    same((s.draw, s.frame.size), (r.ann.draw, r.ann.lists.frame.size), "statistics")
    same(sum(x.count for x in s.frame.districts), s.frame.size, "statistics: frame.districts")
    same(s.excluded is None, r.sealed, "statistics: excluded")
    if "firms" in r.__dict__ and "strata" in r.__dict__:
        same(s.frame.districts, tally(f.district for f in r.firms.values()), "statistics: frame")
        rate = {(t, x.id): Fraction(x.expected) / x.size for t in r.own for x in r.strata[t] if x.size}
        bounds = [0, 0]
        for strata, n in Counter(tuple(f.strata.items()) for f in r.firms.values()).items():
            rates = [rate[cell] for cell in strata if cell in rate]
            bounds = bounds[0] + n * (1 - prod(1 - x for x in rates)), bounds[1] + n * max(rates, default=0)
        shown = s.overlap.independent, s.overlap.least_possible
        same(shown, (six(bounds[0]), six(bounds[1])), "statistics: overlap")
    if "selection" in r.__dict__:
        same(s.overlap.alone, sum(len(x.selected) for x in r.selection), "statistics: alone")
        tasks = [(r.tasks[x.task].total, len(x.selected), x.task) for x in r.selection]
        same([(x.expected, x.selected, x.task) for x in s.tasks], tasks, "statistics: tasks")
    district = {v.enterprise: v.district for v in r.__dict__.get("visits", ())}
    if "visits" in r.__dict__:
        same(s.overlap.visited, len(district), "statistics: visited")
    same(s.sample, tally(district.values()) if r.embargo != "visits" else [], "statistics: sample")
    days, plan, people = defaultdict(list), *((r.plan, r.people) if r.embargo == "none" else ([], []))
    for v, i in ((v, i) for v in plan for c in v.crews for i in c.seats):
        days[i].append(v.date)
    work = [{"crews": len(days[i]), "days": len({*days[i]}), "inspector": i} for i in people]
    busy = sorted(x["crews"] for x in work) or [0]
    load = {"greatest": busy[-1], "least": busy[0], "median": busy[(len(busy) - 1) // 2]}
    same((s.workload, s.load), (work, load), "statistics: load, workload")
    undated = [(v.enterprise, v.part) for v in plan if not v.date]
    same([(x.enterprise, x.part) for x in s.undated], undated, "statistics: undated")

# ---- findings, and how the draw ended (§10) --------------------------------------------------------------
shapes("""findings announcement:hex draw:id findings:finding*;
finding enterprise!:id part!:part task!:id item!:id revision!:part code:text date:day method:text
 reason:text? sealed:hex+; void announcement:hex draw:id reason:text time:instant""")
METHODS = "on-site", "documents", "online", "laboratory", "expert", "other-department"

def findings(r):
    """§10, 13.5."""
    doc, last, known = r.docs["findings"] if r.res else 0, {}, {(v.enterprise, v.part): v for v in r.effect}
    same((doc.announcement, doc.draw), (r.digest, r.ann.draw), "findings.json")
    for f in doc.findings:
        what, key = f"{f.enterprise} {f.task} {f.item}", (f.enterprise, f.part, f.task, f.item)
        must(re.fullmatch("[1-9A-F]", f.code) and f.method in METHODS, f"{what}: code, method")
        same((f.revision, bool(f.reason)), (last.get(key, 0) + 1, f.revision > 1), f"{what}: revision")
        last[key] = f.revision
        if key[:2] not in known and "visits" not in r.__dict__:
            r.gap("保密期内 under an embargo")
        else:
            v = known[key[:2]]
            must(f.item in {c.task: c["items"] for c in v.checks}[f.task], f"{what}: 没有这项检查 no such check")
            seats = {c.department: c.seats for c in v.get("crews") or ()}
            must(seats.get(r.tasks[f.task].department, True), f"{what}: 检查组空缺 the crew is unfilled")

def draws(r):
    """§10, 12.1."""
    folders, a, ends = defaultdict(dict), r.ann, {"result.json", "void.json"} & r.files.keys()
    for f, data in r.files.items():
        if f.startswith("voided/") and f.count("/") > 1:
            folders[f.split("/")[1]][f.split("/", 2)[2]] = data
    must(len(ends) < 2, "既有结果又作废 both a result and a void")
    if "void" in r.docs:
        same((r.docs["void"].announcement, r.docs["void"].draw), (r.digest, a.draw), "void.json")
    same([*a.voids] if r.voided else sorted(folders), a.voids, "voided/")
    for d, files in folders.items() if not r.voided else ():
        same([x for x in verify(files, voided=True) if x[1] == "FAIL"], [], f"voided/{d}/")
        old = read(files["announcement.json"].decode())
        same((old.draw, old.plan, old.authority), (d, a.plan, a.authority), f"voided/{d}/")
        earlier = d < a.draw and {*old.voids} < {*a.voids} and "void.json" in files
        must(earlier, f"voided/{d}/: 不是更早作废的抽取 no voided draw of before")
    if not ends or "void.json" in ends and "void" not in r.docs:
        raise Open("尚未终结 neither a result nor a void")

# ---- receipts (§14) --------------------------------------------------------------------------------------
shapes("""receipt announcement:hex draw:id rows:proven* subject:subject;
subject id:id kind:enterprise|inspector;
proven list!:frame|roster|recusals|strata|cutoffs index!:count opening:sealed.opening proof:hex~ row:any""")

def leads(r, x, commitment):
    """RFC 9162 §2.1.3.2: leaf and audit path give the committed root."""
    place, last, value = x.index, commitment.size - 1, r.H(b"\0" + jcs(x.row).encode())
    for step in map(bytes.fromhex, x.proof):
        left = place % 2 or place == last
        must(last, "proof")
        value = r.H(b"\1" + step + value if left else b"\1" + value + step)
        while left and place and not place % 2:
            place, last = place // 2, last // 2
        place, last = place // 2, last // 2
    same((last, value.hex()), (0, commitment.root), f"{x.list} {x.row.id}: proof")

def receipt(r):
    """§14."""
    doc = canonical(r.given)
    must(doc.pop("type") == "dualrandom/v1/receipt", "type")
    r.form("receipt", "receipt", doc)
    same((doc.announcement, doc.draw), (r.digest, r.ann.draw), "announcement, draw")
    kinds = {"enterprise": ("frame", "strata", "cutoffs"), "inspector": ("roster", "recusals")}
    own, *others = kinds[doc.subject.kind]
    rows, subject = defaultdict(dict), doc.subject.id
    for x in doc.rows:
        must(x.list == own or x.list in others, x.list)
        r.form(x.list, LISTS[x.list].replace("*", ""), x.row)
        leads(r, x, r.res.cutoffs if x.list == "cutoffs" else r.ann.lists[x.list])
        if r.sealed:
            same((x.opening.list, x.opening.id), (x.list, x.row.id), "opening")
            r.form(x.list, HIDES[x.list], x.opening.hidden)
            text = f"dualrandom/v1/sealed\n{x.opening.salt}\n{jcs(x.opening.hidden)}"
            same(r.H(text.encode()).hex(), x.row.sealed, f"{x.row.id}: opening")
        rows[x.list][x.row.id] = x.opening.hidden if r.sealed else x.row.detail
    same([*rows[own]], [subject], own)
    salt = next((x.opening.salt for x in doc.rows if r.sealed and x.list == own), "")
    (enterprise if own == "frame" else inspector)(r, subject, rows, f"{subject}:{salt}" if salt else subject)

def enterprise(r, subject, rows, key):
    """§14: rightly drawn or not."""
    firm, due = rows["frame"][subject], set()
    strata = firm.strata if r.sealed else next(p.strata for p in r.ann.profiles if p.id == firm.profile)
    own, ticket = {t for t in strata if t in r.own}, r.ticket("enterprise", key)
    shown, drawn = {s.task: s for s in r.selection}, {}
    if r.sealed:
        same(sorted(rows["cutoffs"]), sorted(rows["strata"]), "cutoffs, strata")
        same({h.task: h.id for h in rows["strata"].values()}, {t: strata[t] for t in own}, "strata")
        same(len(rows["strata"]), len(own), "strata")
        for i, h in rows["strata"].items():
            c = rows["cutoffs"][i]
            must(c.n == len(c.tickets) == Fraction(h.expected) <= h.size, i)
            must({*c.tickets} <= {*shown[h.task].tickets}, i)
            drawn[h.task] = c.tickets, c.tickets[-1:], c.n == h.size
    for t in own if not r.sealed else ():
        cut = next(x for x in shown[t].strata if x.id == strata[t])
        size = next(x.size for x in r.tasks[t].strata if x.id == strata[t])
        last = [cut.cutoff] if cut.cutoff else []
        must(last or not cut.n, f"{t}: 没有分界签号 no cutoff")
        drawn[t] = [ticket] if last and ticket <= last[0] else [], last, cut.n == size
    for t, (tickets, last, everyone) in drawn.items():
        passed = ticket not in tickets and last and (ticket < last[0] or everyone)
        must(not passed, f"{t}: 跳过了该企业 passed over: {ticket}")
        due |= {t} if ticket in tickets else set()
    due |= {t for t in strata if t in r.tasks and r.tasks[t].lead in due}
    same({t for t, s in shown.items() if subject in s.selected}, due, "selected")
    visits = [v for v in r.__dict__.get("visits", ()) if v.enterprise == subject]
    same({c.task for v in visits for c in v.checks}, due if "visits" in r.__dict__ else set(), "visits")
    must(all(v.district == firm.district for v in visits), "district")
    r.notes.append(f"签号 ticket {ticket}; 抽中 drawn by: {sorted(due)}; 未抽中 not by: {sorted({*strata} - due)}")

def inspector(r, subject, rows, _):
    """§14: rightly seated and barred."""
    pairs = [h.pair if r.sealed else i.split("~") for i, h in rows["recusals"].items()]
    must(all(subject in pair for pair in pairs), "recusals")
    others = {i for pair in pairs for i in pair} - {subject}
    who = rows["roster"][subject].person if r.sealed else subject
    r.notes.append(f"{subject}: {who}; 回避 recusals: {sorted(others)}")
    for v, c in ((v, c) for v in r.plan for c in v.crews):
        must(subject not in c.seats or v.enterprise not in others, f"{v.enterprise}: 应回避 recused")
        told = v.enterprise in others or others & r.people.keys()
        must(subject not in c.barred or told, f"{v.enterprise}: 误列回避 falsely barred")

RUN["canonical"].append(order)
RUN["lists"][1:] = [openings]
RUN["draws"][:1] = [draws]
RUN["result"][:1] = [result, statistics]
RUN |= {"findings": [findings], "receipt": [receipt]}

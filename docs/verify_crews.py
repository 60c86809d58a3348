"""The part of verify_draw.py for §8, 10.1 and 13 of docs/protocol.md: crews, prices, flags, changes.

verify_draw.py 的一部分：日期、检查组、价格、标记，以及抽取之后的更改。各文件放在同一目录。
"""

# fmt: off
# ruff: noqa: B023, D102, D103, D204, E731, I001, RUF017, RUF021
from collections import Counter, defaultdict, deque
from datetime import datetime, timedelta
from fractions import Fraction
from verify_draw import RUN, Doc, Open, canonical, checked, due, evidence, must, planned, same, shapes, stage

# ---- seats, dates, prices (§8) ---------------------------------------------------------------------------
def distinct(options):
    """Say whether each list can give another element, by augmenting paths."""
    taker = {}
    def take(n, seen):
        for x in options[n]:
            if x not in seen:
                seen.add(x)
                if x not in taker or take(taker[x], seen):
                    taker[x] = n
                    return True
        return False
    return all(take(n, set()) for n in range(len(options)))

def seated(pool, n, people, rank):
    """§8.5: seat by seat the member with the smallest ticket who leaves the rest fillable by the rest."""
    rest, order = sorted(people, key=rank), []
    for k in range(n):
        others = lambda p: [[q for q in rest if q != p and seat in pool[q]] for seat in range(k + 1, n)]
        order += [p for p in rest if k in pool[p] and distinct(others(p))][:1]
        rest = [p for p in rest if p not in order]
    return order

def goes(pool, people, q):
    """§8.7: who of the people in their seats can be replaced by q, the others moving on as they may."""
    seats = set(pool[q])
    while (more := seats.union(*(pool[people[n]] for n in seats))) != seats:
        seats = more
    return [people[n] for n in seats]

class Rules:
    """Who may sit where, under the first steps of the relief ladder (§8.1–8.3, 8.6)."""
    def __init__(self, r, steps):
        self.r, self.steps, self.pools, self.before = r, steps, {}, Rules(r, steps[:-1]) if steps else None

    def added(self, kind, d):
        return [s.amount for s in self.steps if (s.kind, s.department) == (kind, d)]

    def cap(self, i, kind):
        return self.r.people[i][kind] + sum(self.added(kind, self.r.people[i].department))

    def seats(self, d, tasks):
        """§8.1: the marks of each seat of a department's crew."""
        seats = [{*s} for c in self.r.ann.crews if c.department == d for s in c.seats]
        for mark in sorted({m for t in tasks for i in self.r.tasks[t]["items"] for m in i.marks}):
            if not any(mark in s for s in seats):
                seats += [] if set() in seats else [set()]
                seats[seats.index(set())] = {mark}
        while self.added("seats", d) and len(seats) > 2 and set() in seats:
            del seats[max(n for n, s in enumerate(seats) if not s)]
        return seats

    def pool(self, visit):
        """§8.2: department → number of seats, person → his seats; dates, caps, recusals and bars aside."""
        key, tasks, found = (visit.district, *(c.task for c in visit.checks)), defaultdict(list), {}
        if key not in self.pools:
            for t in key[1:]:
                tasks[self.r.tasks[t].department].append(t)
            for d in sorted(tasks):
                seats = self.seats(d, tasks[d])
                near = self.r.ann.policy.cross_district or self.added("lend", d)
                people = [(i, {*p.marks}) for i, p in self.r.people.items()
                          if p.department == d and (near or visit.district in p.districts)]
                may = {i: [n for n, seat in enumerate(seats) if seat <= marks] for i, marks in people}
                found[d] = len(seats), {i: free for i, free in may.items() if free}
            self.pools[key] = found
        return self.pools[key]

    def bar(self, visit, ticket):
        """§8.3, 8.6: who is barred, and who could sit at all under the steps so far."""
        r, e = self.r, visit.enterprise
        barred, old = self.before.bar(visit, ticket) if self.before else (set(), set())
        able = {i for _, pool in self.pool(visit).values() for i in pool}
        new = {i for i in able - old if r.foes.get(i) and (i, e) not in r.recused}
        free = old - barred
        for i in sorted(new, key=lambda i: (ticket("pair", f"{e}:{r.people[i].department}:{i}"), i)):
            (barred if r.foes[i] & free else free).add(i)
        return barred, old | new

    def kept(self, visit, ticket):
        """§9: department → whom a recusal or a bar keeps out."""
        barred, _ = self.bar(visit, ticket)
        return {d: sorted(i for i in pool if i in barred or (i, visit.enterprise) in self.r.recused)
                for d, (_, pool) in self.pool(visit).items()}

class Seating:
    """§8.4: a maximum flow seat → (crew, person) → (person, day) → person → end, grown unit by unit."""
    def __init__(self, rules):
        self.rules, self.room = rules, defaultdict(dict)

    def move(self, path, sign):
        for a, b in path:
            self.room[a][b] -= sign
            self.room[b][a] += sign

    def push(self, seat):
        """Send one more unit to the end ""; return its path, [] if there is none."""
        came, queue, path, b = {seat: None}, deque([seat]), [], ""
        while queue and b not in came:
            a = queue.popleft()
            new = [x for x, room in self.room[a].items() if room and x not in came]
            came |= dict.fromkeys(new, a)
            queue += new
        while came.get(b) is not None:
            path, b = [*path, (came[b], b)], came[b]
        self.move(path, 1)
        return path

    def add(self, visit, day):
        """Seat a visit on a day, or leave all as it was and say False."""
        rules, done, kept = self.rules, [], self.rules.kept(visit, self.rules.r.ticket)
        for d, (n, pool) in rules.pool(visit).items():
            crew = visit.enterprise, visit.part, d, day
            for p in (p for p in pool if p not in kept[d] and day not in rules.r.people[p].absent):
                arcs = [((*crew, seat), (*crew, p), 1) for seat in pool[p]] + [((*crew, p), (p, day), 1)]
                caps = [((p, day), p, rules.cap(p, "daily")), (p, "", rules.cap(p, "total"))]
                for a, b, room in arcs + caps:
                    self.room[a].setdefault(b, room)
                    self.room[b].setdefault(a, 0)
            for seat in range(n):
                done.append(self.push((*crew, seat)))
                if not done[-1]:
                    for path in done[::-1]:
                        self.move(path, -1)
                    return False
        return True

def lottery(r):
    """§8.4, 8.6: (enterprise, part) → date, and the relief steps used, from scratch."""
    dated, ladder, key = {}, r.ann.policy.relief, lambda v: r.firms[v.enterprise].key
    order = sorted(r.plan, key=lambda v: (r.ticket("date", key(v)), v.enterprise, v.part))
    for used in range(len(ladder) + 1):
        seating = Seating(Rules(r, ladder[:used]))
        for v in (v for v in order if (v.enterprise, v.part) in dated):
            seating.add(v, dated[v.enterprise, v.part])
        for v in (v for v in order if (v.enterprise, v.part) not in dated):
            taken = {*r.firms[v.enterprise].closed, *(t for (e, _), t in dated.items() if e == v.enterprise)}
            days = sorted(r.days - taken, key=lambda t: (r.ticket("day", f"{t}:{key(v)}"), t))
            if day := next((t for t in days if seating.add(v, t)), None):
                dated[v.enterprise, v.part] = day
        if len(dated) == len(order):
            break
    return dated, ladder[:used]

def legal(r, rules, seats_of):
    """§8.1, 8.2, caps: the plan's crews (visit, department, people, barred); all of them keep the rules."""
    found, load = [], Counter()
    for v in r.plan:
        pools = rules.pool(v) if v.date else {}
        same([c.department for c in v.crews], [*pools], f"{v.enterprise} 检查组 crews")
        for c in v.crews:
            (n, pool), people = pools[c.department], seats_of(v, c)
            able = [k in pool.get(p, ()) and v.date not in r.people[p].absent for k, p in enumerate(people)]
            sound = len(people) == n == len({*people} - {*c.barred}) and all(able)
            must(sound, f"{v.enterprise} {c.department} 席位 seats: {people}")
            load.update([*people, *((p, v.date) for p in people)])
            found.append((v, c.department, people, c.barred))
    for x, n in load.items():
        must(n <= (rules.cap(x, "total") if isinstance(x, str) else rules.cap(x[0], "daily")), f"{x}: 上限 cap")
    return found

def reach(graph, start):
    seen, todo = {*start}, [*start]
    while todo:
        new = graph.get(todo.pop(), set()) - seen
        seen |= new
        todo += new
    return seen

def proven(r, rules, crews, stage, prices):
    """§8.7: insist that these are the least prices of a plan, and say whether the plan is unique."""
    paid = {x.inspector: (int(x.period), {t: int(n) for t, n in x.days.items()}) for x in prices}
    load, equal, up, graph = Counter(), [], defaultdict(set), defaultdict(set)
    for v, _, people, _ in crews:
        load.update([*people, *((p, v.date) for p in people)])
    full, spent = lambda p, t: load[p, t] >= rules.cap(p, "daily"), lambda p: load[p] >= rules.cap(p, "total")
    worth = lambda p, t="": paid[p][0] + paid[p][1].get(t, 0) if p in paid else 0  # a(p, t), period(p)
    node = lambda p, t: (p, t) if full(p, t) else p  # where a day is not full, a(p, t) = period(p)
    for p, (period, days) in paid.items():
        must((spent(p) or not period) and all(full(p, t) and t in r.days for t in days), f"{p}: 价格 prices")
        up[p] |= {(p, t) for t in r.days if t not in days}
    for v, d, people, barred in crews:
        pool, t = rules.pool(v)[d][1], v.date
        cost = {p: int(r.ticket(stage, f"{v.enterprise}:{d}:{p}")[:10], 16) for p in pool}
        for q in (q for q in pool if q not in people and q not in barred and t not in r.people[q].absent):
            for p in goes(pool, people, q):
                more = worth(q, t) + cost[q] - worth(p, t) - cost[p]
                must(more >= 0, f"{v.enterprise} {d}: {q} 比 {p} 便宜 costs less than {p}")
                if not more:
                    equal.append(((p, t), (q, t)))
                    up[node(p, t)].add(node(q, t))
    # the prices are the least ones iff equalities lead to each of them from a value of 0
    raised = reach(up, [x for x in up if not (worth(x) if isinstance(x, str) else worth(*x))])
    for p, (period, days) in paid.items():
        raised_here = {*([p] if period else []), *((p, t) for t in days)} <= raised
        must(raised_here, f"{p}: 不是最小价格 not the least prices")
    for x, y in equal:
        graph[x].add(y)
    for p in r.people if equal else ():
        graph[p] |= {(p, t) for t in r.days if load[p, t] and worth(p, t) == worth(p)}
        graph[p] |= set() if spent(p) else {""}
        graph[""] |= {p} if load[p] and not worth(p) else set()
        for t in r.days:
            graph[p, t] |= set() if full(p, t) else {p}
    return not any(x in reach(graph, [y]) for x, y in equal)

# ---- the checks dates, crews, prices (§12) ---------------------------------------------------------------
shapes("""ties announcement:hex attempts:attempt*;
attempt attempt!:count crews:tied* prices:price*; tied enterprise!:id part!:part department!:id seats:id~""")

def dates(r):
    """§8.4, 8.6, 12.1."""
    policy = r.ann.policy
    same(r.res.relief, policy.relief[:len(r.res.relief)], "relief")  # an embargo does not hide it
    found = [(v.enterprise, v.date) for v in r.plan if v.date]
    must(len(found) == len(r.plan) or policy.undated == "list", "undated")
    must(r.days.issuperset(t for _, t in found) and len({*found}) == len(found), "days")
    for e, t in found:
        must(t not in r.firms[e].closed, f"{e} {t}: 歇业 closed")
    right, relief = lottery(r) if r.recused is not None else 0
    same(r.res.relief, relief, "relief")
    for v in r.plan:
        date = right.get((v.enterprise, v.part))
        moved = policy.calendar == "optimise" and v.date and date
        same(v.date, v.date if moved else date, f"{v.enterprise}: date")

def crews(r):
    """§8.1–8.3, 8.5."""
    rules = Rules(r, r.res.relief)
    for v, d, people, barred in legal(r, rules, lambda _, c: c.seats):
        n, pool = rules.pool(v)[d]
        rank = lambda p: (r.ticket(stage(r.res.attempt), f"{v.enterprise}:{d}:{p}"), p)
        same(people, seated(pool, n, people, rank), f"{v.enterprise} {d}: seats")
        must({*barred} <= {*pool}, f"{v.enterprise} {d}: barred")
    r.sound = True
    for v in r.plan if r.recused is not None else ():
        kept = rules.kept(v, r.ticket)
        same([c.barred for c in v.crews], [kept[c.department] for c in v.crews], f"{v.enterprise}: barred")

def prices(r):
    """§8.7."""
    rules, k, plan = Rules(r, r.res.relief), r.res.attempt, r.plan
    if not r.sound:
        raise Open("检查组不合规 the crews are not legal")
    unique = proven(r, rules, legal(r, rules, lambda _, c: c.seats), stage(k), r.prices)
    must(unique, "还有同样好的方案 not the only least plan")
    ties = r.docs["ties"].attempts if k else []
    same(len(ties), k, "ties.json")
    same([x.attempt for x in ties], [*range(len(ties))], "ties.json")
    for x in ties:
        seats = {(c.enterprise, c.part, c.department): c.seats for c in x.crews}
        same({*seats}, {(v.enterprise, v.part, c.department) for v in plan for c in v.crews}, "ties.json")
        tied = legal(r, rules, lambda v, c: seats[v.enterprise, v.part, c.department])
        must(not proven(r, rules, tied, stage(x.attempt), x.prices), f"ties.json {x.attempt}: 并无并列 no tie")

# ---- changes after the draw (§13) ------------------------------------------------------------------------
shapes("""exclude beacon:due? enterprise:id evidence:hex? number:part prev:hex time:instant type:text
 reason:deregistered|moved-away|unreachable-before-visit|suspended|case-conflict|register-error|force-majeure;
substitute evidence:evidence? exclude:hex names:names% number:part prev:hex seed:hex tasks:place* type:text
 visits:visit~; due round:id time:instant; evidence keystring:ascii? randomness:hex signature:bytes?;
place enterprise:id? task!:id; replace department:id enterprise:id in:id number:part out:id part:part prev:hex
 seat:count seats:id~ time:instant type:text
 reason:ill|other-duty|left|licence-expired|newly-recused|on-enterprise-application;
withdraw department:id evidence:hex? from:day number:part prev:hex time:instant type:text
 reason:reorganised|ordered-elsewhere|no-inspectors|force-majeure""")
REACH = {"ill": "day", "other-duty": "day", "left": "later", "licence-expired": "later"}

class Replay:
    """The visits in effect after the rows so far, (enterprise, part) → visit, and each one's pair tickets."""
    def __init__(self, r):
        self.r, self.rules = r, Rules(r, r.res.relief)
        self.visits = {(v.enterprise, v.part): v for v in r.plan}
        self.lots = dict.fromkeys(self.visits, (r.ticket, stage(r.res.attempt)))
        self.seen, self.floor = {v.enterprise for v in r.plan}, r.ann.beacon.time
        self.pending, self.away, self.left, self.rounds = [], [], set(), {r.ann.beacon.round.lower()}

    def rows(self):
        """§13: the rows are a chain from the result on."""
        r, before = self.r, self.r.H(self.r.files["result.json"]).hex()
        must(r.files["changes.jsonl"].endswith(b"\n"), "空或没有换行 empty, or no newline")
        for number, line in enumerate(r.files["changes.jsonl"][:-1].split(b"\n"), 1):
            row = canonical(line)
            must(row.type in ("exclude", "substitute", "replace", "withdraw"), f"{number}: type")
            r.form(f"{number}", row.type, row)
            same((row.number, row.prev), (number, before), f"{number}: number, prev")
            before = row["digest"] = r.H(line).hex()
            getattr(self, row.type)(row, f"{number}")

    def timed(self, time, what):
        must(time >= self.floor, f"{what}: 时刻过早 time before {self.floor}")
        self.floor = time

    def due(self, row, what):
        """§13.2: once a round is due, its substitute comes first."""
        for x, _ in self.pending if self.r.ann.policy.substitution != "none" else ():
            early = row.time < x.beacon.time if x.beacon else row.type == "exclude"
            must(early, f"{what}: 应先递补 the substitute comes first")

    def exclude(self, row, what):
        """§13.1."""
        self.timed(row.time, what)
        self.due(row, what)
        gone, beacon = [v for v in self.visits.values() if v.enterprise == row.enterprise], self.r.ann.beacon
        dated = row.reason == "deregistered" and any(v.date for v in gone)
        must(gone and not dated, f"{what}: 不得排除 not to be excluded")
        fresh = self.r.ann.policy.substitution == "fresh" and beacon.kind != "local"
        must(bool(row.beacon) == fresh and (not fresh or row.beacon.time > row.time), f"{what}: beacon")
        if fresh and beacon.kind == "drand":
            same(row.beacon.time, due(row.beacon.round), f"{what}: beacon.time")
            number = int(row.beacon.round)
            must(number == 1 or due(str(number - 1)) <= row.time, f"{what}: 不是其后第一轮 not the first round")
        elif fresh:
            must(row.beacon.round.lower() not in self.rounds, f"{what}: 已用的轮次 a round used before")
            self.rounds.add(row.beacon.round.lower())
        for v in gone:
            del self.visits[v.enterprise, v.part]
        self.pending.append((row, sorted({c.task for v in gone for c in v.checks if c.task in self.r.own})))

    def substitute(self, row, what):
        """§13.2."""
        r, policy = self.r, self.r.ann.policy
        must(policy.substitution != "none" and self.pending, f"{what}: 没有待递补 nothing is pending")
        excluded, tasks = self.pending.pop(0)
        tasks = [t for t in tasks if r.tasks[t].department not in self.left]
        same(row.exclude, excluded.digest, f"{what}: exclude")
        if policy.substitution == "next":
            same((row.seed, row.evidence), (r.res.seed, None), f"{what}: seed")
        else:
            evidence(r, row.evidence, excluded.beacon.round if excluded.beacon else "")
            text = f"seed {r.res.seed}\nexclude {row.exclude}\nrandomness {row.evidence.randomness}\n"
            same(row.seed, r.H(f"dualrandom/v1/substitute\n{text}".encode()).hex(), f"{what}: seed")
        self.floor = max(self.floor, excluded.beacon.time if excluded.beacon else self.floor)
        ticket, firms = r.lot(row.seed), r.__dict__.get("firms")
        if tasks and not {"firms", "recused"} <= r.__dict__.keys():
            r.gap("递补的层、签号、日期：密封 substitutes' strata, tickets and days: sealed")
        same([x.task for x in row.tasks], tasks, f"{what}: tasks")
        for x in row.tasks:
            if firms:
                own = firms[excluded.enterprise].strata.get(x.task)
                free = [(ticket("enterprise", f.key), e) for e, f in firms.items()
                        if e not in self.seen and f.strata.get(x.task) == own]
                same(x.enterprise, min(free, default=(0, None))[1], f"{what}: {x.task}")
            must(x.enterprise in {None, *r.frame} - self.seen, f"{what}: {x.task}")
        chosen = {x.task: [x.enterprise] for x in row.tasks if x.enterprise}
        shown = {(v.enterprise, c.task) for v in row.visits for c in v.checks}
        for t in r.ann.tasks:
            e = chosen.get(t.lead, [None])[0]
            joins = e and (t.id in firms[e].strata if firms else (e, t.id) in shown)
            chosen |= {t.id: [e]} if joins and t.department not in self.left else {}
        right = [(*key, tasks) for key, tasks in planned(r, chosen, ticket).items()]
        found = [(v.enterprise, v.part, [c.task for c in v.checks]) for v in row.visits]
        same(sorted(found), sorted(right), f"{what}: visits")
        checked(r, row.visits)
        same({*row.names}, {v.enterprise for v in row.visits}, f"{what}: names")
        if firms:
            order = [(ticket("date", firms[v.enterprise].key), v.enterprise, v.part) for v in row.visits]
            same(order, sorted(order), f"{what}: 次序 order")
        since = datetime.fromisoformat((excluded.beacon or excluded).time[:10]) + timedelta(days=2)
        for n, v in enumerate(row.visits):
            self.seat(v, row.visits[:n], f"{since:%Y-%m-%d}", ticket, f"{what}: {v.enterprise}")
            self.visits[v.enterprise, v.part], self.lots[v.enterprise, v.part] = v, (ticket, "pair")
        self.seen |= {v.enterprise for v in row.visits}

    def seat(self, v, before, since, ticket, what):
        """§13.2: the first day, and the crews, of a substitute's visit."""
        r, pools = self.r, self.rules.pool(v)
        open_ = {"firms", "recused"} <= r.__dict__.keys()
        kept = self.rules.kept(v, ticket) if open_ else {c.department: c.barred for c in v.crews}
        same([c.department for c in v.crews], [*pools] if v.date else [], f"{what}: crews")
        days = [v.date] if v.date else []
        taken = {x.date for x in before if x.enterprise == v.enterprise}
        must(not v.date or v.date in r.days - taken and v.date >= since, f"{what}: date")
        if open_:
            firm = r.firms[v.enterprise]
            same(v.district, firm.district, f"{what}: district")
            days = sorted((t for t in r.days - taken - {*firm.closed} if t >= since),
                          key=lambda t: (ticket("day", f"{t}:{firm.key}"), t))
        crews = ((t, {d: self.filled(v, d, kept[d], t, ticket) for d in pools}) for t in days)
        date, seats = next(((t, crew) for t, crew in crews if None not in crew.values()), (None, {}))
        same(v.date, date, f"{what}: date")
        same([(c.seats, c.barred) for c in v.crews], [(seats[d], kept[d]) for d in seats], f"{what}: crews")
        must(all({*c.barred} <= {*pools[c.department][1]} for c in v.crews), f"{what}: barred")

    def free(self, p, e, day):
        """Say whether an inspector has room on a day, and is not kept away (§13.3)."""
        crews = [v.date for v in self.visits.values() for c in v.crews if p in c.seats]
        for who, how, enterprise, date in self.away:
            if who == p and {"day": day == date, "later": day >= date}.get(how, e == enterprise):
                return False
        room = crews.count(day) < self.rules.cap(p, "daily") and len(crews) < self.rules.cap(p, "total")
        return room and day not in self.r.people[p].absent

    def filled(self, v, d, barred, day, ticket):
        """§13.2: in the order of the pair tickets each who can be seated with those before, until all sit."""
        (n, pool), taken = self.rules.pool(v)[d], []
        rank = lambda p: (ticket("pair", f"{v.enterprise}:{d}:{p}"), p)
        for p in sorted(pool, key=rank):
            if p not in barred and self.free(p, v.enterprise, day):
                taken += [p] if distinct([pool[x] for x in [*taken, p]]) else []
        return seated(pool, n, taken, rank) if len(taken) == n else None

    def replace(self, row, what):
        """§13.3."""
        self.timed(row.time, what)
        self.due(row, what)
        v, paid = self.visits[row.enterprise, row.part], {x.inspector: x for x in self.r.prices}
        crew = next(c for c in v.crews if c.department == row.department)
        (n, pool), (ticket, lot) = self.rules.pool(v)[row.department], self.lots[row.enterprise, row.part]
        same(crew.seats[row.seat], row.out, f"{what}: seat")
        rank = lambda p: (ticket(lot, f"{v.enterprise}:{row.department}:{p}"), p)
        price = lambda p: int(paid[p].period) + int(paid[p].days.get(v.date, 0)) if p in paid else 0
        able = [q for q in pool if q not in crew.seats and q not in crew.barred
                and row.out in goes(pool, crew.seats, q) and self.free(q, v.enterprise, v.date)]
        may = [(int(rank(q)[0][:10], 16) + price(q), *rank(q)) for q in able]
        same(row["in"], min(may)[2] if may else None, f"{what}: in")
        members = [p for p in crew.seats if p != row.out] + [row["in"]]
        same(row.seats, seated(pool, n, members, rank), f"{what}: seats")
        crews = [Doc(c, seats=row.seats) if c is crew else c for c in v.crews]
        self.visits[row.enterprise, row.part] = Doc(v, crews=crews)
        self.away.append((row.out, REACH.get(row.reason), v.enterprise, v.date))

    def withdraw(self, row, what):
        """§13.4: the department's crews have nobody from a day on."""
        self.timed(row.time, what)
        self.due(row, what)
        since, ours = row["from"], lambda c: c.department == row.department and c.seats
        must(row.department not in self.left, f"{what}: 已经退出 withdrew already")
        must(since in self.r.days and since >= row.time[:10], f"{what}: from")
        gone = [v for v in self.visits.values() if v.date and v.date >= since and any(map(ours, v.crews))]
        must(gone, f"{what}: 没有检查组 no crew from that day on")
        for v in gone:
            crews = [Doc(c, seats=[]) if ours(c) else c for c in v.crews]
            self.visits[v.enterprise, v.part] = Doc(v, crews=crews)
        self.left.add(row.department)

def changes(r):
    """§13."""
    must("result.json" in r.files or "changes.jsonl" not in r.files, "没有结果却有更改 changes, but no result")
    if r.res and "changes.jsonl" not in r.files:
        r.effect = r.__dict__.get("visits", [v for i, v in r.told.items() if i[0] == "v"])
        return
    must(r.lifted, "保密期内不得更改 no changes under an embargo")
    replay = Replay(r)
    replay.rows()
    r.effect = [*replay.visits.values()]
    if replay.pending and r.ann.policy.substitution != "none":
        r.gap("尚未递补 no substitute yet")

# ---- flags and reasons of statistics.json (§10.1) --------------------------------------------------------
def flags(r):
    """§10.1: what announcement, frame and roster determine; a high rate may stand without its flag."""
    shown, known = {(x.code, x.task): x.value for x in r.docs["statistics"].flags}, "firms" in r.__dict__
    must(all(t == "" or t in r.tasks for _, t in shown), "flags: task")
    right = {("high-rate", x.task): x.greatest for x in r.ann.rates if Fraction(x.greatest) > Fraction(1, 2)}
    right = {key: rate for key, rate in right.items() if key in shown}
    members = Counter(t for f in r.firms.values() for t in f.strata) if known else {}
    right |= {("small-frame", t): str(members[t]) for t in r.tasks if known and members[t] < 10}
    anywhere = r.ann.policy.cross_district
    districts = {f.district for f in r.firms.values()} if known and not anywhere else {""}
    for c in r.ann.crews if known or anywhere else ():
        tasks = [t.id for t in r.ann.tasks if t.department == c.department]
        people = [p for p in r.people.values() if p.department == c.department]
        seats = Counter(frozenset(seat) for seat in Rules(r, []).seats(c.department, tasks))
        able = [(sum(seat <= {*p.marks} and (anywhere or district in p.districts) for p in people), 3 * n)
                for seat, n in seats.items() for district in districts]
        thin = [n for n, wanted in able if n < wanted]
        right |= {("small-pool", t): str(min(thin)) for t in tasks if thin}
    codes = {"high-rate", *(["small-frame"] if known else []), *(["small-pool"] if known or anywhere else [])}
    same({key: value for key, value in shown.items() if key[0] in codes}, right, "flags")

def reasons(r):
    """§10.1: why visits have no date."""
    shown = {(x.enterprise, x.part): x.reason for x in r.docs["statistics"].undated}
    rules, known = Rules(r, r.res.relief), {"firms", "recused"} <= r.__dict__.keys() and r.embargo == "none"
    for v in (v for v in r.plan if known and not v.date):
        kept, why = rules.kept(v, r.ticket), "no-seatable-day"
        for d, (n, pool) in rules.pool(v).items():
            able = [seats for p, seats in pool.items() if p not in kept[d]]
            if len(able) < n or len({*sum(able, [])}) < n:
                why = "seat-without-candidate"
        why = "closed" if r.days.issubset(r.firms[v.enterprise].closed) else why
        same(shown.get((v.enterprise, v.part)), why, f"{v.enterprise}: undated")

RUN["result"] += [flags, reasons]
RUN |= {f.__name__: [f] for f in (dates, crews, prices, changes)}

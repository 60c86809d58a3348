/** Who may sit in which seat (docs/protocol.md §8.1–8.3, 8.6), and dates by lottery (§8.4). */

import type { Announcement, Check, Person, Step, Visit } from "./documents";
import { must } from "./outcome";
import { Record_ } from "./record";

/** A crew's seats in order, each a list of marks. */
export type Seats = string[][];

/** §8.1: the seats of a crew whose items require these marks. */
export function seatsFor(start: readonly string[][], marks: Iterable<string>): Seats {
  const seats = start.map((seat) => [...seat]);
  for (const mark of [...new Set(marks)].sort()) {
    if (seats.some((seat) => seat.includes(mark))) continue;
    const open = seats.findIndex((seat) => seat.length === 0);
    if (open === -1) seats.push([mark]);
    else seats[open] = [mark];
  }
  return seats;
}

const NOBODY: ReadonlySet<number> = new Set();

/** The people, days and recusals of a draw under the first steps of the relief ladder. People are numbered by id. */
export class Rules {
  readonly ids: string[];
  readonly people: Person[];
  readonly number = new Map<string, number>();
  readonly dayNumber = new Map<string, number>();
  readonly daily: number[];
  readonly total: number[];
  /** absent[person * days + day] */
  readonly absent: Uint8Array;
  private readonly announcement: Announcement;
  private readonly marks: Set<string>[];
  private readonly recused = new Map<string, Set<number>>();
  private readonly foes = new Map<number, number[]>();
  private readonly lent: Set<string>;
  private readonly cut: Set<string>;
  private readonly shared = new Map<string, Seats>();
  private readonly pools = new Map<Seats, Map<string, number[]>>();
  private readonly places = new Map<Seats, number[][]>();
  private readonly quarrelsome = new Map<number[], number[]>();
  private readonly idBytes: Uint8Array[];
  private readonly crewsOf = new Map<string, Map<string, Seats>>();
  private readonly crewsFor = new WeakMap<Check[], Map<string, Seats>>();
  private readonly barredOf = new Map<string, ReadonlySet<number>>();
  private readonly before: Rules | null;

  constructor(private readonly record: Record_, readonly steps: Step[], private readonly seed = record.result!.seed) {
    this.announcement = record.announcement!;
    this.ids = [...record.people.keys()];
    this.people = [...record.people.values()];
    this.ids.forEach((id, p) => this.number.set(id, p));
    this.idBytes = this.ids.map((id) => new TextEncoder().encode(id));
    this.announcement.days.forEach((day, t) => this.dayNumber.set(day, t));
    const departments = (kind: Step["kind"]): Set<string> =>
      new Set(steps.filter((step) => step.kind === kind).map((step) => step.department));
    this.lent = departments("lend");
    this.cut = departments("seats");
    const extra = (person: Person, kind: Step["kind"]): number =>
      steps.reduce((sum, step) => sum + (step.kind === kind && step.department === person.department ? step.amount : 0), 0);
    this.daily = this.people.map((person) => person.daily + extra(person, "daily"));
    this.total = this.people.map((person) => person.total + extra(person, "total"));
    this.marks = this.people.map((person) => new Set(person.marks));
    const days = this.announcement.days.length;
    this.absent = new Uint8Array(this.people.length * days);
    this.people.forEach((person, p) => {
      for (const day of person.absent) this.absent[p * days + this.dayNumber.get(day)!] = 1;
    });
    for (const [a, b] of record.pairs ?? []) {
      const [p, q] = [this.number.get(a), this.number.get(b)];
      if (p === undefined) continue;
      if (q === undefined) this.recused.set(b, (this.recused.get(b) ?? new Set()).add(p));
      else for (const [x, y] of [[p, q], [q, p]] as const) this.foes.set(x, [...(this.foes.get(x) ?? []), y]);
    }
    this.before = steps.length === 0 ? null : new Rules(record, steps.slice(0, -1), seed);
  }

  get days(): string[] {
    return this.announcement.days;
  }

  fits(p: number, marks: string[]): boolean {
    const own = this.marks[p]!;
    return marks.every((mark) => own.has(mark));
  }

  isRecused(p: number, enterprise: string): boolean {
    return this.recusedFrom(enterprise).has(p);
  }

  /** The people whom a recusal keeps from an enterprise: ask once where many are looked at. */
  recusedFrom(enterprise: string): ReadonlySet<number> {
    return this.recused.get(enterprise) ?? NOBODY;
  }

  /** §8.1: the seats of each department with checks on a visit, departments ascending. */
  crews(checks: Check[]): Map<string, Seats> {
    let crews = this.crewsFor.get(checks);
    if (crews === undefined) this.crewsFor.set(checks, (crews = this.crewsAlike(checks)));
    return crews;
  }

  private crewsAlike(checks: Check[]): Map<string, Seats> {
    const key = checks.map((check) => `${check.task}:${check.items.join(",")}`).join(";");
    const known = this.crewsOf.get(key);
    if (known !== undefined) return known;
    const needed = new Map<string, Set<string>>();
    for (const check of checks) {
      const task = this.record.tasks.get(check.task);
      must(task, `没有任务 ${check.task}`, `there is no task ${check.task}`);
      const marks = needed.get(task.department) ?? new Set();
      for (const item of task.items) if (check.items.includes(item.id)) for (const mark of item.marks) marks.add(mark);
      needed.set(task.department, marks);
    }
    const found = new Map<string, Seats>();
    for (const department of [...needed.keys()].sort()) {
      const crew = this.announcement.crews.find((one) => one.department === department);
      must(crew, `没有部门 ${department} 的席位`, `no seats for department ${department}`);
      const seats = seatsFor(crew.seats, needed.get(department)!);
      while (this.cut.has(department) && seats.length > 2) {
        const open = seats.findLastIndex((marks) => marks.length === 0);
        if (open === -1) break;
        seats.splice(open, 1);
      }
      // Crews with the same seats share them, and so everything that is remembered by them.
      const name = `${department} ${JSON.stringify(seats)}`;
      const same = this.shared.get(name) ?? seats;
      this.shared.set(name, same);
      found.set(department, same);
    }
    this.crewsOf.set(key, found);
    return found;
  }

  /** Is a person of a department, and of a district where that binds? */
  mayServe(p: number, department: string, district: string): boolean {
    const person = this.people[p]!;
    if (person.department !== department) return false;
    return this.announcement.policy.cross_district || this.lent.has(department) || person.districts.includes(district);
  }

  /** A department's people who could sit in some of its `seats`; recusals, bars, dates, absences and caps aside. */
  pool(department: string, district: string, seats: Seats): number[] {
    let districts = this.pools.get(seats);
    if (districts === undefined) this.pools.set(seats, (districts = new Map()));
    let pool = districts.get(district);
    if (pool === undefined) {
      pool = [];
      for (let p = 0; p < this.people.length; p++)
        if (this.mayServe(p, department, district) && seats.some((marks) => this.fits(p, marks))) pool.push(p);
      districts.set(district, pool);
    }
    return pool;
  }

  /** The seats that each person's marks fit, by person. */
  fitting(seats: Seats): readonly (readonly number[])[] {
    let known = this.places.get(seats);
    if (known === undefined) {
      known = this.people.map((_, p) => [...seats.keys()].filter((n) => this.fits(p, seats[n]!)));
      this.places.set(seats, known);
    }
    return known;
  }

  /** §8.3, continued by §8.6: who gives way to an incompatible colleague on a visit. */
  barred(visit: Visit): ReadonlySet<number> {
    const key = `${visit.enterprise} ${visit.part}`;
    let known = this.barredOf.get(key);
    if (known === undefined) this.barredOf.set(key, (known = this.bar(visit)));
    return known;
  }

  private bar(visit: Visit): ReadonlySet<number> {
    const now = new Set(this.conflicting(visit));
    const meets = (p: number): boolean => this.foes.get(p)!.some((foe) => now.has(foe));
    const before = this.before?.barred(visit) ?? NOBODY;
    // On most visits nobody meets an incompatible colleague.
    const meeting = [...now].filter(meets);
    if (meeting.length === 0) return before;
    const barred = new Set(before);
    const earlier = new Set(this.before?.conflicting(visit));
    const free = new Set([...now].filter((p) => earlier.has(p) && !barred.has(p)));
    const newcomers = meeting.filter((p) => !earlier.has(p)).map((p) => ({
      p, ticket: this.pairTicket("pair", visit.enterprise, this.people[p]!.department, p),
    }));
    newcomers.sort((a, b) => (a.ticket < b.ticket || (a.ticket === b.ticket && this.ids[a.p]! < this.ids[b.p]!) ? -1 : 1));
    for (const { p } of newcomers) (this.foes.get(p)!.some((foe) => free.has(foe)) ? barred : free).add(p);
    return barred;
  }

  /** Those with incompatible colleagues who could sit on a visit, dates, absences, caps and bars aside. */
  private conflicting(visit: Visit): number[] {
    if (this.foes.size === 0) return [];
    const found: number[] = [];
    const recused = this.recusedFrom(visit.enterprise);
    for (const [department, seats] of this.crews(visit.checks)) {
      const pool = this.pool(department, visit.district, seats);
      let some = this.quarrelsome.get(pool);
      if (some === undefined) this.quarrelsome.set(pool, (some = pool.filter((p) => this.foes.has(p))));
      for (const p of some) if (!recused.has(p)) found.push(p);
    }
    return found;
  }

  pairTicket(stage: string, enterprise: string, department: string, p: number): string {
    return this.record.hasher.ticket(this.seed, `${stage}:${enterprise}:${department}:${this.ids[p]!}`);
  }

  /** The pair costs of some people for one crew. */
  pairCosts(stage: string, visit: Visit, department: string, people: readonly number[]): Float64Array {
    const costs = new Float64Array(people.length);
    this.record.hasher.costs(this.seed, `${stage}:${visit.enterprise}:${department}:`, people.map((p) => this.idBytes[p]!), costs);
    return costs;
  }
}

/** Do all tasks and items of visits exist? */
export function knownTasks(record: Record_, visits: readonly Visit[]): boolean {
  return visits.every(({ checks }) => checks.every(({ items, task }) => {
    const all = record.tasks.get(task)?.items.map((item) => item.id);
    return all !== undefined && items.every((item) => all.includes(item));
  }));
}

/** Can people (those of a crew) fill seats, one each? */
export function fills(rules: Rules, persons: number[], seats: Seats): boolean {
  const holder = new Map<number, number>();
  const seat = (n: number, tried: Set<number>): boolean =>
    persons.some((p) => {
      if (tried.has(p) || !rules.fits(p, seats[n]!)) return false;
      tried.add(p);
      const other = [...holder].find(([, q]) => q === p)?.[0];
      if (other !== undefined && !seat(other, tried)) return false;
      holder.set(n, p);
      return true;
    });
  return seats.every((_, n) => seat(n, new Set()));
}

interface Seat { crew: number; day: number; able: number[]; holder: number; asked: Seat | null; stamp: number; dead: boolean }

/**
 * Persons for seats. It grows by augmenting paths crew → seat → (person, day) → person, hence it fills all seats exactly
 * if they can be filled. What a failed search has reached can never lead anywhere again (no later path enters it, so
 * nothing in it changes) and is not searched twice.
 */
class Seating {
  private readonly load: Int32Array;
  private readonly at: Seat[][];
  private readonly stampOfDay: Int32Array;
  private readonly stampOfPerson: Int32Array;
  private stamp = 0;
  private readonly hopeless = new Map<number[], Uint8Array>();
  private crewCount = 0;
  private readonly days: number;

  constructor(private readonly rules: Rules) {
    this.days = rules.days.length;
    this.load = new Int32Array(rules.people.length);
    this.at = Array.from({ length: rules.people.length * this.days }, () => []);
    this.stampOfDay = new Int32Array(this.at.length);
    this.stampOfPerson = new Int32Array(rules.people.length);
  }

  /** Seat a visit on a day; false, with nothing changed, if its seats cannot all be filled. */
  add(visit: Visit, day: number): boolean {
    const undo: [Seat, number][] = [];
    const { rules } = this;
    const barred = rules.barred(visit);
    const recused = rules.recusedFrom(visit.enterprise);
    const due = rules.crews(visit.checks);
    for (const [department, seats] of due)
      if (this.isHopeless(rules.pool(department, visit.district, seats), seats, day)) return false;
    const crews = [...due].map(([department, seats]) => {
      const here = rules.pool(department, visit.district, seats).filter(
        (p) => !rules.absent[p * this.days + day] && !barred.has(p) && !recused.has(p),
      );
      const crew = this.crewCount++;
      return seats.map((marks): Seat => {
        const able = here.filter((p) => rules.fits(p, marks) && this.stampOfDay[p * this.days + day] !== -1);
        return { crew, day, able, holder: -1, asked: null, stamp: 0, dead: false };
      });
    });
    if (crews.some((seats) => seats.some((seat) => seat.able.length === 0))) return false;
    for (const seats of crews) {
      // A person is of one department, so what other crews of this visit took changes nothing for this one.
      const before = undo.length;
      for (const seat of seats) {
        if (this.augment(seat, undo, undo.length === before)) continue;
        for (const [changed, old] of undo.reverse()) this.put(changed, old);
        return false;
      }
    }
    return true;
  }

  /** Has a seat nobody in the whole pool who may still be found free on this day? This stays so for every later visit. */
  private isHopeless(pool: number[], seats: Seats, day: number): boolean {
    let known = this.hopeless.get(pool);
    if (known === undefined) this.hopeless.set(pool, (known = new Uint8Array(this.days)));
    if (known[day] === 0) {
      const { absent } = this.rules;
      const some = (marks: string[]): boolean =>
        pool.some((p) => this.stampOfDay[p * this.days + day] !== -1 && !absent[p * this.days + day] && this.rules.fits(p, marks));
      if (!seats.every(some)) known[day] = 1;
    }
    return known[day] === 1;
  }

  private put(seat: Seat, person: number): void {
    if (seat.holder >= 0) {
      this.load[seat.holder]!--;
      const seats = this.at[seat.holder * this.days + seat.day]!;
      seats.splice(seats.indexOf(seat), 1);
    }
    seat.holder = person;
    if (person >= 0) {
      this.load[person]!++;
      this.at[person * this.days + seat.day]!.push(seat);
    }
  }

  private augment(start: Seat, undo: [Seat, number][], first: boolean): boolean {
    const { rules, days } = this;
    for (const p of start.able) {
      const holding = this.at[p * days + start.day]!;
      if (holding.length >= rules.daily[p]! || this.load[p]! >= rules.total[p]! || holding.some((other) => other.crew === start.crew)) continue;
      undo.push([start, start.holder]);
      this.put(start, p);
      return true;
    }
    const stamp = ++this.stamp;
    const queue = [start];
    start.stamp = stamp;
    const reachedDays: number[] = [];
    const reachedPersons: number[] = [];
    const ask = (seats: Seat[], by: Seat): void => {
      for (const seat of seats) {
        if (seat.stamp === stamp || seat.dead) continue;
        seat.stamp = stamp;
        seat.asked = by;
        queue.push(seat);
      }
    };
    for (const seat of queue) {
      for (const p of seat.able) {
        const node = p * days + seat.day;
        const holding = this.at[node]!;
        const own = holding.find((other) => other.crew === seat.crew);
        if (own !== undefined) {
          ask([own], seat);
          continue;
        }
        if (this.stampOfDay[node] === stamp || this.stampOfDay[node] === -1) continue;
        this.stampOfDay[node] = stamp;
        reachedDays.push(node);
        const free = holding.length < rules.daily[p]!;
        if (free && this.load[p]! < rules.total[p]!) {
          // p takes this seat, whoever held it takes the seat that asked for him, and so on back to the start.
          let taker = p;
          for (let next: Seat | null = seat; next !== null; next = next === start ? null : next.asked) {
            const old = next.holder;
            undo.push([next, old]);
            this.put(next, taker);
            taker = old;
          }
          return true;
        }
        ask(holding, seat);
        if (!free || this.stampOfPerson[p] === stamp || this.stampOfPerson[p] === -1) continue;
        this.stampOfPerson[p] = stamp;
        reachedPersons.push(p);
        for (let t = 0; t < days; t++) {
          const other = p * days + t;
          if (this.at[other]!.length === 0 || this.stampOfDay[other] === stamp || this.stampOfDay[other] === -1) continue;
          this.stampOfDay[other] = stamp;
          reachedDays.push(other);
          ask(this.at[other]!, seat);
        }
      }
    }
    if (first) {
      for (const node of reachedDays) this.stampOfDay[node] = -1;
      for (const p of reachedPersons) this.stampOfPerson[p] = -1;
      for (const seat of queue) seat.dead = seat !== start;
    }
    return false;
  }
}

/** §8.4, §8.6: the date of every visit ("enterprise part"), and the relief steps that were used, from scratch. */
export function lottery(record: Record_, progress: (share: number) => void): { dated: Map<string, string>; used: Step[] } {
  const { relief: ladder, } = record.announcement!.policy;
  const firms = record.firms!;
  const { seed } = record.result!;
  const order = record.visits!.map((visit) => {
    const firm = firms.get(visit.enterprise);
    must(firm, `抽样框中没有 ${visit.enterprise}`, `${visit.enterprise} is not in the frame`);
    const key = firms.key(visit.enterprise)!;
    return { visit, firm, key, name: `${visit.enterprise} ${visit.part}`, ticket: record.ticket(`date:${key}`) };
  });
  const rank = (a: (typeof order)[number], b: (typeof order)[number]): number =>
    a.ticket !== b.ticket ? (a.ticket < b.ticket ? -1 : 1)
      : a.visit.enterprise !== b.visit.enterprise ? (a.visit.enterprise < b.visit.enterprise ? -1 : 1)
        : a.visit.part - b.visit.part;
  order.sort(rank);
  const dated = new Map<string, string>();
  const taken = new Map<string, Set<string>>();
  for (let used = 0; ; used++) {
    const rules = new Rules(record, ladder.slice(0, used));
    const seating = new Seating(rules);
    for (const { visit, name } of order) {
      const date = dated.get(name);
      if (date !== undefined)
        must(seating.add(visit, rules.dayNumber.get(date)!), "已排期的检查坐不下了", "dated visits no longer fit");
    }
    order.forEach(({ visit, firm, key, name }, index) => {
      if (index % 256 === 0) progress(index / order.length);
      if (dated.has(name)) return;
      const others = taken.get(visit.enterprise) ?? new Set();
      const days = rules.days
        .filter((day) => !firm.closed.includes(day) && !others.has(day))
        .map((day) => ({ day, first: record.hasher.beginning(seed, `day:${day}:${key}`) }));
      // Tickets are compared in full where their beginnings do not decide.
      days.sort((a, b) => {
        if (a.first !== b.first) return a.first - b.first;
        const [one, other] = [record.ticket(`day:${a.day}:${key}`), record.ticket(`day:${b.day}:${key}`)];
        return one !== other ? (one < other ? -1 : 1) : a.day < b.day ? -1 : 1;
      });
      const found = days.find(({ day }) => seating.add(visit, rules.dayNumber.get(day)!));
      if (found === undefined) return;
      dated.set(name, found.day);
      taken.set(visit.enterprise, others.add(found.day));
    });
    if (dated.size === order.length || used === ladder.length) return { dated, used: ladder.slice(0, used) };
  }
}

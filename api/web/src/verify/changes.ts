/** Changes after the draw: exclusions, substitutes, replacements and withdrawals (docs/protocol.md §13). */

import { evidenceFailure, QUICKNET, roundTime, unverifiable } from "./beacon";
import { fills, knownTasks, Rules, type Seats } from "./crews";
import { type Change, type Crew, type Exclude, type Replace, type Substitute, type Visit, type Withdraw, WITHDRAW_REASONS } from "./documents";
import { Failure, must, need, open, type Said, say, Unchecked } from "./outcome";
import { tally } from "./lists";
import { joined } from "./order";
import { Record_ } from "./record";
import { brokenReference } from "./references";
import { partsOf } from "./selection";

/** A visit in effect, with the seed and stage of its pair tickets. */
export interface Effective { visit: Visit; rules: Rules; stage: string }

interface Exclusion { row: Exclude; digest: string; removed: Visit[]; pending: boolean }

const FOR_GOOD = ["left", "licence-expired"];
const FOR_A_DAY = ["ill", "other-duty"];

/** The reasons of §13, for readers. */
export const REASONS: Record<Exclude["reason"] | Replace["reason"] | Withdraw["reason"], Said> = {
  deregistered: say("已注销", "deregistered"), "moved-away": say("迁出辖区", "moved out of the district"), suspended: say("歇业", "business suspended"),
  "unreachable-before-visit": say("检查前无法联系", "could not be reached before the visit"), "force-majeure": say("不可抗力", "force majeure"),
  "case-conflict": say("正在立案调查", "a case is being investigated"), "register-error": say("名录有误", "should not have been in the frame"),
  ill: say("生病", "ill"), "other-duty": say("另有紧急公务", "urgent duty elsewhere"), left: say("离岗", "left the department"), "licence-expired": say("执法证失效", "licence expired"),
  "newly-recused": say("新出现的回避情形", "a new ground for recusal"),
  "on-enterprise-application": say("企业申请回避", "recused on the enterprise's application"),
  reorganised: say("机构改革或职权调整", "the department, or its power to inspect, was merged or moved"),
  "ordered-elsewhere": say("执行上级专项任务", "its inspectors are ordered elsewhere by a superior"),
  "no-inspectors": say("执法人员不足", "it no longer has the licensed inspectors"),
};

/** Has a withdrawal left a crew without inspectors? */
export function isUnfilled(crew: Crew): boolean {
  return crew.seats.length === 0;
}

/** Everything that the rows so far have brought about. */
export class Course {
  readonly effective = new Map<string, Effective>();
  readonly exclusions: Exclusion[] = [];
  /** Departments that withdrew, with the visits ("enterprise part") whose crews this left unfilled. */
  readonly withdrawn = new Map<string, { row: Withdraw; unfilled: Set<string> }>();
  /** Enterprises that had a visit in the result or in a substitute. */
  readonly visited = new Set<string>();
  private readonly load = new Map<string, number>();
  private readonly away: { id: string; keeps: (visit: Visit, date: string) => boolean }[] = [];
  private latest: string;
  private readonly prices = new Map<string, { days: Record<string, string>; period: string }>();
  /** Was anything met that only the auditor can check? */
  hidden = false;
  /** Randomness that nobody can verify here. */
  readonly unverified: Said[] = [];

  constructor(private readonly record: Record_, visits: Visit[]) {
    const { attempt, relief } = record.result!;
    const rules = new Rules(record, relief);
    for (const visit of visits) this.put({ visit: structuredClone(visit), rules, stage: Record_.stage(attempt) });
    this.latest = record.announcement!.beacon.time;
    for (const price of record.prices!) this.prices.set(price.inspector, price);
  }

  private put(one: Effective): void {
    this.effective.set(`${one.visit.enterprise} ${one.visit.part}`, one);
    this.visited.add(one.visit.enterprise);
    this.count(one.visit, 1);
  }

  private count({ crews, date }: Visit, by: number): void {
    for (const { seats } of crews)
      for (const id of seats) for (const key of [id, `${id} ${date}`]) this.load.set(key, (this.load.get(key) ?? 0) + by);
  }

  /** Does a task take part in substitutes: has its department not withdrawn? */
  private stays(task: string): boolean {
    return !this.withdrawn.has(this.record.tasks.get(task)!.department);
  }

  private at(time: string): void {
    must(time >= this.latest, `时刻 ${time} 早于此前的记录或信标`, `${time} is before what stands earlier, or before the beacon`);
    this.latest = time;
  }

  /** Check the next row and apply it; `digest` is its own. */
  take(row: Change, digest: string): void {
    if (row.type === "exclude") this.exclude(row, digest);
    else if (row.type === "withdraw") this.withdraw(row);
    else if (row.type === "replace") this.replace(row);
    else {
      must(this.record.announcement!.policy.substitution !== "none", "公告规定不递补", "the announced policy has no substitutes");
      this.substitute(row);
    }
  }

  private get fresh(): boolean {
    return this.record.announcement!.policy.substitution === "fresh";
  }

  private exclude(row: Exclude, digest: string): void {
    this.at(row.time);
    this.noneDue(row);
    const visits = [...this.effective.values()].map((one) => one.visit).filter((visit) => visit.enterprise === row.enterprise);
    must(visits.length > 0, `企业 ${row.enterprise} 没有待执行的检查，不能排除`, `enterprise ${row.enterprise} has no visit in effect, so it cannot be excluded`);
    const { kind } = this.record.announcement!.beacon;
    const named = this.fresh && kind !== "local";
    must(named || row.beacon === null, "此规则下不应有 beacon", "under this policy beacon should be null");
    must(!named || row.beacon !== null, "缺少决定递补的轮次", "the round that decides the substitute is missing");
    if (row.beacon !== null && kind === "drand")
      must(row.beacon.round === firstAfter(row.time) && roundTime(row.beacon.round) === row.beacon.time, `应为 ${row.time} 之后到期的第一轮，不是 ${row.beacon.round}`, `should be the first round due after ${row.time}, not ${row.beacon.round}`);
    else if (row.beacon !== null) {
      must(row.beacon.time > row.time, "所指轮次不晚于排除时刻", "the round named is not later than the exclusion");
      const used = [this.record.announcement!.beacon, ...this.exclusions.map((one) => one.row.beacon)].map((beacon) => beacon?.round.toLowerCase());
      must(!used.includes(row.beacon.round.toLowerCase()), `第 ${row.beacon.round} 期已用于抽取或先前的排除`, `round ${row.beacon.round} is the draw's, or an earlier exclusion's`);
    }
    must(row.reason !== "deregistered" || visits.every((visit) => visit.date === null), `${row.enterprise} 的检查已有日期：注销应登记为检查结果 9`, `the visit to ${row.enterprise} has a date: a deregistered firm is finding 9`);
    for (const visit of visits) {
      this.count(visit, -1);
      this.effective.delete(`${visit.enterprise} ${visit.part}`);
    }
    this.exclusions.push({ row, digest, removed: visits, pending: this.record.announcement!.policy.substitution !== "none" });
  }

  private substitute(row: Substitute): void {
    const { record } = this;
    const exclusion = this.exclusions.find((one) => one.pending);
    must(exclusion?.digest === row.exclude, "应对应最早的待递补排除", "should answer the oldest pending exclusion");
    exclusion.pending = false;
    this.checkSeed(row, exclusion);
    if (exclusion.row.beacon !== null && exclusion.row.beacon.time > this.latest) this.latest = exclusion.row.beacon.time;
    const drawn = (name: string): string => record.hasher.ticket(row.seed, name);
    const own = [...new Set(exclusion.removed.flatMap((visit) => visit.checks.map((check) => check.task)))]
      .filter((task) => record.tasks.get(task)?.mode === "own" && this.stays(task)).sort();
    const told = row.tasks.map((one) => one.task).join(", ");
    must(own.join(", ") === told, `tasks 应为 ${own.join(", ")}，实为 ${told}`, `tasks should be ${own.join(", ")}, are ${told}`);
    const stratumOf = record.firms?.get(exclusion.row.enterprise)?.strata;
    for (const { enterprise, task } of row.tasks) {
      if (enterprise !== null) {
        must(record.list("frame")!.has(enterprise), `${enterprise} 不在抽样框中`, `${enterprise} is not in the frame`);
        must(!this.visited.has(enterprise), `${enterprise} 已被抽中过`, `${enterprise} was drawn already`);
      }
      if (record.firms === null || stratumOf === undefined) {
        this.hidden = true;
        continue;
      }
      let best: { id: string; ticket: string } | null = null;
      for (const [at, place] of record.firms.places.entries()) {
        const id = record.firms.ids[at]!;
        if (place.strata[task] !== stratumOf[task] || this.visited.has(id)) continue;
        const ticket = drawn(`enterprise:${record.firms.keys[at]}`);
        if (best === null || ticket < best.ticket || (ticket === best.ticket && id < best.id)) best = { id, ticket };
      }
      must((best?.id ?? null) === enterprise, `任务 ${task} 应由 ${best?.id ?? "无人"} 递补，公布为 ${enterprise ?? "无人"}`, `task ${task}: ${best?.id ?? "nobody"} takes the place, published is ${enterprise ?? "nobody"}`);
    }
    this.checkVisits(row, exclusion, drawn);
  }

  private checkSeed(row: Substitute, exclusion: Exclusion): void {
    const { beacon } = this.record.announcement!;
    const { seed } = this.record.result!;
    const without = say("规则 next 使用原种子，无凭据", "policy next uses the draw's seed, without evidence");
    must(this.fresh || row.evidence === null, without.zh, without.en);
    must(!this.fresh || row.evidence !== null, "缺少信标凭据", "the beacon's evidence is missing");
    if (row.evidence === null) {
      must(row.seed === seed, without.zh, without.en);
      return;
    }
    const wrong = evidenceFailure(beacon.kind, exclusion.row.beacon?.round ?? "0", row.evidence);
    if (wrong !== null) throw new Failure(wrong);
    const unproven = unverifiable(beacon.kind, beacon.source, exclusion.row.beacon?.round ?? "0", row.evidence);
    if (unproven !== null && this.unverified.every((one) => one.en !== unproven.en)) this.unverified.push(unproven);
    const statement = `dualrandom/v1/substitute\nseed ${seed}\nexclude ${exclusion.digest}\nrandomness ${row.evidence.randomness}\n`;
    const due = this.record.hasher.text(statement);
    must(due === row.seed, `种子应为 ${due}，实为 ${row.seed}`, `the seed should be ${due}, is ${row.seed}`);
  }

  private checkVisits(row: Substitute, exclusion: Exclusion, drawn: (name: string) => string): void {
    const { record } = this;
    const due = new Map<string, string[]>();
    for (const { enterprise, task } of row.tasks)
      if (enterprise !== null) due.set(enterprise, [...(due.get(enterprise) ?? []), task]);
    const [named, replaced] = [Object.keys(row.names), [...due.keys()]].map((ids) => ids.sort().join(", "));
    must(named === replaced, `names 应列出递补的企业 ${replaced}，实为 ${named}`, `names should list the enterprises of the visits ${replaced}, lists ${named}`);
    const right: { enterprise: string; part: number; tasks: string[]; ticket: string }[] = [];
    for (const [enterprise, leads] of due) {
      const firm = record.firms?.get(enterprise);
      const shown = new Set(row.visits.filter((visit) => visit.enterprise === enterprise).flatMap((visit) => visit.checks.map((check) => check.task)));
      const followers = record.announcement!.tasks.filter(({ id, lead, mode }) =>
        mode === "follows" && leads.includes(lead!) && this.stays(id) && (firm === undefined ? shown.has(id) : Object.hasOwn(firm.strata, id))).map((task) => task.id);
      partsOf(record, enterprise, [...leads, ...followers], drawn).forEach((tasks, index) =>
        right.push({ enterprise, part: index + 1, tasks, ticket: firm === undefined ? "" : drawn(`date:${record.firms!.key(enterprise)}`) }));
    }
    const [wanted, shownVisits] = [right, row.visits].map((all) => all.map((one) => `${one.enterprise} part ${one.part}`).sort().join(", "));
    must(wanted === shownVisits, `递补的检查应为 ${wanted || "无"}，实为 ${shownVisits || "无"}`, `the substitute visits should be ${wanted || "none"}, are ${shownVisits || "none"}`);
    if (record.firms !== null)
      right.sort((a, b) => a.ticket !== b.ticket ? (a.ticket < b.ticket ? -1 : 1) : a.enterprise !== b.enterprise ? (a.enterprise < b.enterprise ? -1 : 1) : a.part - b.part);
    const rules = new Rules(record, record.result!.relief, row.seed);
    row.visits.forEach((visit, index) => {
      const place = `${visit.enterprise} ${visit.part}`;
      const expected = record.firms !== null ? right[index] : right.find((one) => one.enterprise === visit.enterprise && one.part === visit.part);
      const inTurn = expected?.enterprise === visit.enterprise && expected.part === visit.part && !this.effective.has(place);
      must(inTurn, "visits 的次序与日期签号不符", "visits are not in the order of their date tickets");
      const checks = expected.tasks.sort().map((task) => `${task} ${record.tasks.get(task)!.items.map((item) => item.id).join(",")}`).join(" ");
      const told = visit.checks.map((check) => `${check.task} ${check.items.join(",")}`).join(" ");
      must(checks === told, `${nameOf(visit)} 的任务与事项应为 ${checks}，实为 ${told}`, `${nameOf(visit)} should have tasks and items ${checks}, has ${told}`);
      this.checkDate(visit, exclusion, rules, drawn);
      this.put({ visit: structuredClone(visit), rules, stage: "pair" });
    });
  }

  private checkDate(visit: Visit, { row }: Exclusion, rules: Rules, drawn: (name: string) => string): void {
    const { record } = this;
    const place = nameOf(visit);
    const earliest = new Date(Date.parse(`${(row.beacon?.time ?? row.time).slice(0, 10)}T00:00:00Z`) + 2 * 86_400_000).toISOString().slice(0, 10);
    const others = [...this.effective.values()].filter((one) => one.visit.enterprise === visit.enterprise).map((one) => one.visit.date);
    const { date } = visit;
    const possible = (day: string): boolean => day >= earliest && !others.includes(day);
    if (date !== null) must(record.announcement!.days.includes(date) && possible(date), `${place} 的日期 ${date} 不在 ${earliest} 起的 days 中，或是其另一次检查的日期`, `${place} is on ${date}, which is not among the days from ${earliest} on, or is the date of another of its parts`);
    const firm = record.firms?.get(visit.enterprise);
    if (firm !== undefined && record.pairs !== null) {
      must(firm.district === visit.district, `${place} 的区划应为 ${firm.district}，实为 ${visit.district}`, `${place} should be in district ${firm.district}, says ${visit.district}`);
      const days = record.announcement!.days.filter((day) => possible(day) && !firm.closed.includes(day))
        .map((day) => ({ day, ticket: drawn(`day:${day}:${record.firms!.key(visit.enterprise)}`) }));
      days.sort((a, b) => (a.ticket < b.ticket || (a.ticket === b.ticket && a.day < b.day) ? -1 : 1));
      const barred = rules.barred(visit);
      const keep = (p: number): boolean => barred.has(p) || rules.isRecused(p, visit.enterprise);
      const right = days.find(({ day }) => this.crews(visit, day, rules, () => keep) !== null)?.day ?? null;
      must(right === date, `${place} 的日期应为 ${right ?? "无"}，公布为 ${date ?? "无"}`, `${place} should be on ${right ?? "no day"}, published is ${date ?? "no day"}`);
    } else this.hidden = true;
    if (date === null) {
      must(visit.crews.length === 0, `${place} 没有日期却有检查组`, `${place} has no date but crews`);
      return;
    }
    const departments = [...rules.crews(visit.checks).keys()];
    const told = visit.crews.map((crew) => crew.department).join(", ");
    must(departments.join(", ") === told, `${place} 应有部门 ${departments.join(", ")} 的检查组，实有 ${told}`, `${place} should have crews of ${departments.join(", ")}, has ${told}`);
    for (const { barred, department } of visit.crews) {
      const pool = rules.pool(department, visit.district, rules.crews(visit.checks).get(department)!);
      const ids = pool.map((p) => rules.ids[p]!);
      const outsider = barred.find((id) => !ids.includes(id));
      must(outsider === undefined, `${place} 部门 ${department} 的 barred 中 ${outsider} 本来就不能入席`, `${place} ${department}: ${outsider} is barred but could not sit anyway`);
      if (record.pairs === null) continue;
      const bars = rules.barred(visit);
      const listed = pool.filter((p) => bars.has(p) || rules.isRecused(p, visit.enterprise)).map((p) => rules.ids[p]!);
      must(listed.join() === barred.join(), `${place} 部门 ${department} 的 barred 应为 [${listed.join(", ")}]，实为 [${barred.join(", ")}]`, `${place} ${department}: barred should be [${listed.join(", ")}], is [${barred.join(", ")}]`);
    }
    const published = new Map(visit.crews.map((crew) => [crew.department, new Set(crew.barred)]));
    const crews = this.crews(visit, date, rules, (department) => (p) => published.get(department)!.has(rules.ids[p]!));
    for (const { department, seats } of visit.crews) {
      const due = crews?.get(department)?.join(", ") ?? "–";
      must(due === seats.join(", "), `${place} 部门 ${department} 应为 ${due}，公布为 ${seats.join(", ")}`, `${place} ${department}: the crew should be ${due}, is ${seats.join(", ")}`);
    }
  }

  /** §13.2: who sits on a visit on a day while all other crews stay; null if a crew cannot be filled. */
  private crews(visit: Visit, day: string, rules: Rules, kept: (department: string) => (p: number) => boolean): Map<string, string[]> | null {
    const found = new Map<string, string[]>();
    for (const [department, seats] of rules.crews(visit.checks)) {
      const keep = kept(department);
      const able = rules.pool(department, visit.district, seats).filter((p) => !keep(p) && this.available(rules, p, visit, day))
        .map((p) => ({ p, id: rules.ids[p]!, ticket: rules.pairTicket("pair", visit.enterprise, department, p) }));
      able.sort(byTicket);
      const taken: number[] = [];
      for (const { p } of able) if (taken.length < seats.length && canSeat(rules, [...taken, p], seats)) taken.push(p);
      if (taken.length < seats.length) return null;
      found.set(department, inSeats(rules, "pair", visit.enterprise, department, seats, taken));
    }
    return found;
  }

  private available(rules: Rules, p: number, visit: Visit, day: string): boolean {
    const id = rules.ids[p]!;
    return !rules.people[p]!.absent.includes(day) && !this.away.some((one) => one.id === id && one.keeps(visit, day)) &&
      (this.load.get(`${id} ${day}`) ?? 0) < rules.daily[p]! && (this.load.get(id) ?? 0) < rules.total[p]!;
  }

  /** §13.2: once the round of an exclusion is due, nothing may come before its substitute; without a round an exclusion may. */
  private noneDue({ time, type }: Exclude | Replace | Withdraw): void {
    for (const { pending, row: { beacon, enterprise } } of this.exclusions)
      must(!pending || (beacon === null ? type === "exclude" : time < beacon.time), `${enterprise} 的递补应先于此行`, `the substitute of ${enterprise} comes before this row`);
  }

  private withdraw(row: Withdraw): void {
    const { department, from, time } = row;
    const { days, tasks } = this.record.announcement!;
    this.at(time);
    this.noneDue(row);
    must(tasks.some((task) => task.department === department), `部门 ${department} 没有任务`, `department ${department} has no task in this draw`);
    must(!this.withdrawn.has(department), `部门 ${department} 已经退出`, `department ${department} withdrew already`);
    must(days.includes(from), `${from} 不在 days 中`, `${from} is not among the days`);
    must(from >= time.slice(0, 10), `自 ${from} 起退出，早于登记的日期 ${time.slice(0, 10)}`, `it withdraws from ${from} on, before the day of the entry, ${time.slice(0, 10)}`);
    const unfilled = new Set<string>();
    for (const [place, { visit }] of this.effective) {
      if (visit.date === null || visit.date < from) continue;
      const crew = visit.crews.find((one) => one.department === department);
      if (crew === undefined || isUnfilled(crew)) continue;
      this.count(visit, -1);
      crew.seats = [];
      this.count(visit, 1);
      unfilled.add(place);
    }
    must(unfilled.size > 0, `部门 ${department} 自 ${from} 起没有检查组`, `no crew of ${department} stands on ${from} or later`);
    this.withdrawn.set(department, { row, unfilled });
  }

  private replace(row: Replace): void {
    this.at(row.time);
    const place = `${row.enterprise} part ${row.part} ${row.department}`;
    this.noneDue(row);
    const one = this.effective.get(`${row.enterprise} ${row.part}`);
    const date = one?.visit.date ?? null;
    const crew = one?.visit.crews.find((other) => other.department === row.department);
    must(one !== undefined && crew !== undefined && date !== null, `没有检查组 ${place}`, `there is no such crew in effect: ${place}`);
    must(!isUnfilled(crew), `部门 ${row.department} 已退出，该检查组空缺，无人可替换`, `department ${row.department} withdrew: that crew is unfilled and nobody of it is replaced`);
    must(crew.seats[row.seat] === row.out, `${place}：${row.out} 不坐在第 ${row.seat} 席`, `${row.out} does not sit in seat ${row.seat} of the crew ${place}`);
    const { rules, stage, visit } = one;
    const seats = rules.crews(visit.checks).get(row.department)!;
    const persons = crew.seats.map((id) => rules.number.get(id)!);
    const candidates = rules.pool(row.department, visit.district, seats).filter((q) =>
      !persons.includes(q) && !crew.barred.includes(rules.ids[q]!) && !rules.isRecused(q, visit.enterprise) &&
      this.available(rules, q, visit, date) && reaches(rules, seats, persons, q, row.seat))
      .map((q) => {
        const id = rules.ids[q]!;
        const price = this.prices.get(id);
        const ticket = rules.pairTicket(stage, visit.enterprise, row.department, q);
        const adjusted = BigInt(`0x${ticket.slice(0, 10)}`) + BigInt(price?.period ?? "0") + BigInt(price?.days[date] ?? "0");
        return { id, q, ticket, adjusted };
      });
    candidates.sort((a, b) => (a.adjusted !== b.adjusted ? (a.adjusted < b.adjusted ? -1 : 1) : byTicket(a, b)));
    const first = candidates[0];
    must(first?.id === row.in, `${place}：应由 ${first?.id ?? "无人"} 接替 ${row.out}，公布为 ${row.in}`, `${place}: ${first?.id ?? "nobody"} takes the place of ${row.out}, published is ${row.in}`);
    const members = persons.map((p, seat) => (seat === row.seat ? first.q : p));
    const after = inSeats(rules, stage, visit.enterprise, row.department, seats, members);
    must(after.join() === row.seats.join(), `${place}：席位应为 ${after.join(", ")}，实为 ${row.seats.join(", ")}`, `${place}: seats should be ${after.join(", ")}, are ${row.seats.join(", ")}`);
    this.count(visit, -1);
    crew.seats = after;
    this.count(visit, 1);
    this.away.push({ id: row.out, keeps: (other, day) =>
      FOR_A_DAY.includes(row.reason) ? day === date : FOR_GOOD.includes(row.reason) ? day >= date : other.enterprise === row.enterprise });
  }
}

/** A visit as reasons name it. */
function nameOf({ enterprise, part }: Visit): string {
  return `${enterprise} part ${part}`;
}

function byTicket(a: { ticket: string; id: string }, b: { ticket: string; id: string }): number {
  return a.ticket < b.ticket || (a.ticket === b.ticket && a.id < b.id) ? -1 : 1;
}

/** Can these people all be seated at once, one each, whatever seats stay empty? */
function canSeat(rules: Rules, persons: number[], seats: Seats): boolean {
  const holder = new Map<number, number>();
  const place = (p: number, tried: Set<number>): boolean => seats.some((marks, n) => {
    if (tried.has(n) || !rules.fits(p, marks)) return false;
    tried.add(n);
    const other = holder.get(n);
    if (other !== undefined && !place(other, tried)) return false;
    holder.set(n, p);
    return true;
  });
  return persons.every((p) => place(p, new Set()));
}

/** The end of §8.5: seat by seat, the member with the smallest ticket who leaves the rest fillable. */
function inSeats(rules: Rules, stage: string, enterprise: string, department: string, seats: Seats, members: number[]): string[] {
  const rest = members.map((p) => ({ p, id: rules.ids[p]!, ticket: rules.pairTicket(stage, enterprise, department, p) })).sort(byTicket);
  return seats.map((marks, n) => {
    const at = rest.findIndex((one) => rules.fits(one.p, marks) && fills(rules, rest.filter((other) => other !== one).map((other) => other.p), seats.slice(n + 1)));
    return rest.splice(at, 1)[0]!.id;
  });
}

/** Can q take a seat from which occupants move on until this one is left? */
function reaches(rules: Rules, seats: Seats, persons: number[], q: number, seat: number): boolean {
  const left = new Set<number>();
  seats.forEach((marks, n) => rules.fits(q, marks) && left.add(n));
  for (const n of left) seats.forEach((marks, other) => rules.fits(persons[n]!, marks) && left.add(other));
  return left.has(seat);
}

/** The first round of quicknet that is due strictly after an instant. */
function firstAfter(time: string): string {
  const seconds = Date.parse(time) / 1000 - QUICKNET.genesis;
  return seconds < 0 ? "1" : String(Math.floor(seconds / QUICKNET.period) + 2);
}

/** Replay `changes.jsonl`; null if there is none. */
function replay(record: Record_, rows: Change[]): Course {
  const result = record.files.get("result.json");
  must(record.result !== null && result !== undefined, "没有结果却有 changes.jsonl", "there is changes.jsonl without a result");
  must(record.complete && record.visits !== null && record.prices !== null, "保密期内不得更改：尚未全部启封", "there are no changes under an embargo: not all of it is opened");
  must(rows.length > 0, "changes.jsonl 为空", "changes.jsonl is empty: it is absent until the first change");
  const course = new Course(record, record.visits);
  let before = record.hasher.digest(result);
  rows.forEach((row, index) => {
    const place = `changes.jsonl:${index + 1}`;
    must(row.number === index + 1, `${place} 的 number 应为 ${index + 1}，实为 ${row.number}`, `${place}: number should be ${index + 1}, is ${row.number}`);
    must(row.prev === before, `${place} 的 prev 不是前一行的摘要，链断开`, `${place}: prev is not the row before, the chain is broken`);
    before = record.hasher.text(record.changeLines[index]!);
    try {
      course.take(row, before);
    } catch (error) {
      if (!(error instanceof Failure)) throw error;
      throw new Failure(say(`第 ${index + 1} 行：${error.said.zh}`, `row ${index + 1}: ${error.said.en}`));
    }
  });
  return course;
}

/** The course of the changes, if there are any and they can be replayed; for readers. */
export function courseOf(record: Record_): Course | null {
  try {
    return record.changes !== null && record.openlyComplete ? replay(record, record.changes) : null;
  } catch {
    return null;
  }
}

/** §13.5: how many changes there were, which departments withdrew and how many crews that left unfilled. */
export function counted(course: Course, rows: Change[], name: (department: string) => Said): Said {
  const count = (type: Change["type"]): number => rows.filter((row) => row.type === type).length;
  const said = say(`排除 ${count("exclude")}、递补 ${count("substitute")}、替换 ${count("replace")}`,
    `exclusions: ${count("exclude")}, substitutes: ${count("substitute")}, replacements: ${count("replace")}`);
  return joined([said, ...withdrawals(course, name)]);
}

/** Which departments withdrew, and why. */
function withdrawals({ withdrawn }: Course, name: (department: string) => Said): Said[] {
  const said: Said[] = [];
  for (const reason of WITHDRAW_REASONS) {
    const of = [...withdrawn.values()].filter(({ row }) => row.reason === reason);
    if (of.length === 0) continue;
    const crews = of.reduce((sum, { unfilled }) => sum + unfilled.size, 0);
    const names = of.map(({ row }) => name(row.department));
    said.push(say(`${names.map(({ zh }) => zh).join("、")}退出（${REASONS[reason].zh}），${crews} 个检查组空缺`,
      `${names.map(({ en }) => en).join(", ")} withdrew (${REASONS[reason].en}), leaving ${crews} crews unfilled`));
  }
  return said;
}

const OFTEN = 3;
/** More than one in this many seats of a department, or enterprises. */
const SHARE = 10;

/** §13.5: what happened unusually often. A warning is no fault of the record. */
export function warnings(record: Record_, rows: Change[], name: (kind: "departments" | "inspectors", id: string) => Said): Said[] {
  const found: Said[] = [];
  const visits = record.visits!;
  const replaced = rows.filter((row) => row.type === "replace");
  for (const [id, n] of [...tally(replaced.map((row) => row.out))].sort()) {
    const { en, zh } = name("inspectors", id);
    if (n >= OFTEN) found.push(say(`人员 ${zh} 已被替换 ${n} 次`, `inspector ${en} was replaced ${n} times`));
  }
  for (const [id, n] of [...tally(replaced.map((row) => row.department))].sort()) {
    const seats = visits.reduce((sum, { crews }) => sum + (crews.find((crew) => crew.department === id)?.seats.length ?? 0), 0);
    const { en, zh } = name("departments", id);
    if (n >= OFTEN && n * SHARE > seats) found.push(say(`部门 ${zh} 的 ${seats} 个席位中已替换 ${n} 个`, `department ${en} replaced ${n} of its ${seats} seats`));
  }
  const [drawn, excluded] = [new Set(visits.map((visit) => visit.enterprise)).size, rows.filter((row) => row.type === "exclude").length];
  if (excluded >= OFTEN && excluded * SHARE > drawn)
    found.push(say(`抽中的 ${drawn} 户中已排除 ${excluded} 户`, `${excluded} of the ${drawn} drawn enterprises were excluded`));
  return found;
}

/** The visits in effect; null where there are none yet, or the result hides them. */
export function visitsInEffect(record: Record_): Visit[] | null {
  if (!record.files.has("changes.jsonl")) return record.visits;
  const broken = say("changes.jsonl 不可用", "changes.jsonl cannot be used");
  const rows = need(record.openlyComplete ? record.changes : null, broken);
  try {
    return [...replay(record, rows).effective.values()].map((one) => one.visit);
  } catch {
    throw new Unchecked(broken);
  }
}

export function checkChanges(record: Record_): Said {
  const present = record.files.has("changes.jsonl");
  must(!present || record.files.has("result.json"), "没有结果却有 changes.jsonl", "there is changes.jsonl without a result");
  need(record.result, record.undrawn());
  must(!present || record.openlyComplete, "保密期内不得更改：尚未全部启封", "there are no changes under an embargo: not all of it is opened");
  if (present && (brokenReference(record) !== null || (record.visits !== null && !knownTasks(record, record.visits))))
    throw new Unchecked(say("公告或结果自相矛盾", "the announcement or the result contradicts itself"));
  if (!present) return say("没有更改", "nothing was changed");
  if (record.changeProblem !== null) throw new Failure(record.changeProblem);
  const rows = record.changes!;
  const course = replay(record, rows);
  const count = (type: Change["type"]): number => rows.filter((row) => row.type === type).length;
  const counts = say(
    `排除 ${count("exclude")} 户、递补 ${count("substitute")} 次、替换 ${count("replace")} 人、退出部门 ${count("withdraw")} 个，均由记录得出`,
    `${count("exclude")} exclusions, ${count("substitute")} substitutions, ${count("replace")} replacements and ${count("withdraw")} withdrawals of departments follow from the record`,
  );
  const noted = joined([counts, ...withdrawals(course, (department) => ({ zh: department, en: department }))]);
  const gaps = [...course.unverified];
  if (course.hidden)
    gaps.push(say("递补的层、签号、歇业日、日期次序与 barred 的完整性：密封，须由审计方核对", "strata, tickets, closed days, order of days and completeness of barred of substitutes: sealed, for the auditor to check"));
  for (const { pending, row: { enterprise } } of course.exclusions)
    if (pending) gaps.push(say(`${enterprise} 尚未递补`, `no substitute of ${enterprise} yet`));
  if (gaps.length > 0) throw open(joined(gaps), noted);
  return noted;
}

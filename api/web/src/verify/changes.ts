/** Changes after the draw: exclusions, substitutes, replacements and withdrawals (docs/protocol.md §13). */

import { evidenceFailure, QUICKNET, roundTime, unverifiable } from "./beacon";
import { fills, knownTasks, Rules, type Seats } from "./crews";
import { type Change, type Crew, type Exclude, type Replace, type Substitute, type Visit, type Withdraw, WITHDRAW_REASONS } from "./documents";
import { Failure, must, need, type Said, say, SEALED, Unchecked } from "./outcome";
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
  deregistered: say("已注销", "deregistered"), "moved-away": say("迁出辖区", "moved away"), suspended: say("歇业", "business suspended"),
  "unreachable-before-visit": say("检查前无法联系", "could not be reached before the visit"), "force-majeure": say("不可抗力", "force majeure"),
  "case-conflict": say("正在立案调查", "a case is being investigated"), "register-error": say("名录有误", "an error of the register"),
  ill: say("生病", "ill"), "other-duty": say("另有紧急公务", "other urgent duty"), left: say("离岗", "left"), "licence-expired": say("执法证失效", "licence expired"),
  "newly-recused": say("新出现的回避情形", "newly recused"), "on-enterprise-application": say("企业申请回避", "on the enterprise's application"),
  reorganised: say("机构改革或职权调整", "reorganised"), "ordered-elsewhere": say("执行上级专项任务", "ordered elsewhere"),
  "no-inspectors": say("执法人员不足", "not enough inspectors"),
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
    must(time >= this.latest, `时刻 ${time} 早于此前的事件`, `${time} is before an earlier event`);
    this.latest = time;
  }

  private get fresh(): boolean {
    return this.record.announcement!.policy.substitution === "fresh";
  }

  exclude(row: Exclude, digest: string): void {
    this.at(row.time);
    this.noneDue(row, row.enterprise);
    const visits = [...this.effective.values()].map((one) => one.visit).filter((visit) => visit.enterprise === row.enterprise);
    must(visits.length > 0, `${row.enterprise} 没有有效的检查`, `${row.enterprise} has no visit in effect`);
    const { kind } = this.record.announcement!.beacon;
    must((row.beacon !== null) === (this.fresh && kind !== "local"), `${row.enterprise} 的信标有无不对`, `${row.enterprise}: beacon or none`);
    if (row.beacon !== null && kind === "drand")
      must(row.beacon.round === firstAfter(row.time) && roundTime(row.beacon.round) === row.beacon.time, `${row.enterprise} 的轮次不是其后第一轮`, `${row.enterprise}: not the first round after the entry`);
    else if (row.beacon !== null) {
      must(row.beacon.time > row.time, `${row.enterprise} 的信标不晚于本行`, `${row.enterprise}: the beacon is not later than the row`);
      const used = [this.record.announcement!.beacon, ...this.exclusions.map((one) => one.row.beacon)].map((beacon) => beacon?.round.toLowerCase());
      must(!used.includes(row.beacon.round.toLowerCase()), `${row.enterprise} 的期号已用过`, `${row.enterprise}: its round has decided before`);
    }
    must(row.reason !== "deregistered" || visits.every((visit) => visit.date === null), `${row.enterprise} 已排期，注销属于检查结果 9`, `${row.enterprise} has a date: deregistered is finding 9`);
    for (const visit of visits) {
      this.count(visit, -1);
      this.effective.delete(`${visit.enterprise} ${visit.part}`);
    }
    this.exclusions.push({ row, digest, removed: visits, pending: this.record.announcement!.policy.substitution !== "none" });
  }

  substitute(row: Substitute): void {
    const { record } = this;
    const exclusion = this.exclusions.find((one) => one.pending);
    must(exclusion?.digest === row.exclude, "递补不属于最早待补的排除", "the substitute is not of the first pending exclusion");
    exclusion.pending = false;
    this.checkSeed(row, exclusion);
    if (exclusion.row.beacon !== null && exclusion.row.beacon.time > this.latest) this.latest = exclusion.row.beacon.time;
    const drawn = (name: string): string => record.hasher.ticket(row.seed, name);
    const own = [...new Set(exclusion.removed.flatMap((visit) => visit.checks.map((check) => check.task)))]
      .filter((task) => record.tasks.get(task)?.mode === "own" && this.stays(task)).sort();
    must(own.join() === row.tasks.map((one) => one.task).join(), "递补的任务不对", "tasks of the substitute");
    const stratumOf = record.firms?.get(exclusion.row.enterprise)?.strata;
    for (const { enterprise, task } of row.tasks) {
      if (enterprise !== null) {
        must(record.list("frame")!.has(enterprise), `${enterprise} 不在抽样框中`, `${enterprise} is not in the frame`);
        must(!this.visited.has(enterprise), `${enterprise} 已抽中过`, `${enterprise} was drawn before`);
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
      must((best?.id ?? null) === enterprise, `${task} 的递补应为 ${best?.id ?? "无"}`, `${task}: the substitute is ${best?.id ?? "none"}`);
    }
    this.checkVisits(row, exclusion, drawn);
  }

  private checkSeed(row: Substitute, exclusion: Exclusion): void {
    const { beacon } = this.record.announcement!;
    const { seed } = this.record.result!;
    must((row.evidence !== null) === this.fresh, "递补的证据有无不对", "evidence or none");
    if (row.evidence === null) {
      must(row.seed === seed, "顺位递补用原种子", "with next, the seed is the result's");
      return;
    }
    const wrong = evidenceFailure(beacon.kind, exclusion.row.beacon?.round ?? "0", row.evidence);
    must(wrong === null, `递补的随机数：${wrong?.zh}`, `randomness of the substitute: ${wrong?.en}`);
    const open = unverifiable(beacon.kind, beacon.source, exclusion.row.beacon?.round ?? "0", row.evidence);
    if (open !== null) this.unverified.push(open);
    const statement = `dualrandom/v1/substitute\nseed ${seed}\nexclude ${exclusion.digest}\nrandomness ${row.evidence.randomness}\n`;
    must(this.record.hasher.text(statement) === row.seed, "递补的种子不是该文本的散列", "the substitute's seed is not the statement's hash");
  }

  private checkVisits(row: Substitute, exclusion: Exclusion, drawn: (name: string) => string): void {
    const { record } = this;
    const due = new Map<string, string[]>();
    for (const { enterprise, task } of row.tasks)
      if (enterprise !== null) due.set(enterprise, [...(due.get(enterprise) ?? []), task]);
    must(Object.keys(row.names).sort().join() === [...due.keys()].sort().join(), "递补的名称不对", "names of the substitutes");
    const right: { enterprise: string; part: number; tasks: string[]; ticket: string }[] = [];
    for (const [enterprise, leads] of due) {
      const firm = record.firms?.get(enterprise);
      const shown = new Set(row.visits.filter((visit) => visit.enterprise === enterprise).flatMap((visit) => visit.checks.map((check) => check.task)));
      const followers = record.announcement!.tasks.filter(({ id, lead, mode }) =>
        mode === "follows" && leads.includes(lead!) && this.stays(id) && (firm === undefined ? shown.has(id) : Object.hasOwn(firm.strata, id))).map((task) => task.id);
      partsOf(record, enterprise, [...leads, ...followers], drawn).forEach((tasks, index) =>
        right.push({ enterprise, part: index + 1, tasks, ticket: firm === undefined ? "" : drawn(`date:${record.firms!.key(enterprise)}`) }));
    }
    must(right.length === row.visits.length, "递补的检查有缺漏或多余", "visits of the substitute are missing or added");
    if (record.firms !== null)
      right.sort((a, b) => a.ticket !== b.ticket ? (a.ticket < b.ticket ? -1 : 1) : a.enterprise !== b.enterprise ? (a.enterprise < b.enterprise ? -1 : 1) : a.part - b.part);
    const rules = new Rules(record, record.result!.relief, row.seed);
    row.visits.forEach((visit, index) => {
      const place = `${visit.enterprise} ${visit.part}`;
      const expected = record.firms !== null ? right[index] : right.find((one) => one.enterprise === visit.enterprise && one.part === visit.part);
      must(expected?.enterprise === visit.enterprise && expected.part === visit.part && !this.effective.has(place), `${place} 次序不对`, `${place}: order of visits`);
      const checks = expected.tasks.sort().map((task) => `${task}:${record.tasks.get(task)!.items.map((item) => item.id).join(",")}`);
      must(checks.join(";") === visit.checks.map((check) => `${check.task}:${check.items.join(",")}`).join(";"), `${place} 的任务或事项不对`, `${place}: tasks or items`);
      this.checkDate(visit, exclusion, rules, drawn);
      this.put({ visit: structuredClone(visit), rules, stage: "pair" });
    });
  }

  private checkDate(visit: Visit, { row }: Exclusion, rules: Rules, drawn: (name: string) => string): void {
    const { record } = this;
    const place = `${visit.enterprise} ${visit.part}`;
    const earliest = new Date(Date.parse(`${(row.beacon?.time ?? row.time).slice(0, 10)}T00:00:00Z`) + 2 * 86_400_000).toISOString().slice(0, 10);
    const others = [...this.effective.values()].filter((one) => one.visit.enterprise === visit.enterprise).map((one) => one.visit.date);
    const { date } = visit;
    const possible = (day: string): boolean => day >= earliest && !others.includes(day);
    if (date !== null) must(record.announcement!.days.includes(date) && possible(date), `${place} 的日期 ${date} 不可`, `${place}: ${date} is not allowed`);
    const firm = record.firms?.get(visit.enterprise);
    if (firm !== undefined && record.pairs !== null) {
      must(firm.district === visit.district, `${place} 的区划不实`, `${place}: district`);
      const days = record.announcement!.days.filter((day) => possible(day) && !firm.closed.includes(day))
        .map((day) => ({ day, ticket: drawn(`day:${day}:${record.firms!.key(visit.enterprise)}`) }));
      days.sort((a, b) => (a.ticket < b.ticket || (a.ticket === b.ticket && a.day < b.day) ? -1 : 1));
      const barred = rules.barred(visit);
      const keep = (p: number): boolean => barred.has(p) || rules.isRecused(p, visit.enterprise);
      const right = days.find(({ day }) => this.crews(visit, day, rules, () => keep) !== null)?.day ?? null;
      must(right === date, `${place} 的日期应为 ${right ?? "无"}`, `${place}: the date is ${right ?? "none"}`);
    } else this.hidden = true;
    if (date === null) {
      must(visit.crews.length === 0, `${place} 无日期却有检查组`, `${place}: crews of an undated visit`);
      return;
    }
    const departments = [...rules.crews(visit.checks).keys()];
    must(departments.join() === visit.crews.map((crew) => crew.department).join(), `${place} 的检查组不对`, `${place}: crews`);
    for (const { barred, department } of visit.crews) {
      const pool = rules.pool(department, visit.district, rules.crews(visit.checks).get(department)!);
      const ids = pool.map((p) => rules.ids[p]!);
      must(barred.every((id) => ids.includes(id)), `${place} ${department} 的回避名单有本不能入席者`, `${place} ${department}: barred lists somebody who could not sit`);
      if (record.pairs === null) continue;
      const bars = rules.barred(visit);
      const listed = pool.filter((p) => bars.has(p) || rules.isRecused(p, visit.enterprise)).map((p) => rules.ids[p]!);
      must(listed.join() === barred.join(), `${place} ${department} 的回避名单应为 [${listed.join(", ")}]`, `${place} ${department}: barred should be [${listed.join(", ")}]`);
    }
    const published = new Map(visit.crews.map((crew) => [crew.department, new Set(crew.barred)]));
    const crews = this.crews(visit, date, rules, (department) => (p) => published.get(department)!.has(rules.ids[p]!));
    for (const { department, seats } of visit.crews)
      must(crews?.get(department)?.join() === seats.join(), `${place} ${department} 的人员不是签号所定`, `${place} ${department}: not the inspectors that the tickets give`);
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
  private noneDue({ time, type }: Exclude | Replace | Withdraw, place: string): void {
    for (const { pending, row: { beacon } } of this.exclusions)
      must(!pending || (beacon === null ? type === "exclude" : time < beacon.time), `${place} 先于应先作的递补`, `${place}: a substitute is due first`);
  }

  withdraw(row: Withdraw): void {
    const { department, from, time } = row;
    const { days, tasks } = this.record.announcement!;
    this.at(time);
    this.noneDue(row, department);
    must(tasks.some((task) => task.department === department), `公告中没有 ${department} 的任务`, `${department} has no task in the announcement`);
    must(!this.withdrawn.has(department), `${department} 已退出`, `${department} has withdrawn before`);
    must(days.includes(from) && from >= time.slice(0, 10), `${department} 的退出日 ${from} 不是检查日或早于本行`, `${department}: ${from} is no day of visits, or is before the row`);
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
    must(unfilled.size > 0, `${from} 起没有 ${department} 的检查组`, `${department} has no crew on ${from} or later`);
    this.withdrawn.set(department, { row, unfilled });
  }

  replace(row: Replace): void {
    this.at(row.time);
    const place = `${row.enterprise} ${row.part} ${row.department}`;
    this.noneDue(row, place);
    const one = this.effective.get(`${row.enterprise} ${row.part}`);
    const date = one?.visit.date ?? null;
    const crew = one?.visit.crews.find((other) => other.department === row.department);
    must(one !== undefined && crew !== undefined && date !== null, `没有检查组 ${place}`, `there is no crew ${place}`);
    must(crew.seats[row.seat] === row.out, `${place} 的席位 ${row.seat} 不是 ${row.out}`, `${place}: seat ${row.seat} is not ${row.out}'s`);
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
    must(first?.id === row.in, `${place} 应由 ${first?.id ?? "无人"} 接替`, `${place}: ${first?.id ?? "nobody"} takes the place`);
    const members = persons.map((p, seat) => (seat === row.seat ? first.q : p));
    const after = inSeats(rules, stage, visit.enterprise, row.department, seats, members);
    must(after.join() === row.seats.join(), `${place} 接替后的席位不对`, `${place}: seats after the replacement`);
    this.count(visit, -1);
    crew.seats = after;
    this.count(visit, 1);
    this.away.push({ id: row.out, keeps: (other, day) =>
      FOR_A_DAY.includes(row.reason) ? day === date : FOR_GOOD.includes(row.reason) ? day >= date : other.enterprise === row.enterprise });
  }
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
  must(record.result !== null && result !== undefined, "没有结果却有更改", "changes without a result");
  must(record.complete && record.visits !== null && record.prices !== null, "保密期内不得更改", "changes under an embargo");
  must(rows.length > 0, "更改文件为空", "changes.jsonl is empty");
  const course = new Course(record, record.visits);
  let before = record.hasher.digest(result);
  rows.forEach((row, index) => {
    must(row.number === index + 1 && row.prev === before, `第 ${index + 1} 行的编号或前一行摘要不对`, `row ${index + 1}: number, or digest of the row before`);
    before = record.hasher.text(record.changeLines[index]!);
    if (row.type === "exclude") course.exclude(row, before);
    else if (row.type === "substitute") {
      must(record.announcement!.policy.substitution !== "none", "规则不设递补", "the policy has no substitutes");
      course.substitute(row);
    } else if (row.type === "withdraw") course.withdraw(row);
    else course.replace(row);
  });
  return course;
}

/** The course of the changes, if there are any and they can be replayed; for readers. */
export function courseOf(record: Record_): Course | null {
  try {
    return record.changes === null ? null : replay(record, record.changes);
  } catch {
    return null;
  }
}

/** §13.5: how many changes there were, which departments withdrew and how many crews that left unfilled. */
export function counted({ withdrawn }: Course, rows: Change[], name: (department: string) => Said): Said {
  const count = (type: Change["type"]): number => rows.filter((row) => row.type === type).length;
  const said = [say(`排除 ${count("exclude")}、递补 ${count("substitute")}、替换 ${count("replace")}`,
    `exclusions: ${count("exclude")}, substitutes: ${count("substitute")}, replacements: ${count("replace")}`)];
  for (const reason of WITHDRAW_REASONS) {
    const of = [...withdrawn.values()].filter(({ row }) => row.reason === reason);
    if (of.length === 0) continue;
    const crews = of.reduce((sum, { unfilled }) => sum + unfilled.size, 0);
    const names = of.map(({ row }) => name(row.department));
    said.push(say(`${names.map(({ zh }) => zh).join("、")}退出（${REASONS[reason].zh}），${crews} 个检查组空缺`,
      `${names.map(({ en }) => en).join(", ")} withdrew (${REASONS[reason].en}), leaving ${crews} crews unfilled`));
  }
  return joined(said);
}

/** The visits in effect; null where there are none yet, or the result hides them. */
export function visitsInEffect(record: Record_): Visit[] | null {
  if (!record.files.has("changes.jsonl")) return record.visits;
  const broken = say("changes.jsonl 不可用", "changes.jsonl cannot be used");
  const rows = need(record.changes, broken);
  try {
    return [...replay(record, rows).effective.values()].map((one) => one.visit);
  } catch {
    throw new Unchecked(broken);
  }
}

export function checkChanges(record: Record_): Said {
  const present = record.files.has("changes.jsonl");
  must(!present || record.files.has("result.json"), "没有结果却有更改", "changes without a result");
  need(record.result, record.undrawn());
  if (present && (brokenReference(record) !== null || (record.visits !== null && !knownTasks(record, record.visits))))
    throw new Unchecked(say("公告或结果自相矛盾", "the announcement or the result contradicts itself"));
  if (!present) {
    return say("抽取后没有更改", "nothing was changed after the draw");
  }
  if (record.changeProblem !== null) throw new Failure(record.changeProblem);
  const rows = record.changes!;
  const course = replay(record, rows);
  const counts = counted(course, rows, (department) => ({ zh: department, en: department }));
  if (course.exclusions.some((one) => one.pending))
    throw new Unchecked(say(`${counts.zh}；有递补待定`, `${counts.en}; a substitute is pending`));
  if (course.unverified.length > 0) throw new Unchecked(joined([...course.unverified, counts]));
  if (course.hidden) throw new Unchecked(say(`${SEALED.zh}；${counts.zh}`, `${SEALED.en}; ${counts.en}`));
  return counts;
}

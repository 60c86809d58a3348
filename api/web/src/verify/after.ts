/** Checks of what follows from the seed: sizes, selection, visits, dates, crews, prices, totals (docs/protocol.md §6–10). */

import { visitsInEffect } from "./changes";
import { fills, knownTasks, lottery, Rules } from "./crews";
import type { Selected, Stratum, Visit } from "./documents";
import { Fraction, ZERO } from "./fraction";
import { twoWay } from "./control";
import { EMBARGO, Failure, must, need, type Said, say, SEALED, Unchecked } from "./outcome";
import { judge, type Seated } from "./prices";
import { type Place, Record_ } from "./record";
import { brokenReference } from "./references";
import { checkStatistics } from "./statistics";

export type Progress = (share: number) => void;

function order(a: { ticket: string; id: string }, b: { ticket: string; id: string }): number {
  return a.ticket < b.ticket || (a.ticket === b.ticket && a.id < b.id) ? -1 : 1;
}

/** Why a list's content is not known. */
function hidden(record: Record_): Said {
  return record.sealed && record.auditor === null ? SEALED : say("名单缺失或无法读取", "a list is missing or could not be read");
}

/** Nothing can be computed from an announcement that contradicts itself. */
function needSense(record: Record_): void {
  if (brokenReference(record) !== null) throw new Unchecked(say("公告自相矛盾", "the announcement contradicts itself"));
}

function selections(record: Record_): Map<string, Selected> {
  need(record.result, record.undrawn());
  needSense(record);
  return new Map(need(record.selection, EMBARGO).map((selected) => [selected.task, selected]));
}

/** §6: n_h of every stratum of a task. */
export function sampleSizes(record: Record_, task: string, strata: Stratum[]): Map<string, number> {
  if (record.tasks.get(task)?.control === "two-way") return twoWay(strata, (k) => record.ticket(`control:${task}:${k}`));
  const smallest = new Map<string, string>();
  for (const { group, id } of strata) if (!smallest.has(group) || id < smallest.get(group)!) smallest.set(group, id);
  const ordered = strata.map((stratum) => ({
    stratum, group: smallest.get(stratum.group)!, id: stratum.id, ticket: record.ticket(`order:${task}:${stratum.id}`),
  }));
  ordered.sort((a, b) => (a.group !== b.group ? (a.group < b.group ? -1 : 1) : order(a, b)));
  let sum = new Fraction(BigInt(`0x${record.ticket(`rounding:${task}`)}`), 1n << 256n);
  const sizes = new Map<string, number>();
  for (const { stratum } of ordered) {
    const before = sum.floor();
    sum = sum.plus(Fraction.of(stratum.expected));
    sizes.set(stratum.id, Number(sum.floor() - before));
  }
  return sizes;
}

export function checkSizes(record: Record_): Said {
  const shown = selections(record);
  const tasks = record.announcement!.tasks.filter((task) => task.mode === "own");
  for (const { id, total } of record.sealed ? tasks : [])
    must(`${shown.get(id)?.selected.length}/1` === total, `${id} 选中的户数与公告不符`, `${id}: not as many selected as announced`);
  const strata = need(record.strata, hidden(record));
  const cutoffs = record.sealed ? need(record.cutoffs, hidden(record)) : null;
  for (const { id: task } of tasks) {
    const listed = strata.get(task)!;
    const sizes = sampleSizes(record, task, listed);
    const published = cutoffs !== null
      ? listed.map(({ id }) => ({ id, n: cutoffs.get(record.numbered.get(`${task} ${id}`)!)?.n }))
      : shown.get(task)?.strata ?? [];
    must(published.length === listed.length, `${task} 的层不全`, `${task}: strata are missing or added`);
    for (const { id, n } of published)
      must(n === sizes.get(id), `${task} ${id} 的样本量应为 ${sizes.get(id)}，所示为 ${n}`, `${task} ${id}: the sample size is ${sizes.get(id)}, not ${n}`);
  }
  return say(`${tasks.length} 项任务的样本量无误`, `sample sizes of ${tasks.length} tasks are right`);
}

/** What the public sees of a sealed selection: followers are among their lead's, and tasks share their tickets. */
function checkShared(record: Record_, shown: Map<string, Selected>): void {
  const firms = new Map<string, string>();
  const tickets = new Map<string, string>();
  for (const { id, lead, mode } of record.announcement!.tasks) {
    const { selected, tickets: drawn } = shown.get(id)!;
    if (mode === "follows") {
      const led = new Set(shown.get(lead!)!.selected);
      for (const firm of selected) must(led.has(firm), `${id} 的 ${firm} 不在其主任务中`, `${id}: ${firm} was not selected by its lead`);
    } else if (drawn !== null) {
      must(drawn.length === selected.length, `${id} 的签号数不对`, `${id}: number of tickets`);
      for (const firm of selected) firms.set(firm, `${firms.get(firm) ?? ""} ${id}`);
      for (const ticket of drawn) tickets.set(ticket, `${tickets.get(ticket) ?? ""} ${id}`);
    }
  }
  const groups = [firms, tickets].map((of) => [...of.values()].sort().join());
  must(groups[0] === groups[1], "各任务的签号不一致", "tasks do not share the tickets of their common enterprises");
}

export function checkSelection(record: Record_, progress: Progress): Said {
  const shown = selections(record);
  const tasks = record.announcement!.tasks;
  must(shown.size === tasks.length && tasks.every((task) => shown.has(task.id)), "任务不全", "tasks are missing or added");
  checkShared(record, shown);
  const firms = need(record.firms, hidden(record));
  const strata = need(record.strata, hidden(record));
  if (record.sealed) need(record.cutoffs, hidden(record));
  const { seed } = record.result!;
  const { ids } = firms;
  const members = new Map<string, number[]>();
  const beginnings = new Float64Array(firms.size);
  const memo = new Map<Place, number[][]>();
  for (let n = 0; n < ids.length; n++) {
    if (n % 4096 === 0) progress(n / ids.length);
    beginnings[n] = record.hasher.beginning(seed, `enterprise:${firms.keys[n]}`);
    const place = firms.places[n]!;
    let joined = memo.get(place);
    if (joined === undefined) {
      joined = Object.entries(place.strata).map(([task, stratum]) => {
        const key = `${task} ${stratum}`;
        const known = members.get(key) ?? [];
        members.set(key, known);
        return known;
      });
      memo.set(place, joined);
    }
    for (const one of joined) one.push(n);
  }
  const full = (n: number): { ticket: string; id: string } => ({ id: ids[n]!, ticket: record.ticket(`enterprise:${firms.keys[n]}`) });
  for (const { id: task, lead, mode } of tasks) {
    const { selected, strata: cuts, tickets } = shown.get(task)!;
    const wrong = (): Failure => new Failure(say(`${task} 选中的不是签号最小者或次序不对`, `${task}: not the smallest tickets, or their order`));
    let picked: { ticket: string; id: string }[] = [];
    if (mode === "follows") {
      for (const id of shown.get(lead!)!.selected) {
        const firm = firms.get(id);
        if (firm !== undefined && Object.hasOwn(firm.strata, task))
          picked.push({ id, ticket: record.ticket(`enterprise:${firms.key(id)}`) });
      }
    } else {
      const sizes = sampleSizes(record, task, strata.get(task)!);
      for (const { id: stratum } of strata.get(task)!) {
        const first = smallest(members.get(`${task} ${stratum}`) ?? [], beginnings, sizes.get(stratum)!).map(full).sort(order)
          .slice(0, sizes.get(stratum)!);
        picked = picked.concat(first);
        if (record.sealed) {
          const hidden = record.cutoffs!.get(record.numbered.get(`${task} ${stratum}`)!);
          must(hidden?.tickets.join() === first.map(({ ticket }) => ticket).join(), `${task} ${stratum} 承诺的签号不实`, `${task} ${stratum}: tickets in cutoffs`);
        } else {
          const cut = cuts?.find((one) => one.id === stratum);
          must(cut !== undefined && cut.cutoff === (first.at(-1)?.ticket ?? null), `${task} ${stratum} 的末位签号不对`, `${task} ${stratum}: cutoff`);
        }
      }
    }
    picked.sort(order);
    if (tickets !== null && picked.map(({ ticket }) => ticket).join() !== tickets.join()) throw wrong();
    const right = picked.map(({ id }) => id);
    if (record.sealed) right.sort();
    if (right.join() !== selected.join()) throw wrong();
  }
  const all = new Set([...shown.values()].flatMap(({ selected }) => selected));
  return say(`从 ${firms.size} 户中选中 ${all.size} 户，重算一致`, `${all.size} of ${firms.size} enterprises, recomputed`);
}

/** At least the n with the smallest beginnings; more where beginnings tie. */
function smallest(members: number[], beginnings: Float64Array, n: number): number[] {
  if (n === 0) return [];
  if (n >= members.length) return members;
  const values = Float64Array.from(members, (member) => beginnings[member]!).sort();
  return members.filter((member) => beginnings[member]! <= values[n - 1]!);
}

export function checkVisits(record: Record_): Said {
  const joined = new Map<string, string[]>();
  const listed = selections(record);
  const same = listed.size === record.tasks.size && [...listed.keys()].every((task) => record.tasks.has(task));
  if (!same) throw new Unchecked(say("结果的任务不对", "the tasks of the selection are wrong"));
  for (const [task, { selected }] of listed) {
    for (const firm of selected) joined.set(firm, [...(joined.get(firm) ?? []), task]);
  }
  const visits = need(record.visits, EMBARGO);
  const shown = new Map(visits.map((visit) => [`${visit.enterprise} ${visit.part}`, visit]));
  let count = 0;
  for (const [enterprise, due] of joined)
    partsOf(record, enterprise, due, (name) => record.ticket(name)).forEach((tasks, index) => {
      count++;
      const visit = shown.get(`${enterprise} ${index + 1}`);
      must(visit !== undefined, `${enterprise} 缺少第 ${index + 1} 次检查`, `${enterprise}: visit ${index + 1} is missing`);
      const right = tasks.sort().map((task) => `${task}:${record.tasks.get(task)!.items.map((item) => item.id).join(",")}`);
      const checks = visit.checks.map((check) => `${check.task}:${check.items.join(",")}`);
      must(right.join(";") === checks.join(";"), `${enterprise} 检查的任务或事项不对`, `${enterprise}: tasks or items of the visit`);
    });
  must(count === visits.length, "有未选中企业的检查", "a visit that the selection does not call for");
  const firms = need(record.firms, hidden(record));
  for (const { district, enterprise } of visits)
    must(firms.get(enterprise)?.district === district, `${enterprise} 的区划不实`, `${enterprise}: district`);
  return say(`${count} 次检查，任务与事项一致`, `${count} visits with exactly their checks`);
}

/** §7: the tasks of each part of an enterprise's visits; `draw` gives the tickets. */
export function partsOf(record: Record_, enterprise: string, tasks: string[], draw: (name: string) => string): string[][] {
  const limit = record.announcement!.policy.visit_limit;
  if (limit === null) return [tasks];
  const departments = new Map<string, string[]>();
  for (const task of tasks) {
    const { department } = record.tasks.get(task)!;
    departments.set(department, [...(departments.get(department) ?? []), task]);
  }
  const ordered = [...departments].map(([id, joined]) => ({ id, joined, ticket: draw(`order:${enterprise}:${id}`) }));
  const found: string[][] = [];
  let [count, checks, hours] = [0, 0, ZERO];
  for (const { joined } of ordered.sort(order)) {
    const items = joined.flatMap((task) => record.tasks.get(task)!.items);
    const more = items.reduce((sum, item) => sum.plus(Fraction.of(item.hours)), ZERO);
    const beyond =
      (limit.departments !== null && count + 1 > limit.departments) ||
      (limit.checks !== null && checks + items.length > limit.checks) ||
      (limit.hours !== null && hours.plus(more).compare(Fraction.of(limit.hours)) > 0);
    if (found.length === 0 || (count > 0 && beyond)) {
      found.push([]);
      [count, checks, hours] = [0, 0, ZERO];
    }
    found.at(-1)!.push(...joined);
    [count, checks, hours] = [count + 1, checks + items.length, hours.plus(more)];
  }
  return found;
}

/** The visits of a result whose dates and crews are all there. */
function complete(record: Record_): Visit[] {
  need(record.result, record.undrawn());
  const visits = need(record.complete ? record.visits : null, EMBARGO);
  if (!knownTasks(record, visits)) throw new Unchecked(say("检查的任务或事项不存在", "visits name tasks or items that do not exist"));
  return visits;
}

function needRoster(record: Record_): void {
  need(record.list("roster"), say("roster.jsonl 缺失或无法读取", "roster.jsonl is missing or could not be read"));
}

export function checkDates(record: Record_, progress: Progress): Said {
  const visits = complete(record);
  const { days, policy } = record.announcement!;
  const { relief } = record.result!;
  const undated = visits.filter((visit) => visit.date === null).length;
  const step = (one: { amount: number; department: string; kind: string }): string => `${one.kind} ${one.department} ${one.amount}`;
  const prefix = relief.every((one, at) => policy.relief[at] !== undefined && step(policy.relief[at]) === step(one));
  must(prefix, "放宽步骤或其次序不是公告的", "relief steps are not those of the ladder, in its order");
  must(undated === 0 || relief.length === policy.relief.length, "还有放宽步骤未用，却有检查无日期", "a visit is undated though relief steps are left");
  must(undated === 0 || policy.undated === "list", "规则要求全部排期，否则作废", "an undated visit makes this draw void");
  const known = new Set(days);
  const used = new Set<string>();
  for (const { date, enterprise } of visits) {
    if (date === null) continue;
    must(known.has(date), `${enterprise} 的日期 ${date} 不在公告中`, `${enterprise}: ${date} was not announced`);
    must(!used.has(`${enterprise} ${date}`), `${enterprise} 的两次检查在同一天`, `${enterprise}: two parts on one day`);
    used.add(`${enterprise} ${date}`);
  }
  const firms = need(record.firms, hidden(record));
  need(record.pairs, hidden(record));
  needRoster(record);
  for (const { date, enterprise } of visits)
    must(date === null || !firms.get(enterprise)?.closed.includes(date), `${enterprise} 在歇业日被检查`, `${enterprise}: a visit on a closed day`);
  const counts = say(`${visits.length - undated} 次有日期，${undated} 次无日期`, `${visits.length - undated} dated, ${undated} undated`);
  const { dated, used: steps } = lottery(record, progress);
  must(steps.length === relief.length, `应使用 ${steps.length} 步放宽`, `${steps.length} relief steps are needed`);
  for (const { date, enterprise, part } of visits) {
    const drawn = dated.get(`${enterprise} ${part}`) ?? null;
    // An optimised calendar decides only on which day, never whether a visit has one.
    const right = policy.calendar === "optimise" && drawn !== null ? date ?? drawn : drawn;
    must(right === date, `${enterprise} 的日期应为 ${right ?? "无"}，所示为 ${date ?? "无"}`, `${enterprise}: the lottery gives ${right ?? "no date"}, not ${date ?? "no date"}`);
  }
  if (policy.calendar === "lottery") return counts;
  return say(`${counts.zh}；日期经优化，只核对可行`, `${counts.en}; optimised dates are only checked as feasible`);
}

/** A plan's crews, checked as legal: seats, marks, bars, absences and caps (§8.1, 8.2). */
function legal(record: Record_, rules: Rules, seatsOf: (visit: Visit, department: string) => string[] | undefined): Seated[] {
  const found: Seated[] = [];
  const days = rules.days.length;
  const daily = new Int32Array(rules.people.length * days);
  const total = new Int32Array(rules.people.length);
  for (const visit of complete(record)) {
    const { crews, date, enterprise } = visit;
    const due = date === null ? new Map<string, string[][]>() : rules.crews(visit.checks);
    must(crews.map((crew) => crew.department).join() === [...due.keys()].join(), `${enterprise} 的检查组不对`, `${enterprise}: crews are missing or added`);
    if (date === null) continue;
    const t = rules.dayNumber.get(date);
    for (const { barred: names, department } of crews) {
      const seats = due.get(department)!;
      const sitting = seatsOf(visit, department) ?? [];
      const place = `${enterprise} ${department}`;
      must(sitting.length === seats.length && new Set(sitting).size === seats.length, `${place} 席位数不对或一人两席`, `${place}: number of seats, or one person in two`);
      const barred = new Set<number>();
      for (const name of names) {
        const p = rules.number.get(name);
        if (p !== undefined) barred.add(p);
      }
      const pool = rules.pool(department, visit.district, seats);
      const persons = sitting.map((id, seat) => {
        const p = rules.number.get(id);
        const able = p !== undefined && pool.includes(p) && rules.fits(p, seats[seat]!);
        must(able, `${place} 的 ${id} 无资格坐此席（部门、区划或资格）`, `${place}: ${id} may not sit there (department, district or marks)`);
        must(!barred.has(p), `${place} 的 ${id} 应回避`, `${place}: ${id} is barred`);
        total[p]!++;
        // That the day was announced is for the check of the dates.
        if (t === undefined) return p;
        must(!rules.absent[p * days + t], `${place} 的 ${id} 当日缺勤`, `${place}: ${id} is absent that day`);
        daily[p * days + t]!++;
        return p;
      });
      found.push({ visit, department, seats, persons, barred });
    }
  }
  daily.forEach((count, at) => {
    const p = Math.floor(at / days);
    must(count <= rules.daily[p]!, `${rules.ids[p]} 超过每日上限`, `${rules.ids[p]}: beyond the daily cap`);
  });
  total.forEach((count, p) => must(count <= rules.total[p]!, `${rules.ids[p]} 超过期间上限`, `${rules.ids[p]}: beyond the cap of the period`));
  return found;
}

/** The published crews where they are legal: else their prices prove nothing. */
function lawful(record: Record_, rules: Rules): Seated[] {
  try {
    const crews = legal(record, rules, published);
    const strange = crews.find(({ visit }) => !rules.dayNumber.has(visit.date!));
    must(strange === undefined, "日期不在公告中", "a date was not announced");
    return crews;
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    throw new Unchecked(say("检查组不合规，价格证明不了什么", "the crews are not legal, so prices prove nothing"));
  }
}

function published(visit: Visit, department: string): string[] | undefined {
  return visit.crews.find((crew) => crew.department === department)?.seats;
}

export function checkCrews(record: Record_, progress: Progress): Said {
  complete(record);
  needRoster(record);
  const rules = new Rules(record, record.result!.relief);
  const crews = legal(record, rules, published);
  const stage = Record_.stage(record.result!.attempt);
  crews.forEach(({ visit, department, seats, persons, barred }, index) => {
    if (index % 256 === 0) progress(index / crews.length);
    const place = `${visit.enterprise} ${department}`;
    const rest = persons.map((p) => ({ p, id: rules.ids[p]!, ticket: record.ticket(`${stage}:${visit.enterprise}:${department}:${rules.ids[p]}`) }));
    rest.sort(order);
    persons.forEach((p, n) => {
      const first = rest.findIndex((one) => rules.fits(one.p, seats[n]!) &&
        fills(rules, rest.filter((other) => other !== one).map((other) => other.p), seats.slice(n + 1)));
      must(rest[first]?.p === p, `${place} 的席位次序不对`, `${place}: order of seats`);
      rest.splice(first, 1);
    });
    const pool = rules.pool(department, visit.district, seats);
    const listed = visit.crews.find((crew) => crew.department === department)!.barred;
    const able = [...barred].every((p) => pool.includes(p)) && barred.size === listed.length;
    must(able, `${place} 的回避名单有本不能入席者`, `${place}: barred lists somebody who could not sit`);
    if (record.pairs === null) return;
    const bars = rules.barred(visit);
    const right = pool.filter((p) => bars.has(p) || rules.isRecused(p, visit.enterprise)).map((p) => rules.ids[p]!);
    must(right.join() === listed.join(), `${place} 的回避名单应为 [${right}]`, `${place}: barred should be [${right}]`);
  });
  need(record.pairs, say(`${SEALED.zh}；已核对 ${crews.length} 组的席位、资格与上限`, `${SEALED.en}; seats, marks, bars and caps of ${crews.length} crews are right`));
  return say(`${crews.length} 个检查组的席位、资格、回避与上限无误`, `seats, marks, bars and caps of ${crews.length} crews are right`);
}

export function checkPrices(record: Record_, progress: Progress): Said {
  const visits = complete(record);
  needRoster(record);
  const rules = new Rules(record, record.result!.relief);
  const { attempt } = record.result!;
  const crews = lawful(record, rules);
  const { prices, unique } = judge(rules, crews, Record_.stage(attempt), progress);
  must(JSON.stringify(sorted(prices)) === JSON.stringify(sorted(record.prices!)), "公布的价格不是最小价格", "published prices are not the least ones");
  must(unique, "还有同样好的方案", "another plan is as good");
  const attempts = record.ties?.attempts ?? [];
  must(attempts.length === attempt && attempts.every((one, k) => one.attempt === k), "缺少并列的证据", "evidence of tied attempts is missing");
  for (const one of attempts) {
    const seats = new Map(one.crews.map((crew) => [`${crew.enterprise} ${crew.part} ${crew.department}`, crew.seats]));
    must(seats.size === crews.length, "并列方案的检查组不全", "a tied plan lacks crews");
    const tied = legal(record, rules, (visit, department) => seats.get(`${visit.enterprise} ${visit.part} ${department}`));
    const judged = judge(rules, tied, Record_.stage(one.attempt), progress);
    must(JSON.stringify(sorted(judged.prices)) === JSON.stringify(sorted(one.prices)), "并列方案的价格不对", "a tied attempt's prices are not the least ones");
    must(!judged.unique, "此前的尝试并无并列", "an earlier attempt was not tied");
  }
  if (visits.every((visit) => visit.crews.length === 0)) return say("没有检查组", "there are no crews");
  return say(`${crews.length} 组的方案成本最小且唯一，价格无误`, `the plan of ${crews.length} crews is the least one and unique; its prices are right`);
}

function sorted(prices: { days: Record<string, string>; inspector: string; period: string }[]): unknown {
  return prices.map(({ days, inspector, period }) => [inspector, period, Object.entries(days).sort()]);
}

const BRIEF = ["checks", "district", "enterprise", "part"] as const;

export function checkResult(record: Record_): Said {
  must(record.files.has("labels.json"), "缺少 labels.json", "labels.json is missing");
  must(record.labels === null || record.labels.announcement === record.digest, "labels.json 属于另一公告", "labels.json is of another announcement");
  checkLabels(record);
  const result = need(record.result, record.undrawn());
  const { totals } = result;
  const { policy, draw } = record.announcement!;
  must(result.announcement === record.digest && result.draw === draw, "结果属于另一公告", "the result is of another announcement");
  must(record.files.has("ties.json") === (result.attempt > 0 && record.complete), "ties.json 应当且仅当有重试且无保密内容时存在", "ties.json exists if and only if there was another attempt and nothing is under an embargo");
  must(record.files.has("statistics.json"), "缺少 statistics.json", "statistics.json is missing");
  for (const [name, document] of Object.entries({ statistics: record.statistics, ties: record.ties }))
    must(document === null || document.announcement === record.digest, `${name}.json 属于另一公告`, `${name}.json is of another announcement`);
  must(record.statistics === null || record.statistics.draw === draw, "statistics.json 属于另一抽取", "statistics.json is of another draw");
  const { visits } = record;
  if (policy.embargo !== "none") checkEmbargoed(record);
  if (visits !== null) {
    const checks = visits.reduce((sum, visit) => sum + visit.checks.reduce((count, check) => count + check.items.length, 0), 0);
    must(totals.visits === visits.length && totals.checks === checks, "检查次数或事项总数不实", "totals of visits or checks");
  }
  if (record.statistics !== null) checkStatistics(record, record.statistics);
  const stage = Record_.stage(result.attempt);
  let [cost, crews, undated] = [0n, 0, 0];
  for (const { crews: made, date, enterprise } of need(record.complete ? visits : null, EMBARGO)) {
    crews += date === null ? 0 : made.length;
    undated += date === null ? 1 : 0;
    must(date !== null || made.length === 0, `${enterprise} 无日期却有检查组`, `${enterprise}: crews of an undated visit`);
    for (const { department, seats } of made)
      for (const seat of seats) cost += BigInt(record.hasher.cost(result.seed, `${stage}:${enterprise}:${department}:${seat}`));
  }
  const due = visits!.reduce((sum, visit) => sum + (visit.date === null ? 0 : new Set(visit.checks.map((check) => record.tasks.get(check.task)?.department)).size), 0);
  must(totals.crews === crews && crews === due && totals.undated === undated, "检查组数或无日期数不实", "totals of crews or undated visits");
  must(totals.cost === String(cost), `总成本应为 ${cost}`, `the total cost is ${cost}`);
  return say(`${totals.visits} 次检查、${totals.checks} 个事项、${totals.crews} 个检查组`, `${totals.visits} visits, ${totals.checks} checks, ${totals.crews} crews`);
}

function openedVisits(record: Record_): Visit[] {
  return [...record.opened().get("visits")!].filter(([id]) => id.startsWith("v")).map(([, { hidden }]) => hidden as Visit);
}

function checkLabels(record: Record_): void {
  const { labels } = record;
  if (labels === null) return;
  must(!record.sealed || Object.keys(labels.inspectors).length === 0, "名称表泄露检查人员", "labels name inspectors of a sealed draw");
  const visible = new Set(record.result?.visits?.map((visit) => visit.enterprise));
  for (const visit of openedVisits(record)) visible.add(visit.enterprise);
  const stranger = Object.keys(labels.enterprises).find((id) => !visible.has(id));
  must(stranger === undefined, `名称表有未公布检查的企业 ${stranger}`, `labels name ${stranger}, of no visible visit`);
}

/** What can be said while rows are under embargo, and that opened rows are what was published openly. */
function checkEmbargoed(record: Record_): void {
  const { embargoed, totals, visits } = record.result!;
  const others = record.announcement!.policy.embargo === "visits" ? 2 : 1;
  must(totals.visits === embargoed!.size - others, "检查次数与密封的行数不符", "totals of visits: not the number of sealed rows");
  if (visits === null) return;
  const width = Math.max(5, String(visits.length).length);
  visits.forEach((visit, at) => {
    const opened = record.opened().get("visits")!.get(`v${String(at + 1).padStart(width, "0")}`)?.hidden as Visit | undefined;
    if (opened === undefined) return;
    const same = BRIEF.every((key) => JSON.stringify(opened[key]) === JSON.stringify(visit[key]));
    must(same, `密封的 ${visit.enterprise} 与公布的不同`, `${visit.enterprise}: the sealed visit is not the published one`);
  });
}

const METHODS = ["on-site", "documents", "online", "laboratory", "expert", "other-department"];

export function checkFindings(record: Record_): Said {
  if (!record.files.has("findings.json")) need(null, record.result === null ? record.undrawn() : say("尚未公布检查结果", "no findings are published yet"));
  const { announcement, draw, findings } = need(record.findings, say("findings.json 无法读取", "findings.json could not be read"));
  need(record.result, record.undrawn());
  must(announcement === record.digest && draw === record.announcement!.draw, "检查结果属于另一公告", "the findings are of another announcement");
  const known = new Set((visitsInEffect(record) ?? openedVisits(record)).flatMap(({ checks, enterprise, part }) =>
    checks.flatMap(({ items, task }) => items.map((item) => `${enterprise} ${part} ${task} ${item}`))));
  let last = "";
  let revision = 0;
  for (const finding of findings) {
    const place = `${finding.enterprise} ${finding.part} ${finding.task} ${finding.item}`;
    must(known.has(place), `${place}：没有这项检查`, `${place}: not an item of a visit`);
    must(/^[1-9A-F]$/.test(finding.code), `${place}：未知代码 ${finding.code}`, `${place}: unknown code ${finding.code}`);
    must(METHODS.includes(finding.method), `${place}：未知方法 ${finding.method}`, `${place}: unknown method ${finding.method}`);
    revision = place === last ? revision + 1 : 1;
    last = place;
    must(finding.revision === revision, `${place}：版次不连续`, `${place}: revisions have gaps`);
    must((finding.reason === null) === (revision === 1), `${place}：更正须有理由，首版没有`, `${place}: a correction has a reason, a first finding none`);
  }
  return say(`${findings.length} 条检查结果`, `${findings.length} findings`);
}

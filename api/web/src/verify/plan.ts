/** Dates, crews and the proof that the plan is the least one (docs/protocol.md §8). */

import { fills, knownTasks, lottery, Rules } from "./crews";
import type { Visit } from "./documents";
import { EMBARGO, Failure, must, need, type Progress, type Said, say, SEALED, Unchecked } from "./outcome";
import { judge, type Seated } from "./prices";
import { Record_ } from "./record";
import { hidden, order } from "./selection";

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
        // This loop runs tens of thousands of times: reasons are made only where they are needed.
        if (!able || barred.has(p) || (t !== undefined && rules.absent[p * days + t])) {
          must(able, `${place} 的 ${id} 无资格坐此席（部门、区划或资格）`, `${place}: ${id} may not sit there (department, district or marks)`);
          must(!barred.has(p), `${place} 的 ${id} 应回避`, `${place}: ${id} is barred`);
          must(false, `${place} 的 ${id} 当日缺勤`, `${place}: ${id} is absent that day`);
        }
        total[p]!++;
        // That the day was announced is for the check of the dates.
        if (t !== undefined) daily[p * days + t]!++;
        return p;
      });
      found.push({ visit, department, seats, persons, barred });
    }
  }
  daily.forEach((count, at) => {
    const p = Math.floor(at / days);
    if (count > rules.daily[p]!) must(false, `${rules.ids[p]} 超过每日上限`, `${rules.ids[p]}: beyond the daily cap`);
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
    const recused = rules.recusedFrom(visit.enterprise);
    const right = bars.size + recused.size === 0 ? [] : pool.filter((p) => bars.has(p) || recused.has(p)).map((p) => rules.ids[p]!);
    must(right.join() === listed.join(), `${place} 的回避名单应为 [${right.join(", ")}]`, `${place}: barred should be [${right.join(", ")}]`);
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

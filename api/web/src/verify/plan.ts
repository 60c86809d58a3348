/** Dates, crews and the proof that the plan is the least one (docs/protocol.md §8). */

import { fills, knownTasks, lottery, Rules } from "./crews";
import type { Price, Visit } from "./documents";
import { after, EMBARGO, Failure, must, need, open, type Progress, type Said, say, Unchecked } from "./outcome";
import { judge, type Seated } from "./prices";
import { Record_ } from "./record";
import { hidden, order } from "./selection";

/** The visits of a result whose dates and crews are all there. */
function complete(record: Record_): Visit[] {
  need(record.result, record.undrawn());
  const visits = need(record.complete ? record.visits : null, EMBARGO);
  if (!knownTasks(record, visits)) throw new Unchecked(say("检查的任务或事项不存在", "the visits name tasks or items that do not exist"));
  return visits;
}

function needRoster(record: Record_): void {
  need(record.list("roster"), say("roster.jsonl 缺失或损坏", "roster.jsonl is missing or broken"));
}

export function checkDates(record: Record_, progress: Progress): Said {
  const { days, policy } = record.announcement!;
  const { relief } = need(record.result, record.undrawn());
  const step = (one: { amount: number; department: string; kind: string }): string => `${one.kind} ${one.department} ${one.amount}`;
  const prefix = relief.every((one, at) => policy.relief[at] !== undefined && step(policy.relief[at]) === step(one));
  // An embargo hides the dates, but not the ladder.
  must(prefix, "relief 不是公告阶梯的开头部分", "relief is not the beginning of the announced ladder");
  const visits = complete(record);
  const undated = visits.filter((visit) => visit.date === null).length;
  must(undated === 0 || relief.length === policy.relief.length, `有检查无日期，却只用了 ${policy.relief.length} 步 relief 中的 ${relief.length} 步`, `a visit is undated though only ${relief.length} of ${policy.relief.length} relief steps are used`);
  const left = policy.undated === "list" ? undefined : visits.find((visit) => visit.date === null);
  must(left === undefined, `检查 ${left?.enterprise} part ${left?.part} 没有日期，而规则 undated = void 不允许`, `visit ${left?.enterprise} part ${left?.part} has no date, which the policy undated = void does not allow`);
  const known = new Set(days);
  const used = new Map<string, number>();
  for (const { date, enterprise, part } of visits) {
    if (date === null) continue;
    const other = used.get(`${enterprise} ${date}`);
    if (known.has(date) && other === undefined) {
      used.set(`${enterprise} ${date}`, part);
      continue;
    }
    must(known.has(date), `检查 ${enterprise} part ${part} 的日期 ${date} 不在公告的 days 中`, `visit ${enterprise} part ${part} is on ${date}, which is not among the announced days`);
    must(false, `企业 ${enterprise} 的 part ${other} 与 ${part} 同日 ${date}`, `parts ${other} and ${part} of enterprise ${enterprise} are both on ${date}`);
  }
  const announced = say("日期都在公告的 days 中", "all dates are among the announced days");
  const { firms } = record;
  if (firms === null || record.pairs === null) throw open(after(say("抽签、歇业日与可排性", "lottery, closed days and seatability"), hidden(record, ["frame", "recusals"])), announced);
  needRoster(record);
  for (const { date, enterprise } of visits)
    if (date !== null && firms.get(enterprise)?.closed.includes(date)) must(false, `企业 ${enterprise} 在 ${date} 歇业，不能检查`, `enterprise ${enterprise} is closed on ${date}`);
  const { dated, used: steps } = lottery(record, progress);
  must(steps.length === relief.length, `应使用 relief 的前 ${steps.length} 步，公布了 ${relief.length} 步`, `the first ${steps.length} relief steps should be used, ${relief.length} are published`);
  for (const { date, enterprise, part } of visits) {
    const drawn = dated.get(`${enterprise} ${part}`) ?? null;
    // An optimised calendar decides only on which day, never whether a visit has one.
    const right = policy.calendar === "optimise" && drawn !== null ? date ?? drawn : drawn;
    if (right !== date)
      must(false, `检查 ${enterprise} part ${part} 的日期应为 ${right ?? "无"}，公布为 ${date ?? "无"}`, `visit ${enterprise} part ${part} should be on ${right ?? "no day"}, published is ${date ?? "no day"}`);
  }
  return policy.calendar === "lottery"
    ? say(`${announced.zh}；${visits.length} 次检查的日期由抽签重算相符，其中 ${undated} 次无日期`, `${announced.en}; the dates of ${visits.length} visits follow from the lottery, ${undated} of them undated`)
    : say(`${announced.zh}；日期经优化移动，仅核对可行；${undated} 次无日期与抽签相符`, `${announced.en}; dates were moved by optimisation and are checked as feasible; ${undated} undated as in the lottery`);
}

/** A plan's crews, checked as legal: seats, marks, bars, absences and caps (§8.1, 8.2). */
function legal(record: Record_, rules: Rules, seatsOf: (visit: Visit, department: string) => string[] | undefined): Seated[] {
  const found: Seated[] = [];
  const days = rules.days.length;
  const daily = new Int32Array(rules.people.length * days);
  const total = new Int32Array(rules.people.length);
  for (const visit of complete(record)) {
    const { crews, date, enterprise, part } = visit;
    const due = date === null ? new Map<string, string[][]>() : rules.crews(visit.checks);
    const [named, wanted] = [crews.map((crew) => crew.department).join(), [...due.keys()].join()];
    if (named !== wanted)
      must(false, `检查 ${enterprise} part ${part} 应有部门 ${wanted || "无"} 的检查组，实有 ${named || "无"}`, `visit ${enterprise} part ${part} should have crews of ${wanted || "nobody"}, has ${named || "none"}`);
    if (date === null) continue;
    const t = rules.dayNumber.get(date);
    for (const { barred: names, department } of crews) {
      const seats = due.get(department)!;
      const sitting = seatsOf(visit, department) ?? [];
      const { en, zh } = placed(enterprise, part, department);
      must(sitting.length === seats.length, `${zh} 应有 ${seats.length} 个席位，实有 ${sitting.length} 人`, `${en} should have ${seats.length} seats, has ${sitting.length} people`);
      must(new Set(sitting).size === seats.length, `${zh} 有人占两席：${sitting.join(", ")}`, `${en} has somebody in two seats: ${sitting.join(", ")}`);
      const barred = new Set<number>();
      for (const name of names) {
        const p = rules.number.get(name);
        if (p !== undefined) barred.add(p);
      }
      const persons = sitting.map((id, seat) => {
        const p = rules.number.get(id);
        const able = p !== undefined && rules.mayServe(p, department, visit.district) && rules.fits(p, seats[seat]!);
        // This loop runs tens of thousands of times: reasons are made only where they are needed.
        if (!able || barred.has(p) || (t !== undefined && rules.absent[p * days + t])) {
          must(p !== undefined, `${zh} 的 ${id} 不在名录中`, `${en}: ${id} is not in the roster`);
          const [person, at] = [rules.people[p]!, `${zh} 第 ${seat + 1} 席的 ${id}`];
          must(person.department === department, `${at} 属于部门 ${person.department}`, `${en} seat ${seat + 1}: ${id} belongs to department ${person.department}`);
          const lacking = seats[seat]!.filter((mark) => !person.marks.includes(mark)).join(", ");
          must(lacking === "", `${at} 缺少资格 ${lacking}`, `${en} seat ${seat + 1}: ${id} lacks the marks ${lacking}`);
          must(able, `${at} 不负责区划 ${visit.district}`, `${en} seat ${seat + 1}: ${id} does not serve district ${visit.district}`);
          must(!barred.has(p), `${zh} 的 ${id} 在 barred 之列`, `${en}: ${id} sits though barred`);
          must(false, `${zh} 的 ${id} 在 ${date} 缺勤`, `${en}: ${id} is absent on ${date}`);
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
    if (count <= rules.daily[p]!) return;
    const [id, day] = [rules.ids[p], rules.days[at % days]];
    must(false, `${id} 在 ${day} 有 ${count} 个检查组，每日上限 ${rules.daily[p]}`, `${id} has ${count} crews on ${day}, the daily cap is ${rules.daily[p]}`);
  });
  total.forEach((count, p) => must(count <= rules.total[p]!, `${rules.ids[p]} 共有 ${count} 个检查组，时段上限 ${rules.total[p]}`, `${rules.ids[p]} has ${count} crews in all, the period cap is ${rules.total[p]}`));
  return found;
}

/** The published crews where they are legal: else their prices prove nothing. */
function lawful(record: Record_, rules: Rules): Seated[] {
  try {
    const crews = legal(record, rules, published);
    const strange = crews.find(({ visit }) => !rules.dayNumber.has(visit.date!));
    must(strange === undefined, `日期 ${strange?.visit.date} 不在公告中`, `${strange?.visit.date} was not announced`);
    return crews;
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    throw new Unchecked(say("检查组不合规，价格证明不了什么", "the crews are not legal, so prices prove nothing"));
  }
}

/** A crew as reasons name it. */
function placed(enterprise: string, part: number, department: string): Said {
  return { zh: `检查 ${enterprise} part ${part} 部门 ${department}`, en: `visit ${enterprise} part ${part} department ${department}` };
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
  crews.forEach(({ visit, department, seats, persons }, index) => {
    if (index % 256 === 0) progress(index / crews.length);
    const place = placed(visit.enterprise, visit.part, department);
    const listed = visit.crews.find((crew) => crew.department === department)!;
    const rest = persons.map((p) => ({ p, id: rules.ids[p]!, ticket: record.ticket(`${stage}:${visit.enterprise}:${department}:${rules.ids[p]}`) }));
    rest.sort(order);
    const due = persons.map((_, n) => {
      const first = rest.findIndex((one) => rules.fits(one.p, seats[n]!) &&
        fills(rules, rest.filter((other) => other !== one).map((other) => other.p), seats.slice(n + 1)));
      return rest.splice(first, 1)[0]!;
    });
    if (due.some(({ p }, n) => persons[n] !== p)) {
      const [right, told] = [due.map(({ id }) => id), listed.seats].map((ids) => ids.join(", "));
      must(false, `${place.zh} 的席位次序应为 ${right}，实为 ${told}`, `${place.en}: the seats should be ${right}, are ${told}`);
    }
    const pool = rules.pool(department, visit.district, seats);
    for (const id of listed.barred) {
      const p = rules.number.get(id);
      if (p === undefined || !pool.includes(p)) must(false, `${place.zh} 的 barred 中 ${id} 本来就不能入席`, `${place.en}: ${id} is barred but could not sit anyway`);
    }
    if (record.pairs === null) return;
    const bars = rules.barred(visit);
    const recused = rules.recusedFrom(visit.enterprise);
    const right = bars.size + recused.size === 0 ? [] : pool.filter((p) => bars.has(p) || recused.has(p)).map((p) => rules.ids[p]!);
    if (right.join() !== listed.barred.join()) {
      const [bars, told] = [right, listed.barred].map((ids) => `[${ids.join(", ")}]`);
      must(false, `${place.zh} 的 barred 应为 ${bars}，实为 ${told}`, `${place.en}: barred should be ${bars}, is ${told}`);
    }
  });
  const noted = say(`${crews.length} 个检查组的席位、资格、回避与上限相符`, `seats, marks, bars and caps of ${crews.length} crews are right`);
  if (record.pairs === null) throw open(after(say("回避与 barred 的完整性", "recusals and whether barred is exact"), hidden(record, ["recusals"])), noted);
  return noted;
}

export function checkPrices(record: Record_, progress: Progress): Said {
  const visits = complete(record);
  needRoster(record);
  const rules = new Rules(record, record.result!.relief);
  const { attempt } = record.result!;
  const crews = lawful(record, rules);
  const { prices, unique } = judge(rules, crews, Record_.stage(attempt), progress);
  same("prices", prices, record.prices!);
  must(unique, "方案不是唯一的：还有总成本相同的方案", "the plan is not unique: another one costs as little");
  const noted = visits.every((visit) => visit.crews.length === 0) ? say("没有检查组", "there are no crews") :
    say(`${crews.length} 个检查组的方案总成本最小且唯一，价格相符`, `the plan of ${crews.length} crews is the least one and unique, and its prices are right`);
  if (attempt > 0 && record.ties === null && !record.openlyComplete)
    throw open(say("ties.json 在保密期内不公布", "ties.json stays away until the embargo is lifted in public"), noted);
  const attempts = record.ties?.attempts ?? [];
  must(attempts.length > 0 || attempt === 0, `attempt 为 ${attempt}，却没有可用的 ties.json`, `attempt is ${attempt}, but there is no usable ties.json`);
  must(attempts.length === attempt && attempts.every((one, k) => one.attempt === k), `ties.json 应有第 0 至 ${attempt - 1} 次`, `ties.json should have attempts 0 to ${attempt - 1}`);
  for (const one of attempts) {
    const seats = new Map(one.crews.map((crew) => [`${crew.enterprise} ${crew.part} ${crew.department}`, crew.seats]));
    must(seats.size === crews.length, `ties.json 第 ${one.attempt} 次应有 ${crews.length} 个检查组，实有 ${seats.size} 个`, `ties.json attempt ${one.attempt} should have ${crews.length} crews, has ${seats.size}`);
    const tied = legal(record, rules, (visit, department) => seats.get(`${visit.enterprise} ${visit.part} ${department}`));
    const judged = judge(rules, tied, Record_.stage(one.attempt), progress);
    same(`ties.json attempt ${one.attempt}`, judged.prices, one.prices);
    must(!judged.unique, `ties.json 第 ${one.attempt} 次的方案是唯一的，不应进入下一次`, `ties.json attempt ${one.attempt}: the plan is unique, so there was no reason for another attempt`);
  }
  return noted;
}

/** The published prices are the least ones, to the last day of each inspector. */
function same(place: string, least: Price[], shown: Price[]): void {
  const told = (prices: Price[]): Map<string, string> => new Map(prices.map(({ days, inspector, period }) =>
    [inspector, `period ${period}${Object.entries(days).sort().map(([day, price]) => ` ${day} ${price}`).join("")}`]));
  const [right, published] = [told(least), told(shown)];
  for (const id of [...new Set([...right.keys(), ...published.keys()])].sort()) {
    const [due, found] = [right, published].map((prices) => prices.get(id) ?? "period 0");
    if (due !== found) must(false, `${place} 中 ${id} 的价格应为 ${due}，公布为 ${found}`, `${place}: the prices of ${id} should be ${due}, published are ${found}`);
  }
}

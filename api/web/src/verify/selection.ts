/** Which enterprises are drawn, and their visits (docs/protocol.md §6, 7). */

import { twoWay } from "./control";
import type { Selected, Stratum } from "./documents";
import { Fraction, ZERO } from "./fraction";
import type { Place } from "./lists";
import { EMBARGO, Failure, must, need, type Progress, type Said, say, SEALED, Unchecked } from "./outcome";
import type { Record_ } from "./record";
import { brokenReference } from "./references";

export function order(a: { ticket: string; id: string }, b: { ticket: string; id: string }): number {
  return a.ticket < b.ticket || (a.ticket === b.ticket && a.id < b.id) ? -1 : 1;
}

/** Why a list's content is not known. */
export function hidden(record: Record_): Said {
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

/** Which enterprises are drawn, and their visits (docs/protocol.md §6, 7). */

import { twoWay } from "./control";
import { type ListName, LISTS, type Selected, type Stratum } from "./documents";
import { Fraction, ZERO } from "./fraction";
import type { Place } from "./lists";
import { after, EMBARGO, Failure, must, need, open, type Progress, type Said, say, SEALED, Unchecked } from "./outcome";
import type { Record_ } from "./record";
import { brokenReference } from "./references";

export function order(a: { ticket: string; id: string }, b: { ticket: string; id: string }): number {
  return a.ticket < b.ticket || (a.ticket === b.ticket && a.id < b.id) ? -1 : 1;
}

/** Why a list's content is not known. */
export function hidden(record: Record_, names: readonly ListName[] = ["frame"]): Said {
  if (record.sealed && record.auditor === null) return SEALED;
  const lost = LISTS.find((name) => (names.includes(name) || (record.sealed && name !== "visits")) && record.list(name) === undefined) ?? names[0];
  return say(`${lost} 缺失或损坏`, `${lost} is missing or broken`);
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
  for (const { id, total } of record.sealed ? tasks : []) {
    const [chosen, tickets] = [shown.get(id)?.selected.length, shown.get(id)?.tickets?.length];
    must(`${chosen}/1` === total, `任务 ${id} 选出 ${chosen} 户、${tickets} 个签号，公告总数 ${total}`, `task ${id} has ${chosen} selected and ${tickets} tickets, announced total is ${total}`);
  }
  const { cutoffs, strata } = record;
  if (strata === null || (record.sealed && cutoffs === null))
    throw open(after(say("各层样本量", "sample sizes of strata"), hidden(record)), say("选出数、签号数与公告总数相符", "counts of selected and of tickets are the announced totals"));
  let count = 0;
  for (const { id: task } of tasks) {
    const listed = strata.get(task)!;
    count += listed.length;
    const sizes = sampleSizes(record, task, listed);
    const published = record.sealed
      ? listed.map(({ id }) => ({ id, n: cutoffs!.get(record.numbered.get(`${task} ${id}`)!)?.n }))
      : shown.get(task)?.strata ?? [];
    const lost = listed.find(({ id }) => published.every((one) => one.id !== id))?.id;
    must(lost === undefined, `任务 ${task} 层 ${lost} 没有样本量`, `task ${task} stratum ${lost} has no sample size`);
    for (const { id, n } of published) {
      const due = sizes.get(id) ?? "null";
      must(n === due, `任务 ${task} 层 ${id} 应抽 ${due} 户，公布为 ${n}`, `task ${task} stratum ${id} should have n = ${due}, published is ${n}`);
    }
  }
  return say(`${count} 个层的样本量相符`, `the sample sizes of ${count} strata are right`);
}

/** What the public sees of a sealed selection: followers are among their lead's, and tasks share their tickets. */
function checkShared(record: Record_, shown: Map<string, Selected>): void {
  const firms = new Map<string, string>();
  const tickets = new Map<string, string>();
  for (const { id, lead, mode } of record.announcement!.tasks) {
    const { selected, tickets: drawn } = shown.get(id)!;
    if (mode === "follows") {
      const led = new Set(shown.get(lead!)!.selected);
      for (const firm of selected) must(led.has(firm), `跟随任务 ${id} 的 ${firm} 未被 ${lead} 选出`, `${firm} joins task ${id} but was not selected by its lead ${lead}`);
    } else if (drawn !== null) {
      must(drawn.length === selected.length, `任务 ${id} 有 ${selected.length} 户、${drawn.length} 个签号`, `task ${id} has ${selected.length} selected and ${drawn.length} tickets`);
      for (const firm of selected) firms.set(firm, `${firms.get(firm) ?? ""} ${id}`);
      for (const ticket of drawn) tickets.set(ticket, `${tickets.get(ticket) ?? ""} ${id}`);
    }
  }
  const groups = [firms, tickets].map((of) => [...of.values()].sort().join());
  must(groups[0] === groups[1], `选出 ${firms.size} 户，签号却有 ${tickets.size} 个，或所属任务不同；同一企业在各任务中共用一个签号`,
    `${firms.size} enterprises are selected but ${tickets.size} distinct tickets, or by other tasks; all tasks share a ticket`);
}

export function checkSelection(record: Record_, progress: Progress): Said {
  const shown = selections(record);
  const tasks = record.announcement!.tasks;
  const [due, listed] = [tasks.map((task) => task.id), [...shown.keys()]].map((names) => names.join(", "));
  must(due === listed, `selection 应有任务 ${due}，实有 ${listed}`, `selection should have the tasks ${due}, has ${listed}`);
  checkShared(record, shown);
  const { firms, strata } = record;
  if (firms === null || strata === null || (record.sealed && record.cutoffs === null))
    throw open(after(say("签号与所属层", "tickets and strata"), hidden(record)), say("各任务共用签号，跟随任务相符", "the tasks share their tickets, and followers follow"));
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
    let wrongCut: Said | null = null;
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
          must(hidden?.tickets.join() === first.map(({ ticket }) => ticket).join(), `任务 ${task} 层 ${stratum} 的 cutoffs 签号与重算不符`, `the cutoffs of task ${task} stratum ${stratum} are not the tickets computed`);
        } else {
          const [cut, last] = [cuts?.find((one) => one.id === stratum)?.cutoff, first.at(-1)?.ticket ?? null];
          wrongCut ??= cut === last ? null : say(`任务 ${task} 层 ${stratum} 的末位签号应为 ${last}，公布为 ${cut}`, `the cutoff of task ${task} stratum ${stratum} should be ${last}, published is ${cut}`);
        }
      }
    }
    picked.sort(order);
    const right = picked.map(({ id }) => id);
    if (record.sealed) right.sort();
    if (right.join() !== selected.join()) throw new Failure(misdrawn(task, right, selected));
    if (wrongCut !== null) throw new Failure(wrongCut);
    must(tickets === null || picked.map(({ ticket }) => ticket).join() === tickets.join(), `任务 ${task} 的签号列表与重算不符`, `the tickets of task ${task} differ from those computed`);
  }
  const all = new Set([...shown.values()].flatMap(({ selected }) => selected));
  return say(`${tasks.length} 个任务、${all.size} 户企业由签号重算相符`, `${tasks.length} tasks and ${all.size} enterprises follow from their tickets`);
}

/** Who is missing among those selected, and who is there without the ticket for it. */
function misdrawn(task: string, right: string[], selected: string[]): Said {
  const [lacks, has] = [right.filter((id) => !selected.includes(id)), selected.filter((id) => !right.includes(id))];
  if (lacks.length + has.length === 0) return say(`任务 ${task} 的选中者未按签号次序排列`, `task ${task} does not list the selected in the order of their tickets`);
  const some = (ids: string[]): string => ids.slice(0, 5).join(", ") || "–";
  return say(`任务 ${task} 选中的不是签号最小者：漏掉应选的 ${some(lacks)}（共 ${lacks.length}），多出 ${some(has)}（共 ${has.length}）`,
    `task ${task} lacks ${some(lacks)} (${lacks.length} in all) and has ${some(has)} (${has.length}) that the tickets do not select: not the smallest tickets`);
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
  if (!same) throw new Unchecked(say("selection 不可用", "the selection cannot be used"));
  for (const [task, { selected }] of listed) {
    for (const firm of selected) joined.set(firm, [...(joined.get(firm) ?? []), task]);
  }
  const visits = need(record.visits, EMBARGO);
  const shown = new Map(visits.map((visit) => [`${visit.enterprise} ${visit.part}`, visit]));
  const parts = new Map<string, number>();
  let count = 0;
  for (const [enterprise, due] of joined)
    partsOf(record, enterprise, due, (name) => record.ticket(name)).forEach((tasks, index) => {
      count++;
      parts.set(enterprise, index + 1);
      const visit = shown.get(`${enterprise} ${index + 1}`);
      must(visit !== undefined, `应有的检查 ${enterprise} part ${index + 1} 缺失`, `the visit ${enterprise} part ${index + 1} is due but missing`);
      const right = tasks.sort().map((task) => `${task}:${record.tasks.get(task)!.items.map((item) => item.id).join(",")}`);
      const checks = visit.checks.map((check) => `${check.task}:${check.items.join(",")}`);
      if (right.join(";") !== checks.join(";")) {
        const [due, told] = [right, checks].map((all) => all.join(" ").replaceAll(":", " "));
        must(false, `检查 ${enterprise} part ${index + 1} 的任务与事项应为 ${due}，实为 ${told}`, `visit ${enterprise} part ${index + 1} should have tasks and items ${due}, has ${told}`);
      }
    });
  const extra = count === visits.length ? undefined : visits.find(({ enterprise, part }) => part > (parts.get(enterprise) ?? 0));
  must(extra === undefined, `多出的检查 ${extra?.enterprise} part ${extra?.part}：不由选择结果产生`, `the visit ${extra?.enterprise} part ${extra?.part} does not follow from the selection`);
  const { firms } = record;
  const noted = say(`${count} 次检查及其检查项相符`, `${count} visits with exactly their checks`);
  if (firms === null) throw open(after(say("企业的区划", "districts of enterprises"), hidden(record)), noted);
  for (const { district, enterprise, part } of visits) {
    const due = firms.get(enterprise)?.district;
    if (due !== district) must(false, `检查 ${enterprise} part ${part} 的区划应为 ${due}，实为 ${district}`, `visit ${enterprise} part ${part} should be in district ${due}, says ${district}`);
  }
  return noted;
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

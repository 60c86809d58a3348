/** Do the ids of an announcement name what exists? Otherwise nothing can be computed from it (docs/protocol.md §1, 3). */

import { type Announcement, ID_PATTERN } from "./documents";
import { say, type Said } from "./outcome";
import type { Record_ } from "./record";

/** Ids of one kind that differ only in letter case; null where there are none. */
export function twins(names: Iterable<string>): string | null {
  const seen = new Map<string, string>();
  for (const name of names) {
    const lower = name.toLowerCase();
    const other = seen.get(lower);
    if (other !== undefined && other !== name) return `${other}, ${name}`;
    seen.set(lower, name);
  }
  return null;
}

/** All ids of an announcement, by kind. */
export function kinds({ contributions, crews, policy, profiles, tasks }: Announcement): Record<string, string[]> {
  const strata = tasks.flatMap((task) => task.strata ?? []);
  const items = tasks.flatMap((task) => task.items);
  return {
    department: [...crews, ...tasks, ...policy.relief].map((one) => one.department),
    task: tasks.flatMap((task) => (task.lead === null ? [task.id] : [task.id, task.lead])),
    stratum: strata.map((stratum) => stratum.id), group: strata.map((stratum) => stratum.group),
    profile: (profiles ?? []).map((profile) => profile.id), item: items.map((item) => item.id), mark: marksOf({ crews, tasks }),
    party: contributions.map((one) => one.party),
  };
}

/** All marks that an announcement names. */
export function marksOf({ crews, tasks }: Pick<Announcement, "crews" | "tasks">): string[] {
  return [...tasks.flatMap((task) => task.items.flatMap((item) => item.marks)), ...crews.flatMap((crew) => crew.seats.flat())];
}

/** The first id of the announcement that names nothing. */
export function brokenReference(record: Record_): Said | null {
  const announcement = record.announcement!;
  const { crews, policy, rates, tasks } = announcement;
  if (tasks.length === 0) return say("没有任务", "there is no task");
  const departments = [...new Set(tasks.map((task) => task.department))].sort();
  if (crews.map((crew) => crew.department).join() !== departments.join()) return say("席位应与有任务的部门一一对应", "crews: one per department of a task");
  for (const { id, items, lead } of tasks) {
    if (lead !== null && record.tasks.get(lead)?.mode !== "own") return say(`任务 ${id} 所随的 ${lead} 不是自抽任务`, `task ${id} follows ${lead}, which is no own task`);
    if (items.length === 0) return say(`任务 ${id} 没有事项`, `task ${id} has no items`);
  }
  if (!policy.relief.every((step) => departments.includes(step.department))) return say("放宽步骤的部门没有任务", "a relief step of a department without tasks");
  const own = tasks.filter((task) => task.mode === "own").map((task) => task.id);
  if (rates.map((rate) => rate.task).join() !== own.join()) return say("比率应与自抽任务一一对应", "rates: one per own task");
  for (const [task, strata] of record.strata ?? [])
    for (const { group, id } of record.tasks.get(task)!.control === "two-way" ? strata : [])
      if (!id.startsWith(`${group}.`) || !ID_PATTERN.test(id.slice(group.length + 1))) return say(`${task} ${id} 不是“组.列”`, `${task} ${id}: not its group, a dot and a column`);
  return null;
}

/** What is wrong with a map task → stratum, or null. */
export function misplaced(record: Record_, strata: Record<string, string>): Said | null {
  if (Object.keys(strata).length === 0) return say("不属于任何层", "is in no stratum");
  for (const [task, stratum] of Object.entries(strata)) {
    const known = record.tasks.get(task)?.mode === "follows" ? stratum === "all" : record.strata?.get(task)?.some((one) => one.id === stratum);
    if (known !== true) return say(`属于未公告的层 ${task} ${stratum}`, `is in a stratum that was not announced: ${task} ${stratum}`);
  }
  return null;
}

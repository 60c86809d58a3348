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
  const seated = crews.map((crew) => crew.department);
  const apart = [...seated.filter((one) => !departments.includes(one)), ...departments.filter((one) => !seated.includes(one))].sort().join(", ");
  if (seated.join() !== departments.join())
    return say(`crews 与任务的部门不一致：${apart}`, `crews should have one entry per department of a task; differs in ${apart}`);
  for (const { id, items, lead } of tasks) {
    if (lead !== null && record.tasks.get(lead)?.mode !== "own") return say(`任务 ${id} 的 lead ${lead} 不是独立任务`, `task ${id} follows ${lead}, which is no own task`);
    if (items.length === 0) return say(`任务 ${id} 没有事项`, `task ${id} has no items`);
  }
  const idle = policy.relief.find((step) => !departments.includes(step.department))?.department;
  if (idle !== undefined) return say(`relief 的部门 ${idle} 没有任务`, `a relief step names department ${idle}, which has no task`);
  const own = tasks.filter((task) => task.mode === "own").map((task) => task.id);
  const rated = rates.map((rate) => rate.task).join(", ");
  if (rated !== own.join(", ")) return say(`rates 应有任务 ${own.join(", ")}，实有 ${rated}`, `rates should have the tasks ${own.join(", ")}, has ${rated}`);
  for (const [task, strata] of record.strata ?? [])
    for (const { group, id } of record.tasks.get(task)!.control === "two-way" ? strata : [])
      if (!id.startsWith(`${group}.`) || !ID_PATTERN.test(id.slice(group.length + 1))) return say(`任务 ${task} 为双向控制，层 ${id} 应为“${group}.列”`, `task ${task} has two-way control: stratum ${id} should be ${group}.column`);
  return null;
}

/** What is wrong with a map task → stratum, or null. */
export function misplaced(record: Record_, strata: Record<string, string>): Said | null {
  if (Object.keys(strata).length === 0) return say("不在任何层中", "is in no stratum");
  for (const [task, stratum] of Object.entries(strata)) {
    const mode = record.tasks.get(task)?.mode;
    if (mode === undefined) return say(`任务 ${task} 不存在`, `task ${task} does not exist`);
    if (mode === "follows" && stratum !== "all") return say(`跟随任务 ${task} 的层应为 all`, `the stratum of following task ${task} should be all`);
    if (mode === "own" && record.strata?.get(task)?.some((one) => one.id === stratum) !== true)
      return say(`任务 ${task} 没有层 ${stratum}`, `task ${task} has no stratum ${stratum}`);
  }
  return null;
}

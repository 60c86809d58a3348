/** The published figures (docs/protocol.md §10): derived, not part of the draw, but nobody may flatter a draw with them. */

import type { Statistics } from "./documents";
import { Fraction, ZERO } from "./fraction";
import { must } from "./outcome";
import type { Record_ } from "./record";

const ONE = new Fraction(1n);

export function checkStatistics(record: Record_, shown: Statistics): void {
  const announcement = record.announcement!;
  const frame = record.lists.get("frame")?.rows.length;
  const agree = (condition: boolean, zh: string, en: string): void => must(condition, `统计不实：${zh}`, `statistics: ${en}`);
  agree(shown.frame.size === frame, "抽样框大小", "size of the frame");
  agree(shown.frame.districts.reduce((sum, { count }) => sum + count, 0) === frame, "各区户数之和", "sum of the districts");
  agree((shown.excluded === null) === record.sealed, "排除情况", "excluded");
  if (record.firms !== null) {
    const districts = count([...record.firms.values()].map((firm) => firm.district));
    agree(same(districts, shown.frame.districts.map(({ count: n, district }) => [district, n])), "各区户数", "districts of the frame");
  }
  const { selection } = record;
  if (selection !== null) {
    const visited = new Set(selection.flatMap(({ selected }) => selected)).size;
    const alone = selection.reduce((sum, { selected }) => sum + selected.length, 0);
    agree(shown.overlap.visited === visited && shown.overlap.alone === alone, "合并情况", "overlap");
    const tasks = announcement.tasks.map(({ id, total }) => `${id} ${total} ${selection.find((one) => one.task === id)?.selected.length}`);
    agree(tasks.join() === shown.tasks.map(({ expected, selected, task }) => `${task} ${expected} ${selected}`).join(), "各任务户数", "tasks");
  }
  if (record.firms !== null && record.strata !== null) {
    const { independent, least } = overlap(record);
    agree(shown.overlap.independent === independent, `independent 应为 ${independent}`, `independent is ${independent}`);
    agree(shown.overlap.least_possible === least, `least_possible 应为 ${least}`, `least_possible is ${least}`);
  }
  const { visits: listed } = record.result!;
  const { embargo } = announcement.policy;
  if (embargo === "visits") agree(shown.sample.length === 0, "保密期内应为空", "no sample under an embargo");
  else if (listed !== null) {
    const districts = new Map(listed.map((visit) => [visit.enterprise, visit.district]));
    agree(same(count([...districts.values()]), shown.sample.map(({ count: n, district }) => [district, n])), "样本区划", "districts of the sample");
  }
  if (embargo !== "none") {
    const { greatest, least, median } = shown.load;
    agree(shown.undated.length + shown.workload.length + greatest + least + median === 0, "设有保密期，不得显示日期与工作量", "an embargo hides undated visits and workload");
    return;
  }
  const undated = listed!.filter((visit) => visit.date === null).map((visit) => `${visit.enterprise} ${visit.part}`);
  agree(undated.join() === shown.undated.map(({ enterprise, part }) => `${enterprise} ${part}`).join(), "无日期的检查", "undated visits");
  const crews = new Map<string, number>();
  const days = new Map<string, Set<string>>();
  for (const { crews: made, date } of listed!)
    for (const { seats } of made)
      for (const seat of seats) {
        crews.set(seat, (crews.get(seat) ?? 0) + 1);
        days.set(seat, (days.get(seat) ?? new Set()).add(date ?? ""));
      }
  const workload = [...record.people.keys()].map((id) => `${id} ${crews.get(id) ?? 0} ${days.get(id)?.size ?? 0}`);
  agree(workload.join() === shown.workload.map((one) => `${one.inspector} ${one.crews} ${one.days}`).join(), "工作量", "workload");
  const loads = [...record.people.keys()].map((id) => crews.get(id) ?? 0).sort((a, b) => a - b);
  agree(shown.load.least === (loads[0] ?? 0) && shown.load.greatest === (loads.at(-1) ?? 0), "最小或最大工作量", "least or greatest load");
  agree(shown.load.median === (loads[(loads.length - 1) >> 1] ?? 0), "工作量中位数", "median load");
}

function count(names: string[]): Map<string, number> {
  const found = new Map<string, number>();
  for (const name of names) found.set(name, (found.get(name) ?? 0) + 1);
  return found;
}

function same(found: Map<string, number>, shown: [string, number][]): boolean {
  return found.size === shown.length && shown.every(([name, n]) => found.get(name) === n);
}

/** `independent` and `least_possible`, over groups of enterprises with the same probabilities. */
function overlap(record: Record_): { independent: string; least: string } {
  const rates = new Map<string, Fraction>();
  for (const [task, strata] of record.strata!)
    for (const { expected, id, size } of strata) {
      const e = Fraction.of(expected);
      if (size > 0) rates.set(`${task} ${id}`, e.times(new Fraction(1n, BigInt(size))));
    }
  const own = [...record.strata!.keys()];
  const groups = new Map<string, number>();
  const memo = new Map<Record<string, string>, string>();
  for (const { strata } of record.firms!.values()) {
    let key = memo.get(strata);
    if (key === undefined) {
      key = own.filter((task) => Object.hasOwn(strata, task)).map((task) => `${task} ${strata[task]}`).join(",");
      memo.set(strata, key);
    }
    groups.set(key, (groups.get(key) ?? 0) + 1);
  }
  let [independent, least] = [ZERO, ZERO];
  for (const [key, size] of groups) {
    let [missed, greatest] = [ONE, ZERO];
    for (const stratum of key === "" ? [] : key.split(",")) {
      const rate = rates.get(stratum) ?? ZERO;
      missed = missed.times(ONE.minus(rate));
      if (rate.compare(greatest) > 0) greatest = rate;
    }
    const many = new Fraction(BigInt(size));
    independent = independent.plus(ONE.minus(missed).times(many));
    least = least.plus(greatest.times(many));
  }
  return { independent: independent.sixDecimals(), least: least.sixDecimals() };
}

/** The published figures (docs/protocol.md §10): derived, not part of the draw, but nobody may flatter a draw with them. */

import type { Statistics } from "./documents";
import { knownTasks } from "./crews";
import { falseFlag, undatedReasons } from "./flags";
import { Fraction, ZERO } from "./fraction";
import { must } from "./outcome";
import { tally } from "./lists";
import type { Record_ } from "./record";
import { brokenReference } from "./references";

const ONE = new Fraction(1n);

export function checkStatistics(record: Record_, shown: Statistics): void {
  const announcement = record.announcement!;
  const frame = announcement.lists.frame!.size;
  const agree = (condition: boolean, zh: string, en: string): void => must(condition, `统计不实：${zh}`, `statistics: ${en}`);
  agree(shown.frame.size === frame, "抽样框大小", "size of the frame");
  agree(shown.frame.districts.reduce((sum, { count }) => sum + count, 0) === frame, "各区户数之和", "sum of the districts");
  agree((shown.excluded === null) === record.sealed, "排除情况", "excluded");
  const sense = brokenReference(record) === null;
  const firms = sense ? record.firms : null;
  if (firms !== null) {
    const districts = new Map<string, number>();
    for (const [{ district }, n] of tally(firms.places)) districts.set(district, (districts.get(district) ?? 0) + n);
    agree(same(districts, shown.frame.districts.map(({ count: n, district }) => [district, n])), "各区户数", "districts of the frame");
  }
  const { selection } = record;
  if (selection !== null) {
    const alone = selection.reduce((sum, { selected }) => sum + selected.length, 0);
    agree(shown.overlap.alone === alone, "各任务户数之和", "overlap: alone");
    const tasks = announcement.tasks.map(({ id, total }) => `${id} ${total} ${selection.find((one) => one.task === id)?.selected.length}`);
    agree(tasks.join() === shown.tasks.map(({ expected, selected, task }) => `${task} ${expected} ${selected}`).join(), "各任务户数", "tasks");
  }
  if (firms !== null && record.strata !== null) {
    const { independent, least } = overlap(record);
    agree(shown.overlap.independent === independent, `independent 应为 ${independent}`, `independent is ${independent}`);
    agree(shown.overlap.least_possible === least, `least_possible 应为 ${least}`, `least_possible is ${least}`);
  }
  const flag = falseFlag(record, shown.flags, sense);
  agree(flag === null, `标记 ${flag}`, `flag ${flag}`);
  const { visits: listed } = record;
  const visited = listed && new Set(listed.map((visit) => visit.enterprise)).size;
  agree(visited === null || shown.overlap.visited === visited, "被查户数", "overlap: visited");
  const { embargo } = announcement.policy;
  if (embargo === "visits") agree(shown.sample.length === 0, "保密期内应为空", "no sample under an embargo");
  else if (listed !== null) {
    const districts = new Map(listed.map((visit) => [visit.enterprise, visit.district]));
    agree(same(tally(districts.values()), shown.sample.map(({ count: n, district }) => [district, n])), "样本区划", "districts of the sample");
  }
  if (embargo !== "none") {
    const { greatest, least, median } = shown.load;
    agree(shown.undated.length + shown.workload.length + greatest + least + median === 0, "设有保密期，不得显示日期与工作量", "an embargo hides undated visits and workload");
    return;
  }
  const undated = listed!.filter((visit) => visit.date === null);
  const named = undated.map((visit) => `${visit.enterprise} ${visit.part}`).join();
  agree(named === shown.undated.map(({ enterprise, part }) => `${enterprise} ${part}`).join(), "无日期的检查", "undated visits");
  if (firms !== null && record.list("roster") !== undefined && record.pairs !== null && knownTasks(record, listed!)) {
    const reasons = undatedReasons(record, undated).join();
    agree(reasons === shown.undated.map(({ reason }) => reason).join(), `无日期的理由应为 ${reasons}`, `reasons of undated visits are ${reasons}`);
  }
  const crews = new Map<string, number>();
  const days = new Map<string, Set<string>>();
  for (const { crews: made, date } of listed!)
    for (const { seats } of made)
      for (const seat of seats) {
        crews.set(seat, (crews.get(seat) ?? 0) + 1);
        days.set(seat, (days.get(seat) ?? new Set()).add(date ?? ""));
      }
  if (!sense || record.list("roster") === undefined) return;
  const workload = [...record.people.keys()].map((id) => `${id} ${crews.get(id) ?? 0} ${days.get(id)?.size ?? 0}`);
  agree(workload.join() === shown.workload.map((one) => `${one.inspector} ${one.crews} ${one.days}`).join(), "工作量", "workload");
  const loads = [...record.people.keys()].map((id) => crews.get(id) ?? 0).sort((a, b) => a - b);
  agree(shown.load.least === (loads[0] ?? 0) && shown.load.greatest === (loads.at(-1) ?? 0), "最小或最大工作量", "least or greatest load");
  agree(shown.load.median === (loads[(loads.length - 1) >> 1] ?? 0), "工作量中位数", "median load");
}

function same(found: Map<string, number>, shown: [string, number][]): boolean {
  return found.size === shown.length && shown.every(([name, n]) => found.get(name) === n);
}

/** `independent` and `least_possible`, over groups of enterprises with the same probabilities. */
function overlap(record: Record_): { independent: string; least: string } {
  const places = tally(record.firms!.places);
  const sizes = new Map<string, number>();
  for (const [{ strata }, count] of places)
    for (const task of Object.keys(strata)) sizes.set(`${task} ${strata[task]}`, (sizes.get(`${task} ${strata[task]}`) ?? 0) + count);
  const rates = new Map<string, Fraction>();
  for (const [task, strata] of record.strata!)
    for (const { expected, id } of strata) {
      const size = sizes.get(`${task} ${id}`) ?? 0;
      if (size > 0) rates.set(`${task} ${id}`, Fraction.of(expected).times(new Fraction(1n, BigInt(size))));
    }
  const own = [...record.strata!.keys()];
  const groups = new Map<string, number>();
  for (const [{ strata }, count] of places) {
    const key = own.filter((task) => Object.hasOwn(strata, task)).map((task) => `${task} ${strata[task]}`).join(",");
    groups.set(key, (groups.get(key) ?? 0) + count);
  }
  // Exact sums have denominators of thousands of digits. Rounded down to 2^-256 at every step they are off by less than
  // `slack`; where that could change a sixth digit the exact sums are made after all.
  let [missedAll, best, slack, total] = [0n, 0n, 0n, 0n];
  for (const [key, size] of groups) {
    const many = BigInt(size);
    let [missed, greatest, steps] = [UNIT, 0n, 1n];
    for (const cell of key === "" ? [] : key.split(",")) {
      const { p, q } = rates.get(cell) ?? ZERO;
      missed = (missed * (q - p)) / q;
      const share = (UNIT * p) / q;
      if (share > greatest) greatest = share;
      steps++;
    }
    missedAll += missed * many;
    best += greatest * many;
    slack += steps * many;
    total += many;
  }
  const independent = sixDigits(total * UNIT - missedAll - slack, total * UNIT - missedAll) ?? exactly(groups, rates).independent;
  const least = sixDigits(best, best + slack) ?? exactly(groups, rates).least;
  return { independent, least };
}

const UNIT = 1n << 256n;

/** A value known to lie between two bounds in units of 2^-256, if both are written the same. */
function sixDigits(low: bigint, high: bigint): string | null {
  const [one, other] = [low < 0n ? 0n : low, high].map((value) => new Fraction(value, UNIT).sixDecimals());
  return one === other ? one! : null;
}

function exactly(groups: Map<string, number>, rates: Map<string, Fraction>): { independent: string; least: string } {
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

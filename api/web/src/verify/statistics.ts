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
  const counted = shown.frame.districts.reduce((sum, { count }) => sum + count, 0);
  agree("frame.size", frame, shown.frame.size);
  must(counted === frame, `statistics.json 的 frame.districts 合计 ${counted} 户，抽样框为 ${frame} 户`, `frame.districts of statistics.json add up to ${counted}, the frame has ${frame}`);
  must((shown.excluded === null) === record.sealed, "statistics.json 的 excluded 应当且仅当密封时为 null", "excluded of statistics.json should be null in a sealed draw, and only there");
  const sense = brokenReference(record) === null;
  const firms = sense ? record.firms : null;
  if (firms !== null) {
    const districts = new Map<string, number>();
    for (const [{ district }, n] of tally(firms.places)) districts.set(district, (districts.get(district) ?? 0) + n);
    agree("frame.districts", counts(districts), told(shown.frame.districts));
  }
  const { selection } = record;
  if (selection !== null) {
    const alone = selection.reduce((sum, { selected }) => sum + selected.length, 0);
    agree("overlap.alone", alone, shown.overlap.alone);
    const tasks = announcement.tasks.map(({ id, total }) => `${id} ${total} ${selection.find((one) => one.task === id)?.selected.length}`);
    agree("tasks", tasks, shown.tasks.map(({ expected, selected, task }) => `${task} ${expected} ${selected}`));
  }
  if (firms !== null && record.strata !== null) {
    const { independent, least } = overlap(record);
    agree("overlap.independent", independent, shown.overlap.independent);
    agree("overlap.least_possible", least, shown.overlap.least_possible);
  }
  const wrong = falseFlag(record, shown.flags, sense);
  must(wrong === null, `statistics.json 的 flags：${wrong?.zh}`, `flags of statistics.json: ${wrong?.en}`);
  const { visits: listed } = record;
  const visited = listed && new Set(listed.map((visit) => visit.enterprise)).size;
  if (visited !== null) agree("overlap.visited", visited, shown.overlap.visited);
  const { embargo } = announcement.policy;
  if (embargo === "visits") agree("sample", [], told(shown.sample));
  else if (listed !== null) agree("sample", counts(tally(new Map(listed.map((visit) => [visit.enterprise, visit.district])).values())), told(shown.sample));
  const undatedShown = shown.undated.map(({ enterprise, part }) => `${enterprise} ${part}`);
  const workloadShown = shown.workload.map((one) => `${one.inspector} ${one.crews} ${one.days}`);
  const load = [shown.load.least, shown.load.median, shown.load.greatest].map(String);
  if (embargo !== "none") {
    // They tell dates and crews.
    agree("undated", [], undatedShown);
    agree("workload", [], workloadShown);
    agree("load", ["0", "0", "0"], load);
    return;
  }
  const undated = listed!.filter((visit) => visit.date === null);
  agree("undated", undated.map((visit) => `${visit.enterprise} ${visit.part}`), undatedShown);
  if (firms !== null && record.list("roster") !== undefined && record.pairs !== null && knownTasks(record, listed!)) {
    const reasons = undatedReasons(record, undated);
    agree("undated", undatedShown.map((place, at) => `${place} ${reasons[at]}`), shown.undated.map(({ enterprise, part, reason }) => `${enterprise} ${part} ${reason}`));
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
  const people = [...record.people.keys()];
  agree("workload", people.map((id) => `${id} ${crews.get(id) ?? 0} ${days.get(id)?.size ?? 0}`), workloadShown);
  const loads = people.map((id) => crews.get(id) ?? 0).sort((a, b) => a - b);
  agree("load", [loads[0], loads[(loads.length - 1) >> 1], loads.at(-1)].map((n) => String(n ?? 0)), load);
}

/** A published figure, or rows of them, are those computed; the first row that is not is named. */
function agree(path: string, due: string | number | string[], shown: string | number | string[]): void {
  let [right, found] = [due, shown];
  if (Array.isArray(due) && Array.isArray(shown)) {
    let at = 0;
    while (at < due.length && due[at] === shown[at]) at++;
    [right, found] = [due[at] ?? "–", shown[at] ?? "–"];
  }
  must(right === found, `statistics.json 的 ${path} 应为 ${right}，公布为 ${found}`, `${path} of statistics.json should be ${right}, published is ${found}`);
}

function counts(found: Map<string, number>): string[] {
  return [...found].sort(([a], [b]) => (a < b ? -1 : 1)).map(([district, n]) => `${district} ${n}`);
}

function told(shown: { count: number; district: string }[]): string[] {
  return shown.map(({ count, district }) => `${district} ${count}`);
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

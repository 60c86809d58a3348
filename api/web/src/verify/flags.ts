/** What was conspicuous in the lists, and why a visit has no date (docs/protocol.md §10.1). */

import { Rules, seatsFor } from "./crews";
import type { Statistics, Visit } from "./documents";
import { Fraction } from "./fraction";
import { tally } from "./lists";
import { type Said, say } from "./outcome";
import type { Record_ } from "./record";

const SMALL_FRAME = 10;
const HALF = new Fraction(1n, 2n);
/** People for each seat below which a pool is thin. */
const THIN = 3;

/** The first flag that is wrong, missing or invented, as far as the lists, if they are of use, tell; null if there is none. */
export function falseFlag(record: Record_, shown: Statistics["flags"], lists: boolean): Said | null {
  const stray = shown.find(({ task }) => task !== "" && !record.tasks.has(task));
  if (stray !== undefined) return say(`${stray.code} 所指的任务 ${stray.task} 不存在`, `${stray.code} names task ${stray.task}, which does not exist`);
  for (const [code, due] of expected(record, lists)) {
    const told = new Map(shown.filter((flag) => flag.code === code).map(({ task, value }) => [task, value]));
    const wrong = [...told].some(([task, value]) => due.get(task) !== value);
    // Whether all items of a task are key items is not in the record: a high rate may stand without its flag.
    const missing = code !== "high-rate" && [...due.keys()].some((task) => !told.has(task));
    const list = (flags: Map<string, string>): string => [...flags].sort().map((flag) => flag.join(" ")).join(", ") || "–";
    if (wrong || missing) return say(`${code} 应为 ${list(due)}，公布为 ${list(told)}`, `${code} should be ${list(due)}, published is ${list(told)}`);
  }
  return null;
}

function expected(record: Record_, lists: boolean): Map<string, Map<string, string>> {
  const { policy, rates } = record.announcement!;
  const { tasks } = record;
  const firms = lists ? record.firms : null;
  const high = rates.filter(({ greatest }) => Fraction.of(greatest).compare(HALF) > 0);
  const found = new Map([["high-rate", new Map(high.map(({ greatest, task }) => [task, greatest]))]]);
  const districts = new Set<string>();
  if (firms !== null) {
    const members = new Map<string, number>([...tasks.keys()].map((task) => [task, 0]));
    for (const [{ district, strata }, count] of tally(firms.places)) {
      districts.add(district);
      for (const task of Object.keys(strata)) members.set(task, (members.get(task) ?? 0) + count);
    }
    const few = [...members].filter(([task, count]) => tasks.has(task) && count < SMALL_FRAME);
    found.set("small-frame", new Map(few.map(([task, count]) => [task, String(count)])));
  }
  if (!lists || record.list("roster") === undefined || (firms === null && !policy.cross_district)) return found;
  const thin = new Map<string, string>();
  for (const { department, id } of tasks.values()) {
    const least = thinnest(record, department, policy.cross_district ? null : districts);
    if (least !== null) thin.set(id, String(least));
  }
  return found.set("small-pool", thin);
}

/** The size of a department's smallest thin pool; `districts` null: they do not bind. */
function thinnest(record: Record_, department: string, districts: Set<string> | null): number | null {
  const marks = [...record.tasks.values()].filter((task) => task.department === department).flatMap((task) => task.items.flatMap((item) => item.marks));
  const crew = record.announcement!.crews.find((one) => one.department === department);
  if (crew === undefined) return null;
  const seats = tally(seatsFor(crew.seats, marks).map((seat) => seat.join()));
  const people = [...record.people.values()].filter((person) => person.department === department);
  let least: number | null = null;
  for (const district of districts ?? [null])
    for (const [seat, wanted] of seats) {
      const needed = seat === "" ? [] : seat.split(",");
      const able = people.filter((one) => needed.every((mark) => one.marks.includes(mark)) && (district === null || one.districts.includes(district))).length;
      if (able < THIN * wanted && (least === null || able < least)) least = able;
    }
  return least;
}

/** The reasons of undated visits, in their order. Needs frame, roster and recusals. */
export function undatedReasons(record: Record_, undated: Visit[]): string[] {
  const rules = new Rules(record, record.result!.relief);
  return undated.map((visit) => {
    const closed = record.firms!.get(visit.enterprise)?.closed;
    if (closed !== undefined && record.announcement!.days.every((day) => closed.includes(day))) return "closed";
    const barred = rules.barred(visit);
    for (const [department, seats] of rules.crews(visit.checks)) {
      const able = rules.pool(department, visit.district, seats).filter((p) => !barred.has(p) && !rules.isRecused(p, visit.enterprise));
      if (able.length < seats.length || seats.some((seat) => !able.some((p) => rules.fits(p, seat)))) return "seat-without-candidate";
    }
    return "no-seatable-day";
  });
}

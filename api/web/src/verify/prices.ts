/** Why a plan is the least one and the only one: prices of fully booked people and days (docs/protocol.md §8.7). */

import type { Price, Visit } from "./documents";
import type { Rules, Seats } from "./crews";
import { must } from "./outcome";

/** A crew of a plan: its seats' marks, who sits there, and who is barred. All people are numbers of the rules. */
export interface Seated { visit: Visit; department: string; seats: Seats; persons: number[]; barred: Set<number> }

interface Arcs { from: Int32Array; to: Int32Array; day: Int32Array; gain: Float64Array; count: number }

/** Every possible replacement of p by q in a crew: from p, to q, on a day, gain = cost(p) − cost(q). */
function replacements(rules: Rules, crews: Seated[], stage: string, progress: (share: number) => void): Arcs {
  let size = 1024;
  const arcs: Arcs = {
    from: new Int32Array(size), to: new Int32Array(size), day: new Int32Array(size), gain: new Float64Array(size), count: 0,
  };
  const push = (p: number, q: number, t: number, gain: number): void => {
    if (arcs.count === size) {
      size *= 2;
      for (const name of ["from", "to", "day"] as const) {
        const larger = new Int32Array(size);
        larger.set(arcs[name]);
        arcs[name] = larger;
      }
      const larger = new Float64Array(size);
      larger.set(arcs.gain);
      arcs.gain = larger;
    }
    arcs.from[arcs.count] = p;
    arcs.to[arcs.count] = q;
    arcs.day[arcs.count] = t;
    arcs.gain[arcs.count++] = gain;
  };
  const days = rules.days.length;
  crews.forEach(({ visit, department, seats, persons, barred }, index) => {
    if (index % 256 === 0) progress(index / crews.length);
    const t = rules.dayNumber.get(visit.date!)!;
    const fitting = rules.fitting(seats);
    // moves[n]: the seats whose occupants leave if somebody takes seat n and its occupant moves on, and so on.
    const moves = seats.map((_, n) => {
      const seen = new Set([n]);
      for (const at of seen) for (const other of fitting[persons[at]!]!) seen.add(other);
      return [...seen];
    });
    const left = new Int32Array(seats.length);
    const costs = rules.pairCosts(stage, visit, department, persons);
    const others = rules.pool(department, visit.district, seats).filter((q) => !persons.includes(q) && !barred.has(q) && !rules.absent[q * days + t]);
    const theirs = rules.pairCosts(stage, visit, department, others);
    others.forEach((q, at) => {
      for (const n of fitting[q]!)
        for (const seat of moves[n]!) {
          if (left[seat] === at + 1) continue;
          left[seat] = at + 1;
          push(persons[seat]!, q, t, costs[seat]! - theirs[at]!);
        }
    });
  });
  return arcs;
}

/**
 * Values from 0 upwards until all arcs x → y hold: value[y] ≥ value[x] + gain. `null` if they rise for ever, or if a
 * value that `mustStayZero` rises. Each value records the number of arcs that lifted it: more than there are variables
 * means that it rose around a cycle.
 */
function least<T extends number | bigint>(
  zero: T, gains: ArrayLike<T>, from: Int32Array, to: Int32Array, nodes: number, mustStayZero: Uint8Array, ceiling: T,
): T[] | "rises" | "too large" {
  const first = new Int32Array(nodes + 1);
  for (const x of from) first[x + 1]!++;
  for (let x = 0; x < nodes; x++) first[x + 1]! += first[x]!;
  const order = new Int32Array(from.length);
  const next = first.slice();
  from.forEach((x, arc) => { order[next[x]!++] = arc; });
  const value: T[] = new Array<T>(nodes).fill(zero);
  const depth = new Int32Array(nodes);
  const waits = new Uint8Array(nodes);
  let queue: number[] = [];
  for (let x = 0; x < nodes; x++) if (first[x] !== first[x + 1]) queue.push(x);
  while (queue.length > 0) {
    const later: number[] = [];
    for (const x of queue) {
      waits[x] = 0;
      for (let at = first[x]!; at < first[x + 1]!; at++) {
        const arc = order[at]!;
        const y = to[arc]!;
        const raised = ((value[x]! as number) + (gains[arc]! as number)) as T;
        if (raised <= value[y]!) continue;
        if (raised > ceiling) return "too large";
        value[y] = raised;
        depth[y] = depth[x]! + 1;
        if (mustStayZero[y] || depth[y]! > nodes) return "rises";
        if (!waits[y]) {
          waits[y] = 1;
          later.push(y);
        }
      }
    }
    queue = later;
  }
  return value;
}

/** The least prices of a plan and whether it is unique; a failure if the plan is not the least one. */
export function judge(
  rules: Rules, crews: Seated[], stage: string, progress: (share: number) => void,
): { prices: Price[]; unique: boolean } {
  const people = rules.people.length;
  const days = rules.days.length;
  const arcs = replacements(rules, crews, stage, progress);
  const perDay = new Int32Array(people * days);
  const load = new Int32Array(people);
  for (const { visit, persons } of crews)
    for (const p of persons) {
      perDay[p * days + rules.dayNumber.get(visit.date!)!]!++;
      load[p]!++;
    }
  // Variables: a(p, t) where the day is full; elsewhere a(p, t) = period(p), which is one variable a person.
  const variable = new Int32Array(people * days);
  let nodes = people;
  const up: number[] = [];
  for (let p = 0; p < people; p++)
    for (let t = 0; t < days; t++) {
      const full = perDay[p * days + t]! >= rules.daily[p]!;
      variable[p * days + t] = full ? nodes : p;
      if (full) {
        up.push(p);
        nodes++;
      }
    }
  const total = arcs.count + up.length;
  const from = new Int32Array(total);
  const to = new Int32Array(total);
  for (let arc = 0; arc < arcs.count; arc++) {
    from[arc] = variable[arcs.from[arc]! * days + arcs.day[arc]!]!;
    to[arc] = variable[arcs.to[arc]! * days + arcs.day[arc]!]!;
  }
  up.forEach((p, index) => {
    from[arcs.count + index] = p;
    to[arcs.count + index] = people + index;
  });
  const gains = new Float64Array(total);
  gains.set(arcs.gain.subarray(0, arcs.count));
  const slack = new Uint8Array(nodes);
  for (let p = 0; p < people; p++) slack[p] = load[p]! < rules.total[p]! ? 1 : 0;
  // A gain is below 2^40, so values below 2^52 add exactly; a path of more than 4,096 gains is computed again in BigInt.
  let value: number[] | bigint[] | string = least(0, gains, from, to, nodes, slack, 2 ** 52);
  if (value === "too large") value = least(0n, Array.from(gains, BigInt), from, to, nodes, slack, 1n << 100n);
  must(typeof value !== "string", "方案不是最小方案", "the plan is not the least one");
  const a = value as number[];

  const prices: Price[] = [];
  for (let p = 0; p < people; p++) {
    const priced: Record<string, string> = {};
    for (let t = 0; t < days; t++) {
      const day = a[variable[p * days + t]!]! - a[p]!;
      if (day) priced[rules.days[t]!] = String(day);
    }
    if (a[p] || Object.keys(priced).length > 0) prices.push({ days: priced, inspector: rules.ids[p]!, period: String(a[p]!) });
  }

  // Uniqueness: nodes (p, t), p, sink.
  const sink = people * days + people;
  const graph: number[][] = Array.from({ length: sink + 1 }, () => []);
  const tight: [number, number][] = [];
  const exact = typeof a[0] === "bigint";
  for (let arc = 0; arc < arcs.count; arc++) {
    const x = arcs.from[arc]! * days + arcs.day[arc]!;
    const y = arcs.to[arc]! * days + arcs.day[arc]!;
    const gain = arcs.gain[arc]!;
    if (a[variable[y]!]! !== a[variable[x]!]! + (exact ? (BigInt(gain) as unknown as number) : gain)) continue;
    graph[x]!.push(y);
    tight.push([x, y]);
  }
  if (tight.length > 0)
    for (let p = 0; p < people; p++) {
      const person = people * days + p;
      if (slack[p]) graph[person]!.push(sink);
      if (load[p]! > 0 && !a[p]) graph[sink]!.push(person);
      for (let t = 0; t < days; t++) {
        const node = p * days + t;
        if (perDay[node]! < rules.daily[p]!) graph[node]!.push(person);
        if (perDay[node]! > 0 && a[variable[node]!]! === a[p]!) graph[person]!.push(node);
      }
    }
  const component = components(graph);
  return { prices, unique: !tight.some(([x, y]) => component[x] === component[y]) };
}

/** The strongly connected component of each node (Tarjan, without recursion). */
function components(graph: number[][]): Int32Array {
  const count = graph.length;
  const component = new Int32Array(count).fill(-1);
  const index = new Int32Array(count).fill(-1);
  const low = new Int32Array(count);
  const position = new Int32Array(count);
  const stack: number[] = [];
  let time = 0;
  let found = 0;
  for (let root = 0; root < count; root++) {
    if (index[root] !== -1) continue;
    const path = [root];
    index[root] = low[root] = time++;
    stack.push(root);
    while (path.length > 0) {
      const x = path[path.length - 1]!;
      const y = graph[x]![position[x]!++];
      if (y === undefined) {
        path.pop();
        const parent = path[path.length - 1];
        if (parent !== undefined) low[parent] = Math.min(low[parent]!, low[x]!);
        if (low[x] !== index[x]) continue;
        for (let member = -1; member !== x; ) {
          member = stack.pop()!;
          component[member] = found;
        }
        found++;
      } else if (index[y] === -1) {
        index[y] = low[y] = time++;
        stack.push(y);
        path.push(y);
      } else if (component[y] === -1) low[x] = Math.min(low[x]!, index[y]!);
    }
  }
  return component;
}

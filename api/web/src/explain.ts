/** One enterprise by hand: its ticket as a command that anybody can type, and what follows from it. */

import type { Name, Opening, Visit } from "./verify/documents";
import { sampleSizes } from "./verify/after";
import { canonical, parse } from "./verify/json";
import type { Record_ } from "./verify/record";

export interface ScopeLine {
  task: Name; stratum: string; lead: Name | null; selected: boolean;
  rank: number | null; size: number | null; drawn: number | null; cutoff: string | null;
}

export interface Explanation {
  id: string; name: Name | null; sealed: boolean;
  /** Null as long as the salt is unknown. */
  ticket: string | null; text: string; command: string;
  seal: boolean | null;
  scope: ScopeLine[];
  visits: { part: number; date: string | null; known: boolean; crews: { department: Name; seats: Name[] }[] }[];
}

export interface Match { id: string; name: Name | null }

function named(names: Record<string, Name> | undefined, id: string): Name {
  const name = names !== undefined && Object.hasOwn(names, id) ? names[id]! : null;
  return { zh: name?.zh || id, en: name?.en || id };
}

/** Enterprises whose id or name contains a text; those selected first. */
export function search(record: Record_, text: string, most: number): { matches: Match[]; count: number } {
  const wanted = text.trim().toLowerCase();
  const names = record.labels?.enterprises ?? {};
  const selected = new Set(record.selection?.flatMap((one) => one.selected));
  const found: Match[][] = [[], []];
  let count = 0;
  for (const { id } of record.lists.get("frame")?.rows ?? []) {
    const name = Object.hasOwn(names, id) ? names[id]! : null;
    const matches = id.toLowerCase().includes(wanted) || name?.zh.toLowerCase().includes(wanted) || name?.en.toLowerCase().includes(wanted);
    if (!matches) continue;
    count++;
    const list = found[selected.has(id) ? 0 : 1]!;
    if (list.length < most) list.push({ id, name });
  }
  return { matches: found.flat().slice(0, most), count };
}

/** How to hash a text by hand in the suite of the draw. */
function command(record: Record_, text: string): string {
  const program = record.hasher.suite === "sm3" ? "openssl dgst -sm3" : "sha256sum";
  return `printf '%s' '${text}' | ${program}`;
}

function receipt(record: Record_, id: string, given: string): { salt: string; seal: boolean | null; strata: Record<string, string> | null } | null {
  const text = given.trim();
  if (/^[0-9a-f]{64}$/.test(text)) return { salt: text, seal: null, strata: null };
  try {
    const found = parse(text) as Opening & { rows?: { list: string; opening: Opening | null }[] };
    const opening = found.rows?.find((row) => row.list === "frame")?.opening ?? found;
    const sealed = record.lists.get("frame")?.byId.get(id)?.sealed;
    const seal = opening.id === id && opening.list === "frame" &&
      record.hasher.text(`dualrandom/v1/sealed\n${opening.salt}\n${canonical(opening.hidden)}`) === sealed;
    return { salt: opening.salt, seal, strata: (opening.hidden as { strata: Record<string, string> }).strata };
  } catch {
    return null;
  }
}

/** Null if what was given is no receipt, or there is no such enterprise. */
export function explain(record: Record_, id: string, given: string): Explanation | null {
  const { announcement, labels, result } = record;
  if (announcement === null || result === null || !record.lists.get("frame")?.byId.has(id)) return null;
  const firm = record.firms?.get(id) ?? null;
  let key = firm?.key ?? null;
  let strata = firm?.strata ?? null;
  let seal: boolean | null = null;
  if (key === null && given.trim() !== "") {
    const opened = receipt(record, id, given);
    if (opened === null) return null;
    key = `${id}:${opened.salt}`;
    ({ seal, strata } = opened);
  }
  const text = `${result.seed}:enterprise:${key ?? `${id}:…`}`;
  const ticket = key === null ? null : record.ticket(`enterprise:${key}`);
  const scope: ScopeLine[] = [];
  const shown = new Map(record.selection?.map((one) => [one.task, one]));
  for (const { id: task, lead, mode } of announcement.tasks) {
    const selected = shown.get(task)?.selected.includes(id) ?? false;
    const stratum = strata !== null && Object.hasOwn(strata, task) ? strata[task]! : null;
    if (stratum === null && !selected) continue;
    const line: ScopeLine = {
      task: named(labels?.tasks, task), stratum: stratum ?? "—", lead: lead === null ? null : named(labels?.tasks, lead), selected,
      rank: null, size: null, drawn: null, cutoff: null,
    };
    const listed = record.strata?.get(task);
    const of = listed?.find((one) => one.id === stratum);
    if (mode === "own" && of !== undefined && listed !== undefined && ticket !== null && record.firms !== null) {
      line.size = of.size;
      line.drawn = sampleSizes(record, task, listed).get(of.id)!;
      line.rank = 1;
      for (const [other, { key: theirs, strata: scopes }] of record.firms) {
        if (scopes[task] !== stratum || other === id) continue;
        const drawn = record.ticket(`enterprise:${theirs}`);
        if (drawn < ticket || (drawn === ticket && other < id)) line.rank++;
      }
      line.cutoff = shown.get(task)?.strata?.find((one) => one.id === stratum)?.cutoff
        ?? record.cutoffs?.get(record.numbered.get(`${task} ${stratum}`) ?? "")?.tickets.at(-1) ?? null;
    }
    scope.push(line);
  }
  return {
    id, name: labels !== null && Object.hasOwn(labels.enterprises, id) ? labels.enterprises[id]! : null, sealed: record.sealed,
    ticket, text, command: command(record, text), seal, scope,
    visits: (record.visits ?? []).filter((visit) => visit.enterprise === id).map((visit) => described(record, visit)),
  };
}

function described(record: Record_, visit: Visit): Explanation["visits"][number] {
  const { labels } = record;
  const crews = record.complete ? visit.crews : [];
  return {
    part: visit.part, date: record.complete ? visit.date : null, known: record.complete,
    crews: crews.map(({ department, seats }) => ({
      department: named(labels?.departments, department), seats: seats.map((seat) => named(labels?.inspectors, seat)),
    })),
  };
}

export interface Summary {
  authority: Name; draw: string; start: string; end: string; digest: string; seed: string | null;
  beacon: { kind: string; source: string; round: string; time: string }; rehearsal: boolean; suite: string; sealed: boolean;
  frame: number; counts: { firms: number | null; visits: number; crews: number } | null;
}

/** What stands above the checks. */
export function summarise(record: Record_): Summary | null {
  const { announcement, labels, result } = record;
  if (announcement === null) return null;
  return {
    authority: labels?.authority ?? { zh: announcement.authority, en: announcement.authority },
    draw: announcement.draw, start: announcement.period.start, end: announcement.period.end, digest: record.digest,
    seed: result?.seed ?? null, beacon: announcement.beacon, rehearsal: labels?.rehearsal ?? false, suite: announcement.suite,
    sealed: record.sealed, frame: announcement.lists.frame!.size,
    counts: result && {
      firms: record.selection && new Set(record.selection.flatMap((one) => one.selected)).size,
      visits: result.totals.visits, crews: result.totals.crews,
    },
  };
}

/** One enterprise by hand: its ticket as a command that anybody can type, and what follows from it. */

import { type Course, counted, courseOf, isUnfilled, REASONS, warnings } from "./verify/changes";
import type { Name, Visit } from "./verify/documents";
import { type Said, say } from "./verify/outcome";
import { proven } from "./verify/receipt";
import type { Record_ } from "./verify/record";
import { sampleSizes } from "./verify/selection";

/** `rank` of `size` where all tickets of the stratum are known; `place` of `drawn` where only those drawn are (0: larger than all). */
export interface ScopeLine {
  task: Name; stratum: string; lead: Name | null; selected: boolean;
  rank: number | null; place: number | null; size: number | null; drawn: number | null; cutoff: string | null;
}

export interface Explanation {
  id: string; name: Name | null; sealed: boolean;
  /** Null as long as the salt is unknown. */
  ticket: string | null; command: string;
  scope: ScopeLine[];
  /** Those in effect, where changes can be followed. */
  visits: { part: number; date: string | null; known: boolean; crews: { department: Name; seats: Name[]; unfilled: boolean }[] }[];
  /** What was changed for this enterprise after the draw, in the order of the changes. */
  changes: Said[];
}

export interface Match { id: string; name: Name | null }

function named(names: Record<string, Name> | undefined, id: string): Name {
  const name = names !== undefined && Object.hasOwn(names, id) ? names[id]! : null;
  return { zh: name?.zh || id, en: name?.en || id };
}

/** A name with its id, where it has one. */
function labelled(names: Record<string, Name> | undefined, id: string): Said {
  const { en, zh } = named(names, id);
  return say(zh === id ? id : `${zh}（${id}）`, en === id ? id : `${en} (${id})`);
}

/** Names of enterprises: of those drawn, and of their substitutes. */
function enterprises(record: Record_): Record<string, Name> {
  const substitutes = record.changes?.flatMap((row) => (row.type === "substitute" ? Object.entries(row.names) : [])) ?? [];
  return { ...Object.fromEntries(substitutes), ...record.labels?.enterprises };
}

/** Enterprises whose id or name contains a text; those selected first. */
export function search(record: Record_, text: string, most: number): { matches: Match[]; count: number } {
  const wanted = text.trim().toLowerCase();
  const names = enterprises(record);
  const selected = new Set(record.selection?.flatMap((one) => one.selected));
  for (const row of record.changes ?? []) if (row.type === "substitute") for (const { enterprise } of row.visits) selected.add(enterprise);
  const found: Match[][] = [[], []];
  let count = 0;
  for (const id of record.list("frame")?.ids ?? []) {
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

/** `salt`: 64 hex digits, or anything else for none. Null if there is no such enterprise, or nothing is drawn yet. */
export function explain(record: Record_, id: string, salt: string, receipt: Uint8Array | null): Explanation | null {
  const { announcement, firms, labels, result } = record;
  if (announcement === null || result === null || !record.list("frame")?.has(id)) return null;
  const shown = firms === null ? proven(record, id, receipt) : null;
  const key = firms?.key(id) ?? shown?.key ?? (/^[0-9a-f]{64}$/.test(salt) ? `${id}:${salt}` : null);
  const strata = firms?.get(id)?.strata ?? shown?.strata ?? null;
  const ticket = key === null ? null : record.ticket(`enterprise:${key}`);
  const scope: ScopeLine[] = [];
  for (const { id: task, lead } of announcement.tasks) {
    const selected = record.selection?.find((one) => one.task === task)?.selected.includes(id) ?? false;
    const stratum = strata !== null && Object.hasOwn(strata, task) ? strata[task]! : null;
    if (stratum === null && !selected) continue;
    const line: ScopeLine = {
      task: named(labels?.tasks, task), stratum: stratum ?? "", lead: lead === null ? null : named(labels?.tasks, lead), selected,
      rank: null, place: null, size: null, drawn: null, cutoff: null,
    };
    if (ticket !== null && firms !== null && stratum !== null) rank(record, task, id, ticket, line);
    const cell = shown?.cells.find((one) => one.task === task);
    if (cell !== undefined)
      Object.assign(line, { size: cell.size, drawn: cell.n, cutoff: cell.cutoff, place: cell.tickets === null ? null : cell.tickets.indexOf(shown!.ticket) + 1 });
    scope.push(line);
  }
  const names = enterprises(record);
  const course = courseOf(record);
  const visits = course === null ? record.visits ?? [] : [...course.effective.values()].map((one) => one.visit);
  return {
    id, name: Object.hasOwn(names, id) ? names[id]! : null, sealed: record.sealed,
    ticket, command: command(record, `${result.seed}:enterprise:${key ?? `${id}:…`}`), scope,
    visits: visits.filter((visit) => visit.enterprise === id).map((visit) => described(record, visit)),
    changes: course === null ? [] : changesOf(record, course, id),
  };
}

/** What was changed for an enterprise after the draw. */
function changesOf(record: Record_, { exclusions, withdrawn }: Course, id: string): Said[] {
  const department = (name: string): Name => named(record.labels?.departments, name);
  return record.changes!.flatMap((row): Said[] => {
    const reason = row.type === "substitute" ? null : REASONS[row.reason];
    if (row.type === "exclude") return row.enterprise === id ? [say(`抽取后被排除（${reason!.zh}），不再检查`, `excluded after the draw (${reason!.en}): not visited`)] : [];
    if (row.type === "substitute") {
      const of = exclusions.find((one) => one.digest === row.exclude)!.row.enterprise;
      return row.visits.some((visit) => visit.enterprise === id) ? [say(`递补 ${of}`, `a substitute for ${of}`)] : [];
    }
    const { en, zh } = department(row.department);
    if (row.type === "replace") {
      if (row.enterprise !== id) return [];
      const [out, joined] = [row.out, row.in].map((person) => named(record.labels?.inspectors, person)) as [Name, Name];
      return [say(`${zh}：${out.zh}换为${joined.zh}（${reason!.zh}）`, `${en}: ${joined.en} in the place of ${out.en} (${reason!.en})`)];
    }
    const parts = [...withdrawn.get(row.department)!.unfilled].filter((place) => place.split(" ")[0] === id);
    return parts.length === 0 ? [] : [say(`${zh}自 ${row.from} 起退出（${reason!.zh}），其检查组空缺`, `${en} withdrew from ${row.from} on (${reason!.en}); its crew is unfilled`)];
  });
}

/** The enterprise's rank in its stratum, by the tickets of all its members. */
function rank(record: Record_, task: string, id: string, ticket: string, line: ScopeLine): void {
  const listed = record.strata?.get(task);
  const of = listed?.find((one) => one.id === line.stratum);
  if (listed === undefined || of === undefined) return;
  const { ids, keys, places } = record.firms!;
  line.size = of.size;
  line.drawn = sampleSizes(record, task, listed).get(of.id)!;
  line.rank = 1;
  for (let at = 0; at < ids.length; at++) {
    if (places[at]!.strata[task] !== line.stratum || ids[at] === id) continue;
    const other = record.ticket(`enterprise:${keys[at]}`);
    if (other < ticket || (other === ticket && ids[at]! < id)) line.rank++;
  }
  line.cutoff = record.selection?.find((one) => one.task === task)?.strata?.find((one) => one.id === line.stratum)?.cutoff
    ?? record.cutoffs?.get(record.numbered.get(`${task} ${line.stratum}`) ?? "")?.tickets.at(-1) ?? null;
}

function described(record: Record_, visit: Visit): Explanation["visits"][number] {
  const { labels } = record;
  const crews = record.complete ? visit.crews : [];
  return {
    part: visit.part, date: record.complete ? visit.date : null, known: record.complete,
    crews: crews.map((crew) => ({
      department: named(labels?.departments, crew.department), seats: crew.seats.map((seat) => named(labels?.inspectors, seat)), unfilled: isUnfilled(crew),
    })),
  };
}

export interface Summary {
  authority: Name; draw: string; timezone: string; start: string; end: string; digest: string; seed: string | null; voided: boolean;
  beacon: { kind: string; source: string; round: string; time: string }; rehearsal: boolean; suite: string; sealed: boolean;
  frame: number; counts: { firms: number | null; visits: number; crews: number } | null;
  /** How many changes there were after the draw; null if none, or they cannot be followed. */
  changes: Said | null;
  /** What happened unusually often after the draw, §13.5. */
  warnings: Said[];
  /** The log's key as the folder has it; null without a log. */
  logKey: string | null;
}

/** What stands above the checks. */
export function summarise(record: Record_): Summary | null {
  const { announcement, files, labels, result } = record;
  if (announcement === null) return null;
  const key = files.get("log/log.vkey");
  const course = courseOf(record);
  return {
    authority: labels?.authority ?? { zh: announcement.authority, en: announcement.authority },
    draw: announcement.draw, timezone: announcement.timezone, start: announcement.period.start, end: announcement.period.end, digest: record.digest,
    seed: result?.seed ?? null, voided: record.ended !== null, beacon: announcement.beacon, rehearsal: labels?.rehearsal ?? false,
    suite: announcement.suite, sealed: record.sealed, frame: announcement.lists.frame!.size,
    counts: result && {
      firms: record.selection && new Set(record.selection.flatMap((one) => one.selected)).size,
      visits: result.totals.visits, crews: result.totals.crews,
    },
    changes: course && counted(course, record.changes!, (department) => named(labels?.departments, department)),
    warnings: course === null ? [] : warnings(record, record.changes!, (kind, id) => labelled(labels?.[kind], id)),
    logKey: files.has("log/checkpoint") && key !== undefined ? new TextDecoder().decode(key).trim().slice(0, 300) : null,
  };
}

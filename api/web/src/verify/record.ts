/** A record: files by name, read into one form, whether rows were published open, opened later or opened to the auditor. */

import {
  ANNOUNCEMENT, type Announcement, ATTESTATION, type Attestation, BEACON, type Beacon, CHANGE, type Change, FINDINGS, type Findings, HEX64, ID, ID_PATTERN, LABELS, type Labels, LISTS,
  type ListName, listShapes, type Opening, type Person, type Price, PRICES, type Result, resultShape, REVEAL, type Reveal, type Row,
  type Selected, selectionShape, STATISTICS, type Statistics, type Stratum, type Task, TIES, type Ties, type Visit,
  VISITS, VOID, type Void,
} from "./documents";
import { Hasher } from "./hash";
import { type PublicLog, readLog } from "./log";
import type { Policy } from "./policy";
import { decode, parse } from "./json";
import { NO_RESULT, say, type Said } from "./outcome";
import { record, type Shape } from "./shape";

export type Files = Map<string, Uint8Array>;

/** What only the auditor has: the list secret and openings by list. */
export interface AuditorFiles { secret: Uint8Array; openings: Files }

/** What is known of an enterprise; many share one such object. */
export interface Place { closed: string[]; district: string; strata: Record<string, string> }

/** The enterprises of a frame whose content is known: columns of equal length, ids ascending. */
export class Firms {
  constructor(private readonly list: List, readonly places: readonly Place[], readonly keys: readonly string[]) {}

  get ids(): readonly string[] {
    return this.list.ids;
  }

  get size(): number {
    return this.ids.length;
  }

  get(id: string): Place | undefined {
    return this.places[this.list.place(id)];
  }

  key(id: string): string | undefined {
    return this.keys[this.list.place(id)];
  }
}

/** A list's rows as columns; row i is [starts[i], starts[i + 1] - 1) of the file. */
export class List {
  readonly ids: string[] = [];
  readonly details: unknown[] = [];
  readonly seals: (string | undefined)[] = [];
  private last = -1;

  constructor(readonly data: Uint8Array) {}

  get size(): number {
    return this.ids.length;
  }

  add(id: string, detail: unknown, seal: string | undefined): void {
    this.ids.push(id);
    this.details.push(detail);
    this.seals.push(seal);
  }

  /** The row of an id, -1 if there is none. Ids ascend; those asked for often follow each other. */
  place(id: string): number {
    const { ids } = this;
    if (ids[this.last + 1] === id) return ++this.last;
    let low = 0;
    let high = ids.length - 1;
    while (low <= high) {
      const middle = (low + high) >> 1;
      const found = ids[middle]!;
      if (found === id) return (this.last = middle);
      if (found < id) low = middle + 1;
      else high = middle - 1;
    }
    return -1;
  }

  has(id: string): boolean {
    return this.place(id) !== -1;
  }

  root(hasher: Hasher): string {
    return hasher.root(this.data, lineStarts(this.data));
  }
}

/** How often each value occurs. */
export function tally<T>(values: Iterable<T>): Map<T, number> {
  const found = new Map<T, number>();
  for (const value of values) found.set(value, (found.get(value) ?? 0) + 1);
  return found;
}

/** What a sealed row hides: its value, its bytes as they were sealed, and the salt. */
export interface Opened { hidden: unknown; text: string; salt: string }

/** seed.txt, §4: its first four lines, and what each party gave. */
export interface Seed { head: string[]; parties: { party: string; revealed: boolean; value: string }[] }

const SEED = /^((?:[\x00-\x09\x0b-\x7f]*\n){4})((?:contribution [\x00-\x09\x0b-\x1f\x21-\x7f]* (?:revealed|withheld) [0-9a-f]{64}\n)*)$/;
const OPENING = record({ hidden: () => null, id: ID, list: ID, salt: HEX64 });

/** Documents in the folder of a draw, §10; any other .json or .jsonl file beside them is refused. */
const DOCUMENTS = [
  "announcement.json", "beacon.json", "result.json", "ties.json", "labels.json", "statistics.json", "findings.json",
  "void.json", "attest.json", "openings.jsonl", "changes.jsonl", ...LISTS.map((name) => `${name}.jsonl`),
];

/** Where the rows of a list begin, and its end. */
export function lineStarts(data: Uint8Array): number[] {
  const starts = [0];
  for (let at = data.indexOf(10); at !== -1; at = data.indexOf(10, at + 1)) starts.push(at + 1);
  return starts;
}

/** Computes once, when it is first asked for. */
function once<T>(compute: () => T): () => T {
  let known: { value: T } | null = null;
  return () => (known ??= { value: compute() }).value;
}

const ROW = /^\{"detail":(\{.*\}),"id":"([0-9A-Za-z._~-]{1,129})"\}$/;
const SEALED_ROW = /^\{"id":"([0-9A-Za-z._-]{1,64})","sealed":"([0-9a-f]{64})"\}$/;
const OPENED_ROW = /^\{"hidden":(\{.*\}),"id":"([0-9A-Za-z._-]{1,64})","list":"([a-z]+)","salt":"([0-9a-f]{64})"\}$/;

/**
 * Small documents are read at once, others, lists and what follows from them when a check first asks: each of the page's threads
 * makes some of the checks, and reads only what these need.
 */
export class Record_ {
  /** What does not parse: the first problems of each file. `canonical` asks for all lists before it looks here. */
  readonly problems: Said[] = [];
  announcement: Announcement | null = null;
  digest = "";
  hasher = new Hasher("sha256");
  tasks = new Map<string, Task>();
  result: Result | null = null;
  beacon: Beacon | null = null;
  attestation: Attestation | null = null;
  seed: Seed | null = null;
  readonly reveals = new Map<string, Reveal>();
  ended: Void | null = null;
  changes: Change[] | null = null;
  changeLines: string[] = [];
  changeProblem: Said | null = null;
  private readonly lists = new Map<ListName, List | undefined>();
  private readonly shapes: ReturnType<typeof listShapes> | null = null;

  constructor(
    readonly files: Files, readonly auditor: AuditorFiles | null, private readonly trust: Policy | null = null, readonly voided = false,
  ) {
    for (const name of files.keys())
      if (/^[^/]+\.jsonl?$/.test(name) && !DOCUMENTS.includes(name)) this.problem(name, say("不是该抽取的文件", "not a file of this draw"));
    const announcement = this.document<Announcement>("announcement.json", ANNOUNCEMENT);
    if (announcement === null) {
      if (!files.has("announcement.json")) this.problem("announcement.json", say("缺失", "missing"));
      return;
    }
    this.announcement = announcement;
    this.shapes = listShapes(announcement);
    this.hasher = new Hasher(announcement.suite);
    this.digest = this.hasher.digest(files.get("announcement.json")!);
    for (const task of announcement.tasks) this.tasks.set(task.id, task);
    this.result = this.document("result.json", resultShape(announcement));
    this.beacon = this.document("beacon.json", BEACON);
    this.attestation = this.document("attest.json", ATTESTATION);
    this.ended = this.document("void.json", VOID);
    this.readReveals();
    this.readSeed();
    this.readChanges();
  }

  /** Why there is no result that can be used. */
  undrawn(): Said {
    if (this.files.has("result.json")) return say("result.json 无法读取", "result.json could not be read");
    return this.files.has("void.json") ? say("抽取已作废，没有结果", "the draw was voided, there is no result") : NO_RESULT;
  }

  get sealed(): boolean {
    return this.announcement?.disclosure === "sealed";
  }

  ticket(name: string): string {
    return this.hasher.ticket(this.result!.seed, name);
  }

  /** The stage of the pair tickets of an attempt, §5. */
  static stage(attempt: number): string {
    return attempt === 0 ? "pair" : `pair.${attempt}`;
  }

  /** Read every list, and whatever opens them, so that `problems` is complete. */
  readAll(): void {
    if (this.announcement === null) return;
    for (const read of Object.values(this.later)) read();
    for (const name of LISTS) this.list(name);
    this.opened();
    this.drawn();
  }

  private problem(file: string, reason: Said): void {
    if (this.problems.length < 50) this.problems.push(say(`${file}：${reason.zh}`, `${file}: ${reason.en}`));
  }

  private document<T>(name: string, shape: Shape): T | null {
    const data = this.files.get(name);
    return data === undefined ? null : (this.value(name, data, shape) as T | null);
  }

  private value(place: string, data: Uint8Array | string, shape: Shape): unknown {
    try {
      const value = parse(typeof data === "string" ? data : decode(data));
      const refused = shape(value);
      if (refused === null) return value;
      const at = refused === "" ? "" : ` ${refused}`;
      this.problem(place, say(`键、类型、取值或次序不对${at}`, `keys, types, values or order${at}`));
    } catch (error) {
      const why = (error as Error).message.slice(0, 120);
      this.problem(place, say(`不是规范的 JSON（${why}）`, `not canonical JSON (${why})`));
    }
    return null;
  }

  /** The published log, null if there is none. Throws LogFault where it cannot be used. */
  readonly log = once((): PublicLog | null => readLog(this.files, this.trust));

  private readReveals(): void {
    for (const name of [...this.files.keys()].sort()) {
      if (!name.startsWith("reveals/")) continue;
      const reveal = this.document<Reveal>(name, REVEAL);
      if (reveal === null) continue;
      if (name === `reveals/${reveal.party}.json`) this.reveals.set(name, reveal);
      else this.problem(name, say(`是 ${reveal.party} 的`, `of the party ${reveal.party}`));
    }
  }

  private readSeed(): void {
    const data = this.files.get("seed.txt");
    if (data === undefined) return;
    let found: RegExpExecArray | null = null;
    try {
      found = SEED.exec(decode(data));
    } catch {
      // The check of the seed says so.
    }
    if (found === null) return;
    const parties = found[2]!.split("\n").slice(0, -1).map((line) => {
      const [, party, how, value] = line.split(" ") as [string, string, string, string];
      return { party, revealed: how === "revealed", value };
    });
    this.seed = { head: found[1]!.split("\n").slice(0, 4), parties };
  }

  private readChanges(): void {
    const data = this.files.get("changes.jsonl");
    if (data === undefined) return;
    // §12 counts the form of this file, which grows after the draw, to the check of the changes.
    const before = this.problems.length;
    const lines = this.lines("changes.jsonl", data) ?? [];
    const rows = lines.map((line, at) => this.value(`changes.jsonl ${at + 1}`, line, CHANGE) as Change | null);
    this.changeProblem = this.problems.splice(before)[0] ?? null;
    if (this.changeProblem !== null) return;
    this.changes = rows as Change[];
    this.changeLines = lines;
  }

  /** Split a list into lines; null and a problem if it does not end with a newline or is not UTF-8. */
  private lines(name: string, data: Uint8Array): string[] | null {
    if (data.length === 0) return [];
    try {
      const text = decode(data);
      if (text.endsWith("\n")) return text.slice(0, -1).split("\n");
      this.problem(name, say("末行没有换行", "no newline after the last row"));
    } catch {
      this.problem(name, say("不是 UTF-8", "not UTF-8"));
    }
    return null;
  }

  /** A list, if it is there and in order. */
  list(name: ListName): List | undefined {
    if (!this.lists.has(name)) this.lists.set(name, this.readList(name));
    return this.lists.get(name);
  }

  private readList(name: ListName): List | undefined {
    const file = `${name}.jsonl`;
    const data = this.files.get(file);
    if (data === undefined) return undefined;
    const lines = this.lines(file, data);
    if (lines === null) return undefined;
    const { id: idPattern, row: shape } = this.shapes![name];
    const list = new List(data);
    // Many rows share their detail. Around text that was found canonical and in shape, a row can only be written in one way.
    const known = new Map<string, unknown>();
    let last = "";
    for (let at = 0; at < lines.length; at++) {
      const line = lines[at]!;
      const open = ROW.exec(line);
      const sealed = open === null ? SEALED_ROW.exec(line) : null;
      let id: string;
      if (open !== null && known.has(open[1]!) && idPattern.test(open[2]!)) list.add((id = open[2]!), known.get(open[1]!), undefined);
      else if (sealed !== null && known.has("sealed") && idPattern.test(sealed[1]!)) list.add((id = sealed[1]!), undefined, sealed[2]!);
      else {
        const row = this.value(`${file} ${at + 1}`, line, shape) as Row | null;
        if (row === null) return undefined;
        if (open !== null) known.set(open[1]!, row.detail);
        if (sealed !== null) known.set("sealed", null);
        list.add((id = row.id), row.detail, row.sealed);
      }
      if (at > 0 && !(last < id)) {
        this.problem(`${file} ${at + 1}`, say("标识未升序", "ids do not ascend"));
        return undefined;
      }
      last = id;
    }
    return list;
  }

  /** What is opened, by list and id: to everybody in openings.jsonl, or to the auditor. */
  readonly opened = once(() => {
    const found = new Map<string, Map<string, Opened>>(LISTS.map((name) => [name, new Map()]));
    this.readOpenings("openings.jsonl", this.files.get("openings.jsonl"), null, found);
    for (const [name, data] of this.auditor?.openings ?? [])
      if (LISTS.includes(name as ListName)) this.readOpenings(`openings/${name}.jsonl`, data, name as ListName, found);
    return found;
  });

  private readOpenings(file: string, data: Uint8Array | undefined, only: ListName | null, found: Map<string, Map<string, Opened>>): void {
    if (data === undefined) return;
    if (only === null && !this.sealed && this.announcement!.policy.embargo === "none")
      this.problem(file, say("没有可启封的内容", "nothing is sealed"));
    const lines = this.lines(file, data);
    const known = new Map<string, unknown>();
    let last = "";
    for (let at = 0; at < (lines?.length ?? 0); at++) {
      const line = lines![at]!;
      const place = `${file} ${at + 1}`;
      let opening: Opening;
      const match = OPENED_ROW.exec(line);
      if (match !== null && known.has(`${match[3]} ${match[1]}`) && ID_PATTERN.test(match[2]!))
        opening = { hidden: known.get(`${match[3]} ${match[1]}`), id: match[2]!, list: match[3]!, salt: match[4]! };
      else {
        const value = this.value(place, line, OPENING) as Opening | null;
        if (value === null) return;
        opening = value;
        // A list that does not exist is for the check of the lists.
        const refused = Object.hasOwn(this.shapes!, opening.list) ? this.shapes![opening.list as ListName].hidden(opening.hidden) : null;
        if (refused !== null) {
          this.problem(place, say(`启封内容的键、类型或次序不对 ${refused}`, `keys, types or order of what is opened ${refused}`));
          return;
        }
        // Only enterprises share what they hide.
        if (match !== null && opening.list === "frame") known.set(`frame ${match[1]}`, opening.hidden);
      }
      const { hidden, id, list, salt } = opening;
      const name = `${list} ${id}`;
      // The line is canonical, so what stands between these keys is what was sealed.
      const text = line.slice('{"hidden":'.length, -`,"id":"${id}","list":"${list}","salt":"${salt}"}`.length);
      const of = found.get(list) ?? new Map<string, Opened>();
      found.set(list, of);
      const twin = of.get(id);
      if ((only ?? list) !== list || !(last < name)) this.problem(place, say("次序不对", "order"));
      else if (twin !== undefined && (twin.text !== text || twin.salt !== salt)) this.problem(place, say("同一行两次启封不同", "two openings of one row differ"));
      else {
        of.set(id, { hidden, text, salt });
        last = name;
        continue;
      }
      return;
    }
  }

  /** What a list hides, by id, if every row of it is opened. */
  hidden<T>(name: ListName): Map<string, T> | null {
    const list = this.list(name);
    const opened = this.opened().get(name)!;
    if (list === undefined || opened.size < list.size) return null;
    const found = new Map<string, T>();
    for (const id of list.ids) {
      const opening = opened.get(id);
      if (opening === undefined) return null;
      found.set(id, opening.hidden as T);
    }
    return found;
  }

  private readonly later = {
    labels: once(() => this.document<Labels>("labels.json", LABELS)), statistics: once(() => this.document<Statistics>("statistics.json", STATISTICS)),
    findings: once(() => this.document<Findings>("findings.json", FINDINGS)), ties: once(() => this.document<Ties>("ties.json", TIES)),
  };

  get labels(): Labels | null {
    return this.later.labels();
  }

  get statistics(): Statistics | null {
    return this.later.statistics();
  }

  get findings(): Findings | null {
    return this.later.findings();
  }

  get ties(): Ties | null {
    return this.later.ties();
  }

  private readonly roster = once(() => {
    const list = this.list("roster");
    return new Map((list?.ids ?? []).map((id, at) => [id, list!.details[at] as Person]));
  });

  get people(): Map<string, Person> {
    return this.roster();
  }

  private readonly frame = once((): Firms | null => {
    const list = this.list("frame");
    if (list === undefined) return null;
    if (this.sealed) {
      const opened = this.opened().get("frame")!;
      if (opened.size < list.size) return null;
      const places: Place[] = [];
      const keys: string[] = [];
      for (const id of list.ids) {
        const opening = opened.get(id);
        if (opening === undefined) return null;
        places.push(opening.hidden as Place);
        keys.push(`${id}:${opening.salt}`);
      }
      return new Firms(list, places, keys);
    }
    const profiles = new Map(this.announcement!.profiles!.map((profile) => [profile.id, profile.strata]));
    const known = new Map<unknown, Place>();
    const places = list.details.map((detail) => {
      let place = known.get(detail);
      if (place === undefined) {
        const { closed, district, profile } = detail as { closed: string[]; district: string; profile: string };
        known.set(detail, (place = { closed, district, strata: profiles.get(profile) ?? {} }));
      }
      return place;
    });
    return new Firms(list, places, list.ids);
  });

  /** Null where the content is sealed and not opened. */
  get firms(): Firms | null {
    return this.frame();
  }

  private readonly recusals = once((): [string, string][] | null => {
    if (!this.sealed) return this.list("recusals")?.ids.map((id) => id.split("~") as [string, string]) ?? null;
    const hidden = this.hidden<{ pair: [string, string] }>("recusals");
    return hidden && [...hidden.values()].map(({ pair }) => pair);
  });

  /** Null where sealed and not opened. */
  get pairs(): [string, string][] | null {
    return this.recusals();
  }

  private readonly cells = once(() => {
    const own = this.announcement!.tasks.filter((task) => task.mode === "own");
    /** Numbers of strata in the sealed lists: "task stratum" → "s0001". */
    const numbered = new Map<string, string>();
    if (!this.sealed) return { strata: new Map(own.map((task) => [task.id, task.strata ?? []])), numbered };
    const hidden = this.hidden<Stratum & { task: string }>("strata");
    if (hidden === null) return { strata: null, numbered };
    const strata = new Map<string, Stratum[]>(own.map((task) => [task.id, []]));
    for (const [number, stratum] of hidden) {
      strata.get(stratum.task)?.push(stratum);
      numbered.set(`${stratum.task} ${stratum.id}`, number);
    }
    return { strata, numbered };
  });

  /** The strata of each own task; null where sealed and not opened. */
  get strata(): Map<string, Stratum[]> | null {
    return this.cells().strata;
  }

  get numbered(): Map<string, string> {
    return this.cells().numbered;
  }

  private readonly hiddenCutoffs = once(() => this.hidden<{ n: number; tickets: string[] }>("cutoffs"));

  get cutoffs(): Map<string, { n: number; tickets: string[] }> | null {
    return this.hiddenCutoffs();
  }

  private readonly drawn = once(() => {
    const { announcement, result } = this;
    if (result === null) return { complete: false, selection: null, visits: null, prices: null };
    const shown = { complete: true, selection: result.selection, visits: result.visits, prices: result.prices };
    const { embargo } = announcement!.policy;
    if (embargo === "none") return shown;
    shown.complete = false;
    const hidden = this.hidden<unknown>("visits");
    if (hidden === null) return shown;
    const prices = hidden.get("prices");
    const selection = embargo === "visits" ? hidden.get("selection") : result.selection;
    const visits = [...hidden].filter(([id]) => id.startsWith("v")).map(([, visit]) => visit);
    const rows = visits.length + (embargo === "visits" ? 2 : 1);
    if (PRICES(prices) !== null || selectionShape(announcement!)(selection) !== null || VISITS(visits) !== null || rows !== hidden.size) {
      this.problem("visits.jsonl", say("各行所藏与 §9 不符", "rows do not hide what §9 says"));
      return shown;
    }
    return { complete: true, selection: selection as Selected[], visits: visits as Visit[], prices: prices as Price[] };
  });

  get selection(): Selected[] | null {
    return this.drawn().selection;
  }

  get visits(): Visit[] | null {
    return this.drawn().visits;
  }

  get prices(): Price[] | null {
    return this.drawn().prices;
  }

  /** Are the visits there with dates and crews? */
  get complete(): boolean {
    return this.drawn().complete;
  }
}

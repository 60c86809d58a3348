/** A record: files by name, read into one form, whether rows were published open, opened later or opened to the auditor. */

import {
  ANNOUNCEMENT, type Announcement, ATTESTATION, type Attestation, BEACON, type Beacon, CHANGE, type Change, embargoedShape, FINDINGS, type Findings, HEX64, HEX64_PATTERN, ID, LABELS, type Labels, LISTS,
  type ListName, listShapes, type Opening, type Person, type Price, PRICES, type Result, resultShape, REVEAL, type Reveal, type Row,
  type Selected, selectionShape, STATISTICS, type Statistics, type Stratum, type Task, TIES, type Ties, type Visit,
  VISITS, VOID, type Void,
} from "./documents";
import { Hasher } from "./hash";
import { Firms, List, Openings, type Place } from "./lists";
import { type PublicLog, readLog } from "./log";
import type { Policy } from "./policy";
import { decode, NotCanonical, parse } from "./json";
import { NO_RESULT, say, type Said } from "./outcome";
import { record, type Refused, type Shape, shown } from "./shape";

export type Files = Map<string, Uint8Array>;

/** What only the auditor has: the list secret and openings by list. */
export interface AuditorFiles { secret: Uint8Array; openings: Files }

/** seed.txt, §4: its first four lines, and what each party gave. */
export interface Seed { head: string[]; parties: { party: string; revealed: boolean; value: string }[] }

const SEED = /^((?:[\x00-\x09\x0b-\x7f]*\n){4})((?:contribution [\x00-\x09\x0b-\x1f\x21-\x7f]* (?:revealed|withheld) [0-9a-f]{64}\n)*)$/;
const OPENING = record({ hidden: () => null, id: ID, list: ID, salt: HEX64 });

/** Documents in the folder of a draw, §10; any other .json or .jsonl file beside them is refused. */
const DOCUMENTS = [
  "announcement.json", "beacon.json", "result.json", "ties.json", "labels.json", "statistics.json", "findings.json",
  "void.json", "attest.json", "openings.jsonl", "changes.jsonl", ...LISTS.map((name) => `${name}.jsonl`),
];

/** Computes once, when it is first asked for. */
function once<T>(compute: () => T): () => T {
  let known: { value: T } | null = null;
  return () => (known ??= { value: compute() }).value;
}

const OPENED_FIRM = /^,"id":"([0-9A-Za-z][0-9A-Za-z._-]{0,63})","list":"frame","salt":"([0-9a-f]{64})"\}$/;

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
  private readonly openings = new Map<string, Openings>();
  private readonly shapes: ReturnType<typeof listShapes> | null = null;

  constructor(
    readonly files: Files, readonly auditor: AuditorFiles | null, private readonly trust: Policy | null = null, readonly voided = false,
  ) {
    for (const name of files.keys())
      if (/^[^/]+\.jsonl?$/.test(name) && !DOCUMENTS.includes(name)) this.problem(name, say("不是本协议的文件", "is no document of this protocol"), " ");
    const announcement = this.document<Announcement>("announcement.json", ANNOUNCEMENT);
    if (announcement === null) {
      if (!files.has("announcement.json")) this.problem("announcement.json", say("缺失", "is missing"), " ");
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
    if (this.files.has("result.json")) return say("result.json 损坏", "result.json is broken");
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
    for (const name of LISTS) this.opened(name);
    this.drawn();
  }

  private problem(file: string, reason: Said, colon?: string): void {
    if (this.problems.length < 50) this.problems.push(say(`${file}${colon ?? "："}${reason.zh}`, `${file}${colon ?? ": "}${reason.en}`));
  }

  /** A value that has not the shape of its place. */
  private refused(place: string, { at, why }: Refused): void {
    const path = at.replace(/^\./, "");
    if (path === "") this.problem(place, why, " ");
    else this.problem(place, say(`${path} ${why.zh}`, `${path} ${why.en}`), ": ");
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
      this.refused(place, refused);
    } catch (error) {
      if (!(error instanceof NotCanonical)) throw error;
      this.problem(place, error.said, " ");
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
      else this.problem(name, say(`属于 ${reveal.party}`, `is of the party ${reveal.party}`), " ");
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
    const rows = lines.map((line, at) => this.value(`changes.jsonl:${at + 1}`, line, CHANGE) as Change | null);
    this.changeProblem = this.problems.splice(before)[0] ?? null;
    if (this.changeProblem !== null) return;
    this.changes = rows as Change[];
    this.changeLines = lines;
  }

  /** The text of a list; null and a problem if it does not end with a newline or is not UTF-8. */
  private text(name: string, data: Uint8Array): string | null {
    if (data.length === 0) return "";
    try {
      const text = decode(data);
      if (text.endsWith("\n")) return text;
      this.problem(name, say("末行没有换行", "has no newline after its last row"), " ");
    } catch {
      this.problem(name, say("不是 UTF-8", "is not UTF-8"), " ");
    }
    return null;
  }

  private lines(name: string, data: Uint8Array): string[] | null {
    return this.text(name, data)?.split("\n").slice(0, -1) ?? null;
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
    const text = this.text(file, data);
    if (text === null) return undefined;
    const { id: idPattern, row: shape } = this.shapes![name];
    const list = new List(data);
    // Many rows share their detail. Around text that was found canonical and in shape, a row can only be written in one way.
    const known = new Map<string, unknown>();
    let isSealed = false;
    let last = "";
    // Hundreds of thousands of rows: of most nothing is cut out but what stays.
    for (let from = 0, at = 0, end = 0; from < text.length; from = end + 1, at++) {
      end = text.indexOf("\n", from);
      const cut = text.startsWith('{"detail":', from) ? text.lastIndexOf(',"id":"', end) : -1;
      const detail = cut > from ? known.get(text.slice(from + 10, cut)) : undefined;
      const closed = text.startsWith('"}', end - 2);
      let id: string;
      if (detail !== undefined && closed && idPattern.test((id = text.slice(cut + 7, end - 2)))) list.add(id, detail, undefined);
      else if (isSealed && closed && text.startsWith('{"id":"', from) && text.startsWith('","sealed":"', end - 78) &&
        HEX64_PATTERN.test(text.slice(end - 66, end - 2)) && idPattern.test((id = text.slice(from + 7, end - 78)))) list.add(id, undefined, text.slice(end - 66, end - 2));
      else {
        const row = this.value(`${file}:${at + 1}`, text.slice(from, end), shape) as Row | null;
        if (row === null) return undefined;
        if (row.sealed === undefined) known.set(text.slice(from + 10, cut), row.detail);
        else isSealed = row.detail === undefined;
        list.add((id = row.id), row.detail, row.sealed);
      }
      if (at > 0 && !(last < id)) {
        this.problem(`${file}:${at + 1}`, say(`未按升序排列或有重复：${shown(last)} 之后是 ${shown(id)}`, `is not ascending and distinct: ${shown(last)} before ${shown(id)}`), " ");
        return undefined;
      }
      last = id;
    }
    return list;
  }

  /** What is opened to everybody, by list. */
  readonly shown = once(() => {
    const data = this.files.get("openings.jsonl");
    return data === undefined ? new Map<string, Openings>() : this.readOpenings("openings.jsonl", data, null);
  });

  /** What is opened of a list: to the auditor, and to everybody. */
  opened(name: string): Openings {
    let opened = this.openings.get(name);
    if (opened === undefined) {
      const data = LISTS.includes(name as ListName) ? this.auditor?.openings.get(name) : undefined;
      const held = data && this.readOpenings(`openings/${name}.jsonl`, data, name as ListName).get(name);
      this.openings.set(name, (opened = held ?? new Openings()));
      const shown = this.shown().get(name);
      for (const [at, id] of shown?.ids.entries() ?? [])
        if (!opened.add(id, shown!.hidden[at], shown!.texts[at]!, shown!.salts[at]!)) this.problem("openings.jsonl", say(`${name} ${id} 两次启封不同`, `${name} ${id} is opened in two ways`));
    }
    return opened;
  }

  /** Openings by list; none from a file that is not in order. */
  private readOpenings(file: string, data: Uint8Array, only: ListName | null): Map<string, Openings> {
    const found = new Map<string, Openings>();
    const lines = this.lines(file, data);
    // Enterprises share what they hide: around text that was found canonical and in shape, a line can be written in one way only.
    const known = new Map<string, unknown>();
    let last = "";
    for (let at = 0; at < (lines?.length ?? 0); at++) {
      const line = lines![at]!;
      const place = `${file}:${at + 1}`;
      const end = line.lastIndexOf(',"id":"');
      const text = line.slice('{"hidden":'.length, end);
      const tail = OPENED_FIRM.exec(line.slice(end));
      let opening: Opening;
      if (tail !== null && line.startsWith('{"hidden":') && known.has(text)) opening = { hidden: known.get(text), id: tail[1]!, list: "frame", salt: tail[2]! };
      else {
        const value = this.value(place, line, OPENING) as Opening | null;
        if (value === null) return new Map();
        opening = value;
        // A list that does not exist is for the check of the lists.
        const { id, list } = opening;
        const shape = list === "visits" ? embargoedShape(this.announcement!, id) : Object.hasOwn(this.shapes!, list) ? this.shapes![list as ListName].hidden : null;
        const refused = shape && shape(opening.hidden);
        if (refused !== null) {
          this.refused(place, { at: `.hidden${refused.at}`, why: refused.why });
          return new Map();
        }
        if (tail !== null) known.set(text, opening.hidden);
      }
      const { hidden, id, list, salt } = opening;
      const name = `${list} ${id}`;
      const of = found.get(list) ?? new Openings();
      found.set(list, of);
      if ((only ?? list) !== list || !(last < name)) {
        if ((only ?? list) === list) this.problem(place, say(`未按升序排列或有重复：${last} 之后是 ${name}`, `is not ascending and distinct: ${last} before ${name}`), " ");
        else this.problem(place, say(`启封的是 ${list}，不是 ${only}`, `opens ${list}, not ${only}`), " ");
        return new Map();
      }
      // The line is canonical, so what stands before the last id is what was sealed.
      of.add(id, hidden, text, salt);
      last = name;
    }
    return found;
  }

  /** What a list hides, by id, if every row of it is opened. */
  hidden<T>(name: ListName): Map<string, T> | null {
    const list = this.list(name);
    const opened = this.opened(name);
    return list !== undefined && opened.isOf(list) ? new Map(list.ids.map((id, at) => [id, opened.hidden[at] as T])) : null;
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
      const opened = this.opened("frame");
      return opened.isOf(list) ? new Firms(list, opened.hidden as Place[], list.ids.map((id, at) => `${id}:${opened.salts[at]}`)) : null;
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
    // A list that lacks these rows is for the check of the lists, or of the result.
    if (!hidden?.has("prices") || (embargo === "visits" && !hidden.has("selection"))) return shown;
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

  /** Does everybody see the whole result: is no row of the embargoed list without its opening in openings.jsonl? */
  get openlyComplete(): boolean {
    if (!this.result?.embargoed) return true;
    const [list, opened] = [this.list("visits"), this.shown().get("visits")];
    return list !== undefined && opened !== undefined && list.ids.every((id) => opened.has(id));
  }
}

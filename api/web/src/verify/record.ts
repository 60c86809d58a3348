/** A record: files by name, read into one form, whether rows were published open, opened later or opened to the auditor. */

import {
  ANNOUNCEMENT, type Announcement, ATTESTATION, type Attestation, BEACON, type Beacon, CHANGE, type Change, FINDINGS, type Findings, HEX64, ID, LABELS, type Labels, LISTS,
  type ListName, listShapes, type Opening, type Person, type Price, PRICES, type Result, resultShape, type Row,
  type Selected, selectionShape, STATISTICS, type Statistics, type Stratum, type Task, TIES, type Ties, type Visit,
  VISITS, VOID, type Void,
} from "./documents";
import { Hasher } from "./hash";
import { canonical, decode, parse } from "./json";
import { say, type Said } from "./outcome";
import { record, type Shape } from "./shape";

export type Files = Map<string, Uint8Array>;

/** What only the auditor has: the list secret and openings by list. */
export interface AuditorFiles { secret: Uint8Array; openings: Files }

export interface Firm { closed: string[]; district: string; key: string; strata: Record<string, string> }

export interface List { rows: Row[]; byId: Map<string, Row>; data: Uint8Array; starts: number[] }

export interface Seed {
  announcement: string; kind: string; source: string; round: string; randomness: string;
  parties: { party: string; revealed: boolean; value: string }[];
}

const SEED =
  /^dualrandom\/v1\/seed\nannouncement ([0-9a-f]{64})\nbeacon (\S+) (\S+) (\S+)\nrandomness ([0-9a-f]{64})\n((?:contribution \S+ (?:revealed|withheld) [0-9a-f]{64}\n)*)$/;
const OPENING = record({ hidden: () => null, id: ID, list: (value) => (LISTS.includes(value as ListName) ? null : ""), salt: HEX64 });

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

export class Record_ {
  /** What does not parse: the first problems of each file. */
  readonly problems: Said[] = [];
  readonly lists = new Map<ListName, List>();
  readonly openings = new Map<string, Opening>();
  readonly hiddenText = new Map<string, string>();
  announcement: Announcement | null = null;
  digest = "";
  hasher = new Hasher("sha256");
  tasks = new Map<string, Task>();
  result: Result | null = null;
  beacon: Beacon | null = null;
  labels: Labels | null = null;
  statistics: Statistics | null = null;
  findings: Findings | null = null;
  attestation: Attestation | null = null;
  ties: Ties | null = null;
  seed: Seed | null = null;
  /** Documents of this draw's void and of earlier, voided draws, by folder ("" or "voided/<draw>/"). */
  readonly voids = new Map<string, { announcement: Announcement | null; void: Void | null }>();

  /** Null where the content is sealed and not opened. */
  firms: Map<string, Firm> | null = null;
  people = new Map<string, Person>();
  pairs: [string, string][] | null = null;
  strata: Map<string, Stratum[]> | null = null;
  /** Numbers of strata in the sealed lists: "task stratum" → "s0001". */
  readonly numbered = new Map<string, string>();
  cutoffs: Map<string, { n: number; tickets: string[] }> | null = null;
  selection: Selected[] | null = null;
  visits: Visit[] | null = null;
  prices: Price[] | null = null;
  changes: Change[] | null = null;
  changeLines: string[] = [];
  changeProblem: Said | null = null;
  /** Are the visits there with dates and crews? */
  complete = false;

  constructor(readonly files: Files, readonly auditor: AuditorFiles | null) {
    const announcement = this.document<Announcement>("announcement.json", ANNOUNCEMENT);
    for (const name of files.keys()) {
      if (/^[^/]+\.jsonl?$/.test(name) && !DOCUMENTS.includes(name)) this.problem(name, say("不是该抽取的文件", "not a file of this draw"));
    }
    if (announcement === null) {
      if (!files.has("announcement.json")) this.problem("announcement.json", say("缺失", "missing"));
      return;
    }
    this.announcement = announcement;
    this.hasher = new Hasher(announcement.suite);
    this.digest = this.hasher.digest(files.get("announcement.json")!);
    for (const task of announcement.tasks) this.tasks.set(task.id, task);
    this.result = this.document("result.json", resultShape(announcement));
    this.beacon = this.document("beacon.json", BEACON);
    this.labels = this.document("labels.json", LABELS);
    this.statistics = this.document("statistics.json", STATISTICS);
    this.findings = this.document("findings.json", FINDINGS);
    this.ties = this.document("ties.json", TIES);
    this.attestation = this.document("attest.json", ATTESTATION);
    this.readSeed();
    this.readChanges();
    this.readVoids();
    const shapes = listShapes(announcement);
    for (const name of LISTS) this.readList(name, shapes[name].row);
    this.readOpenings("openings.jsonl", files.get("openings.jsonl"), null, shapes);
    for (const [name, data] of auditor?.openings ?? []) this.readOpenings(`openings/${name}.jsonl`, data, name, shapes);
    this.understand(announcement);
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

  private problem(file: string, reason: Said): void {
    if (this.problems.length < 50) this.problems.push(say(`${file}：${reason.zh}`, `${file}: ${reason.en}`));
  }

  private document<T>(name: string, shape: Shape, folder = ""): T | null {
    const data = this.files.get(folder + name);
    if (data === undefined) return null;
    return this.value(folder + name, data, shape) as T | null;
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

  private readSeed(): void {
    const data = this.files.get("seed.txt");
    if (data === undefined) return;
    let found: RegExpExecArray | null = null;
    try {
      found = SEED.exec(decode(data));
    } catch {
      // reported below
    }
    if (found === null) {
      this.problem("seed.txt", say("不是 §4 的文本", "not the statement of §4"));
      return;
    }
    const [, digest, kind, source, round, randomness, lines] = found as unknown as string[];
    const parties = lines!.split("\n").slice(0, -1).map((line) => {
      const [, party, how, value] = line.split(" ") as [string, string, string, string];
      return { party, revealed: how === "revealed", value };
    });
    this.seed = { announcement: digest!, kind: kind!, source: source!, round: round!, randomness: randomness!, parties };
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

  private readVoids(): void {
    const folders = new Set([...this.files.keys()].filter((name) => name.startsWith("voided/")).map((name) =>
      name.split("/").slice(0, 2).join("/") + "/"));
    if (this.files.has("void.json")) folders.add("");
    for (const folder of folders)
      this.voids.set(folder, {
        announcement: folder === "" ? this.announcement : this.document("announcement.json", ANNOUNCEMENT, folder),
        void: this.document("void.json", VOID, folder),
      });
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

  private readList(name: ListName, shape: Shape): void {
    const file = `${name}.jsonl`;
    const data = this.files.get(file);
    if (data === undefined) return;
    const lines = this.lines(file, data);
    if (lines === null) return;
    const starts = lineStarts(data);
    const rows: Row[] = [];
    const byId = new Map<string, Row>();
    let last = "";
    for (let at = 0; at < lines.length; at++) {
      const row = this.value(`${file} ${at + 1}`, lines[at]!, shape) as Row | null;
      if (row === null) return;
      if (at > 0 && !(last < row.id)) {
        this.problem(`${file} ${at + 1}`, say("标识未升序", "ids do not ascend"));
        return;
      }
      last = row.id;
      rows.push(row);
      byId.set(row.id, row);
    }
    this.lists.set(name, { rows, byId, data, starts });
  }

  private readOpenings(
    file: string, data: Uint8Array | undefined, only: string | null, shapes: Record<ListName, { hidden: Shape }>,
  ): void {
    if (data === undefined) return;
    if (only !== null && !LISTS.includes(only as ListName)) return;
    const announcement = this.announcement!;
    if (only === null && !this.sealed && announcement.policy.embargo === "none")
      this.problem(file, say("没有可启封的内容", "nothing is sealed"));
    const lines = this.lines(file, data);
    let last = "";
    for (const [at, line] of lines?.entries() ?? []) {
      const place = `${file} ${at + 1}`;
      const opening = this.value(place, line, OPENING) as Opening | null;
      if (opening === null) return;
      const refused = shapes[opening.list as ListName].hidden(opening.hidden);
      const name = `${opening.list} ${opening.id}`;
      const twin = this.openings.get(name);
      if (refused !== null) this.problem(place, say(`启封内容的键、类型或次序不对 ${refused}`, `keys, types or order of what is opened ${refused}`));
      else if ((only ?? opening.list) !== opening.list || !(last < name)) this.problem(place, say("次序不对", "order"));
      else if (twin !== undefined && canonical(twin) !== line) this.problem(place, say("同一行两次启封不同", "two openings of one row differ"));
      else {
        this.openings.set(name, opening);
        // The line is canonical, so what stands between these keys is what was sealed.
        this.hiddenText.set(name, line.slice('{"hidden":'.length, -`,"id":"${opening.id}","list":"${opening.list}","salt":"${opening.salt}"}`.length));
        last = name;
        continue;
      }
      return;
    }
  }

  /** What a list hides, if every row of it is opened. */
  hidden<T>(name: ListName): Map<string, T> | null {
    const list = this.lists.get(name);
    if (list === undefined) return null;
    const found = new Map<string, T>();
    for (const row of list.rows) {
      const opening = this.openings.get(`${name} ${row.id}`);
      if (opening === undefined) return null;
      found.set(row.id, opening.hidden as T);
    }
    return found;
  }

  private understand(announcement: Announcement): void {
    for (const row of this.lists.get("roster")?.rows ?? []) this.people.set(row.id, row.detail as Person);
    const own = announcement.tasks.filter((task) => task.mode === "own");
    if (this.sealed) this.understandSealed(own);
    else {
      this.strata = new Map(own.map((task) => [task.id, task.strata ?? []]));
      this.pairs = this.lists.get("recusals")?.rows.map((row) => row.id.split("~") as [string, string]) ?? null;
      const profiles = new Map(announcement.profiles!.map((profile) => [profile.id, profile.strata]));
      const frame = this.lists.get("frame");
      if (frame !== undefined) {
        this.firms = new Map();
        for (const { id, detail } of frame.rows) {
          const { closed, district, profile } = detail as { closed: string[]; district: string; profile: string };
          this.firms.set(id, { closed, district, key: id, strata: profiles.get(profile) ?? {} });
        }
      }
    }
    if (this.result !== null) this.understandResult(announcement, this.result);
  }

  private understandSealed(own: Task[]): void {
    const frame = this.hidden<Omit<Firm, "key">>("frame");
    if (frame !== null) {
      this.firms = new Map();
      for (const [id, hidden] of frame)
        this.firms.set(id, { ...hidden, key: `${id}:${this.openings.get(`frame ${id}`)!.salt}` });
    }
    const pairs = this.hidden<{ pair: [string, string] }>("recusals");
    this.pairs = pairs === null ? null : [...pairs.values()].map((hidden) => hidden.pair);
    const strata = this.hidden<Stratum & { task: string }>("strata");
    if (strata === null) return;
    this.strata = new Map(own.map((task) => [task.id, []]));
    for (const [number, stratum] of strata) {
      this.strata.get(stratum.task)?.push(stratum);
      this.numbered.set(`${stratum.task} ${stratum.id}`, number);
    }
    this.cutoffs = this.hidden("cutoffs");
  }

  private understandResult(announcement: Announcement, result: Result): void {
    this.selection = result.selection;
    this.visits = result.visits;
    this.prices = result.prices;
    this.complete = announcement.policy.embargo === "none";
    if (this.complete) return;
    const hidden = this.hidden<unknown>("visits");
    if (hidden === null) return;
    const prices = hidden.get("prices");
    const selection = announcement.policy.embargo === "visits" ? hidden.get("selection") : result.selection;
    const visits = [...hidden].filter(([id]) => id.startsWith("v")).map(([, visit]) => visit);
    const rows = visits.length + (announcement.policy.embargo === "visits" ? 2 : 1);
    if (PRICES(prices) !== null || selectionShape(announcement)(selection) !== null || VISITS(visits) !== null || rows !== hidden.size) {
      this.problem("visits.jsonl", say("各行所藏与 §9 不符", "rows do not hide what §9 says"));
      return;
    }
    this.complete = true;
    this.prices = prices as Price[];
    this.selection = selection as Selected[];
    this.visits = visits as Visit[];
  }
}

/** The published log: tiles, entries and the chains of all draws (docs/protocol.md §11.1, 11.2; C2SP tlog-tiles). */

import { sha256 } from "./beacon";
import { HEX64_PATTERN } from "./documents";
import { Hasher } from "./hash";
import { decode, parse } from "./json";
import { type Checkpoint, LogFault, openCheckpoint, parseLogKey, refuse } from "./note";
import { say, type Said } from "./outcome";
import { type Policy, withSuccession } from "./policy";
import type { Files } from "./record";

export const ANNOUNCED = "announced.checkpoint";
const CHECKPOINT = "log/checkpoint";
const WIDTH = 256;

export type EntryType =
  | "ANNOUNCE" | "REVEAL" | "BEACON" | "RESULT" | "EXCLUDE" | "SUBSTITUTE" | "AMEND" | "OPEN" | "FINDINGS" | "ATTEST" | "VOID";
const AFTER_RESULT: readonly EntryType[] = ["EXCLUDE", "SUBSTITUTE", "AMEND", "OPEN", "FINDINGS", "ATTEST"];
const MAY_FOLLOW: Record<EntryType, readonly EntryType[]> = {
  ANNOUNCE: ["REVEAL", "BEACON", "VOID"], REVEAL: ["REVEAL", "BEACON", "VOID"], BEACON: ["RESULT", "VOID"], RESULT: AFTER_RESULT, VOID: [],
  EXCLUDE: AFTER_RESULT, SUBSTITUTE: AFTER_RESULT, AMEND: AFTER_RESULT, OPEN: AFTER_RESULT, FINDINGS: AFTER_RESULT, ATTEST: AFTER_RESULT,
};

export interface Entry { index: number; type: EntryType; draw: string; digest: string; size: number; prev: string | null }

export interface PublicLog {
  checkpoint: Checkpoint;
  /** Knows the log's keys; the witnesses are the reader's. */
  policy: Policy;
  /** Is the log's key one that the reader named? */
  trusted: boolean;
  /** All entries that can be read, in order. */
  entries: Entry[];
  /** Entries that keep the rules of order, by draw. */
  chains: Map<string, Entry[]>;
  /** The greatest announced number of each "authority-year". */
  numbers: Map<string, number>;
  faults: Said[];
  rootOf: (size: number) => Uint8Array;
}

/** A tile's or bundle's path below `log/`. */
function tilePath(level: string, index: number, width: number): string {
  const digits = String(index).padStart(Math.ceil(String(index).length / 3) * 3, "0");
  const groups = digits.match(/.../g)!;
  return `tile/${level}/${groups.map((group, at) => (at < groups.length - 1 ? `x${group}` : group)).join("/")}${width < WIDTH ? `.p/${width}` : ""}`;
}

/** Every tile of one level of a tree: its number, width and path. */
function* tilesOf(level: number | "entries", size: number): Generator<{ index: number; width: number; path: string }> {
  const count = level === "entries" ? size : Math.floor(size / WIDTH ** level);
  for (let index = 0; index * WIDTH < count; index++) {
    const width = Math.min(WIDTH, count - index * WIDTH);
    yield { index, width, path: tilePath(String(level), index, width) };
  }
}

/** The paths of all tiles and bundles of a tree, below `log/`. */
export function* tilePaths(size: number): Generator<string> {
  for (const { path } of tilesOf("entries", size)) yield path;
  for (let level = 0; WIDTH ** level <= size; level++) for (const { path } of tilesOf(level, size)) yield path;
}

/** The entries of a bundle, or null. */
export function bundleEntries(data: Uint8Array): Uint8Array[] | null {
  const found: Uint8Array[] = [];
  for (let at = 0; at < data.length; ) {
    if (at + 2 > data.length) return null;
    const end = at + 2 + data[at]! * 256 + data[at + 1]!;
    if (end > data.length) return null;
    found.push(data.subarray(at + 2, end));
    at = end;
  }
  return found;
}

function readEntries(files: Files, size: number): Uint8Array[] {
  const found: Uint8Array[] = [];
  for (const { index, path, width } of tilesOf("entries", size)) {
    // A partial bundle may have gone once the full one exists.
    const full = tilePath("entries", index, WIDTH);
    const whole = !files.has(`log/${path}`) && files.has(`log/${full}`);
    const data = files.get(`log/${whole ? full : path}`);
    refuse(data !== undefined, `缺文件 ${path}`, `the file ${path} is missing`);
    const entries = bundleEntries(data);
    refuse(entries !== null && entries.length === (whole ? WIDTH : width), `${path} 的条目数不对`, `${path}: number of entries`);
    for (const entry of entries.slice(0, width)) found.push(entry);
  }
  return found;
}

/** The hash of a tree over leaf hashes: neighbours are paired, an odd last node is carried up. */
function treeHash(leaves: readonly Uint8Array[]): Uint8Array {
  let level = leaves.length === 0 ? [sha256.bytes(new Uint8Array(0))] : [...leaves];
  while (level.length > 1) {
    const next: Uint8Array[] = [];
    for (let at = 0; at < level.length; at += 2) next.push(at + 1 < level.length ? nodeHash(level[at]!, level[at + 1]!) : level[at]!);
    level = next;
  }
  return level[0]!;
}

function nodeHash(left: Uint8Array, right: Uint8Array): Uint8Array {
  const data = new Uint8Array(65);
  data[0] = 1;
  data.set(left, 1);
  data.set(right, 33);
  return sha256.bytes(data);
}

function leafHash(entry: Uint8Array): Uint8Array {
  const data = new Uint8Array(1 + entry.length);
  data.set(entry, 1);
  return sha256.bytes(data);
}

function sameBytes(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, at) => byte === b[at]);
}

const DRAW = /^([0-9A-Za-z][0-9A-Za-z._-]{0,63}-[0-9]{4})-((?!000000)[0-9]{6})$/;

/** "authority-year" and number of a draw. */
export function drawParts(draw: string): { year: string; number: number } | null {
  const match = DRAW.exec(draw);
  return match && { year: match[1]!, number: Number(match[2]) };
}

function parseEntry(data: Uint8Array, index: number): Entry | null {
  try {
    const value = parse(decode(data)) as Record<string, unknown> | null;
    if (typeof value !== "object" || value === null || Object.keys(value).sort().join() !== "digest,draw,prev,size,type") return null;
    const { digest, draw, prev, size, type } = value;
    const right = typeof draw === "string" && DRAW.test(draw) && typeof digest === "string" && HEX64_PATTERN.test(digest) &&
      (prev === null || (typeof prev === "string" && HEX64_PATTERN.test(prev))) && Number.isSafeInteger(size) && (size as number) >= 0 &&
      typeof type === "string" && Object.hasOwn(MAY_FOLLOW, type);
    return right ? { index, digest: digest as string, draw: draw as string, prev: prev as string | null, size: size as number, type: type as EntryType } : null;
  } catch {
    return null;
  }
}

/** What forbids an entry behind those of its draw, or null. */
function misplaced(entry: Entry, chain: Entry[], before: string | null, latest: number | undefined): Said | null {
  const last = chain.at(-1);
  const { digest, draw, prev, type } = entry;
  if (last === undefined ? type !== "ANNOUNCE" : !MAY_FOLLOW[last.type].includes(type))
    return say(`${type} 不能接在 ${last?.type ?? "–"} 之后`, `${type} cannot follow ${last?.type ?? "–"}`);
  if (prev !== before) return say("prev 不是该抽取上一条目的散列", "prev is not the hash of the draw's last entry");
  if (chain.some((one) => one.type === type && one.digest === digest)) return say("同一文书登记两次", "the same document was logged before");
  const number = drawParts(draw)!.number;
  if (type === "ANNOUNCE" && latest !== undefined && number !== latest + 1)
    return say(`下一个编号应为 ${latest + 1}`, `the next number is ${latest + 1}`);
  return null;
}

/** Read `log/`; null where there is none. Throws LogFault where it cannot be used; lesser faults are listed. */
export function readLog(files: Files, trust: Policy | null): PublicLog | null {
  const head = files.get(CHECKPOINT);
  if (head === undefined) {
    refuse(![...files.keys()].some((name) => name.startsWith("log/")), `缺少 ${CHECKPOINT}`, `${CHECKPOINT} is missing`);
    return null;
  }
  const notes: Uint8Array[] = [];
  for (let n = 1; files.has(keyNote(n)); n++) notes.push(files.get(keyNote(n))!);
  const trusted = trust !== null && trust.logs.length > 0;
  const policy = withSuccession(trust, trusted ? null : ownKey(files), notes);
  const { checkpoint } = openCheckpoint(head, policy.logs);
  const faults: Said[] = [];
  try {
    // The last key: one that was handed over signs nothing new.
    openCheckpoint(head, withSuccession(null, ownKey(files), notes).logs.slice(-1));
  } catch (error) {
    if (!(error instanceof LogFault)) throw error;
    faults.push(say(`log/log.vkey：${error.said.zh}`, `log/log.vkey: ${error.said.en}`));
  }
  const data = readEntries(files, checkpoint.size);
  const leaves = data.map(leafHash);
  refuse(sameBytes(treeHash(leaves), checkpoint.root), "条目算不出检查点的根散列", "the entries do not lead to the checkpoint's root hash");
  const log: PublicLog = {
    checkpoint, policy, trusted, entries: [], chains: new Map(), numbers: new Map(), faults,
    rootOf: (size) => treeHash(leaves.slice(0, size)),
  };
  tileFaults(files, leaves, faults);
  const hashes = new Map<string, string>();
  data.forEach((bytes, index) => {
    const entry = parseEntry(bytes, index);
    const chain = log.chains.get(entry?.draw ?? "") ?? [];
    const { number, year } = drawParts(entry?.draw ?? "") ?? { number: 0, year: "" };
    const wrong = entry === null ? say("不是日志条目", "not a log entry") : misplaced(entry, chain, hashes.get(entry.draw) ?? null, log.numbers.get(year));
    if (entry !== null) log.entries.push(entry);
    if (entry === null || wrong !== null) {
      log.faults.push(say(`第 ${index} 条 ${entry?.draw ?? ""}：${wrong!.zh}`, `entry ${index} ${entry?.draw ?? ""}: ${wrong!.en}`));
      return;
    }
    chain.push(entry);
    log.chains.set(entry.draw, chain);
    hashes.set(entry.draw, sha256.digest(bytes));
    if (entry.type === "ANNOUNCE") log.numbers.set(year, number);
  });
  layoutFaults(files, log, notes.length, faults);
  return log;
}

function keyNote(number: number): string {
  return `log/keys/${String(number).padStart(6, "0")}.note`;
}

function ownKey(files: Files): ReturnType<typeof parseLogKey> {
  const text = new TextDecoder().decode(files.get("log/log.vkey") ?? new Uint8Array(0));
  return parseLogKey(text.endsWith("\n") ? text.slice(0, -1) : "");
}

/** Tiles that are missing or are not what the entries give. */
function tileFaults(files: Files, leaves: readonly Uint8Array[], faults: Said[]): void {
  let hashes = leaves;
  for (let level = 0; hashes.length > 0; level++) {
    for (const { index, path, width } of tilesOf(level, leaves.length)) {
      const found = files.get(`log/${path}`);
      const right = hashes.slice(index * WIDTH, index * WIDTH + width);
      if (found === undefined) faults.push(say(`缺少 log/${path}`, `log/${path} is missing`));
      else if (found.length !== 32 * width || !right.every((hash, at) => sameBytes(hash, found.subarray(32 * at, 32 * at + 32))))
        faults.push(say(`log/${path} 与条目不符`, `log/${path} is not what the entries give`));
    }
    const above: Uint8Array[] = [];
    for (let at = 0; at + WIDTH <= hashes.length; at += WIDTH) above.push(treeHash(hashes.slice(at, at + WIDTH)));
    hashes = above;
  }
  for (const { path } of tilesOf("entries", leaves.length))
    if (!files.has(`log/${path}`)) faults.push(say(`缺少 log/${path}`, `log/${path} is missing`));
}

/** §11.4: what lies among tiles, keys and documents without belonging there. */
function layoutFaults(files: Files, { checkpoint, entries }: PublicLog, notes: number, faults: Said[]): void {
  const allowed = new Set([...tilePaths(checkpoint.size)].map((path) => `log/${path}`));
  for (let n = 1; n <= notes; n++) allowed.add(keyNote(n));
  for (const entry of entries) {
    const name = `log/documents/${entry.digest}`;
    if (entry.type !== "ANNOUNCE" || !files.has(name)) continue;
    allowed.add(name);
    if (!isOf(entry, files.get(name)!)) faults.push(say(`${name} 不是其名称所示的公告`, `${name} is not the announcement that its name says`));
  }
  for (const name of [...files.keys()].sort())
    if (/^log\/(tile|keys|documents)\//.test(name) && !allowed.has(name))
      faults.push(say(`${name.slice(0, 120)} 不属于日志`, `${name.slice(0, 120)} does not belong to the log`));
}

/** Is this the entry of a document, whichever suite its draw uses? */
export function isOf(entry: Entry, data: Uint8Array): boolean {
  return entry.size === data.length && (["sha256", "sm3"] as const).some((suite) => new Hasher(suite).digest(data) === entry.digest);
}


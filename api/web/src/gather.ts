/** Files from a drop, a chooser or an address, and which of them are the record and which the auditor's. */

import { isScanned } from "./scanned";
import { type Announcement, LISTS } from "./verify/documents";
import { fromHex } from "./verify/hash";
import { bundleEntries, tilePaths } from "./verify/log";
import { isReceipt } from "./verify/receipt";
import { type Said, say } from "./verify/outcome";
import type { AuditorFiles, Files } from "./verify/record";

/** Chromium's other way to read what was dropped: the only one that works on a page opened from a file. */
type Handles = DataTransferItem & { getAsFileSystemHandle?: () => Promise<FileSystemHandle | null> };

async function readHandle(handle: FileSystemHandle, path: string, into: Files): Promise<void> {
  if (handle.kind === "file") into.set(path + handle.name, await bytesOf(await (handle as FileSystemFileHandle).getFile()));
  else for await (const inner of (handle as FileSystemDirectoryHandle).values()) await readHandle(inner, `${path}${handle.name}/`, into);
}

async function readEntry(entry: FileSystemEntry, path: string, into: Files): Promise<void> {
  if (entry.isFile) {
    into.set(path + entry.name, await bytesOf(await new Promise<File>((resolve, reject) => (entry as FileSystemFileEntry).file(resolve, reject))));
    return;
  }
  const reader = (entry as FileSystemDirectoryEntry).createReader();
  for (;;) {
    const batch = await new Promise<FileSystemEntry[]>((resolve, reject) => reader.readEntries(resolve, reject));
    if (batch.length === 0) return;
    for (const inner of batch) await readEntry(inner, `${path}${entry.name}/`, into);
  }
}

async function bytesOf(file: File): Promise<Uint8Array> {
  return new Uint8Array(await file.arrayBuffer());
}

/** Everything in a drop, folders included, by path. Throws where the browser does not let the page read a folder. */
export async function dropped(transfer: DataTransfer): Promise<Files> {
  // All must be asked before the first await: the browser then empties the list. What has no entry is a plain file.
  const items = [...transfer.items].filter((item) => item.kind === "file").map((item: Handles) => ({
    entry: item.webkitGetAsEntry(), file: item.getAsFile(), handle: item.getAsFileSystemHandle?.().catch(() => null) ?? null,
  }));
  const files: Files = new Map();
  for (const { entry, file, handle } of items) {
    const found = await handle;
    if (file !== null && entry?.isDirectory !== true) files.set(file.name, await bytesOf(file));
    else if (found !== null) await readHandle(found, "", files);
    else if (entry !== null) await readEntry(entry, "", files);
  }
  return files;
}

export async function chosen(list: FileList): Promise<Files> {
  const read = async (file: File): Promise<[string, Uint8Array]> => [file.webkitRelativePath || file.name, await bytesOf(file)];
  return new Map(await Promise.all([...list].map(read)));
}

/** The folders that hold the shallowest of some files, with their final slash. */
function foldersOf(files: Files, name: string): string[] {
  const paths = [...files.keys()].filter((path) => (path === name || path.endsWith(`/${name}`)) && !/(^|\/)voided\//.test(path));
  const depth = (path: string): number => path.split("/").length;
  const least = Math.min(...paths.map(depth));
  return paths.filter((path) => depth(path) === least).sort().map((path) => path.slice(0, -name.length));
}

function within(files: Files, folder: string, but: string | null): Files {
  const found: Files = new Map();
  for (const [path, data] of files)
    if (path.startsWith(folder) && !(but !== null && but !== folder && path.startsWith(but))) found.set(path.slice(folder.length), data);
  return found;
}

/** What was given: a record, and what only some have. */
export interface Sorted {
  record: Files | null; auditor: AuditorFiles | null; policy: Uint8Array | null; receipt: Uint8Array | null;
  /** Texts of scanned codes, and pictures that may show some. */
  scanned: string; pictures: Files;
  /** Where several records were given: which one this is. */
  several: Said | null;
}

/** Why there is nothing to verify among files. */
export function lacking(files: Files): Said {
  const names = [...files.keys()].map((path) => path.slice(path.lastIndexOf("/") + 1)).sort();
  const packed = names.find((name) => /\.(zip|tar|t?gz|tgz|bz2|xz|7z|rar)$/i.test(name));
  if (names.length === 0) return say("没有读到任何文件：文件夹是空的，或者浏览器不让本页读取。", "No file was read: the folder is empty, or the browser does not let this page read it.");
  if (packed !== undefined) return say(`${packed} 是压缩包。请先解压，再把解出的文件夹交给本页。`, `${packed} is an archive. Unpack it first, then give this page the folder that comes out.`);
  const some = (comma: string, more: string): string => names.slice(0, 3).join(comma) + (names.length > 3 ? more : "");
  return say(`收到 ${names.length} 个文件（${some("、", " 等")}），其中没有 announcement.json。请交给本页整个公布的文件夹，而不是其中几个文件。`,
    `${names.length === 1 ? "One file was" : `${names.length} files were`} given (${some(", ", ", …")}), and no announcement.json among them. Please give this page the whole published folder, not some of its files.`);
}

/** The published folder among files, the auditor's material, a policy, and the one receipt or the codes of one. */
export function sorted(files: Files): Sorted {
  const records = foldersOf(files, "announcement.json");
  const root = records[0] ?? null;
  const secrets = foldersOf(files, "list-secret")[0] ?? null;
  let auditor: AuditorFiles | null = null;
  if (secrets !== null) {
    const text = new TextDecoder().decode(files.get(`${secrets}list-secret`)).trim();
    const openings: Files = new Map();
    for (const [path, data] of within(files, `${secrets}openings/`, null))
      if (/^[a-z]+\.jsonl$/.test(path)) openings.set(path.slice(0, -6), data);
    if (/^[0-9a-f]{64}$/.test(text)) auditor = { secret: fromHex(text), openings };
  }
  const record = root === null ? null : within(files, root, secrets);
  // A receipt lies beside the published folder; only where files were chosen one by one can it be among those of the record.
  const apart = [...files].filter(([path]) => root === null || !path.startsWith(root) || (root === "" && !path.includes("/")));
  const receipts = apart.filter(([path, data]) => path.endsWith(".json") && isReceipt(data));
  if (record !== null && root === "") for (const [path] of receipts) record.delete(path);
  // Whom to trust is never taken from a record: a policy has to be given by itself.
  const policies = record === null ? [...files.values()].filter(isPolicy) : [];
  const texts = apart.filter(([, data]) => data.length < 1_000_000).map(([, data]) => new TextDecoder().decode(data)).filter(isScanned);
  const pictures = new Map(apart.filter(([path]) => PICTURE.test(path)));
  const several = records.length < 2 ? null : say(`其中有 ${records.length} 次抽取。这里复核的是 ${root!.slice(0, -1)}，其余的请逐个交给本页。`,
    `There are ${records.length} draws in it. This is ${root!.slice(0, -1)}; give the others one by one.`);
  return { several, record, auditor, scanned: texts.join("\n"), pictures, policy: policies.length === 1 ? policies[0]! : null, receipt: receipts.length === 1 ? receipts[0]![1] : null };
}

const PICTURE = /\.(png|jpe?g|webp|gif|bmp|heic)$/i;

function isPolicy(data: Uint8Array): boolean {
  return data.length < 100_000 && /^quorum[ \t]/m.test(new TextDecoder().decode(data));
}

const NAMES = [
  "announcement.json", "beacon.json", "seed.txt", "result.json", "ties.json", "labels.json", "statistics.json",
  "findings.json", "void.json", "attest.json", "openings.jsonl", "changes.jsonl", ...LISTS.map((list) => `${list}.jsonl`),
  "announced.checkpoint", "log/checkpoint", "log/log.vkey",
];
const SAFE = /^[0-9A-Za-z][0-9A-Za-z._-]*$/;

/** A record by its address; null where there is none. */
export async function fetched(address: string): Promise<Files | null> {
  const base = new URL(address.replace(/[^/]*\.(json|html)$/, "").replace(/([^/])$/, "$1/"), location.href);
  const files: Files = new Map();
  const get = async (name: string): Promise<boolean> => {
    const response = await fetch(new URL(name, base), { cache: "no-store", credentials: "same-origin" });
    if (response.ok) files.set(name, new Uint8Array(await response.arrayBuffer()));
    return response.ok;
  };
  const all = async (names: Iterable<string>): Promise<void> => {
    const left = [...names];
    // A few at a time: a log may have thousands of tiles.
    await Promise.all(Array.from({ length: 6 }, async () => {
      for (let name = left.pop(); name !== undefined; name = left.pop()) await get(name);
    }));
  };
  const text = (name: string): string => new TextDecoder().decode(files.get(name) ?? new Uint8Array(0));
  try {
    if (!(await get("announcement.json"))) return null;
    await all(NAMES.slice(1));
    const { contributions, voids } = JSON.parse(text("announcement.json")) as Partial<Announcement>;
    const voided = (voids ?? []).filter((draw) => SAFE.test(draw));
    await all(voided.flatMap((draw) => NAMES.slice(0, -3).map((name) => `voided/${draw}/${name}`)));
    if (!files.has("log/checkpoint")) return files;
    const size = Number(/^[^\n]*\n([1-9][0-9]{0,6})\n/.exec(text("log/checkpoint"))?.[1] ?? 0);
    const parties = (contributions ?? []).map(({ party }) => party).filter((party) => SAFE.test(party));
    const rows = text("changes.jsonl").split("\n");
    const rounds = rows.flatMap((row, at) => (row.includes('"beacon":{') && row.includes('"type":"exclude"') ? [`exclusions/${at + 1}.checkpoint`] : []));
    const tiles = [...tilePaths(size)].map((path) => `log/${path}`);
    await all([...parties.map((party) => `reveals/${party}.json`), ...rounds, ...tiles]);
    for (let n = 1; await get(`log/keys/${String(n).padStart(6, "0")}.note`); n++);
    const entries = tiles.filter((path) => path.startsWith("log/tile/entries/")).flatMap((path) => bundleEntries(files.get(path) ?? new Uint8Array(0)) ?? []);
    const digests = entries.map((entry) => /"digest":"([0-9a-f]{64})".*"type":"ANNOUNCE"/.exec(new TextDecoder().decode(entry))?.[1]);
    await all(digests.flatMap((digest) => (digest === undefined ? [] : [`log/documents/${digest}`])));
    return files;
  } catch {
    return files.size > 0 ? files : null;
  }
}

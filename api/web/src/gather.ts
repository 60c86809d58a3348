/** Files from a drop, a chooser or an address, and which of them are the record and which the auditor's. */

import { isScanned } from "./scanned";
import { type Announcement, LISTS } from "./verify/documents";
import { fromHex } from "./verify/hash";
import { bundleEntries, tilePaths } from "./verify/log";
import { isReceipt } from "./verify/receipt";
import type { AuditorFiles, Files } from "./verify/record";

/** Everything in a drop, folders included, by path. */
export async function dropped(transfer: DataTransfer): Promise<Files> {
  // Both must be asked before the first await: the browser then empties the list. What has no entry is a plain file.
  const items = [...transfer.items].map((item) => ({ entry: item.webkitGetAsEntry(), file: item.getAsFile() }));
  const files: Files = new Map();
  const visit = async (entry: FileSystemEntry, path: string): Promise<void> => {
    if (entry.isFile) {
      const file = await new Promise<File>((resolve, reject) => (entry as FileSystemFileEntry).file(resolve, reject));
      files.set(path + entry.name, new Uint8Array(await file.arrayBuffer()));
      return;
    }
    const reader = (entry as FileSystemDirectoryEntry).createReader();
    for (;;) {
      const batch = await new Promise<FileSystemEntry[]>((resolve, reject) => reader.readEntries(resolve, reject));
      if (batch.length === 0) return;
      for (const inner of batch) await visit(inner, `${path}${entry.name}/`);
    }
  };
  for (const { entry, file } of items)
    if (entry !== null) await visit(entry, "");
    else if (file !== null) files.set(file.name, new Uint8Array(await file.arrayBuffer()));
  return files;
}

export async function chosen(list: FileList): Promise<Files> {
  const read = async (file: File): Promise<[string, Uint8Array]> => [file.webkitRelativePath || file.name, new Uint8Array(await file.arrayBuffer())];
  return new Map(await Promise.all([...list].map(read)));
}

/** The folder that holds the shallowest of some files, with its final slash; null if there is none. */
function folderOf(files: Files, name: string): string | null {
  const paths = [...files.keys()].filter((path) => (path === name || path.endsWith(`/${name}`)) && !/(^|\/)voided\//.test(path));
  paths.sort((a, b) => a.split("/").length - b.split("/").length || (a < b ? -1 : 1));
  return paths.length === 0 ? null : paths[0]!.slice(0, -name.length);
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
}

/** The published folder among files, the auditor's material, a policy, and the one receipt or the codes of one. */
export function sorted(files: Files): Sorted {
  const root = folderOf(files, "announcement.json");
  const secrets = folderOf(files, "list-secret");
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
  return { record, auditor, scanned: texts.join("\n"), pictures, policy: policies.length === 1 ? policies[0]! : null, receipt: receipts.length === 1 ? receipts[0]![1] : null };
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

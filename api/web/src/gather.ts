/** Files from a drop, a chooser or an address, and which of them are the record and which the auditor's. */

import { LISTS } from "./verify/documents";
import { fromHex } from "./verify/hash";
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
  const files: Files = new Map();
  for (const file of list) files.set(file.webkitRelativePath || file.name, new Uint8Array(await file.arrayBuffer()));
  return files;
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

/** The published folder and the auditor's material among files. */
export function sorted(files: Files): { record: Files | null; auditor: AuditorFiles | null } {
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
  return { record: root === null ? null : within(files, root, secrets), auditor };
}

const NAMES = [
  "announcement.json", "beacon.json", "seed.txt", "result.json", "ties.json", "labels.json", "statistics.json",
  "findings.json", "void.json", "attest.json", "openings.jsonl", "changes.jsonl", ...LISTS.map((list) => `${list}.jsonl`),
];

/** A record by its address; null where there is none. */
export async function fetched(address: string): Promise<Files | null> {
  const base = new URL(address.replace(/[^/]*\.(json|html)$/, "").replace(/([^/])$/, "$1/"), location.href);
  const files: Files = new Map();
  const get = async (name: string): Promise<void> => {
    const response = await fetch(new URL(name, base), { cache: "no-store", credentials: "same-origin" });
    if (response.ok) files.set(name, new Uint8Array(await response.arrayBuffer()));
  };
  try {
    await get("announcement.json");
    if (files.size === 0) return null;
    await Promise.all(NAMES.slice(1).map(get));
    const { voids } = JSON.parse(new TextDecoder().decode(files.get("announcement.json"))) as { voids?: string[] };
    for (const draw of voids ?? [])
      if (/^[0-9A-Za-z][0-9A-Za-z._-]*$/.test(draw)) await Promise.all(NAMES.map((name) => get(`voided/${draw}/${name}`)));
    return files;
  } catch {
    return files.size > 0 ? files : null;
  }
}

/** Signed notes and verifier keys (C2SP signed-note, tlog-checkpoint, tlog-cosignature; docs/protocol.md §11). */

import { isSignature, isSoundKey, sha256 } from "./beacon";
import { decode } from "./json";
import { say, type Said } from "./outcome";

/** What is wrong with a note, a policy or a log; `quorum` marks the one fault that leaves a check open instead of failing it. */
export class LogFault extends Error {
  constructor(readonly said: Said, readonly quorum = false) {
    super(said.en);
  }
}

export function refuse(condition: unknown, zh: string, en: string): asserts condition {
  if (!condition) throw new LogFault(say(zh, en));
}

const NOTE_KEY = 1;
const COSIGNATURE = 4;
const LARGEST_NOTE = 1_000_000;
const MOST_SIGNATURES = 100;

export interface Key { name: string; id: string; public: Uint8Array; text: string }
export interface Signature { name: string; id: string; value: Uint8Array }
export interface Note { text: string; signatures: Signature[] }
export interface Checkpoint { origin: string; size: number; root: Uint8Array }

/** Bytes of standard base64 in its only canonical form, or null. */
export function base64Bytes(text: string): Uint8Array | null {
  if (!/^[0-9A-Za-z+/]*={0,2}$/.test(text)) return null;
  try {
    const bytes = atob(text);
    return btoa(bytes) === text ? Uint8Array.from(bytes, (character) => character.charCodeAt(0)) : null;
  } catch {
    return null;
  }
}

/** A key's name is not empty and has no Unicode space, no plus and no control character. */
function isName(name: string): boolean {
  return name !== "" && !/[\p{White_Space}+\x00-\x1f\p{Surrogate}]/u.test(name);
}

function keyId(name: string, kind: number, key: Uint8Array): string {
  const head = new TextEncoder().encode(`${name}\n`);
  const all = new Uint8Array(head.length + 1 + key.length);
  all.set(head);
  all[head.length] = kind;
  all.set(key, head.length + 1);
  return sha256.digest(all).slice(0, 8);
}

function parseKey(text: string, kind: number): Key {
  const [, name, id, material] = /^([^+]*)\+([^+]*)\+([^]*)$/.exec(text) ?? [];
  const raw = base64Bytes(material ?? "");
  refuse(name !== undefined && isName(name) && raw?.length === 33, `公钥文本有误：${text.slice(0, 60)}`, `not a verifier key: ${text.slice(0, 60)}`);
  refuse(raw[0] === kind, `公钥的签名类型应为 ${kind}，实为 ${raw[0]}`, `a key of signature type ${raw[0]}, not ${kind}`);
  const key = raw.subarray(1);
  refuse(isSoundKey(key), `公钥非规范编码，或为小阶点：${name}`, `the key is not canonical, or of small order: ${name}`);
  refuse(keyId(name, kind, key) === id, `公钥的标识与名称和密钥不符：${name}`, `the id is not of this name and key: ${name}`);
  return { name, id, public: key, text };
}

/** The key of a log: Ed25519 over the note's text. */
export function parseLogKey(text: string): Key {
  return parseKey(text, NOTE_KEY);
}

/** The key of a witness: a timestamped Ed25519 cosignature. */
export function parseWitnessKey(text: string): Key {
  return parseKey(text, COSIGNATURE);
}

export function parseNote(data: Uint8Array): Note {
  const form = (condition: unknown): void => refuse(condition, "不是签名文书", "not a signed note");
  form(data.length <= LARGEST_NOTE);
  let whole = "";
  try {
    whole = decode(data);
  } catch {
    form(false);
  }
  form(!/[\x00-\x09\x0b-\x1f]/.test(whole));
  const end = whole.lastIndexOf("\n\n");
  form(end >= 0 && whole.endsWith("\n") && end + 2 < whole.length);
  const lines = whole.slice(end + 2, -1).split("\n");
  form(lines.length <= MOST_SIGNATURES);
  const signatures = lines.map((line) => {
    const [, name, material] = /^— ([^ ]*) ([^]*)$/.exec(line) ?? [];
    const raw = base64Bytes(material ?? "");
    form(name !== undefined && isName(name) && raw !== null && raw.length > 4);
    const id = [...raw!.subarray(0, 4)].map((byte) => byte.toString(16).padStart(2, "0")).join("");
    return { name: name!, id, value: raw!.subarray(4) };
  });
  return { text: whole.slice(0, end + 1), signatures };
}

/** The signatures of known keys; others are ignored, and one that does not hold makes the whole note invalid. */
function verified(note: Note, keys: readonly Key[], holds: (key: Key, value: Uint8Array) => boolean): { key: Key; value: Uint8Array }[] {
  const found: { key: Key; value: Uint8Array }[] = [];
  for (const { id, name, value } of note.signatures) {
    const key = keys.find((one) => one.name === name && one.id === id);
    if (key === undefined) continue;
    refuse(holds(key, value), `${name} 的签名不成立`, `the signature of ${name} does not hold`);
    found.push({ key, value });
  }
  return found;
}

/** The keys that signed a note, at least one. */
export function signers(note: Note, keys: readonly Key[]): Key[] {
  const found = verified(note, keys, (key, value) => isSignature(key.public, note.text, value));
  const names = [...new Set(note.signatures.map(({ name }) => name))].sort().join(", ");
  refuse(found.length > 0, `没有已知密钥的签名（签名者：${names}）`, `no signature by a known key (signed by ${names})`);
  return found.map(({ key }) => key);
}

/** When a cosignature says that it was made: seconds since 1970, or null. */
function statedTime(value: Uint8Array): bigint | null {
  if (value.length !== 72) return null;
  const time = new DataView(value.buffer, value.byteOffset, 8).getBigUint64(0);
  return time > 0n && time < 1n << 63n ? time : null;
}

/** The earliest time at which each known witness, by its key's text, cosigned. */
export function cosignatures(note: Note, keys: readonly Key[]): Map<string, bigint> {
  const times = new Map<string, bigint>();
  const found = verified(note, keys, (key, value) => {
    const time = statedTime(value);
    return time !== null && isSignature(key.public, `cosignature/v1\ntime ${time}\n${note.text}`, value.subarray(8));
  });
  for (const { key, value } of found) {
    const time = statedTime(value)!;
    const known = times.get(key.text);
    if (known === undefined || time < known) times.set(key.text, time);
  }
  return times;
}

function parseCheckpoint(text: string): Checkpoint {
  const form = (condition: unknown): void => refuse(condition, "检查点的格式有误", "not a checkpoint");
  const lines = text.slice(0, -1).split("\n");
  const [origin, size, hash] = lines;
  form(lines.length >= 3 && lines.every((line) => line !== ""));
  form(/^(0|[1-9][0-9]{0,18})$/.test(size!) && BigInt(size!) < 1n << 63n);
  const root = base64Bytes(hash!);
  form(root?.length === 32);
  return { origin: origin!, size: Number(size), root: root! };
}

/** A checkpoint, its note, and the log keys that signed it; only keys named like its origin can. */
export function openCheckpoint(data: Uint8Array, keys: readonly Key[]): { checkpoint: Checkpoint; note: Note; by: Key[] } {
  const note = parseNote(data);
  const checkpoint = parseCheckpoint(note.text);
  const own = keys.filter((key) => key.name === checkpoint.origin);
  refuse(own.length > 0, `没有日志 ${checkpoint.origin} 的公钥`, `no key of the log ${checkpoint.origin} is known`);
  return { checkpoint, note, by: signers(note, own) };
}


/** Documents in RFC 8785 form (docs/protocol.md §1): parsed, and refused unless writing them again gives the same text. */

import { say, type Said } from "./outcome";

/** Why bytes are no canonical document. */
export class NotCanonical extends Error {
  constructor(readonly said: Said) {
    super(said.en);
  }
}

const UTF8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** Decode UTF-8 strictly; a byte-order mark stays and is refused by the parser. Throws NotCanonical. */
export function decode(data: Uint8Array): string {
  try {
    return UTF8.decode(data);
  } catch {
    throw new NotCanonical(say("不是 UTF-8", "is not UTF-8"));
  }
}

/** Write a value as RFC 8785. Throws NotCanonical for what cannot be written: unsafe numbers and lone surrogates. */
export function canonical(value: unknown): string {
  switch (typeof value) {
    case "string":
      if (!wellFormed(value)) throw new NotCanonical(say("有不成对的代理字符", "has a lone surrogate"));
      return JSON.stringify(value);
    case "number":
      if (!Number.isSafeInteger(value)) throw new NotCanonical(say(`的数 ${value} 超出范围，或不是整数`, `has the number ${value}, which is out of range or no integer`));
      return String(value);
    case "boolean":
      return value ? "true" : "false";
    default:
  }
  if (value === null) return "null";
  let text = "";
  if (Array.isArray(value)) {
    for (const item of value) text += (text && ",") + canonical(item);
    return `[${text}]`;
  }
  const object = value as Record<string, unknown>;
  for (const key of Object.keys(object).sort()) text += `${text && ","}${canonical(key)}:${canonical(object[key])}`;
  return `{${text}}`;
}

function wellFormed(text: string): boolean {
  for (let at = 0; at < text.length; at++) {
    const unit = text.charCodeAt(at);
    if (unit < 0xd800 || unit > 0xdfff) continue;
    const next = text.charCodeAt(at + 1);
    if (unit > 0xdbff || !(next >= 0xdc00 && next <= 0xdfff)) return false;
    at++;
  }
  return true;
}

/** Are all keys in order, and all numbers exact integers? */
function inOrder(value: unknown): boolean {
  if (typeof value === "number") return Number.isSafeInteger(value);
  if (typeof value !== "object" || value === null) return true;
  if (Array.isArray(value)) {
    for (let at = 0; at < value.length; at++) if (!inOrder(value[at])) return false;
    return true;
  }
  let last = "";
  for (const key of Object.keys(value)) {
    if (last !== "" && !(last < key)) return false;
    last = key;
    if (!inOrder((value as Record<string, unknown>)[key])) return false;
  }
  return true;
}

/**
 * Is a text surely canonical? The engine's own writer keeps the keys' order and differs from RFC 8785 in nothing else but
 * lone surrogates, which need an escape or a surrogate in the text. It is several times faster than `canonical`.
 */
function isSurelyCanonical(text: string, value: unknown): boolean {
  return !/\\u|[\ud800-\udfff]/.test(text) && JSON.stringify(value) === text && inOrder(value);
}

/** Parse a canonical document. Throws NotCanonical. */
export function parse(text: string): unknown {
  let value: unknown;
  let again: string;
  try {
    // JSON.parse keeps the last of duplicate keys and "__proto__" as a plain key; writing the value again shows both.
    value = JSON.parse(text);
  } catch (error) {
    const why = (error as Error).message.slice(0, 100).replace(/[,;] /g, " ");
    throw new NotCanonical(error instanceof RangeError ? DEEP : say(`不是 JSON（${why}）`, `is not JSON (${why})`));
  }
  try {
    again = isSurelyCanonical(text, value) ? text : canonical(value);
  } catch (error) {
    throw error instanceof RangeError ? new NotCanonical(DEEP) : error;
  }
  if (again !== text) throw new NotCanonical(say(`不是规范 JSON（RFC 8785）：${apart(text, again).zh}`, `is not canonical JSON (RFC 8785): ${apart(text, again).en}`));
  if (!isAscii(text) && text.normalize("NFC") !== text) throw new NotCanonical(say("的文字不是 Unicode NFC", "is not in Unicode NFC"));
  return value;
}

/** Where a text leaves its canonical form. */
function apart(text: string, again: string): Said {
  let at = 0;
  while (at < text.length && text[at] === again[at]) at++;
  const [due, found] = [again, text].map((one) => JSON.stringify(one.slice(Math.max(0, at - 12), at + 24)));
  return say(`自第 ${at + 1} 个字符起应为 …${due}…，实为 …${found}…`, `from character ${at + 1} on it should be …${due}…, is …${found}…`);
}

const DEEP = say("嵌套过深", "is nested too deeply");

function isAscii(text: string): boolean {
  // eslint-disable-next-line no-control-regex
  return /^[\x00-\x7f]*$/.test(text);
}

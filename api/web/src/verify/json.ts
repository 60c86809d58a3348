/** Documents in RFC 8785 form (docs/protocol.md §1): parsed, and refused unless writing them again gives the same text. */

const UTF8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** Decode UTF-8 strictly; a byte-order mark stays and is refused by the parser. Throws TypeError. */
export function decode(data: Uint8Array): string {
  return UTF8.decode(data);
}

/** Write a value as RFC 8785. Throws what cannot be written: unsafe numbers and lone surrogates. */
export function canonical(value: unknown): string {
  switch (typeof value) {
    case "string":
      if (!wellFormed(value)) throw new SyntaxError("lone surrogate");
      return JSON.stringify(value);
    case "number":
      if (!Number.isSafeInteger(value)) throw new SyntaxError("not an exact integer");
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

/** Parse a canonical document. Throws SyntaxError with a reason. */
export function parse(text: string): unknown {
  // JSON.parse keeps the last of duplicate keys and "__proto__" as a plain key; writing the value again shows both.
  const value: unknown = JSON.parse(text);
  let again: string;
  try {
    again = canonical(value);
  } catch (error) {
    throw new SyntaxError(error instanceof RangeError ? "nested too deeply" : (error as Error).message);
  }
  if (again !== text) throw new SyntaxError("not in RFC 8785 form");
  if (!isAscii(text) && text.normalize("NFC") !== text) throw new SyntaxError("not in Unicode NFC");
  return value;
}

function isAscii(text: string): boolean {
  // eslint-disable-next-line no-control-regex
  return /^[\x00-\x7f]*$/.test(text);
}

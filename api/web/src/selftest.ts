/** Compares the page's own hash functions with others before they judge anything: noble's SHA-256, and SM3's published examples. */

import { sha256 } from "@noble/hashes/sha2.js";
import { Hasher, toHex } from "./verify/hash";

let known: boolean | null = null;

/** Do they agree on messages of many lengths and on a sample of rows? Computed once. */
export function hashesAgree(sample: Uint8Array): boolean {
  known ??= agree(sample);
  return known;
}

function agree(sample: Uint8Array): boolean {
  const own = new Hasher("sha256");
  const same = (data: Uint8Array): boolean => own.digest(data) === toHex(sha256(data));
  for (let length = 0; length < 200; length += 3) if (!same(Uint8Array.from({ length }, (_, at) => (at * 31 + length) % 256))) return false;
  for (let row = 0; row < 50; row++) {
    const from = Math.floor((sample.length * row) / 50);
    if (!same(sample.subarray(from, from + 130))) return false;
  }
  // GB/T 32905-2016, appendix A.
  const sm3 = new Hasher("sm3");
  return sm3.text("abc") === "66c7f0f462eeedd9d1f2d46bdc10e4e24167c4875cf2f7a2297da02b8f4ba8e0" &&
    sm3.text("abcd".repeat(16)) === "debe9ff92275b8a138604889c18e5a4d6fdb70e5387e5765293dcba39c0c5732";
}

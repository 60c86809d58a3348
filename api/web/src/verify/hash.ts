/**
 * SHA-256 and SM3 over many short messages (docs/protocol.md §1), list trees (§2) and tickets (§5).
 *
 * A draw of 200,000 enterprises needs some 800,000 hashes of about a hundred bytes. The libraries allocate for each of
 * them; these two work in one buffer. A seed is 64 characters, one block of both functions, so that the state after it
 * is kept and every ticket costs one block less. The tests compare both with independent implementations.
 */

const ENCODER = new TextEncoder();
const HEX = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, "0"));

/** The digits of a digest or of any bytes. */
export function toHex(bytes: Uint8Array): string {
  let text = "";
  for (const byte of bytes) text += HEX[byte];
  return text;
}

/** The bytes of hexadecimal digits that were checked before. */
export function fromHex(text: string): Uint8Array {
  const bytes = new Uint8Array(text.length / 2);
  for (let at = 0; at < bytes.length; at++) bytes[at] = Number.parseInt(text.slice(2 * at, 2 * at + 2), 16);
  return bytes;
}

import { SHA256_START, sha256Block } from "./sha256";

export type Suite = "sha256" | "sm3";

const SM3_START = Int32Array.of(
  0x7380166f, 0x4914b2b9, 0x172442d7, 0xda8a0600, 0xa96f30bc, 0x163138aa, 0xe38dee4d, 0xb0fb0e4e,
);

const words = new Int32Array(68);

/** Turn left; GB/T 32905 turns by more than a word's length, which means by the rest. */
function turn(x: number, by: number): number {
  return (x << (by & 31)) | (x >>> ((32 - by) & 31));
}

function sm3Block(state: Int32Array, data: Uint8Array, at: number): void {
  for (let i = 0; i < 16; i++, at += 4)
    words[i] = (data[at]! << 24) | (data[at + 1]! << 16) | (data[at + 2]! << 8) | data[at + 3]!;
  for (let i = 16; i < 68; i++) {
    const x = words[i - 16]! ^ words[i - 9]! ^ turn(words[i - 3]!, 15);
    words[i] = x ^ turn(x, 15) ^ turn(x, 23) ^ turn(words[i - 13]!, 7) ^ words[i - 6]!;
  }
  let a = state[0]!, b = state[1]!, c = state[2]!, d = state[3]!;
  let e = state[4]!, f = state[5]!, g = state[6]!, h = state[7]!;
  for (let i = 0; i < 64; i++) {
    const early = i < 16;
    const s1 = turn((turn(a, 12) + e + turn(early ? 0x79cc4519 : 0x7a879d8a, i)) | 0, 7);
    const s2 = s1 ^ turn(a, 12);
    const ff = early ? a ^ b ^ c : (a & b) | (a & c) | (b & c);
    const gg = early ? e ^ f ^ g : (e & f) | (~e & g);
    const t1 = (ff + d + s2 + (words[i]! ^ words[i + 4]!)) | 0;
    const t2 = (gg + h + s1 + words[i]!) | 0;
    d = c; c = turn(b, 9); b = a; a = t1;
    h = g; g = turn(f, 19); f = e; e = t2 ^ turn(t2, 9) ^ turn(t2, 17);
  }
  state[0]! ^= a; state[1]! ^= b; state[2]! ^= c; state[3]! ^= d;
  state[4]! ^= e; state[5]! ^= f; state[6]! ^= g; state[7]! ^= h;
}

/** One hash function with its buffers. */
export class Hasher {
  readonly suite: Suite;
  private readonly block: (state: Int32Array, data: Uint8Array, at: number) => void;
  private readonly start: Int32Array;
  private readonly state = new Int32Array(8);
  private buffer = new Uint8Array(4096);
  private seed = "";
  private seeded = new Int32Array(8);

  constructor(suite: Suite) {
    this.suite = suite;
    this.block = suite === "sm3" ? sm3Block : sha256Block;
    this.start = suite === "sm3" ? SM3_START : SHA256_START;
  }

  /** Hash buffer[0, length), of which the first `done` bytes (whole blocks) are in the state already. */
  private run(length: number, done: number): void {
    const end = length - (length % 64) + (length % 64 < 56 ? 64 : 128);
    const buffer = this.buffer;
    buffer[length] = 0x80;
    for (let at = length + 1; at < end - 5; at++) buffer[at] = 0;
    // The number of bits: below 2^40, for a message is shorter than 128 GiB.
    buffer[end - 5] = length / 0x20000000;
    buffer[end - 4] = length >>> 21;
    buffer[end - 3] = length >>> 13;
    buffer[end - 2] = length >>> 5;
    buffer[end - 1] = length << 3;
    for (let at = done; at < end; at += 64) this.block(this.state, buffer, at);
  }

  private room(length: number): Uint8Array {
    if (this.buffer.length < length + 128) {
      const larger = new Uint8Array(2 * length + 128);
      larger.set(this.buffer);
      this.buffer = larger;
    }
    return this.buffer;
  }

  private take(into: Uint8Array, at: number): void {
    for (let i = 0; i < 8; i++, at += 4) {
      const word = this.state[i]!;
      into[at] = word >>> 24;
      into[at + 1] = word >>> 16;
      into[at + 2] = word >>> 8;
      into[at + 3] = word;
    }
  }

  private hex(): string {
    let text = "";
    for (let i = 0; i < 8; i++) {
      const word = this.state[i]!;
      text += HEX[word >>> 24]! + HEX[(word >>> 16) & 255]! + HEX[(word >>> 8) & 255]! + HEX[word & 255]!;
    }
    return text;
  }

  /** The digest of bytes, as hexadecimal digits. */
  digest(data: Uint8Array): string {
    this.room(data.length).set(data);
    this.state.set(this.start);
    this.run(data.length, 0);
    return this.hex();
  }

  /** The digest of bytes, as 32 bytes. */
  bytes(data: Uint8Array): Uint8Array {
    this.room(data.length).set(data);
    this.state.set(this.start);
    this.run(data.length, 0);
    const found = new Uint8Array(32);
    this.take(found, 0);
    return found;
  }

  /** The digest of a text in UTF-8. */
  text(text: string): string {
    const { written } = ENCODER.encodeInto(text, this.room(3 * text.length));
    this.state.set(this.start);
    this.run(written, 0);
    return this.hex();
  }

  /** RFC 2104: the states after the two padded keys, to be given to `hmac`. */
  keyed(key: Uint8Array): [Int32Array, Int32Array] {
    const padded = new Uint8Array(64);
    padded.set(key.length > 64 ? fromHex(this.digest(key)) : key);
    return [0x36, 0x5c].map((pad) => {
      const state = this.start.slice();
      this.block(state, padded.map((byte) => byte ^ pad), 0);
      return state;
    }) as [Int32Array, Int32Array];
  }

  /** RFC 2104 over a text in UTF-8. */
  hmac([inner, outer]: [Int32Array, Int32Array], text: string): string {
    const buffer = this.room(64 + 3 * text.length);
    const { written } = ENCODER.encodeInto(text, buffer.subarray(64));
    this.state.set(inner);
    this.run(64 + written, 64);
    this.take(buffer, 64);
    this.state.set(outer);
    this.run(96, 64);
    return this.hex();
  }

  /** Leave ticket(stage, id) in the state. Seed, stage and id are ASCII. */
  private draw(seed: string, name: string): void {
    if (seed !== this.seed) {
      this.digest(new TextEncoder().encode(seed));
      this.seeded.set(this.start);
      this.block(this.seeded, new TextEncoder().encode(seed), 0);
      this.seed = seed;
    }
    const buffer = this.room(65 + name.length);
    buffer[64] = 58;
    for (let i = 0; i < name.length; i++) buffer[65 + i] = name.charCodeAt(i);
    this.state.set(this.seeded);
    this.run(65 + name.length, 64);
  }

  /** §5: ticket(stage, id) for "stage:id". */
  ticket(seed: string, name: string): string {
    this.draw(seed, name);
    return this.hex();
  }

  /** §8.5: the first five bytes of a ticket, a number below 2^40. */
  cost(seed: string, name: string): number {
    this.draw(seed, name);
    return (this.state[0]! >>> 0) * 256 + (this.state[1]! >>> 24);
  }

  /** `cost` of many names that begin alike: out[i] is that of prefix + ends[i]. */
  costs(seed: string, prefix: string, ends: readonly Uint8Array[], out: Float64Array): void {
    this.draw(seed, prefix);
    const from = 65 + prefix.length;
    const { seeded, state } = this;
    const buffer = this.room(from + 256);
    for (let n = 0; n < ends.length; n++) {
      const end = ends[n]!;
      const length = from + end.length;
      for (let i = 0; i < end.length; i++) buffer[from + i] = end[i]!;
      for (let i = 0; i < 8; i++) state[i] = seeded[i]!;
      this.run(length, 64);
      out[n] = (state[0]! >>> 0) * 256 + (state[1]! >>> 24);
    }
  }

  /** The first 52 bits of a ticket: enough to find the few smallest among many before comparing in full. */
  beginning(seed: string, name: string): number {
    this.draw(seed, name);
    return (this.state[0]! >>> 0) * 1048576 + (this.state[1]! >>> 12);
  }

  /**
   * The RFC 6962 root of rows that stand in `data`; row i is [starts[i], starts[i + 1] - 1), the newline left out.
   * Pairing neighbours and carrying an odd last node up gives RFC 6962's tree.
   */
  root(data: Uint8Array, starts: readonly number[]): string {
    let count = starts.length - 1;
    if (count < 1) return this.digest(new Uint8Array(0));
    const level = new Uint8Array(32 * count);
    for (let i = 0; i < count; i++) {
      const from = starts[i]!;
      const to = starts[i + 1]! - 1;
      const buffer = this.room(1 + to - from);
      buffer[0] = 0;
      for (let at = from; at < to; at++) buffer[at - from + 1] = data[at]!;
      this.state.set(this.start);
      this.run(1 + to - from, 0);
      this.take(level, 32 * i);
    }
    const buffer = this.room(65);
    while (count > 1) {
      const half = count >> 1;
      for (let i = 0; i < half; i++) {
        buffer[0] = 1;
        for (let at = 0; at < 64; at++) buffer[at + 1] = level[64 * i + at]!;
        this.state.set(this.start);
        this.run(65, 0);
        this.take(level, 32 * i);
      }
      if (count % 2) level.copyWithin(32 * half, 32 * (count - 1), 32 * count);
      count = half + (count % 2);
    }
    return toHex(level.subarray(0, 32));
  }
}

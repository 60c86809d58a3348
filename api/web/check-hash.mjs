// Compares the page's own SHA-256 and SM3 with others: noble for all lengths up to four blocks, and the examples of the
// standards. Run by the tests when Node and the packages are there.
import assert from "node:assert/strict";
import { hmac } from "@noble/hashes/hmac.js";
import { sha256 } from "@noble/hashes/sha2.js";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "vite";

const here = dirname(fileURLToPath(import.meta.url));
const made = await build({
  root: here, configFile: false, logLevel: "error", publicDir: false,
  build: { write: false, target: "es2022", lib: { entry: join(here, "src/verify/hash.ts"), formats: ["es"], fileName: "hash" } },
});
const code = (Array.isArray(made) ? made[0] : made).output[0].code;
const { Hasher, toHex } = await import(`data:text/javascript;base64,${Buffer.from(code).toString("base64")}`);

const own = new Hasher("sha256");
const seed = "5e".repeat(32);
const key = Uint8Array.from({ length: 32 }, (_, at) => at * 7);
for (let length = 0; length <= 260; length++) {
  const data = Uint8Array.from({ length }, (_, at) => (at * 31 + length) % 256);
  assert.equal(own.digest(data), toHex(sha256(data)));
  const text = "a~b·名".repeat(Math.ceil(length / 5)).slice(0, length);
  assert.equal(own.text(text), toHex(sha256(new TextEncoder().encode(text))));
  assert.equal(own.hmac(own.keyed(key), text), toHex(hmac(sha256, key, new TextEncoder().encode(text))));
  const name = `enterprise:${"x".repeat(length)}`;
  const ticket = toHex(sha256(new TextEncoder().encode(`${seed}:${name}`)));
  assert.equal(own.ticket(seed, name), ticket);
  assert.equal(own.cost(seed, name), Number.parseInt(ticket.slice(0, 10), 16));
  assert.equal(own.beginning(seed, name), Number(BigInt(`0x${ticket}`) >> 204n));
  // A batch gives what each of its names gives by itself, whatever the lengths of its neighbours.
  const ends = Array.from({ length: 5 }, (_, at) => "y".repeat((length * (at + 3)) % 65));
  const costs = new Float64Array(ends.length);
  own.costs(seed, `pair:${"x".repeat(length)}:`, ends.map((end) => new TextEncoder().encode(end)), costs);
  ends.forEach((end, at) => assert.equal(costs[at], own.cost(seed, `pair:${"x".repeat(length)}:${end}`)));
}
const large = new Uint8Array(100_003).fill(7);
assert.equal(own.digest(large), toHex(sha256(large)));

// GB/T 32905-2016, appendix A.
const sm3 = new Hasher("sm3");
assert.equal(sm3.text("abc"), "66c7f0f462eeedd9d1f2d46bdc10e4e24167c4875cf2f7a2297da02b8f4ba8e0");
assert.equal(sm3.text("abcd".repeat(16)), "debe9ff92275b8a138604889c18e5a4d6fdb70e5387e5765293dcba39c0c5732");
console.log("hashes agree");

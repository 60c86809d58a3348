/** Evidence of public randomness (docs/protocol.md §4): drand's quicknet, key strings, and signatures of parties. */

import { bls12_381 } from "@noble/curves/bls12-381.js";
import { ed25519 } from "@noble/curves/ed25519.js";
import { sha512 } from "@noble/hashes/sha2.js";
import { fromHex, Hasher } from "./hash";
import { say, type Said } from "./outcome";

export const QUICKNET = {
  chain: "52db9ba70e0cc0f6eaf7803dd07447a1f5477735fd3f661792ba94600c84e971",
  key: "83cf0f2896adee7eb8b5f01fcad3912212c437e0073e911fb90022d3e760183c8c4b450b6a0a6c3ac6a5776a2d1064510d1fec758c921cc22b0e17e63aaf4bcb5ed66304de9cf809bd274ca73bab4af5a6e9c76a4bc09e76eae8991ef5ece45a",
  genesis: 1692803367,
  period: 3,
  tag: "BLS_SIG_BLS12381G1_XMD:SHA-256_SSWU_RO_NUL_",
};

/** HMAC and beacons use SHA-256 whatever the suite. */
export const sha256 = new Hasher("sha256");

/** The instant when a round of quicknet is due; null for what is not a round. */
export function roundTime(round: string): string | null {
  if (!/^[1-9][0-9]{0,11}$/.test(round)) return null;
  const seconds = QUICKNET.genesis + (Number(round) - 1) * QUICKNET.period;
  const time = new Date(1000 * seconds);
  return Number.isNaN(time.getTime()) ? null : time.toISOString().replace(".000Z", "Z");
}

/** Is this quicknet's signature over a round? The identity, points off the curve or outside the subgroup are refused. */
export function isQuicknet(round: string, signature: Uint8Array): boolean {
  const message = new Uint8Array(8);
  new DataView(message.buffer).setBigUint64(0, BigInt(round));
  const bls = bls12_381.shortSignatures;
  try {
    const point = bls.Signature.fromBytes(signature);
    if (point.is0()) return false;
    point.assertValidity();
    const hashed = bls.hash(fromHex(sha256.digest(message)), QUICKNET.tag);
    return bls.verify(point, hashed, fromHex(QUICKNET.key));
  } catch {
    return false;
  }
}

const { Point } = ed25519;

/** Can these bytes be a key: canonical, and not of small order? */
export function isSoundKey(key: Uint8Array): boolean {
  try {
    return !Point.fromBytes(key).isSmallOrder();
  } catch {
    return false;
  }
}

function littleEndian(bytes: Uint8Array): bigint {
  return bytes.reduceRight((sum, byte) => sum * 256n + BigInt(byte), 0n);
}

/** RFC 8032 without cofactor, which the library's own check does not offer: is R, as bytes, S·B − h·A? */
export function isSignature(key: Uint8Array, message: string, signature: Uint8Array): boolean {
  if (signature.length !== 64 || !isSoundKey(key)) return false;
  const r = signature.subarray(0, 32);
  const s = littleEndian(signature.subarray(32));
  const order = Point.Fn.ORDER;
  if (s >= order) return false;
  const h = littleEndian(sha512(Uint8Array.of(...r, ...key, ...new TextEncoder().encode(message)))) % order;
  const found = Point.BASE.multiplyUnsafe(s).subtract(Point.fromBytes(key).multiplyUnsafe(h)).toBytes();
  return found.every((byte, at) => byte === r[at]);
}

export interface Evidence { keystring: string | null; randomness: string; signature: string | null }

/** Why nobody can verify the randomness of a round here; null where its signature shows it. */
export function unverifiable(kind: string, source: string, round: string, { keystring }: Evidence): Said | null {
  if (kind === "keystring") return say(`号码串是否就是 ${source} ${round} 公布的数字，需人工核对：${keystring}`, `a person must compare the key string with what ${source} ${round} published: ${keystring}`);
  return kind === "local" ? say("本地随机数由操作者的计算机选定，仅供开发", "the local randomness was chosen by the operator's machine: for development only") : null;
}

/** What is wrong with the evidence of a round, or null; where key strings come from is for people to compare. */
export function evidenceFailure(kind: string, round: string, { keystring, randomness, signature }: Evidence): Said | null {
  if (kind === "drand") {
    if (keystring !== null || signature?.length !== 96) return say("drand 信标的凭据应为签名", "the evidence of a drand beacon should be its signature");
    const bytes = fromHex(signature);
    if (!isQuicknet(round, bytes)) return say(`签名不是 quicknet 第 ${round} 轮的有效签名`, `the signature is not quicknet's over round ${round}`);
    return sha256.digest(bytes) === randomness ? null : say("randomness 不是签名的 SHA-256", "the randomness is not the SHA-256 of the signature");
  }
  if (signature !== null || (keystring === null) !== (kind === "local")) return kind === "local" ? say("local 信标不应有凭据", "a local beacon should have no evidence") : say("号码串信标的凭据应为其号码串", "the evidence of a keystring beacon should be its key string");
  if (keystring === null || sha256.text(keystring) === randomness) return null;
  return say("randomness 不是号码串的 SHA-256", "the randomness is not the SHA-256 of the key string");
}

/** Whom the reader trusts (C2SP tlog-policy), and how a log's key is handed over or revoked (docs/protocol.md §11.2). */

import { instantSeconds } from "./documents";
import { decode } from "./json";
import { type Checkpoint, cosignatures, type Key, LogFault, openCheckpoint, parseLogKey, parseNote, parseWitnessKey, refuse, signers, type Note } from "./note";
import { say } from "./outcome";

interface Group { name: string; least: number; members: string[] }
interface Revoked { key: Key; from: bigint }

/** Witness names, groups in the order of their definitions, and the name of the quorum, which may be `none`. */
export interface Policy { logs: Key[]; witnesses: { name: string; key: Key }[]; groups: Group[]; quorum: string; revoked: Revoked[] }

/** What a checkpoint is worth: who cosigned when, and when the quorum was complete (null where none is asked for). */
export interface Verified { checkpoint: Checkpoint; cosigned: Map<string, bigint>; quorumTime: bigint | null }

export function needsWitnesses(policy: Policy): boolean {
  return policy.quorum !== "none";
}

/** Read a policy file. Throws LogFault naming the first line that cannot stand. */
export function parsePolicy(data: Uint8Array): Policy {
  let text = "";
  try {
    text = decode(data);
  } catch {
    refuse(false, "信任策略不是 UTF-8 文本", "the policy is not UTF-8");
  }
  refuse(!/[\x00-\x08\x0b-\x1f\x7f]/.test(text), "信任策略含控制字符", "the policy has control characters");
  refuse(text === "" || text.endsWith("\n"), "信任策略末行没有换行", "the policy's last line has no newline");
  const policy: Policy = { logs: [], witnesses: [], groups: [], quorum: "", revoked: [] };
  const names = new Set<string>();
  const taken = new Set<string>();
  const same = (a: Key, b: Key): boolean => a.public.join() === b.public.join();
  const define = (name: string): void => {
    refuse(name !== "none" && !names.has(name), `名称 ${name} 已被占用`, `the name ${name} is taken`);
    names.add(name);
  };
  const defined = (name: string): void => refuse(names.has(name), `${name} 在此行之前没有定义`, `${name} is not defined above`);
  const read = ([word, ...rest]: string[]): void => {
    const [first, second] = rest;
    if (word === "log" && first !== undefined && rest.length <= 2) {
      const key = parseLogKey(first);
      refuse(!policy.logs.some((other) => same(other, key)), "同一日志公钥出现两次", "the same log key twice");
      policy.logs.push(key);
    } else if (word === "witness" && second !== undefined && rest.length <= 3) {
      const key = parseWitnessKey(second);
      refuse(!policy.witnesses.some((other) => same(other.key, key)), "同一见证方公钥出现两次", "the same witness key twice");
      define(first!);
      policy.witnesses.push({ name: first!, key });
    } else if (word === "group" && rest.length >= 3) {
      const members = rest.slice(2);
      for (const member of members) {
        defined(member);
        refuse(!taken.has(member), `${member} 出现两次`, `${member} is a member twice`);
        taken.add(member);
      }
      const least = second === "any" ? 1 : second === "all" ? members.length : /^[1-9][0-9]{0,5}$/.test(second!) ? Number(second) : 0;
      refuse(least >= 1 && least <= members.length, `门限 ${second} 应为 any、all 或 1 至成员数`, `the threshold ${second} is not any, all, or 1 to the number of members`);
      define(first!);
      policy.groups.push({ name: first!, least, members });
    } else if (word === "quorum" && rest.length === 1) {
      refuse(policy.quorum === "", "quorum 行不止一条", "more than one quorum line");
      if (first !== "none") defined(first!);
      policy.quorum = first!;
    } else refuse(false, "无法识别的行", "a line of no known form");
  };
  text.split("\n").forEach((raw, index) => {
    const line = raw.replace(/^[ \t]+|[ \t]+$/g, "");
    if (line === "" || line.startsWith("#")) return;
    try {
      read(line.split(/[ \t]+/));
    } catch (error) {
      if (!(error instanceof LogFault)) throw error;
      throw new LogFault(say(`信任策略第 ${index + 1} 行：${error.said.zh}`, `line ${index + 1} of the policy: ${error.said.en}`));
    }
  });
  refuse(policy.quorum !== "", "信任策略没有 quorum 行", "the policy has no quorum line");
  return policy;
}

function isMet(policy: Policy, cosigned: Map<string, bigint>, at: bigint): boolean {
  const met = new Set([...cosigned].filter(([, time]) => time <= at).map(([name]) => name));
  for (const { least, members, name } of policy.groups) if (members.filter((member) => met.has(member)).length >= least) met.add(name);
  return met.has(policy.quorum);
}

/** §11.2, §11.3 (4): a checkpoint under a policy. Throws LogFault, with `quorum` where only witnesses are missing. */
export function verifyCheckpoint(policy: Policy, data: Uint8Array): Verified {
  const { by, checkpoint, note } = openCheckpoint(data, policy.logs);
  const times = cosignatures(note, policy.witnesses.map((witness) => witness.key));
  const cosigned = new Map<string, bigint>();
  for (const { key, name } of policy.witnesses) if (times.has(key.text)) cosigned.set(name, times.get(key.text)!);
  const asked = needsWitnesses(policy);
  const ordered = [...cosigned.values()].sort((a, b) => (a < b ? -1 : a > b ? 1 : 0));
  const quorumTime = asked ? ordered.find((at) => isMet(policy, cosigned, at)) ?? null : null;
  if (asked && quorumTime === null) {
    const names = [...cosigned.keys()].sort().join(", ") || "-";
    throw new LogFault(say(`共签的见证方不足法定数（已共签：${names}）`, `too few witnesses cosigned (those that did: ${names})`), true);
  }
  const counts = by.some((key) => policy.revoked.every((one) => one.key.text !== key.text || (quorumTime !== null && quorumTime < one.from)));
  refuse(counts, "签署检查点的密钥已吊销", "the key that signed the checkpoint was revoked");
  return { checkpoint, cosigned, quorumTime };
}

interface Succession { keys: Key[]; revoked: Revoked[] }

/** Follow rotations and revocations, in their order, from a key. Notes from before it was made are skipped; if the log `begins` with it there are none. */
function succession(first: Key, notes: readonly Uint8Array[], begins = false): Succession {
  const state: Succession = { keys: [first], revoked: [] };
  const isSame = (a: Key, b: Key): boolean => a.text === b.text;
  for (const data of notes) {
    const note = parseNote(data);
    const lines = note.text.slice(0, -1).split("\n");
    const last = state.keys.at(-1)!;
    const current = state.revoked.some((one) => isSame(one.key, last)) ? null : last;
    const earlier = !begins && state.keys.length === 1 && state.revoked.length === 0;
    const [kind, origin, subject, fourth, fifth] = lines;
    refuse(lines.length === 5 && origin === first.name, "不是本日志的轮换或吊销文书", "not a rotation or revocation of this log");
    if (kind === "dualrandom/v1/rotation") rotate(state, note, parseLogKey(subject!), parseLogKey(fourth!), fifth!, current, earlier);
    else if (kind === "dualrandom/v1/revocation" && fifth !== "") {
      const key = parseLogKey(subject!);
      const from = instantSeconds(fourth!);
      refuse(from !== null, "文书的时刻有误", "the note's instant is wrong");
      if (state.keys.some((one) => isSame(one, key))) {
        signers(note, current === null ? [key] : [key, current]);
        state.revoked.push({ key, from });
      } else refuse(earlier, "被吊销的不是本日志的密钥", "the revoked key is not one of this log");
    } else refuse(false, "不是本日志的轮换或吊销文书", "not a rotation or revocation of this log");
  }
  return state;
}

function rotate(state: Succession, note: Note, old: Key, next: Key, at: string, current: Key | null, earlier: boolean): void {
  refuse(instantSeconds(at) !== null, "文书的时刻有误", "the note's instant is wrong");
  if (old.text !== current?.text) {
    refuse(earlier, "不是由现行密钥交接", "not handed over by the current key");
    return;
  }
  refuse(next.name === old.name && !state.keys.some((key) => key.text === next.text), "新密钥的名称不同，或曾经用过", "the new key has another name or was used before");
  const signed = new Set(signers(note, [old, next]).map((key) => key.text));
  refuse(signed.size === 2, "轮换须由新旧两把密钥签名", "both keys must sign a rotation");
  state.keys.push(next);
}

/** The policy with all that the log's published notes on keys add; `own` is the folder's first key where the reader names no log. */
export function withSuccession(policy: Policy | null, own: Key | null, notes: readonly Uint8Array[]): Policy {
  if (policy === null || policy.logs.length === 0) {
    const { keys, revoked } = succession(own!, notes, true);
    return { ...(policy ?? { witnesses: [], groups: [], quorum: "none" }), logs: keys, revoked };
  }
  const origin = notes.length === 0 ? null : parseNote(notes[0]!).text.split("\n")[1];
  const logs: Key[] = [];
  const revoked: Revoked[] = [];
  for (const key of policy.logs) {
    const state: Succession = key.name === origin ? succession(key, notes) : { keys: [key], revoked: [] };
    for (const one of state.keys) if (!logs.some((other) => other.text === one.text)) logs.push(one);
    revoked.push(...state.revoked);
  }
  return { ...policy, logs, revoked };
}

/** What the log shows of this draw: that everything stands in it, in its order, and before the round (docs/protocol.md §11.3, 11.4). */

import { ANNOUNCEMENT, type Announcement, type Change, type Exclude, instantSeconds } from "./documents";
import { Hasher } from "./hash";
import { decode, parse } from "./json";
import { ANNOUNCED, drawParts, type Entry, type EntryType, isOf, type PublicLog } from "./log";
import { LogFault, openCheckpoint } from "./note";
import { Failure, must, open, say, type Said, Unchecked } from "./outcome";
import { needsWitnesses, verifyCheckpoint } from "./policy";
import type { Record_ } from "./record";

const ONE_FILE: [EntryType, string][] = [
  ["ANNOUNCE", "announcement.json"], ["BEACON", "beacon.json"], ["RESULT", "result.json"], ["VOID", "void.json"],
  ["FINDINGS", "findings.json"], ["OPEN", "openings.jsonl"], ["ATTEST", "attest.json"],
];
/** Types whose file grows or is made anew: only the latest is published. */
const RENEWED: readonly EntryType[] = ["FINDINGS", "OPEN", "ATTEST"];
const OF_CHANGE: Record<Change["type"], EntryType> = { exclude: "EXCLUDE", substitute: "SUBSTITUTE", replace: "AMEND", withdraw: "AMEND" };

const UNUSABLE = say("日志不可用", "the log cannot be used");

export const joined = (said: Said[]): Said =>
  say(said.map((one) => one.zh).join("；"), said.map((one) => one.en).join("; "));

/** The log, or null where there is none or it is broken: the check `log` says why. */
function usable(record: Record_): PublicLog | null {
  try {
    const log = record.log();
    return log === null || log.faults.length > 0 ? null : log;
  } catch {
    return null;
  }
}

function ofDraw(record: Record_, log: PublicLog): Entry[] {
  return log.entries.filter((entry) => entry.draw === record.announcement!.draw);
}

/** The size of a checkpoint, or why it is none of this log. Throws LogFault for one that is not signed by the log. */
function sizeOf(name: string, data: Uint8Array, log: PublicLog): number | Said {
  const { checkpoint: { root, size } } = openCheckpoint(data, log.policy.logs);
  if (size > log.checkpoint.size)
    return say(`${name} 有 ${size} 条，日志只有 ${log.checkpoint.size} 条：日志被截短`, `${name} covers ${size} entries, the log has ${log.checkpoint.size}: it was cut short`);
  return log.rootOf(size).join() === root.join() ? size : say(`${name} 与日志不一致：日志分叉`, `${name} is inconsistent with the log: a fork`);
}

/** The size of the announced checkpoint: null where it is missing, a fault where it is none of this log. */
function announcedSize(record: Record_, log: PublicLog): number | Said | null {
  const data = record.files.get(ANNOUNCED);
  if (data === undefined) return null;
  try {
    return sizeOf(ANNOUNCED, data, log);
  } catch (error) {
    if (!(error instanceof LogFault)) throw error;
    return say(`${ANNOUNCED}：${error.said.zh}`, `${ANNOUNCED}: ${error.said.en}`);
  }
}

export function checkLog(record: Record_): Said {
  let log: PublicLog | null;
  try {
    log = record.log();
  } catch (error) {
    throw error instanceof LogFault ? new Failure(error.said) : error;
  }
  if (log === null) {
    const left = [...record.files.keys()].filter((name) => name === ANNOUNCED || /^(reveals|exclusions)\//.test(name)).sort()[0];
    must(left === undefined || record.voided, `有 ${left} 却没有日志：日志被移走了`, `there is ${left}, but no log: it was taken away`);
    throw new Unchecked(say("没有透明日志：缺失的抽取与两面之词未核对", "there is no transparency log: missing draws and equivocation are not checked"));
  }
  const gaps: Said[] = [];
  const faults = [...log.faults];
  if (!log.trusted) {
    const key = log.policy.logs.at(-1)!.text;
    gaps.push(say(`日志的公钥取自这个文件夹本身，是否可信由您判断：${key}`, `the log's key is that of the folder itself; whether to trust it is yours to judge: ${key}`));
  }
  const witnesses = witnessed(record, log, gaps, faults);
  const announced = announcedSize(record, log);
  if (announced !== null && typeof announced !== "number") faults.push(announced);
  documentFaults(record, log, faults);
  voidFaults(record, log, faults);
  copyFaults(record, log, faults);
  planFaults(record, log, faults, gaps);
  if (faults.length > 0) throw new Failure(joined(faults.slice(0, 4)));
  const steps = ofDraw(record, log).map((entry) => `${entry.index} ${entry.type}`).join(", ");
  const noted = say(
    `${witnesses && `见证方：${witnesses}；`}${log.checkpoint.origin}：${log.checkpoint.size} 条；本抽取 ${steps}`,
    `${witnesses && `witnesses: ${witnesses}; `}${log.checkpoint.origin}: ${log.checkpoint.size} entries; of this draw ${steps}`,
  );
  if (gaps.length > 0) throw open(joined(gaps), noted);
  return noted;
}

/** Names of the witnesses that cosigned the latest checkpoint. */
function witnessed(record: Record_, log: PublicLog, gaps: Said[], faults: Said[]): string {
  try {
    const { cosigned } = verifyCheckpoint(log.policy, record.files.get("log/checkpoint")!);
    if (!needsWitnesses(log.policy))
      gaps.push(say("没有您信任的见证方：不能排除向不同的人出示不同的日志", "no witnesses that you trust: nothing shows that everybody sees the same log"));
    return [...cosigned.keys()].sort().join(", ");
  } catch (error) {
    if (!(error instanceof LogFault)) throw error;
    (error.quorum ? gaps : faults).push(say(`log/checkpoint：${error.said.zh}`, `log/checkpoint: ${error.said.en}`));
    return "";
  }
}

/** Documents that the log must have: type, name and bytes. */
function documents(record: Record_): [EntryType, string, Uint8Array][] {
  const found: [EntryType, string, Uint8Array][] = [];
  for (const [type, name] of ONE_FILE) {
    const data = record.files.get(name);
    // A beacon that came to no result decides nothing.
    if (data !== undefined && (type !== "BEACON" || record.files.has("result.json"))) found.push([type, name, data]);
  }
  for (const name of record.reveals.keys()) found.push(["REVEAL", name, record.files.get(name)!]);
  const changes = record.files.get("changes.jsonl");
  for (let from = 0, number = 1; changes !== undefined && from < changes.length; number++) {
    const end = changes.indexOf(10, from);
    const row = changes.subarray(from, end === -1 ? changes.length : end);
    from = end === -1 ? changes.length : end + 1;
    try {
      const type = OF_CHANGE[(parse(decode(row)) as Change).type];
      if (type !== undefined) found.push([type, `changes.jsonl ${number}`, row]);
    } catch {
      // The check of the changes says so.
    }
  }
  return found;
}

function documentFaults(record: Record_, log: PublicLog, faults: Said[]): void {
  const held = ofDraw(record, log);
  const known = new Set<string>();
  // It answers its entry also where the draw was interrupted before its result.
  const beacon = record.files.get("beacon.json");
  if (beacon !== undefined) known.add(`BEACON ${record.hasher.digest(beacon)}`);
  for (const [type, name, data] of documents(record)) {
    const digest = record.hasher.digest(data);
    known.add(`${type} ${digest}`);
    if (!held.some((entry) => entry.type === type && entry.digest === digest && entry.size === data.length))
      faults.push(say(`日志中没有 ${name}（${type}）`, `${name} is not in the log (${type})`));
  }
  for (const { digest, index, type } of held) {
    const replaced = RENEWED.includes(type) && held.some((other) => other.type === type && other.index > index);
    if (!replaced && !known.has(`${type} ${digest}`))
      faults.push(say(`第 ${index} 条 ${type} 的文书不在公布之列（摘要 ${digest}）`, `the document of entry ${index} ${type} is not published here (digest ${digest})`));
  }
}

function voidFaults(record: Record_, log: PublicLog, faults: Said[]): void {
  for (const draw of record.announcement!.voids) {
    const chain = log.chains.get(draw) ?? [];
    if (chain.at(-1)?.type !== "VOID") faults.push(say(`日志中 ${draw} 没有作废`, `the log does not show that ${draw} was voided`));
    for (const [type, name] of [["ANNOUNCE", "announcement.json"], ["VOID", "void.json"]] as const) {
      const path = `voided/${draw}/${name}`;
      const data = record.files.get(path);
      if (data !== undefined && !chain.some((entry) => entry.type === type && isOf(entry, data)))
        faults.push(say(`日志中没有 ${path}`, `${path} is not in the log`));
    }
  }
}

/** Announcements here that have not the form of one, or are logged as another draw's. */
function copyFaults(record: Record_, log: PublicLog, faults: Said[]): void {
  for (const [draw, [first]] of [...log.chains].sort()) {
    const name = `log/documents/${first!.digest}`;
    const data = record.files.get(name);
    if (data === undefined || !isOf(first!, data)) continue;
    try {
      const value = parse(decode(data));
      if (ANNOUNCEMENT(value) === null && (value as Announcement).draw === draw) continue;
    } catch {
      // What cannot be read announces nothing.
    }
    faults.push(say(`${name} 不是 ${draw} 的公告`, `${name} is not an announcement of ${draw}`));
  }
}

/** A second announcement of the same plan: one of the two must be void, and named as such. */
function planFaults(record: Record_, log: PublicLog, faults: Said[], gaps: Said[]): void {
  const { authority, draw: own, plan, voids } = record.announcement!;
  const ownVoid = log.chains.get(own)?.at(-1)?.type === "VOID";
  for (const [draw, chain] of [...log.chains].sort()) {
    if (draw === own || voids.includes(draw)) continue;
    const data = record.files.get(`log/documents/${chain[0]!.digest}`);
    if (data === undefined || !isOf(chain[0]!, data)) {
      gaps.push(say(`未公布 ${draw} 的公告：不知是否为同一计划`, `the announcement of ${draw} is not here: whether it is of the same plan is not known`));
      continue;
    }
    let other: { authority?: unknown; plan?: unknown } | null = null;
    try {
      other = parse(decode(data)) as { authority?: unknown; plan?: unknown } | null;
    } catch {
      // What cannot be read announces no plan.
    }
    if (other?.authority !== authority || other.plan !== plan || ownVoid) continue;
    faults.push(chain.at(-1)!.type === "VOID"
      ? say(`已作废的 ${draw} 是同一计划，voids 未列出`, `the voided ${draw} is of the same plan, and voids does not name it`)
      : say(`同一计划 ${plan} 还公告了 ${draw}，既未作废也未列入 voids`, `the same plan ${plan} was announced as ${draw} as well, which is not void`));
  }
}

export function checkEvents(record: Record_): Said {
  const log = usable(record);
  const gaps: Said[] = [];
  const noted: Said[] = [];
  const shown: Said[] = [];
  exclusions(record, log, shown, noted);
  const { beacon } = record.announcement!;
  const rehearsal = record.labels?.rehearsal === true;
  if (rehearsal) gaps.push(say("labels.json 说明这是演练：公告时信标轮次已经公开", "labels.json says that this is a rehearsal: the round was already known when it was announced"));
  if (log === null) {
    gaps.push([...record.files.keys()].some((name) => name.startsWith("log/")) ? UNUSABLE
      : say("没有带见证方的日志，无法证明公告先于信标轮次公开", "without a log with witnesses nothing proves that the announcement was public before the round"));
    throw new Unchecked(joined([...gaps, ...shown]));
  }
  const size = announcedSize(record, log);
  if (size === null) {
    must(!record.files.has("result.json"), `已抽取却没有 ${ANNOUNCED}`, `drawn, but there is no ${ANNOUNCED}`);
    throw new Unchecked(joined([...gaps, say(`尚无 ${ANNOUNCED}`, `there is no ${ANNOUNCED} yet`), ...shown]));
  }
  if (typeof size !== "number") throw new Failure(size);
  places(record, log, size, gaps);
  if (beacon.kind === "local") gaps.push(say("本地随机数没有公开的时刻", "local randomness has no time at which it became known"));
  const seen = witnessTime(record, log, rehearsal, gaps);
  gaps.push(...shown);
  if (seen !== null)
    noted.unshift(say(`见证方法定数至迟于 ${seen} 见到公告，早于轮次 ${beacon.time}`, `a quorum of witnesses had seen the announcement at ${seen}, before the round at ${beacon.time}`));
  if (gaps.length > 0) throw noted.length > 0 ? open(joined(gaps), joined(noted)) : new Unchecked(joined(gaps));
  return joined(noted);
}

/** §11.3 (6): each exclusion that names a round was public before it. */
function exclusions(record: Record_, log: PublicLog | null, gaps: Said[], noted: Said[]): void {
  const kept = [...record.files.keys()].filter((name) => /^exclusions\/.*\.checkpoint$/.test(name)).sort();
  const named = new Map<string, { row: Exclude; line: string }>();
  if (record.files.has("changes.jsonl") && record.files.has("result.json")) {
    if (record.changes === null) {
      gaps.push(say("changes.jsonl 不可用", "changes.jsonl cannot be used"));
      return;
    }
    record.changes.forEach((row, at) => {
      if (row.type === "exclude" && row.beacon !== null) named.set(`exclusions/${at + 1}.checkpoint`, { row, line: record.changeLines[at]! });
    });
  }
  const stray = kept.find((name) => !named.has(name));
  must(stray === undefined, `${stray} 不对应任何排除`, `${stray} is of no exclusion that names a round`);
  if (log === null || !needsWitnesses(log.policy)) {
    if (named.size > 0)
      gaps.push(say("没有您信任的见证方，不能证明排除先于其信标轮次公开", "without witnesses that you trust nothing proves that exclusions were public before their rounds"));
    return;
  }
  for (const [name, { line, row }] of named) {
    const data = record.files.get(name);
    if (data === undefined) {
      gaps.push(say(`没有 ${name}：不能证明排除 ${row.enterprise} 先于其信标轮次公开`, `there is no ${name}: nothing proves that the exclusion of ${row.enterprise} was public before its round`));
      continue;
    }
    let time: bigint;
    let size: number | Said;
    try {
      size = sizeOf(name, data, log);
      time = verifyCheckpoint(log.policy, data).quorumTime!;
    } catch (error) {
      throw error instanceof LogFault ? new Failure(say(`${name}：${error.said.zh}`, `${name}: ${error.said.en}`)) : error;
    }
    if (typeof size !== "number") throw new Failure(size);
    const digest = record.hasher.text(line);
    const held = ofDraw(record, log).some((entry) => entry.type === "EXCLUDE" && entry.digest === digest && entry.index < (size as number));
    must(held, `${name} 不含该排除`, `${name} does not hold this exclusion`);
    const seen = told(time);
    must(time < instantSeconds(row.beacon!.time)!, `见证方在 ${seen} 才共签 ${name}，其轮次的时间是 ${row.beacon!.time}`, `the witnesses cosigned ${name} at ${seen}, its round was due at ${row.beacon!.time}`);
    noted.push(say(`排除 ${row.enterprise} 至迟于 ${seen} 公开，早于其轮次`, `the exclusion of ${row.enterprise} was public at ${seen}, before its round`));
  }
}

/** Seconds since 1970 as an instant. */
function told(time: bigint): string {
  return time < 253402300800n ? new Date(1000 * Number(time)).toISOString().replace(".000Z", "Z") : String(time);
}

/** §11.3 (2, 3). */
function places(record: Record_, log: PublicLog, size: number, gaps: Said[]): void {
  const held = ofDraw(record, log);
  const place = (type: EntryType): number | undefined => held.find((entry) => entry.type === type)?.index;
  const [announced, beacon, ended] = [place("ANNOUNCE"), place("BEACON"), place("VOID")];
  must(announced !== undefined && announced < size, `${ANNOUNCED} 不含公告`, `${ANNOUNCED} does not hold the announcement`);
  const end = beacon ?? ended ?? Infinity;
  const late = held.find(({ index }) => index >= size && index < end);
  must(late === undefined, `第 ${late?.index} 条 ${late?.type} 在 ${ANNOUNCED}（${size} 条）之后`, `entry ${late?.index} ${late?.type} came after ${ANNOUNCED} (${size} entries)`);
  must(beacon === undefined || beacon >= size, `${ANNOUNCED} 已含信标`, `${ANNOUNCED} holds the beacon already`);
  if (beacon !== undefined) return;
  if (ended === undefined) gaps.push(say("信标轮次尚未登记", "the round is not in the log yet"));
  else if (ended >= size)
    gaps.push(say("作废在最后一份经见证的检查点之后：作废时结果可能已可推知", "voided after the last witnessed checkpoint: the outcome may have been knowable"));
}

/** §11.3 (4): when the quorum had seen the announced checkpoint. */
function witnessTime(record: Record_, log: PublicLog, rehearsal: boolean, gaps: Said[]): string | null {
  if (!needsWitnesses(log.policy)) {
    gaps.push(say("没有您信任的见证方：共签的时间未核对", "no witnesses that you trust: the times of cosignatures are not checked"));
    return null;
  }
  let time: bigint;
  try {
    time = verifyCheckpoint(log.policy, record.files.get(ANNOUNCED)!).quorumTime!;
  } catch (error) {
    throw error instanceof LogFault ? new Failure(say(`${ANNOUNCED}：${error.said.zh}`, `${ANNOUNCED}: ${error.said.en}`)) : error;
  }
  const due = record.announcement!.beacon.time;
  const seen = told(time);
  if (time < instantSeconds(due)!) return seen;
  const late = say(`见证方在 ${seen} 才共签，信标轮次的时刻是 ${due}`, `the witnesses cosigned at ${seen}, the round was due at ${due}`);
  if (!rehearsal) throw new Failure(late);
  gaps.push(late);
  return null;
}

/** §11.3 (5): exactly the nonces inside the announced checkpoint count as revealed. What stays open is added to `gaps`. */
export function checkRevealed(record: Record_, gaps: Said[]): void {
  const log = usable(record);
  if (log === null && record.files.has("log/checkpoint")) gaps.push(UNUSABLE);
  if (log === null) return;
  const size = announcedSize(record, log);
  if (typeof size !== "number") return;
  const { contributions, draw } = record.announcement!;
  const revealed = new Map<string, string>();
  for (const entry of ofDraw(record, log)) {
    if (entry.type !== "REVEAL" || entry.index >= size) continue;
    for (const [name, { draw: of, nonce, party }] of record.reveals) {
      if (record.hasher.digest(record.files.get(name)!) !== entry.digest) continue;
      const shown = record.hasher.text(`dualrandom/v1/nonce\n${draw} ${party} ${nonce}\n`);
      const right = of === draw && contributions.find((one) => one.party === party)?.commitment === shown;
      must(right, `${name} 与 ${party} 的承诺不符`, `${name} does not match a commitment of ${party}`);
      revealed.set(party, nonce);
    }
  }
  reuse(record, log, revealed, gaps);
  for (const { party, revealed: open, value } of record.seed?.parties ?? []) {
    const nonce = revealed.get(party);
    must(nonce === undefined || (open && value === nonce), `${party} 的随机数已在 ${ANNOUNCED} 之内公开，种子却未采用`, `${party} revealed within ${ANNOUNCED}, but the seed does not use that nonce`);
    must(nonce !== undefined || !open, `${party} 在 ${ANNOUNCED} 之内没有公开，种子却按已公开计`, `${party} did not reveal within ${ANNOUNCED}, but the seed counts it as revealed`);
  }
}

/** §12: no announcement that stands earlier in the log commits any party to a nonce that was revealed here. */
function reuse(record: Record_, log: PublicLog, revealed: Map<string, string>, gaps: Said[]): void {
  for (const entry of revealed.size === 0 ? [] : log.entries) {
    const { digest, draw, type } = entry;
    if (type !== "ANNOUNCE") continue;
    if (draw === record.announcement!.draw) return;
    const data = record.files.get(`log/documents/${digest}`);
    if (data === undefined || !isOf(entry, data)) {
      gaps.push(say(`未公布 ${draw} 的公告：不知随机数是否用过`, `the announcement of ${draw} is not here: whether a nonce was used before is not known`));
      continue;
    }
    let other: Partial<Announcement> = {};
    try {
      other = parse(decode(data)) as Partial<Announcement>;
    } catch {
      // A folder of that draw says so.
    }
    if (other.suite !== "sha256" && other.suite !== "sm3") continue;
    const hasher = new Hasher(other.suite);
    for (const { commitment, party } of Array.isArray(other.contributions) ? other.contributions : [])
      for (const [mine, nonce] of revealed)
        must(hasher.text(`dualrandom/v1/nonce\n${other.draw} ${party} ${nonce}\n`) !== commitment, `${mine} 的随机数在 ${other.draw} 中已由 ${party} 用过`, `the nonce of ${mine} was used before, by ${party} in ${other.draw}`);
  }
}

/** The open, void and missing draws of the authority and year; null without a log. */
export function loggedDraws(record: Record_): { missing: string; said: Said } | null {
  const log = usable(record);
  const own = drawParts(record.announcement!.draw);
  if (log === null || own === null) return null;
  const prefix = `${own.year}-`;
  const draws = [...log.chains].filter(([draw]) => draw.startsWith(prefix)).sort();
  const names = (chosen: [string, Entry[]][]): string => chosen.map(([draw]) => draw).join(", ") || "-";
  const has = (chain: Entry[], type: EntryType): boolean => chain.some((entry) => entry.type === type);
  const open = names(draws.filter(([, chain]) => !has(chain, "RESULT") && !has(chain, "VOID")));
  const ended = names(draws.filter(([, chain]) => chain.at(-1)!.type === "VOID"));
  const missing: string[] = [];
  for (let n = 1; n < (log.numbers.get(own.year) ?? 0) && missing.length < 20; n++) {
    const draw = `${prefix}${String(n).padStart(6, "0")}`;
    if (!log.chains.has(draw)) missing.push(draw);
  }
  return { missing: missing.join(", "), said: say(`日志中未终结的抽取：${open}；作废：${ended}`, `draws in the log that are open: ${open}; void: ${ended}`) };
}

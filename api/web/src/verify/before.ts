/** Checks of what was fixed before the draw: lists, announcement, contributions, beacon, seed (docs/protocol.md §2–4). */

import { evidenceFailure, isSignature, QUICKNET, roundTime, sha256, unverifiable } from "./beacon";
import { ID_PATTERN, type ListName, LISTS } from "./documents";
import { brokenReference, kinds, marksOf, misplaced, twins } from "./references";
import { Fraction, ZERO } from "./fraction";
import { canonical } from "./json";
import { Failure, must, need, type Said, say, SEALED, Unchecked } from "./outcome";
import { checkRevealed, joined, loggedDraws } from "./order";
import { tally } from "./lists";
import { type Files, Record_ } from "./record";

export function checkCanonical(record: Record_): Said {
  record.readAll();
  const [zh, en] = (["zh", "en"] as const).map((language) =>
    record.problems.slice(0, 3).map((problem) => problem[language]).join("; ") +
    (record.problems.length > 3 ? ` … (${record.problems.length})` : ""));
  must(record.problems.length === 0, zh!, en!);
  return say(`${record.files.size} 个文件格式规范`, `${record.files.size} files`);
}

function bytes(base64: string): Uint8Array {
  return Uint8Array.from(atob(base64), (character) => character.charCodeAt(0));
}

export function checkSignatures(record: Record_): Said {
  const { contributions, draw } = record.announcement!;
  for (const { commitment, key, party, signature } of contributions)
    must(
      isSignature(bytes(key), `dualrandom/v1/contribution\n${draw} ${party} ${commitment}\n`, bytes(signature)),
      `${party} 的签名不对`, `${party}: the signature is not this party's`,
    );
  const wrong = attestationFault(record);
  if (wrong !== null) throw new Failure(wrong);
  const attested = record.attestation === null ? 0 : 1;
  return say(`${contributions.length + attested} 个签名有效`, `${contributions.length + attested} signatures verify`);
}

/** §15: why the attestation is not the announced auditor's, or not of this result; null where it stands, or where there is none. */
export function attestationFault(record: Record_): Said | null {
  const { attestation, hasher } = record;
  if (attestation === null) return null;
  const result = record.files.get("result.json");
  const { announcement, auditor, changes, checks, draw, signature } = attestation;
  const of = announcement === record.digest && draw === record.announcement!.draw && result !== undefined && hasher.digest(result) === attestation.result;
  if (!of) return say("审计声明属于另一结果", "the attestation is of another result");
  if (auditor !== record.announcement!.auditor?.key) return say("审计声明不出自公告的审计方", "the attestation is not by the announced auditor");
  if (changes !== null && !record.changeLines.some((line) => hasher.text(line) === changes))
    return say("审计声明所指的更改不存在", "the attestation is of changes that are not there");
  const lines = checks.map(({ name, status }) => `check ${name} ${status}\n`).join("");
  const statement = `dualrandom/v1/attest\ndraw ${draw}\nannouncement ${announcement}\nresult ${attestation.result}\nchanges ${changes ?? "none"}\n${lines}`;
  return isSignature(bytes(auditor), statement, bytes(signature)) ? null : say("审计声明的签名不对", "the attestation's signature does not verify");
}

const USCC = "0123456789ABCDEFGHJKLMNPQRTUWXY";

/** GB 32100-2015: eighteen characters, the last one a check digit modulo 31. */
function isCreditCode(id: string): boolean {
  if (id.length !== 18) return false;
  let sum = 0;
  for (let at = 0, weight = 1; at < 18; at++, weight = (weight * 3) % 31) {
    const value = USCC.indexOf(id[at]!);
    if (value === -1) return false;
    sum += at < 17 ? value * weight : value;
  }
  return sum % 31 === 0;
}

const LIST_NAMES: Record<ListName, string> = { frame: "抽样框", roster: "名册", recusals: "回避", strata: "分层", cutoffs: "末位签号", visits: "检查" };

export function checkLists(record: Record_): Said {
  const announcement = record.announcement!;
  const commitments: [ListName, { root: string; size: number } | null | undefined][] = [
    ...(Object.entries(announcement.lists) as [ListName, { root: string; size: number }][]),
    ["cutoffs", record.result?.cutoffs], ["visits", record.result?.embargoed],
  ];
  const counted: [ListName, number][] = [];
  for (const [name, commitment] of commitments) {
    const present = record.files.has(`${name}.jsonl`);
    if (commitment === null || commitment === undefined) continue;
    must(present, `缺少 ${name}.jsonl`, `${name}.jsonl is missing`);
    const list = need(record.list(name), say(`${name}.jsonl 无法读取`, `${name}.jsonl could not be read`));
    must(list.size === commitment.size, `${name} 行数与承诺不符`, `${name}: not the committed number of rows`);
    must(list.root(record.hasher) === commitment.root, `${name} 不是所承诺的名单`, `${name}: not the committed list`);
    counted.push([name, list.size]);
  }
  checkIds(record);
  checkOpenings(record);
  checkReferences(record);
  const zh = counted.map(([name, size]) => `${LIST_NAMES[name]} ${size} 行`).join("、");
  const en = counted.map(([name, size]) => `${name} ${size}`).join(", ");
  if (record.sealed && record.auditor === null && record.firms === null)
    throw new Unchecked(say(`${SEALED.zh}；已核对根散列与行数：${zh}`, `${SEALED.en}; roots and sizes are right: ${en}`));
  return say(`与承诺一致：${zh}`, `lists match their commitments: ${en}`);
}

function checkIds(record: Record_): void {
  const frame = record.list("frame")!;
  const roster = record.list("roster")!;
  for (const { ids } of [frame, roster]) {
    const all = ids.join();
    const lower = /[a-z]/.test(all) && /[A-Z]/.test(all) ? new Set(ids.map((id) => id.toLowerCase())) : null;
    must(lower === null || lower.size === ids.length, "有仅大小写不同的标识", "ids differ only in letter case");
  }
  for (const id of roster.ids) must(!frame.has(id), `${id} 既是人又是企业`, `${id} is in both frame and roster`);
  if (record.announcement!.enterprise_ids === "uscc")
    for (const id of frame.ids) if (!isCreditCode(id)) must(false, `${id} 不是有效的统一社会信用代码`, `${id} is not a valid credit code`);
  const districts = new Set([...record.people.values()].flatMap((person) => person.districts));
  for (const { district } of new Set(record.firms?.places)) districts.add(district);
  const named = { ...kinds(record.announcement!), district: districts, mark: [...marksOf(record.announcement!), ...[...record.people.values()].flatMap((person) => person.marks)] };
  for (const [kind, names] of Object.entries(named)) {
    const two = twins(names);
    must(two === null, `${kind} 有仅大小写不同的标识：${two}`, `ids of kind ${kind} differ only in letter case: ${two}`);
  }
  const others = record.announcement!.policy.embargo === "visits" ? ["prices", "selection"] : ["prices"];
  const widths: [ListName, string, number][] = [["recusals", "r", 6], ["strata", "s", 4], ["cutoffs", "s", 4], ["visits", "v", 5]];
  for (const [name, letter, least] of widths) {
    if (!record.sealed && name !== "visits") continue;
    const ids = [...(record.list(name)?.ids ?? [])];
    if (name === "visits" && ids.length > 0) {
      const first = ids.splice(0, others.length);
      must(first.join() === others.join(), `visits 应以 ${others.join("、")} 开头`, `visits: the first rows are ${others.join(", ")}`);
    }
    const width = Math.max(least, String(ids.length).length);
    ids.forEach((id, at) => must(id === letter + String(at + 1).padStart(width, "0"), `${name} 的编号不连续：${id}`, `${name}: numbers have gaps: ${id}`));
  }
}

function checkOpenings(record: Record_): void {
  const { announcement, auditor, hasher } = record;
  const keyed = auditor === null ? null : sha256.keyed(auditor.secret);
  for (const name of new Set([...LISTS, ...record.shown().keys()])) {
    const opened = record.opened(name);
    const list = LISTS.includes(name as ListName) ? record.list(name as ListName) : undefined;
    const salted = `${announcement!.draw}\n${name}`;
    for (let at = 0; at < opened.size; at++) {
      const id = opened.ids[at]!;
      const salt = opened.salts[at]!;
      const sealed = list?.seals[list.place(id)];
      // Hundreds of thousands of rows: reasons are made only where they are needed.
      if (hasher.text(`dualrandom/v1/sealed\n${salt}\n${opened.texts[at]!}`) !== sealed) {
        must(sealed !== undefined, `${name} ${id} 没有可启封的行`, `${name} ${id}: nothing to open`);
        must(false, `${name} ${id} 启封内容与密封不符`, `${name} ${id}: the opening does not match its seal`);
      }
      if (keyed !== null && sha256.hmac(keyed, `${salted}\n${id}`) !== salt)
        must(false, `${name} ${id} 的盐不出自列表密钥`, `${name} ${id}: the salt is not from the list secret`);
    }
    // Embargoed visits are opened in their time, to everybody.
    if (auditor === null || name === "visits" || list?.seals[0] === undefined) continue;
    const missing = opened.isOf(list) ? undefined : list.ids.find((id) => !opened.has(id));
    must(missing === undefined, `审计材料缺 ${name} ${missing} 的启封`, `the auditor lacks the opening of ${name} ${missing}`);
  }
}

function checkReferences(record: Record_): void {
  const departments = new Set(record.announcement!.tasks.map((task) => task.department));
  for (const [id, person] of record.people)
    must(departments.has(person.department), `${id} 属于没有任务的部门`, `${id} is of a department without tasks`);
  const known = record.opened("roster");
  const persons = known.ids.map((id, at) => `${record.people.get(id)?.department} ${(known.hidden[at] as { person: string }).person}`);
  must(new Set(persons).size === persons.length, "一人有两个化名", "one person under two pseudonyms");
  const profiles = new Set(record.announcement!.profiles?.map((profile) => profile.id));
  const frame = record.list("frame")!;
  const unknown = record.sealed ? -1 : frame.details.findIndex((detail) => !profiles.has((detail as { profile: string }).profile));
  must(unknown === -1, `${frame.ids[unknown]} 的画像不存在`, `${frame.ids[unknown]}: there is no such profile`);
  let last = "";
  for (const [a, b] of record.pairs ?? []) {
    const name = `${a}~${b}`;
    const known = record.people.has(a) && (frame.has(b) || (record.people.has(b) && a < b));
    must(known && ID_PATTERN.test(a) && ID_PATTERN.test(b), `回避 ${name} 涉及不存在的人或企业`, `recusal ${name}: nobody or nothing of the lists`);
    must(last < name, `回避 ${name} 次序不对或重复`, `recusal ${name}: order`);
    last = name;
  }
  if (record.sealed) {
    last = "";
    for (const key of record.numbered.keys()) {
      must(last < key, `层 ${key} 次序不对或重复`, `stratum ${key}: order`);
      last = key;
      must(record.tasks.get(key.split(" ")[0]!)?.mode === "own", `层 ${key} 不属于任务`, `stratum ${key}: of no task`);
    }
    const all = [...(record.strata?.values() ?? [])].flat();
    const two = twins(all.map((stratum) => stratum.id)) ?? twins(all.map((stratum) => stratum.group));
    must(two === null, `层或组有仅大小写不同的标识：${two}`, `ids of strata or groups differ only in letter case: ${two}`);
  }
  const seen = new Set<unknown>();
  if (record.strata !== null && record.sealed)
    for (const [at, place] of record.firms?.places.entries() ?? []) {
      if (seen.has(place)) continue;
      seen.add(place);
      const wrong = misplaced(record, place.strata);
      must(wrong === null, `${frame.ids[at]} ${wrong?.zh}`, `${frame.ids[at]} ${wrong?.en}`);
    }
}

export function checkAnnouncement(record: Record_): Said {
  const announcement = record.announcement!;
  const { beacon, crews, days, deadlines, period, policy, tasks } = announcement;
  const broken = brokenReference(record);
  if (broken !== null) throw new Failure(broken);
  must(period.start <= period.end && days.length > 0, "期间或日期为空", "the period or the days are empty");
  must(period.start <= days[0]! && days[days.length - 1]! <= period.end, "日期超出期间", "days outside the period");
  must(deadlines.reveal <= beacon.time && beacon.time <= deadlines.result && deadlines.result <= deadlines.findings, "期限次序不对", "deadlines are out of order");
  if (beacon.kind === "drand") {
    must(beacon.source === QUICKNET.chain, "不是 quicknet", "not drand's quicknet");
    must(roundTime(beacon.round) === beacon.time, "信标时刻与轮次不符", "the beacon's time is not its round's");
  }
  if (beacon.kind === "local") must(beacon.source === "none" && beacon.round === "0", "本地随机数的来源或轮次不对", "local randomness: source or round");
  must(crews.every((crew) => crew.seats.length >= 2), "检查组不足两席", "a crew of fewer than two seats");
  must(policy.visit_limit?.hours !== "0/1", "每次检查的工时上限应大于零", "the limit of hours of a visit is not above zero");
  const idle = policy.relief.find((step) => step.amount < 1 && (step.kind === "daily" || step.kind === "total"));
  must(idle === undefined, `放宽步骤 ${idle?.kind} ${idle?.department} 什么也没有放宽`, `the relief step ${idle?.kind} ${idle?.department} relieves nothing`);
  must(!announcement.voids.includes(announcement.draw), "已作废的抽取含本次抽取自身", "voids names this very draw");
  const profiles = (announcement.profiles ?? []).map((profile) => canonical(profile.strata));
  must(new Set(profiles).size === profiles.length, "画像重复", "a repeated profile");
  for (const { id, strata } of announcement.profiles ?? []) {
    const wrong = misplaced(record, strata);
    must(wrong === null, `画像 ${id} ${wrong?.zh}`, `profile ${id} ${wrong?.en}`);
  }
  checkQuotas(record);
  return say(`${tasks.length} 项任务，${days.length} 个日期`, `${tasks.length} tasks, ${days.length} days`);
}

function checkQuotas(record: Record_): void {
  const firms = need(record.firms, SEALED);
  const all = need(record.strata, SEALED);
  const counts = new Map<string, number>();
  for (const [place, count] of tally(firms.places))
    for (const task in place.strata) {
      const key = `${task} ${place.strata[task]}`;
      counts.set(key, (counts.get(key) ?? 0) + count);
    }
  for (const { greatest, least, small, task } of record.announcement!.rates) {
    const strata = all.get(task) ?? [];
    let sum = ZERO;
    let range: [Fraction, Fraction] | null = null;
    const flagged: string[] = [];
    for (const { expected, id, size } of strata) {
      const e = Fraction.of(expected);
      must((counts.get(`${task} ${id}`) ?? 0) === size, `${task} ${id} 的大小与抽样框不符`, `${task} ${id}: size is not the frame's`);
      must(e.compare(new Fraction(BigInt(size))) <= 0, `${task} ${id} 的期望超过大小`, `${task} ${id}: more expected than there are`);
      must(!record.sealed || e.q === 1n, `${task} ${id} 的期望不是整数`, `${task} ${id}: the expected size is not whole`);
      sum = sum.plus(e);
      if (size === 0) continue;
      const rate = e.times(new Fraction(1n, BigInt(size)));
      range = [range && range[0].compare(rate) <= 0 ? range[0] : rate, range && range[1].compare(rate) >= 0 ? range[1] : rate];
      if (size < 5 && (e.p === 0n || rate.p === rate.q)) flagged.push(id);
    }
    const total = record.tasks.get(task)!.total!;
    must(String(sum) === total, `${task} 的总数不是各层之和`, `${task}: the total is not the sum of its strata`);
    const [low, high] = range ?? [ZERO, ZERO];
    must(String(low) === least && String(high) === greatest, `${task} 的最小或最大抽中概率不实`, `${task}: least or greatest rate`);
    const right = record.sealed ? small === flagged.length : (small as string[]).join() === flagged.join();
    must(right, `${task} 的小层标示不实`, `${task}: small strata`);
  }
}

/** A document that there is as soon as there is a result. */
function needFile<T>(record: Record_, name: string, document: T | null): T {
  must(record.files.has(name) || !record.files.has("result.json"), `有结果却缺少 ${name}`, `there is a result, but ${name} is missing`);
  return need(document, record.files.has(name) ? say(`${name} 无法读取`, `${name} could not be read`) : record.undrawn());
}

export function checkContributions(record: Record_): Said {
  const gaps: Said[] = [];
  checkRevealed(record, gaps);
  const missing = record.files.has("result.json") ? say("seed.txt 缺失或无法读取", "seed.txt is missing or could not be read") : record.undrawn();
  const { parties } = need(record.seed, missing);
  const { contributions, draw } = record.announcement!;
  let revealed = 0;
  for (const { party, revealed: open, value } of parties) {
    const commitment = contributions.find((one) => one.party === party)?.commitment;
    if (commitment === undefined) continue;
    const shown = open ? record.hasher.text(`dualrandom/v1/nonce\n${draw} ${party} ${value}\n`) : value;
    must(shown === commitment, `${party} 公开的数与承诺不符`, `${party}: not what was committed`);
    revealed += open ? 1 : 0;
  }
  const counts = say(`${revealed} 方公开且相符，${parties.length - revealed} 方未公开`, `${revealed} revealed and matching, ${parties.length - revealed} withheld`);
  if (gaps.length > 0) throw new Unchecked(joined([...gaps, counts]));
  return counts;
}

export function checkBeacon(record: Record_): Said {
  const beacon = needFile(record, "beacon.json", record.beacon);
  const announced = record.announcement!.beacon;
  must(beacon.kind === announced.kind && beacon.source === announced.source && beacon.round === announced.round, "不是公告的信标", "another beacon than announced");
  if (beacon.kind === "drand") {
    must(beacon.source === QUICKNET.chain && roundTime(beacon.round) !== null, "不是 quicknet 的轮次", "not a round of quicknet");
  }
  const wrong = evidenceFailure(beacon.kind, beacon.round, beacon);
  if (wrong !== null) throw new Failure(wrong);
  const open = unverifiable(beacon.kind, beacon.source, beacon.round, beacon);
  if (open !== null) throw new Unchecked(open);
  return say(`签名确为 quicknet 第 ${beacon.round} 轮`, `the signature is quicknet's over round ${beacon.round}`);
}

export function checkSeed(record: Record_): Said {
  must(record.seed !== null || !record.files.has("seed.txt"), "seed.txt 不是 §4 的文本", "seed.txt is not the statement of §4");
  const seed = needFile(record, "seed.txt", record.seed);
  const announced = record.announcement!.beacon;
  const [kind, announcement, beacon, randomness] = seed.head;
  must(kind === "dualrandom/v1/seed", "seed.txt 不是种子文本", "seed.txt is not the statement of a seed");
  must(announcement === `announcement ${record.digest}`, "种子绑定另一份公告", "the seed binds another announcement");
  must(beacon === `beacon ${announced.kind} ${announced.source} ${announced.round}`, "种子用了另一个信标", "the seed is of another beacon");
  must(record.beacon === null || randomness === `randomness ${record.beacon.randomness}`, "种子用了另一个随机数", "the seed is of another randomness");
  const parties = record.announcement!.contributions.map((one) => one.party).join();
  must(seed.parties.map((one) => one.party).join() === parties, "参与方缺失或次序不对", "parties are missing or out of order");
  const made = record.hasher.digest(record.files.get("seed.txt")!);
  must(record.result === null || record.result.seed === made, "结果的种子不是 seed.txt 的散列", "the result's seed is not the hash of seed.txt");
  need(record.beacon, say("beacon.json 缺失或无法读取", "beacon.json is missing or could not be read"));
  return say(`种子 ${made}`, `seed ${made}`);
}

/** `judge` finds the first fault in the folder of a voided draw; within such a folder those that it follows are not looked for. */
export function checkDraws(record: Record_, judge: ((files: Files) => Said | null) | null): Said {
  const announcement = record.announcement!;
  const folders = new Map<string, Files>();
  for (const [name, data] of judge === null ? [] : record.files) {
    const [, draw, inner] = /^voided\/([^/]*)\/([^]*)$/.exec(name) ?? [];
    if (draw !== undefined) folders.set(draw, (folders.get(draw) ?? new Map()).set(inner!, data));
  }
  const unnamed = [...folders.keys()].sort().find((draw) => !announcement.voids.includes(draw));
  must(unnamed === undefined, `公告未列出已作废的 ${unnamed}`, `the voided draw ${unnamed} is not named`);
  for (const draw of judge === null ? [] : announcement.voids) {
    const files = folders.get(draw);
    must(files !== undefined, `缺少已作废的 ${draw}`, `the voided draw ${draw} is missing`);
    must(files.has("void.json") && files.has("announcement.json"), `${draw} 的作废文件缺失`, `${draw}: the void or its announcement is missing`);
    const wrong = judge!(files);
    must(wrong === null, `voided/${draw} 的 ${wrong?.zh}`, `voided/${draw} ${wrong?.en}`);
    const of = new Record_(files, null).announcement!;
    must(of.draw === draw && of.plan === announcement.plan && of.authority === announcement.authority, `voided/${draw} 不是本计划的抽取`, `voided/${draw} is not this draw of this plan`);
    const before = of.draw < announcement.draw && of.voids.length < announcement.voids.length && of.voids.every((one) => announcement.voids.includes(one));
    must(before, `${draw} 不是更早的抽取`, `${draw} is not an earlier draw`);
  }
  const drawn = record.files.has("result.json");
  const voided = record.files.has("void.json");
  must(!(drawn && voided), "既有结果又作废", "both a result and a void");
  const { ended } = record;
  if (voided) {
    need(ended, say("void.json 无法读取", "void.json could not be read"));
    must(ended!.announcement === record.digest && ended!.draw === announcement.draw, "作废的是另一份公告", "the void is of another announcement");
  }
  const logged = loggedDraws(record);
  const count = say(`此前作废 ${announcement.voids.length} 次`, `voided before: ${announcement.voids.length}`);
  const before = logged === null ? count : say(`${count.zh}；${logged.said.zh}`, `${count.en}; ${logged.said.en}`);
  const unlisted = logged?.missing ?? "";
  if (unlisted !== "") throw new Unchecked(say(`日志中没有 ${unlisted}；${before.zh}`, `the log does not show ${unlisted}; ${before.en}`));
  if (voided) return say(`本次已作废，无后续；${before.zh}`, `ended in a void, nothing follows; ${before.en}`);
  if (drawn) return say(`以结果告终；${before.zh}`, `ended in a result; ${before.en}`);
  throw new Unchecked(say(`已公告，尚无结果或作废；${before.zh}`, `announced, neither result nor void yet; ${before.en}`));
}

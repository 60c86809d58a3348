/** Checks of what was fixed before the draw: lists, announcement, contributions, beacon, seed (docs/protocol.md §2–4). */

import { evidenceFailure, isSignature, QUICKNET, roundTime, sha256 } from "./beacon";
import { ID_PATTERN, type ListName } from "./documents";
import { Fraction, ZERO } from "./fraction";
import { Hasher } from "./hash";
import { canonical } from "./json";
import { Failure, must, need, NO_RESULT, type Said, say, SEALED, Unchecked } from "./outcome";
import { lineStarts, type Record_ } from "./record";

export function checkCanonical(record: Record_): Said {
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
  checkAttestation(record);
  const attested = record.attestation === null ? 0 : 1;
  return say(`${contributions.length + attested} 个签名有效`, `${contributions.length + attested} signatures verify`);
}

/** §15: the attestation is the announced auditor's and of this result. */
function checkAttestation(record: Record_): void {
  const { attestation, hasher } = record;
  if (attestation === null) return;
  const result = record.files.get("result.json");
  const { announcement, auditor, changes, checks, draw, signature } = attestation;
  const of = announcement === record.digest && draw === record.announcement!.draw && result !== undefined && hasher.digest(result) === attestation.result;
  must(of, "审计声明属于另一结果", "the attestation is of another result");
  must(auditor === record.announcement!.auditor?.key, "审计声明不出自公告的审计方", "the attestation is not by the announced auditor");
  must(changes === null || record.changeLines.some((line) => hasher.text(line) === changes), "审计声明所指的更改不存在", "the attestation is of changes that are not there");
  const lines = checks.map(({ name, status }) => `check ${name} ${status}\n`).join("");
  const statement = `dualrandom/v1/attest\ndraw ${draw}\nannouncement ${announcement}\nresult ${attestation.result}\nchanges ${changes ?? "none"}\n${lines}`;
  must(isSignature(bytes(auditor), statement, bytes(signature)), "审计声明的签名不对", "the attestation's signature does not verify");
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

export function checkLists(record: Record_): Said {
  const announcement = record.announcement!;
  const commitments: [ListName, { root: string; size: number } | null | undefined][] = [
    ...(Object.entries(announcement.lists) as [ListName, { root: string; size: number }][]),
    ["cutoffs", record.result?.cutoffs], ["visits", record.result?.embargoed],
  ];
  const counted: string[] = [];
  for (const [name, commitment] of commitments) {
    const present = record.files.has(`${name}.jsonl`);
    if (commitment === null || commitment === undefined) {
      must(!present || name === "frame", `${name}.jsonl 没有承诺`, `${name}.jsonl was never committed`);
      continue;
    }
    must(present, `缺少 ${name}.jsonl`, `${name}.jsonl is missing`);
    const list = need(record.lists.get(name), say(`${name}.jsonl 无法读取`, `${name}.jsonl could not be read`));
    must(list.rows.length === commitment.size, `${name} 行数与承诺不符`, `${name}: not the committed number of rows`);
    must(record.hasher.root(list.data, list.starts) === commitment.root, `${name} 不是所承诺的名单`, `${name}: not the committed list`);
    counted.push(`${name} ${list.rows.length}`);
  }
  must(record.sealed || !record.files.has("strata.jsonl"), "公开抽取不应有 strata.jsonl", "an open draw has no strata.jsonl");
  checkIds(record);
  checkOpenings(record);
  checkReferences(record);
  const counts = counted.join(", ");
  if (record.sealed && record.auditor === null && record.firms === null)
    throw new Unchecked(say(`${SEALED.zh}；已核对根与行数：${counts}`, `${SEALED.en}; roots and sizes are right: ${counts}`));
  return say(`名单与承诺一致：${counts}`, `lists match their commitments: ${counts}`);
}

function checkIds(record: Record_): void {
  const frame = record.lists.get("frame")!;
  const roster = record.lists.get("roster")!;
  for (const { rows } of [frame, roster]) {
    const lower = new Set(rows.map((row) => row.id.toLowerCase()));
    must(lower.size === rows.length, "有仅大小写不同的标识", "ids differ only in letter case");
  }
  for (const { id } of roster.rows) must(!frame.byId.has(id), `${id} 既是人又是企业`, `${id} is in both frame and roster`);
  if (record.announcement!.enterprise_ids === "uscc")
    for (const { id } of frame.rows) must(isCreditCode(id), `${id} 不是有效的统一社会信用代码`, `${id} is not a valid credit code`);
  const widths: [ListName, string, number][] = [["recusals", "r", 6], ["strata", "s", 4], ["cutoffs", "s", 4], ["visits", "v", 5]];
  for (const [name, letter, least] of widths) {
    if (!record.sealed && name !== "visits") continue;
    const ids = record.lists.get(name)?.rows.map((row) => row.id).filter((id) => id !== "prices" && id !== "selection") ?? [];
    const width = Math.max(least, String(ids.length).length);
    ids.forEach((id, at) => must(id === letter + String(at + 1).padStart(width, "0"), `${name} 的编号不连续：${id}`, `${name}: numbers have gaps: ${id}`));
  }
}

function checkOpenings(record: Record_): void {
  const { announcement, auditor, hasher } = record;
  const keyed = auditor === null ? null : sha256.keyed(auditor.secret);
  for (const [name, { id, list, salt }] of record.openings) {
    const sealed = record.lists.get(list as ListName)?.byId.get(id)?.sealed;
    must(sealed !== undefined, `${list} ${id} 没有可启封的行`, `${list} ${id}: nothing to open`);
    must(hasher.text(`dualrandom/v1/sealed\n${salt}\n${record.hiddenText.get(name)}`) === sealed, `${list} ${id} 启封内容与密封不符`, `${list} ${id}: the opening does not match its seal`);
    if (keyed !== null)
      must(sha256.hmac(keyed, `${announcement!.draw}\n${list}\n${id}`) === salt, `${list} ${id} 的盐不出自列表密钥`, `${list} ${id}: the salt is not from the list secret`);
  }
  if (auditor === null) return;
  for (const [name, list] of record.lists) {
    if (list.rows[0]?.sealed === undefined) continue;
    const missing = list.rows.find((row) => !record.openings.has(`${name} ${row.id}`));
    must(missing === undefined, `审计材料缺 ${name} ${missing?.id} 的启封`, `the auditor lacks the opening of ${name} ${missing?.id}`);
  }
}

function checkReferences(record: Record_): void {
  const departments = new Set(record.announcement!.tasks.map((task) => task.department));
  for (const [id, person] of record.people)
    must(departments.has(person.department), `${id} 属于没有任务的部门`, `${id} is of a department without tasks`);
  const persons = [...(record.hidden<{ person: string }>("roster")?.values() ?? [])].map((hidden) => hidden.person);
  must(new Set(persons).size === persons.length, "一人有两个化名", "one person under two pseudonyms");
  const profiles = new Set(record.announcement!.profiles?.map((profile) => profile.id));
  for (const row of record.sealed ? [] : record.lists.get("frame")!.rows) {
    const { profile } = row.detail as { profile: string };
    must(profiles.has(profile), `${row.id} 的画像 ${profile} 不存在`, `${row.id}: there is no profile ${profile}`);
  }
  let last = "";
  for (const [a, b] of record.pairs ?? []) {
    const name = `${a}~${b}`;
    const known = record.people.has(a) && (record.lists.get("frame")!.byId.has(b) || (record.people.has(b) && a < b));
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
  }
  const strata = new Map([...(record.strata ?? [])].map(([task, list]) => [task, new Set(list.map((stratum) => stratum.id))]));
  const seen = new Set<string>();
  if (record.strata !== null)
    for (const [id, firm] of record.firms ?? []) {
      const named = Object.entries(firm.strata);
      must(named.length > 0, `${id} 不属于任何层`, `${id} is in no stratum`);
      for (const [task, stratum] of named) {
        const key = `${task} ${stratum}`;
        if (seen.has(key)) continue;
        seen.add(key);
        const known = record.tasks.get(task)?.mode === "follows" ? stratum === "all" : strata.get(task)?.has(stratum);
        must(known, `${id} 属于未公告的层 ${key}`, `${id} is in a stratum that was not announced: ${key}`);
      }
    }
}

export function checkAnnouncement(record: Record_): Said {
  const announcement = record.announcement!;
  const { beacon, crews, days, deadlines, period, policy, tasks } = announcement;
  must(period.start <= days[0]! && days[days.length - 1]! <= period.end, "日期超出期间", "days outside the period");
  must(deadlines.reveal <= beacon.time && beacon.time <= deadlines.result && deadlines.result <= deadlines.findings, "期限次序不对", "deadlines are out of order");
  if (beacon.kind === "drand") {
    must(beacon.source === QUICKNET.chain, "不是 quicknet", "not drand's quicknet");
    must(roundTime(beacon.round) === beacon.time, "信标时刻与轮次不符", "the beacon's time is not its round's");
  }
  if (beacon.kind === "local") must(beacon.source === "none" && beacon.round === "0", "本地随机数的来源或轮次不对", "local randomness: source or round");
  const departments = [...new Set(tasks.map((task) => task.department))].sort();
  must(crews.map((crew) => crew.department).join() === departments.join(), "席位应与有任务的部门一一对应", "crews: one per department of a task");
  must(crews.every((crew) => crew.seats.length >= 2), "检查组不足两席", "a crew of fewer than two seats");
  must(policy.relief.every((step) => departments.includes(step.department)), "放宽步骤的部门没有任务", "a relief step of a department without tasks");
  for (const { id, lead, mode, strata, total } of tasks) {
    const right = mode === "own"
      ? lead === null && total !== null && (record.sealed || strata !== null)
      : record.tasks.get(lead ?? "")?.mode === "own" && strata === null && total === null;
    must(right, `任务 ${id} 的 lead、strata、total 不对`, `task ${id}: lead, strata or total`);
    if (record.sealed && total !== null) must(total.endsWith("/1"), `任务 ${id} 的总数不是整数`, `task ${id}: the total is not whole`);
  }
  const own = tasks.filter((task) => task.mode === "own").map((task) => task.id);
  must(announcement.rates.map((rate) => rate.task).join() === own.join(), "比率应与自抽任务一一对应", "rates: one per own task");
  const profiles = (announcement.profiles ?? []).map((profile) => canonical(profile.strata));
  must(!profiles.includes("{}") && new Set(profiles).size === profiles.length, "画像为空或重复", "an empty or repeated profile");
  checkQuotas(record);
  return say(`${tasks.length} 项任务，${days.length} 个日期`, `${tasks.length} tasks, ${days.length} days`);
}

function checkQuotas(record: Record_): void {
  const firms = need(record.firms, SEALED);
  const all = need(record.strata, SEALED);
  const counts = new Map<string, number>();
  for (const firm of firms.values())
    for (const task in firm.strata) {
      const key = `${task} ${firm.strata[task]}`;
      counts.set(key, (counts.get(key) ?? 0) + 1);
    }
  for (const [task, strata] of all)
    for (const { group, id } of record.tasks.get(task)!.control === "two-way" ? strata : [])
      must(id.startsWith(`${group}.`) && ID_PATTERN.test(id.slice(group.length + 1)), `${task} ${id} 不是“组.列”`, `${task} ${id}: not its group, a dot and a column`);
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

export function checkContributions(record: Record_): Said {
  const { parties } = need(record.seed, NO_RESULT);
  const { contributions, draw } = record.announcement!;
  let revealed = 0;
  for (const { party, revealed: open, value } of parties) {
    const commitment = contributions.find((one) => one.party === party)?.commitment;
    if (commitment === undefined) continue;
    const shown = open ? record.hasher.text(`dualrandom/v1/nonce\n${draw} ${party} ${value}\n`) : value;
    must(shown === commitment, `${party} 公开的数与承诺不符`, `${party}: not what was committed`);
    revealed += open ? 1 : 0;
  }
  return say(`${revealed} 方公开且相符，${parties.length - revealed} 方未公开`, `${revealed} revealed and matching, ${parties.length - revealed} withheld`);
}

export function checkBeacon(record: Record_): Said {
  const beacon = need(record.beacon, NO_RESULT);
  const announced = record.announcement!.beacon;
  must(beacon.kind === announced.kind && beacon.source === announced.source && beacon.round === announced.round, "不是公告的信标", "another beacon than announced");
  if (beacon.kind === "drand") {
    must(beacon.source === QUICKNET.chain && roundTime(beacon.round) !== null, "不是 quicknet 的轮次", "not a round of quicknet");
  }
  const wrong = evidenceFailure(beacon.kind, beacon.round, beacon);
  if (wrong !== null) throw new Failure(wrong);
  if (beacon.kind === "drand")
    return say(`签名确为 quicknet 第 ${beacon.round} 轮`, `the signature is quicknet's over round ${beacon.round}`);
  if (beacon.kind === "keystring")
    throw new Unchecked(say(`请与公开来源 ${beacon.source} ${beacon.round} 核对号码串 ${beacon.keystring}`, `compare ${beacon.keystring} with the public source ${beacon.source} ${beacon.round}`));
  throw new Unchecked(say("随机数由操作者机器自选，仅供开发试用", "chosen by the operator's machine: for development only"));
}

export function checkSeed(record: Record_): Said {
  const seed = need(record.seed, NO_RESULT);
  const beacon = need(record.beacon, NO_RESULT);
  must(seed.announcement === record.digest, "种子绑定另一份公告", "the seed binds another announcement");
  must(seed.kind === beacon.kind && seed.source === beacon.source && seed.round === beacon.round && seed.randomness === beacon.randomness, "种子用了另一个信标", "the seed is of another beacon");
  const parties = record.announcement!.contributions.map((one) => one.party).join();
  must(seed.parties.map((one) => one.party).join() === parties, "参与方缺失或次序不对", "parties are missing or out of order");
  const { seed: shown } = need(record.result, NO_RESULT);
  must(record.hasher.digest(record.files.get("seed.txt")!) === shown, "结果的种子不是 seed.txt 的散列", "the result's seed is not the hash of seed.txt");
  return say(`种子 ${shown}`, `seed ${shown}`);
}

export function checkDraws(record: Record_): Said {
  const announcement = record.announcement!;
  const earlier = [...record.voids.keys()].filter((folder) => folder !== "").map((folder) => folder.slice(7, -1)).sort();
  const missing = announcement.voids.find((draw) => !earlier.includes(draw));
  must(missing === undefined, `缺少已作废的 ${missing}`, `the voided draw ${missing} is missing`);
  const unnamed = earlier.find((draw) => !announcement.voids.includes(draw));
  must(unnamed === undefined, `公告未列出已作废的 ${unnamed}`, `the voided draw ${unnamed} is not named`);
  for (const [folder, documents] of record.voids) {
    const draw = folder === "" ? announcement.draw : folder.slice(7, -1);
    const present = record.files.has(`${folder}void.json`) && record.files.has(`${folder}announcement.json`);
    must(present, `${draw} 的作废文件缺失`, `${draw}: the void or its announcement is missing`);
    const of = need(documents.announcement, say(`${draw} 的公告无法读取`, `${draw}: unreadable`));
    const ended = need(documents.void, say(`${draw} 的作废文件无法读取`, `${draw}: unreadable`));
    const digest = new Hasher(of.suite).digest(record.files.get(`${folder}announcement.json`)!);
    must(of.draw === draw && ended.draw === draw && ended.announcement === digest, `${draw} 作废的是另一份公告`, `${draw}: the void is of another announcement`);
    for (const [name, { root }] of folder === "" ? [] : Object.entries(of.lists)) {
      const data = record.files.get(`${folder}${name}.jsonl`);
      must(data !== undefined && new Hasher(of.suite).root(data, lineStarts(data)) === root, `${draw} 的 ${name} 不是所承诺的名单`, `${draw}: ${name} is missing or not the committed list`);
    }
    if (folder !== "") must(of.plan === announcement.plan && of.authority === announcement.authority, `${draw} 属于另一计划`, `${draw} is of another plan`);
  }
  const drawn = record.files.has("result.json");
  const voided = record.files.has("void.json");
  must(!(drawn && voided), "既有结果又作废", "both a result and a void");
  const before = say(`此前作废 ${earlier.length} 次`, `voided before: ${earlier.length}`);
  if (voided) return say(`本次已作废，无后续；${before.zh}`, `ended in a void, nothing follows; ${before.en}`);
  if (drawn) return say(`以结果告终；${before.zh}`, `ended in a result; ${before.en}`);
  throw new Unchecked(say(`已公告，尚无结果或作废；${before.zh}`, `announced, neither result nor void yet; ${before.en}`));
}

/** Checks of what was fixed before the draw: lists, announcement, contributions, beacon, seed (docs/protocol.md §2–4). */

import { evidenceFailure, isSignature, QUICKNET, roundTime, sha256, unverifiable } from "./beacon";
import { ID_PATTERN, type ListName, LISTS } from "./documents";
import { brokenReference, kinds, marksOf, misplaced, twins } from "./references";
import { Fraction, ZERO } from "./fraction";
import { canonical } from "./json";
import { after, Failure, must, need, open, type Said, say, Unchecked } from "./outcome";
import { checkRevealed, joined, loggedDraws } from "./order";
import { tally } from "./lists";
import { type Files, Record_ } from "./record";
import { hidden } from "./selection";

export function checkCanonical(record: Record_): Said {
  record.readAll();
  const [zh, en] = (["zh", "en"] as const).map((language) =>
    record.problems.slice(0, 3).map((problem) => problem[language]).join("; ") +
    (record.problems.length > 3 ? ` … (${record.problems.length})` : ""));
  must(record.problems.length === 0, zh!, en!);
  return say(`${record.files.size} 个文件`, `${record.files.size} files`);
}

function bytes(base64: string): Uint8Array {
  return Uint8Array.from(atob(base64), (character) => character.charCodeAt(0));
}

export function checkSignatures(record: Record_): Said {
  const { contributions, draw } = record.announcement!;
  for (const { commitment, key, party, signature } of contributions)
    must(
      isSignature(bytes(key), `dualrandom/v1/contribution\n${draw} ${party} ${commitment}\n`, bytes(signature)),
      `${party} 的承诺签名无效`, `the signature of ${party} does not verify`,
    );
  const wrong = attestationFault(record);
  if (wrong !== null) throw new Failure(wrong);
  const noted = say(`${contributions.length} 个签名有效`, `${contributions.length} signatures verify`);
  const auditor = record.attestation === null ? undefined : record.announcement!.auditor?.name;
  return auditor === undefined ? noted : say(`${noted.zh}；审计方 ${auditor} 已签名证明`, `${noted.en}; the auditor ${auditor} signed an attestation`);
}

/** §15: why the attestation is not the announced auditor's, or not of this result; null where it stands, or where there is none. */
export function attestationFault(record: Record_): Said | null {
  const { attestation, hasher } = record;
  if (attestation === null) return null;
  const result = record.files.get("result.json");
  const { announcement, auditor, changes, checks, draw, signature } = attestation;
  if (auditor !== record.announcement!.auditor?.key) return say("attest.json 的密钥不是公告所列审计方的", "the key of attest.json is not that of the announced auditor");
  if (announcement !== record.digest || draw !== record.announcement!.draw) return say("attest.json 属于另一公告", "attest.json is of another announcement");
  if (result === undefined || hasher.digest(result) !== attestation.result) return say("attest.json 属于另一结果", "attest.json is of another result");
  if (changes !== null && !record.changeLines.some((line) => hasher.text(line) === changes))
    return say("attest.json 提到的更改不存在", "attest.json names a change that does not exist");
  const lines = checks.map(({ name, status }) => `check ${name} ${status}\n`).join("");
  const statement = `dualrandom/v1/attest\ndraw ${draw}\nannouncement ${announcement}\nresult ${attestation.result}\nchanges ${changes ?? "none"}\n${lines}`;
  return isSignature(bytes(auditor), statement, bytes(signature)) ? null : say("attest.json 的签名无效", "the signature of attest.json does not verify");
}

const USCC = "0123456789ABCDEFGHJKLMNPQRTUWXY";

/** GB 32100-2015: eighteen characters, the third to the eighth digits, the last one a check digit modulo 31. */
function isCreditCode(id: string): boolean {
  if (id.length !== 18 || !/^[0-9]{6}$/.test(id.slice(2, 8))) return false;
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
    const list = need(record.list(name), say(`${name}.jsonl 损坏`, `${name}.jsonl is broken`));
    must(list.size === commitment.size, `${name}.jsonl 有 ${list.size} 行，承诺为 ${commitment.size} 行`, `${name}.jsonl has ${list.size} rows, committed are ${commitment.size}`);
    const root = list.root(record.hasher);
    must(root === commitment.root, `${name}.jsonl 的根为 ${root}，承诺为 ${commitment.root}`, `${name}.jsonl has root ${root}, committed is ${commitment.root}`);
    counted.push([name, list.size]);
  }
  checkIds(record);
  checkOpenings(record);
  checkReferences(record);
  counted.sort(([a], [b]) => (a < b ? -1 : 1));
  const zh = counted.map(([name, size]) => `${LIST_NAMES[name]} ${size}`).join("、");
  const en = counted.map(([name, size]) => `${name} ${size}`).join(", ");
  const noted = say(`根、行数与标识相符：${zh}`, `roots, sizes and ids are right: ${en}`);
  if (record.sealed && record.auditor === null && record.firms === null)
    throw open(say("密封行的内容须由审计方核对", "what the sealed rows hold is for the auditor to check"), noted);
  return noted;
}

function checkIds(record: Record_): void {
  const frame = record.list("frame")!;
  const roster = record.list("roster")!;
  for (const [name, { ids }] of [["frame", frame], ["roster", roster]] as const) {
    const all = ids.join();
    const lower = /[a-z]/.test(all) && /[A-Z]/.test(all) ? new Set(ids.map((id) => id.toLowerCase())) : null;
    must(lower === null || lower.size === ids.length, `${name} 中有仅大小写不同的标识`, `${name} has ids that differ only in letter case`);
  }
  for (const id of roster.ids) must(!frame.has(id), `frame 与 roster 都有 ${id}`, `${id} is both in the frame and in the roster`);
  if (record.announcement!.enterprise_ids === "uscc")
    for (const id of frame.ids) if (!isCreditCode(id)) must(false, `${id} 不是有效的统一社会信用代码`, `${id} is no valid unified social credit code`);
  const districts = new Set([...record.people.values()].flatMap((person) => person.districts));
  for (const { district } of new Set(record.firms?.places)) districts.add(district);
  const named = { ...kinds(record.announcement!), district: districts, mark: [...marksOf(record.announcement!), ...[...record.people.values()].flatMap((person) => person.marks)] };
  for (const [kind, names] of Object.entries(named)) {
    const two = twins(names);
    must(two === null, `${kind} 的标识中有仅大小写不同者：${two}`, `ids of kind ${kind} differ only in letter case: ${two}`);
  }
  const others = record.announcement!.policy.embargo === "visits" ? ["prices", "selection"] : ["prices"];
  const widths: [ListName, string, number][] = [["recusals", "r", 6], ["strata", "s", 4], ["cutoffs", "s", 4], ["visits", "v", 5]];
  for (const [name, letter, least] of widths) {
    if (!record.sealed && name !== "visits") continue;
    const ids = [...(record.list(name)?.ids ?? [])];
    if (name === "visits" && ids.length > 0) {
      const first = ids.splice(0, others.length);
      must(first.join() === others.join(), `visits 应以 ${others.join(", ")} 开头，实为 ${first.join(", ")}`, `visits should begin with the rows ${others.join(", ")}, has ${first.join(", ")}`);
    }
    const width = Math.max(least, String(ids.length).length);
    ids.forEach((id, at) => {
      const due = letter + String(at + 1).padStart(width, "0");
      if (id !== due) must(false, `${name} 中应为 ${due}，实为 ${id}`, `${name} should have row ${due}, has ${id}`);
    });
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
        must(list !== undefined || LISTS.includes(name as ListName), `${name} 有启封，却没有该列表`, `there are openings of ${name}, but no such list`);
        must(sealed !== undefined, `${name} 没有可启封的行 ${id}`, `${name} has no row ${id} to open`);
        must(false, `${name} 行 ${id} 的启封与密封值不符`, `the opening of ${name} row ${id} does not match its seal`);
      }
      if (keyed !== null && sha256.hmac(keyed, `${salted}\n${id}`) !== salt)
        must(false, `${name} 行 ${id} 的盐不出自列表密钥`, `the salt of ${name} row ${id} does not come from the list secret`);
    }
    // Embargoed visits are opened in their time, to everybody.
    if (auditor === null || name === "visits" || list?.seals[0] === undefined) continue;
    const missing = opened.isOf(list) ? undefined : list.ids.find((id) => !opened.has(id));
    must(missing === undefined, `审计材料未包含 ${name} 的全部启封：缺 ${missing}`, `the auditor's files do not open every row of ${name}: ${missing} is missing`);
  }
}

/** The places of the first two texts that are the same; empty if there are none. */
function repeated(texts: string[]): number[] {
  const seen = new Map<string, number>();
  for (const [at, text] of texts.entries()) {
    const before = seen.get(text);
    if (before !== undefined) return [before, at];
    seen.set(text, at);
  }
  return [];
}

function checkReferences(record: Record_): void {
  const departments = new Set(record.announcement!.tasks.map((task) => task.department));
  for (const [id, person] of record.people)
    must(departments.has(person.department), `${id} 的部门 ${person.department} 没有任务`, `${id} belongs to department ${person.department}, which has no task`);
  const known = record.opened("roster");
  const persons = known.ids.map((id, at) => `${record.people.get(id)?.department} ${(known.hidden[at] as { person: string }).person}`);
  const [one, other] = repeated(persons).map((at) => known.ids[at]);
  must(other === undefined, `化名 ${one} 与 ${other} 是同一人`, `pseudonyms ${one} and ${other} are one person`);
  const profiles = new Set(record.announcement!.profiles?.map((profile) => profile.id));
  const frame = record.list("frame")!;
  const unknown = record.sealed ? -1 : frame.details.findIndex((detail) => !profiles.has((detail as { profile: string }).profile));
  const profile = (frame.details[unknown] as { profile: string } | undefined)?.profile;
  must(unknown === -1, `${frame.ids[unknown]} 的档型 ${profile} 不在公告中`, `${frame.ids[unknown]} has profile ${profile}, which was not announced`);
  let last = "";
  for (const [a, b] of record.pairs ?? []) {
    const name = `${a}~${b}`;
    must(record.people.has(a) && ID_PATTERN.test(a), `回避中的 ${a} 不在名录中`, `recusals name ${a}, who is not in the roster`);
    must((frame.has(b) || record.people.has(b)) && ID_PATTERN.test(b), `回避中的 ${b} 不存在`, `recusals name ${b}, which does not exist`);
    must(frame.has(b) || a < b, `回避 ${name} 的两人应按升序`, `the inspectors of recusal ${name} should be ascending`);
    must(last < name, `recusals 未按 a~b 升序排列或有重复：${last} 之后是 ${name}`, `recusals are not ascending and distinct by a~b: ${last} before ${name}`);
    last = name;
  }
  if (record.sealed) {
    last = "";
    for (const key of record.numbered.keys()) {
      must(last < key, `strata 未按（任务，层）升序排列：${last} 之后是 ${key}`, `strata are not ascending by (task, stratum): ${last} before ${key}`);
      last = key;
      must(record.tasks.get(key.split(" ")[0]!)?.mode === "own", `层 ${key} 的任务不存在或不是自主任务`, `stratum ${key} is of no own task`);
    }
    const all = [...(record.strata?.values() ?? [])].flat();
    const two = twins(all.map((stratum) => stratum.id)) ?? twins(all.map((stratum) => stratum.group));
    must(two === null, `层或组的标识中有仅大小写不同者：${two}`, `ids of strata or groups differ only in letter case: ${two}`);
  }
  const seen = new Set<unknown>();
  if (record.strata !== null && record.sealed)
    for (const [at, place] of record.firms?.places.entries() ?? []) {
      if (seen.has(place)) continue;
      seen.add(place);
      const wrong = misplaced(record, place.strata);
      must(wrong === null, `企业 ${frame.ids[at]}：${wrong?.zh}`, `enterprise ${frame.ids[at]}: ${wrong?.en}`);
    }
}

export function checkAnnouncement(record: Record_): Said {
  const announcement = record.announcement!;
  const { beacon, crews, days, deadlines, period, policy, tasks } = announcement;
  const broken = brokenReference(record);
  if (broken !== null) throw new Failure(broken);
  must(period.start <= period.end, `期间的开始 ${period.start} 晚于结束 ${period.end}`, `the period starts on ${period.start}, after its end ${period.end}`);
  must(days.length > 0, "days 为空", "there are no days");
  const outside = days.find((day) => day < period.start || period.end < day);
  must(outside === undefined, `日期 ${outside} 不在期间内`, `day ${outside} is outside the period`);
  must(deadlines.reveal <= beacon.time && beacon.time <= deadlines.result && deadlines.result <= deadlines.findings, "期限次序应为：公开随机数 ≤ 信标时刻 ≤ 结果 ≤ 检查结果", "deadlines should be reveal <= beacon time <= result <= findings");
  if (beacon.kind === "drand") {
    const due = roundTime(beacon.round);
    must(beacon.source === QUICKNET.chain && due !== null, `drand 链 ${beacon.source} 或轮次 ${beacon.round} 未知`, `drand chain ${beacon.source} or round ${beacon.round} is unknown`);
    must(due === beacon.time, `drand 第 ${beacon.round} 轮的时刻是 ${due}，公告为 ${beacon.time}`, `drand round ${beacon.round} is due at ${due}, the announcement says ${beacon.time}`);
  }
  if (beacon.kind === "local") must(beacon.source === "none" && beacon.round === "0", "local 信标应为 none、0", "a local beacon should have source none and round 0");
  const small = crews.find((crew) => crew.seats.length < 2);
  must(small === undefined, `部门 ${small?.department} 的检查组只有 ${small?.seats.length} 个席位，至少两个`, `crews of department ${small?.department} have ${small?.seats.length} seats, at least two are required`);
  must(policy.visit_limit?.hours !== "0/1", "visit_limit.hours 应大于 0", "visit_limit.hours should be greater than 0");
  const idle = policy.relief.find((step) => step.amount < 1 && (step.kind === "daily" || step.kind === "total"));
  must(idle === undefined, `relief 中 ${idle?.department} 的 ${idle?.kind} 增量应至少为 1`, `a relief step ${idle?.kind} of ${idle?.department} should add at least 1`);
  must(!announcement.voids.includes(announcement.draw), "voids 含本次抽取自身", "voids names this very draw");
  const profiles = (announcement.profiles ?? []).map((profile) => canonical(profile.strata));
  const [first, second] = repeated(profiles).map((at) => announcement.profiles![at]!.id);
  must(second === undefined, `档型 ${first} 与 ${second} 相同`, `profiles ${first} and ${second} have the same strata`);
  for (const { id, strata } of announcement.profiles ?? []) {
    const wrong = misplaced(record, strata);
    must(wrong === null, `档型 ${id}：${wrong?.zh}`, `profile ${id}: ${wrong?.en}`);
  }
  const rules = say("期间、期限、信标与席位合规", "period, deadlines, beacon and seats are in order");
  checkQuotas(record, rules);
  return say(`${rules.zh}；${tasks.length} 个任务的大小、期望、合计与比率相符`, `${rules.en}; sizes, quotas, totals and rates of ${tasks.length} tasks are right`);
}

function checkQuotas(record: Record_, rules: Said): void {
  const { firms, strata: all } = record;
  if (firms === null || all === null) throw open(after(say("各层大小、期望、合计与比率", "sizes, quotas, totals and rates of strata"), hidden(record)), rules);
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
      const there = counts.get(`${task} ${id}`) ?? 0;
      must(there === size, `任务 ${task} 层 ${id} 公告 ${size} 户，抽样框中有 ${there} 户`, `task ${task} stratum ${id} is announced with size ${size}, the frame has ${there}`);
      must(e.compare(new Fraction(BigInt(size))) <= 0, `任务 ${task} 层 ${id} 期望 ${expected} 超过层大小 ${size}`, `task ${task} stratum ${id} expects ${expected} of only ${size}`);
      must(!record.sealed || e.q === 1n, `任务 ${task} 层 ${id} 期望 ${expected} 在密封抽取中应为整数`, `task ${task} stratum ${id} expects ${expected}, which a sealed draw must make whole`);
      sum = sum.plus(e);
      if (size === 0) continue;
      const rate = e.times(new Fraction(1n, BigInt(size)));
      range = [range && range[0].compare(rate) <= 0 ? range[0] : rate, range && range[1].compare(rate) >= 0 ? range[1] : rate];
      if (size < 5 && (e.p === 0n || rate.p === rate.q)) flagged.push(id);
    }
    const total = record.tasks.get(task)!.total!;
    must(String(sum) === total, `任务 ${task} 的 total 为 ${total}，各层合计 ${sum}`, `task ${task} has total ${total}, its strata sum to ${sum}`);
    const [low, high] = range ?? [ZERO, ZERO];
    const right = `${low}..${high} small=${record.sealed ? flagged.length : `(${flagged.join(" ")})`}`;
    const told = `${least}..${greatest} small=${typeof small === "number" ? small : `(${small.join(" ")})`}`;
    must(told === right, `任务 ${task} 的 rates 应为 ${right}，实为 ${told}`, `rates of task ${task} should be ${right}, are ${told}`);
  }
}

/** A document that there is as soon as there is a result. */
function needFile<T>(record: Record_, name: string, document: T | null): T {
  must(record.files.has(name) || !record.files.has("result.json"), `有结果却缺少 ${name}`, `there is a result, but ${name} is missing`);
  return need(document, record.files.has(name) ? say(`${name} 损坏`, `${name} is broken`) : record.undrawn());
}

export function checkContributions(record: Record_): Said {
  const gaps: Said[] = [];
  checkRevealed(record, gaps);
  const missing = record.files.has("result.json") ? say("seed.txt 缺失或损坏", "seed.txt is missing or broken") : record.undrawn();
  const { parties } = need(record.seed, missing);
  const { contributions, draw } = record.announcement!;
  let revealed = 0;
  for (const { party, revealed: open, value } of parties) {
    const commitment = contributions.find((one) => one.party === party)?.commitment;
    if (commitment === undefined) continue;
    const shown = open ? record.hasher.text(`dualrandom/v1/nonce\n${draw} ${party} ${value}\n`) : value;
    const how = open ? "revealed" : "withheld";
    must(shown === commitment, `${party} 的 ${how} 值与其承诺 ${commitment} 不符`, `the ${how} value of ${party} does not match its commitment ${commitment}`);
    revealed += open ? 1 : 0;
  }
  const counts = say(`${revealed} 份已公开并相符，${parties.length - revealed} 份未公开`, `${revealed} revealed and matching, ${parties.length - revealed} withheld`);
  if (gaps.length > 0) throw open(joined(gaps), counts);
  return counts;
}

export function checkBeacon(record: Record_): Said {
  const beacon = needFile(record, "beacon.json", record.beacon);
  const announced = record.announcement!.beacon;
  for (const key of ["kind", "source", "round"] as const)
    must(beacon[key] === announced[key], `beacon.json 的 ${key} 为 ${beacon[key]}，公告为 ${announced[key]}`, `beacon.json has ${key} ${beacon[key]}, announced is ${announced[key]}`);
  if (beacon.kind === "drand") {
    must(beacon.source === QUICKNET.chain && roundTime(beacon.round) !== null, `drand 链 ${beacon.source} 或轮次 ${beacon.round} 未知`, `drand chain ${beacon.source} or round ${beacon.round} is unknown`);
  }
  const wrong = evidenceFailure(beacon.kind, beacon.round, beacon);
  if (wrong !== null) throw new Failure(wrong);
  const unproven = unverifiable(beacon.kind, beacon.source, beacon.round, beacon);
  if (unproven !== null) throw new Unchecked(unproven);
  return say(`quicknet 第 ${beacon.round} 轮签名有效`, `the signature is quicknet's over round ${beacon.round}`);
}

export function checkSeed(record: Record_): Said {
  must(record.seed !== null || !record.files.has("seed.txt"), "seed.txt 不是 §4 的文本", "seed.txt is not the statement of §4");
  const seed = needFile(record, "seed.txt", record.seed);
  const announced = record.announcement!.beacon;
  const due = ["dualrandom/v1/seed", `announcement ${record.digest}`, `beacon ${announced.kind} ${announced.source} ${announced.round}`];
  if (record.beacon !== null) due.push(`randomness ${record.beacon.randomness}`);
  due.forEach((line, at) => must(seed.head[at] === line, `seed.txt 应有“${line}”，实为“${seed.head[at]}”`, `seed.txt should say '${line}', says '${seed.head[at]}'`));
  const [parties, listed] = [record.announcement!.contributions, seed.parties].map((all) => all.map((one) => one.party).join(", "));
  must(listed === parties, `seed.txt 的参与方应为 ${parties}，实为 ${listed}`, `seed.txt should list the parties ${parties}, lists ${listed}`);
  const made = record.hasher.digest(record.files.get("seed.txt")!);
  const told = record.result?.seed;
  must(told === undefined || told === made, `seed.txt 的散列是 ${made}，结果的种子是 ${told}`, `seed.txt hashes to ${made}, the result's seed is ${told}`);
  const noted = say(`种子 ${made}`, `seed ${made}`);
  if (record.beacon === null) throw open(say("beacon.json 缺失或损坏", "beacon.json is missing or broken"), noted);
  return noted;
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
  must(unnamed === undefined, `voids 未列出已作废的 ${unnamed}`, `voids does not name the voided draw ${unnamed}`);
  for (const draw of judge === null ? [] : announcement.voids) {
    const files = folders.get(draw);
    must(files !== undefined, `缺少已作废抽取的文件 voided/${draw}/`, `the documents voided/${draw}/ are missing`);
    for (const name of ["announcement.json", "void.json"]) must(files.has(name), `缺少 voided/${draw}/${name}`, `voided/${draw}/${name} is missing`);
    const wrong = judge!(files);
    must(wrong === null, `voided/${draw}/ 的 ${wrong?.zh}`, `voided/${draw}/ ${wrong?.en}`);
    const of = new Record_(files, null).announcement!;
    must(of.draw === draw && of.plan === announcement.plan && of.authority === announcement.authority, `voided/${draw}/ 不是本计划的抽取 ${draw}`, `voided/${draw}/ is not draw ${draw} of this plan`);
    const before = of.draw < announcement.draw && of.voids.length < announcement.voids.length && of.voids.every((one) => announcement.voids.includes(one));
    must(before, `${draw} 不是更早的抽取`, `${draw} is not an earlier draw`);
  }
  const drawn = record.files.has("result.json");
  const voided = record.files.has("void.json");
  must(!(drawn && voided), "既有结果又有作废", "there are both a result and a void");
  const { ended } = record;
  if (voided) {
    need(ended, say("void.json 损坏", "void.json is broken"));
    must(ended!.announcement === record.digest && ended!.draw === announcement.draw, `void.json 属于 ${ended!.draw}，不是本次抽取的公告`, `void.json belongs to another announcement (${ended!.draw})`);
  }
  const logged = loggedDraws(record);
  const count = say(`此前作废 ${announcement.voids.length} 次`, `voided before: ${announcement.voids.length}`);
  const before = logged === null ? count : say(`${count.zh}；${logged.said.zh}`, `${count.en}; ${logged.said.en}`);
  const unlisted = logged?.missing ?? "";
  if (unlisted !== "") throw new Unchecked(say(`日志中没有 ${unlisted}；${before.zh}`, `the log does not show ${unlisted}; ${before.en}`));
  if (voided) return say(`以作废终结；${before.zh}`, `ended in a void; ${before.en}`);
  if (drawn) return say(`以结果终结；${before.zh}`, `ended in a result; ${before.en}`);
  throw open(say("抽取尚未终结：没有结果也没有作废", "the draw is open: neither a result nor a void yet"), before);
}

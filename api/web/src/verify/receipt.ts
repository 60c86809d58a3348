/** Receipts: what one enterprise, or one inspector, checks with its own rows and the published documents (docs/protocol.md §14). */

import { HEX64, ID, listShapes, type ListName, type Opening, type Person, type Stratum } from "./documents";
import { fromHex, type Hasher, toHex } from "./hash";
import { canonical, decode, NotCanonical, parse } from "./json";
import { EMBARGO, Failure, must, need, open, type Said, say } from "./outcome";
import type { Record_ } from "./record";
import { ascending, both, list, one, record as shape, type Shape, whole } from "./shape";

interface ReceiptRow { index: number; list: ListName; opening: Opening | null; proof: string[]; row: { detail?: unknown; id: string; sealed?: string } }
export interface Receipt {
  announcement: string; draw: string; rows: ReceiptRow[]; subject: { id: string; kind: "enterprise" | "inspector" }; type: string;
}

const OF = { enterprise: ["cutoffs", "frame", "strata"], inspector: ["recusals", "roster"] };
const ANY: Shape = () => null;
const RECEIPT = shape({
  announcement: HEX64, draw: ID, rows: ascending(shape({ index: whole(), list: ID, opening: ANY, proof: list(HEX64), row: ANY }), ["list", "index"]),
  subject: shape({ id: ID, kind: one("enterprise", "inspector") }), type: one("dualrandom/v1/receipt"),
});

/** Does this look like a receipt? What is wrong with it, the check says. */
export function isReceipt(data: Uint8Array): boolean {
  if (data.length > 50_000_000 || data[0] !== 123) return false;
  try {
    return (JSON.parse(decode(data)) as { type?: unknown }).type === "dualrandom/v1/receipt";
  } catch {
    return false;
  }
}

/** The stratum of one task: its size, the tickets drawn in it (null where they are not shown), and the greatest of them. */
export interface Cell { task: string; stratum: string; size: number; n: number; tickets: string[] | null; cutoff: string | null; inside: boolean }

/** What a receipt shows of its enterprise, as far as the record lets it be computed. */
export interface Placed { id: string; key: string; ticket: string; strata: Record<string, string>; cells: Cell[] }

function read(record: Record_, data: Uint8Array): Receipt {
  let value: unknown;
  try {
    value = parse(decode(data));
  } catch (error) {
    if (!(error instanceof NotCanonical)) throw error;
    throw new Failure(say(`回执 ${error.said.zh}`, `receipt ${error.said.en}`));
  }
  const refused = RECEIPT(value);
  must(refused === null, `回执${refused?.at} ${refused?.why.zh}`, `receipt${refused?.at} ${refused?.why.en}`);
  const receipt = value as Receipt;
  const shapes = listShapes(record.announcement!);
  receipt.rows.forEach(({ list: name, opening, row }, at) => {
    must(OF[receipt.subject.kind].includes(name), `receipt：此类回执不应有 ${name}`, `receipt: ${name} has no place in it`);
    const place = `rows[${at}]`;
    must(shapes[name].row(row) === null, `回执的 ${place}.row 不是 ${name} 的行`, `${place}.row of the receipt is no row of ${name}`);
    if (!record.sealed) {
      must(opening === null, `回执的 ${place} 不应有启封`, `${place} of the receipt opens what is open`);
      return;
    }
    const hidden = both(shape({ hidden: shapes[name].hidden, id: one(row.id), list: one(name), salt: HEX64 }))(opening);
    must(hidden === null, `回执的 ${place}.opening 不是该行的启封：${hidden?.at} ${hidden?.why.zh}`, `${place}.opening of the receipt does not open this row: ${hidden?.at} ${hidden?.why.en}`);
  });
  return receipt;
}

/** RFC 9162 §2.1.3.2: do leaf and audit path give the committed root? */
function leadsTo({ index, proof, row }: ReceiptRow, commitment: { root: string; size: number }, hasher: Hasher): boolean {
  if (index >= commitment.size) return false;
  const text = new TextEncoder().encode(canonical(row));
  const leaf = new Uint8Array(1 + text.length);
  leaf.set(text, 1);
  let value = hasher.bytes(leaf);
  let [place, last] = [index, commitment.size - 1];
  for (const step of proof) {
    if (last === 0) return false;
    const node = new Uint8Array(65);
    node[0] = 1;
    const left = place % 2 === 1 || place === last;
    node.set(fromHex(step), left ? 1 : 33);
    node.set(value, left ? 33 : 1);
    value = hasher.bytes(node);
    if (left) while (place !== 0 && place % 2 === 0) [place, last] = [place / 2, Math.floor(last / 2)];
    [place, last] = [Math.floor(place / 2), Math.floor(last / 2)];
  }
  return last === 0 && toHex(value) === commitment.root;
}

function checkRows(record: Record_, receipt: Receipt): void {
  const { hasher } = record;
  for (const row of receipt.rows) {
    const { id, sealed } = row.row;
    const name = `${row.list} ${id}`;
    const committed = row.list === "cutoffs" ? record.result?.cutoffs : record.announcement!.lists[row.list];
    if (row.list !== "cutoffs" || record.result !== null) {
      must(committed !== undefined && committed !== null, `本次抽取没有 ${row.list}`, `this draw has no list ${row.list}`);
      must(leadsTo(row, committed, hasher), `${name} 的包含证明得不出所承诺的根`, `the inclusion proof of ${name} does not lead to the committed root`);
    }
    if (row.opening === null) continue;
    const seal = hasher.text(`dualrandom/v1/sealed\n${row.opening.salt}\n${canonical(row.opening.hidden)}`);
    must(seal === sealed, `${name} 的启封与密封值不符`, `the opening of ${name} does not match its seal`);
  }
}

/** The enterprise's key, district and strata. */
function placeOf(record: Record_, receipt: Receipt): { key: string; district: string; strata: Record<string, string> } {
  const rows = receipt.rows.filter((row) => row.list === "frame");
  const { id } = receipt.subject;
  must(rows.length === 1 && rows[0]!.row.id === id, "回执应有且仅有该企业的抽样框行", "a receipt has exactly one frame row, its enterprise's own");
  const { opening, row } = rows[0]!;
  if (opening !== null) {
    const { district, strata } = opening.hidden as { district: string; strata: Record<string, string> };
    must(Object.keys(strata).length > 0, `${id} 不属于任何层`, `${id} is in no stratum`);
    return { key: `${id}:${opening.salt}`, district, strata };
  }
  const { district, profile } = row.detail as { district: string; profile: string };
  const strata = record.announcement!.profiles!.find((one) => one.id === profile)?.strata;
  must(strata !== undefined, `画像 ${profile} 不在公告中`, `profile ${profile} is not announced`);
  return { key: id, district, strata };
}

function sealedCells(record: Record_, receipt: Receipt, strata: Record<string, string>): Omit<Cell, "inside">[] {
  const of = (name: ListName): ReceiptRow[] => receipt.rows.filter((row) => row.list === name);
  const cutoffs = new Map(of("cutoffs").map((row) => [row.row.id, row.opening!.hidden as { n: number; tickets: string[] }]));
  const cells = of("strata").map(({ opening, row }) => {
    const { expected, id: stratum, size, task } = opening!.hidden as Stratum & { task: string };
    must(Object.hasOwn(strata, task) && strata[task] === stratum, `strata ${row.id} 不是该企业的层`, `strata ${row.id} is no stratum of this enterprise`);
    const cutoff = cutoffs.get(row.id);
    cutoffs.delete(row.id);
    must(cutoff !== undefined, `缺少 strata ${row.id} 的 cutoffs`, `the cutoffs of strata ${row.id} are missing`);
    const { n, tickets } = cutoff;
    must(n === tickets.length && expected === `${n}/1` && n <= size, `strata ${row.id} 公告应抽 ${expected} 户，cutoffs 为 ${n} 户、${tickets.length} 个签号`, `strata ${row.id} was to have ${expected} drawn; cutoffs say ${n}, with ${tickets.length} tickets`);
    return { task, stratum, size, n, tickets, cutoff: tickets.at(-1) ?? null };
  });
  must(cutoffs.size === 0, "有不属于该企业的 cutoffs", "there are cutoffs of other strata");
  const own = Object.keys(strata).filter((task) => record.tasks.get(task)?.mode === "own").sort().join(", ");
  const shown = cells.map(({ task }) => task).sort().join(", ");
  must(own === shown, `回执应有任务 ${own} 的层，实有 ${shown}`, `the receipt should show the strata of tasks ${own}, shows ${shown}`);
  return cells;
}

function openCells(record: Record_, strata: Record<string, string>): Omit<Cell, "inside">[] {
  return Object.entries(strata).filter(([task]) => record.tasks.get(task)?.mode === "own").map(([task, stratum]) => {
    const drawn = record.selection!.find((one) => one.task === task)?.strata?.find((one) => one.id === stratum);
    const size = record.tasks.get(task)!.strata?.find((one) => one.id === stratum)?.size;
    must(drawn !== undefined, `结果没有任务 ${task} 的层 ${stratum}`, `the result lacks stratum ${stratum} of ${task}`);
    return { task, stratum, size: size ?? -1, n: drawn.n, tickets: null, cutoff: drawn.cutoff };
  });
}

/** Is the enterprise among those drawn in its stratum? A smaller ticket that was left out is a fault. */
function isInside(cell: Omit<Cell, "inside">, ticket: string): boolean {
  const { cutoff, n, size, task, tickets } = cell;
  if (cutoff === null) {
    must(n === 0, `任务 ${task} 的层抽了 ${n} 户却无末位签号`, `task ${task} draws ${n} in the stratum, but shows no cutoff`);
    return false;
  }
  const inside = tickets === null ? ticket <= cutoff : tickets.includes(ticket);
  const over = !inside && (n === size || ticket < cutoff);
  must(!over, `任务 ${task} 跳过了该企业：其签号 ${ticket} 不在抽中的 ${n} 个之列，却不大于其中最大的 ${cutoff}`, `task ${task} passed over this enterprise: its ticket ${ticket} is not among the ${n} drawn, but not larger than the greatest, ${cutoff}`);
  return inside;
}

/** A task as its reader knows it. */
function nameOf(record: Record_, task: string): Said {
  const name = record.labels !== null && Object.hasOwn(record.labels.tasks, task) ? record.labels.tasks[task]! : null;
  return { zh: name?.zh || task, en: name?.en || task };
}

function checkEnterprise(record: Record_, receipt: Receipt): Said {
  const { id } = receipt.subject;
  const { district, strata } = placeOf(record, receipt);
  need(record.result, say("尚未抽取，无从判断", "not drawn yet: nothing can be said"));
  const selection = new Map(need(record.selection, EMBARGO).map((one) => [one.task, one]));
  const { cells, ticket } = placed(record, receipt)!;
  const due = new Set<string>();
  const told: Record<"in" | "out", Said[]> = { in: [], out: [] };
  for (const { cutoff, inside, n, stratum, task } of cells) {
    must(selection.has(task), `结果没有任务 ${task}`, `the result lacks task ${task}`);
    if (inside) due.add(task);
    told[inside ? "in" : "out"].push(say(`${nameOf(record, task).zh}（层 ${stratum}，抽 ${n} 户，末位签号 ${cutoff === null ? "无" : `${cutoff.slice(0, 8)}…`}）`, `${nameOf(record, task).en} (stratum ${stratum}, ${n} drawn, cutoff ${cutoff === null ? "none" : `${cutoff.slice(0, 8)}…`})`));
  }
  for (const { id: task, lead, mode } of record.announcement!.tasks)
    if (mode === "follows" && Object.hasOwn(strata, task) && due.has(lead!)) {
      due.add(task);
      told.in.push(say(`${nameOf(record, task).zh}（随${nameOf(record, lead!).zh}）`, `${nameOf(record, task).en} (follows ${nameOf(record, lead!).en})`));
    }
  for (const task of record.tasks.keys()) {
    const chosen = selection.get(task)?.selected.includes(id) ?? false;
    const { en, zh } = nameOf(record, task);
    must(!chosen || due.has(task), `“${zh}”抽中了该企业，但其签号不在抽中之列`, `“${en}” drew this enterprise, although its ticket is not among those drawn`);
    must(chosen || !due.has(task), `“${zh}”跳过了该企业：其签号在抽中之列，名单上却没有它`, `“${en}” passed over this enterprise: its ticket is among those drawn, but the list lacks it`);
  }
  for (const { task, tickets } of cells) {
    const foreign = tickets?.find((one) => !selection.get(task)!.tickets?.includes(one));
    must(foreign === undefined, `任务 ${task} 的层中签号 ${foreign} 不在公布的签号中`, `ticket ${foreign} of a stratum of task ${task} is not among its published tickets`);
  }
  const visits = record.visits?.filter((visit) => visit.enterprise === id);
  if (visits !== undefined) {
    const shown = [...new Set(visits.flatMap((visit) => visit.checks.map((check) => check.task)))].sort().join(", ");
    const right = [...due].sort().join(", ");
    must(shown === right, `该企业的检查应有任务 ${right || "无"}，公布为 ${shown || "无"}`, `this enterprise's visits should have the tasks ${right || "none"}, published are ${shown || "none"}`);
    const away = visits.find((visit) => visit.district !== district)?.district;
    must(away === undefined, `检查写明区划 ${away}，抽样框为 ${district}`, `the visit names district ${away}, the frame ${district}`);
  }
  const all = (said: Said[], language: "zh" | "en"): string => said.map((one) => one[language]).join(language === "zh" ? "、" : ", ");
  const [zh, en] = [[`企业 ${id} 的签号为 ${ticket}`], [`the ticket of enterprise ${id} is ${ticket}`]];
  for (const [kind, name] of [["in", ["应当抽中", "rightly drawn by"]], ["out", ["应当未抽中", "rightly not drawn by"]]] as const)
    if (told[kind].length > 0) {
      zh.push(`${name[0]}：${all(told[kind], "zh")}`);
      en.push(`${name[1]}: ${all(told[kind], "en")}`);
    }
  return say(zh.join("；"), en.join("; "));
}

/** The arithmetic of an enterprise's receipt; null where there is no result, or the selection is hidden. */
function placed(record: Record_, receipt: Receipt): Placed | null {
  const { key, strata } = placeOf(record, receipt);
  if (record.result === null || record.selection === null) return null;
  const ticket = record.ticket(`enterprise:${key}`);
  const cells = (record.sealed ? sealedCells(record, receipt, strata) : openCells(record, strata)).map((cell) => ({ ...cell, inside: isInside(cell, ticket) }));
  return { id: receipt.subject.id, key, ticket, strata, cells };
}

function checkInspector(record: Record_, receipt: Receipt): Said {
  const { id } = receipt.subject;
  const rows = receipt.rows.filter((row) => row.list === "roster");
  must(rows.length === 1 && rows[0]!.row.id === id, "回执应有且仅有本人的名录行", "a receipt has exactly one roster row, its inspector's own");
  const { opening } = rows[0]!;
  const person = opening === null ? id : (opening.hidden as { person: string }).person;
  const { department } = rows[0]!.row.detail as Person;
  const others = new Set<string>();
  for (const { list: name, opening: hidden, row } of receipt.rows) {
    if (name !== "recusals") continue;
    const pair = hidden === null ? row.id.split("~") : (hidden.hidden as { pair: string[] }).pair;
    must(pair.includes(id), `回避 ${row.id} 与本人无关`, `recusal ${row.id} does not name this inspector`);
    for (const other of pair) if (other !== id) others.add(other);
  }
  const names = [...others].sort().join(", ");
  const noted = say(`名录 ${id} 是 ${department} 的 ${person}；回避 ${others.size} 条：${names || "无"}`, `roster id ${id} is ${person} of ${department}; ${others.size} recusals: ${names || "none"}`);
  if (record.visits === null || !record.complete) throw open(say("检查组尚未公布，未核对回避", "crews are not published yet: bars are not compared"), noted);
  const colleague = [...others].some((other) => record.people.has(other));
  for (const { crews, enterprise, part } of record.visits)
    for (const { barred, seats } of crews) {
      const recused = others.has(enterprise);
      must(!(seats.includes(id) && recused), `检查 ${enterprise} part ${part} 的检查组有应回避的本人`, `this inspector serves on visit ${enterprise} part ${part} in spite of a recusal`);
      must(!barred.includes(id) || recused || colleague, `检查 ${enterprise} part ${part} 把本人列为回避，而本人没有任何相应的回避`, `visit ${enterprise} part ${part} bars this inspector, whom no recusal keeps from it`);
    }
  return noted;
}

function readReceipt(record: Record_, data: Uint8Array): Receipt {
  const receipt = read(record, data);
  must(receipt.announcement === record.digest && receipt.draw === record.announcement!.draw, "回执属于另一公告", "the receipt is of another announcement");
  return receipt;
}

export function checkReceipt(record: Record_, data: Uint8Array): Said {
  const receipt = readReceipt(record, data);
  checkRows(record, receipt);
  return receipt.subject.kind === "enterprise" ? checkEnterprise(record, receipt) : checkInspector(record, receipt);
}

/** What a receipt proves of an enterprise; null if it is of another, or does not hold, or there is nothing to compare with yet. */
export function proven(record: Record_, id: string, data: Uint8Array | null): Placed | null {
  if (data === null || enterpriseOf(data) !== id) return null;
  try {
    const receipt = readReceipt(record, data);
    checkRows(record, receipt);
    return placed(record, receipt);
  } catch {
    return null;
  }
}

/** The enterprise whose receipt this looks like, or null. */
export function enterpriseOf(data: Uint8Array): string | null {
  try {
    const { subject } = JSON.parse(decode(data)) as Receipt;
    return subject.kind === "enterprise" && typeof subject.id === "string" ? subject.id : null;
  } catch {
    return null;
  }
}

/** Totals, labels and findings (docs/protocol.md §9, 10). */

import { isUnfilled, visitsInEffect } from "./changes";
import type { Visit } from "./documents";
import { EMBARGO, must, need, type Said, say } from "./outcome";
import { Record_ } from "./record";
import { checkStatistics } from "./statistics";

const BRIEF = ["checks", "district", "enterprise", "part"] as const;

export function checkResult(record: Record_): Said {
  must(record.files.has("labels.json"), "缺少 labels.json", "labels.json is missing");
  must(record.labels === null || record.labels.announcement === record.digest, "labels.json 属于另一公告", "labels.json is of another announcement");
  checkLabels(record);
  const result = need(record.result, record.undrawn());
  const { totals } = result;
  const { policy, draw } = record.announcement!;
  must(result.announcement === record.digest && result.draw === draw, "结果属于另一公告", "the result is of another announcement");
  must(record.files.has("ties.json") === (result.attempt > 0 && record.complete), "ties.json 应当且仅当有重试且无保密内容时存在", "ties.json exists if and only if there was another attempt and nothing is under an embargo");
  must(record.files.has("statistics.json"), "缺少 statistics.json", "statistics.json is missing");
  for (const [name, due] of Object.entries({ strata: record.sealed, cutoffs: record.sealed, visits: policy.embargo !== "none" }))
    must(record.files.has(`${name}.jsonl`) === due, `${name}.jsonl 缺失或多余`, `${name}.jsonl is missing, or is none of this draw`);
  for (const [name, document] of Object.entries({ statistics: record.statistics, ties: record.ties }))
    must(document === null || document.announcement === record.digest, `${name}.json 属于另一公告`, `${name}.json is of another announcement`);
  must(record.statistics === null || record.statistics.draw === draw, "statistics.json 属于另一抽取", "statistics.json is of another draw");
  const { visits } = record;
  if (policy.embargo !== "none") checkEmbargoed(record);
  if (visits !== null) {
    const checks = visits.reduce((sum, visit) => sum + visit.checks.reduce((count, check) => count + check.items.length, 0), 0);
    must(totals.visits === visits.length && totals.checks === checks, "检查次数或事项总数不实", "totals of visits or checks");
  }
  if (record.statistics !== null) checkStatistics(record, record.statistics);
  const stage = Record_.stage(result.attempt);
  let [cost, crews, undated] = [0n, 0, 0];
  for (const { crews: made, date, enterprise } of need(record.complete ? visits : null, EMBARGO)) {
    crews += date === null ? 0 : made.length;
    undated += date === null ? 1 : 0;
    must(date !== null || made.length === 0, `${enterprise} 无日期却有检查组`, `${enterprise}: crews of an undated visit`);
    for (const { department, seats } of made)
      for (const seat of seats) cost += BigInt(record.hasher.cost(result.seed, `${stage}:${enterprise}:${department}:${seat}`));
  }
  const due = visits!.reduce((sum, visit) => sum + (visit.date === null ? 0 : new Set(visit.checks.map((check) => record.tasks.get(check.task)?.department)).size), 0);
  must(totals.crews === crews && crews === due && totals.undated === undated, "检查组数或无日期数不实", "totals of crews or undated visits");
  must(totals.cost === String(cost), `总成本应为 ${cost}`, `the total cost is ${cost}`);
  return say(`${totals.visits} 次检查、${totals.checks} 个事项、${totals.crews} 个检查组`, `${totals.visits} visits, ${totals.checks} checks, ${totals.crews} crews`);
}

function openedVisits(record: Record_): Visit[] {
  const opened = record.opened("visits");
  return (opened.hidden as Visit[]).filter((_, at) => opened.ids[at]!.startsWith("v"));
}

function checkLabels(record: Record_): void {
  const { labels } = record;
  if (labels === null) return;
  must(!record.sealed || Object.keys(labels.inspectors).length === 0, "名称表泄露检查人员", "labels name inspectors of a sealed draw");
  // with a broken result nobody can tell whom they may name (§12.1)
  if (record.result === null && record.files.has("result.json")) return;
  const visible = new Set(record.result?.visits?.map((visit) => visit.enterprise));
  for (const visit of openedVisits(record)) visible.add(visit.enterprise);
  const stranger = Object.keys(labels.enterprises).find((id) => !visible.has(id));
  must(stranger === undefined, `名称表有未公布检查的企业 ${stranger}`, `labels name ${stranger}, of no visible visit`);
}

/** What can be said while rows are under embargo, and that opened rows are what was published openly. */
function checkEmbargoed(record: Record_): void {
  const { embargoed, totals, visits } = record.result!;
  const others = record.announcement!.policy.embargo === "visits" ? 2 : 1;
  must(totals.visits === embargoed!.size - others, "检查次数与密封的行数不符", "totals of visits: not the number of sealed rows");
  if (visits === null) return;
  const width = Math.max(5, String(visits.length).length);
  visits.forEach((visit, at) => {
    const opened = record.opened("visits").get(`v${String(at + 1).padStart(width, "0")}`) as Visit | undefined;
    if (opened === undefined) return;
    const same = BRIEF.every((key) => JSON.stringify(opened[key]) === JSON.stringify(visit[key]));
    must(same, `密封的 ${visit.enterprise} 与公布的不同`, `${visit.enterprise}: the sealed visit is not the published one`);
  });
}

const METHODS = ["on-site", "documents", "online", "laboratory", "expert", "other-department"];

export function checkFindings(record: Record_): Said {
  if (!record.files.has("findings.json")) need(null, record.result === null ? record.undrawn() : say("尚未公布检查结果", "no findings are published yet"));
  const { announcement, draw, findings } = need(record.findings, say("findings.json 无法读取", "findings.json could not be read"));
  need(record.result, record.undrawn());
  must(announcement === record.digest && draw === record.announcement!.draw, "检查结果属于另一公告", "the findings are of another announcement");
  // Of each item of a visit: was there nobody to check it?
  const known = new Map<string, boolean>();
  for (const { checks, crews, enterprise, part } of visitsInEffect(record) ?? openedVisits(record)) {
    const absent = new Set(crews.filter(isUnfilled).map((crew) => crew.department));
    for (const { items, task } of checks)
      for (const item of items) known.set(`${enterprise} ${part} ${task} ${item}`, absent.has(record.tasks.get(task)?.department ?? ""));
  }
  let last = "";
  let revision = 0;
  for (const finding of findings) {
    const place = `${finding.enterprise} ${finding.part} ${finding.task} ${finding.item}`;
    must(known.has(place), `${place}：没有这项检查`, `${place}: not an item of a visit`);
    must(!known.get(place), `${place}：检查组空缺，无人到场`, `${place}: the crew is unfilled, nobody was there`);
    must(/^[1-9A-F]$/.test(finding.code), `${place}：未知代码 ${finding.code}`, `${place}: unknown code ${finding.code}`);
    must(METHODS.includes(finding.method), `${place}：未知方法 ${finding.method}`, `${place}: unknown method ${finding.method}`);
    revision = place === last ? revision + 1 : 1;
    last = place;
    must(finding.revision === revision, `${place}：版次不连续`, `${place}: revisions have gaps`);
    must((finding.reason === null) === (revision === 1), `${place}：更正须有理由，首版没有`, `${place}: a correction has a reason, a first finding none`);
  }
  return say(`${findings.length} 条检查结果`, `${findings.length} findings`);
}

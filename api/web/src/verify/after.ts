/** Totals, labels and findings (docs/protocol.md §9, 10). */

import { isUnfilled, visitsInEffect } from "./changes";
import type { Visit } from "./documents";
import type { Openings } from "./lists";
import { must, need, open, type Said, say } from "./outcome";
import { Record_ } from "./record";
import { checkStatistics } from "./statistics";

const BRIEF = ["checks", "district", "enterprise", "part"] as const;

export function checkResult(record: Record_): Said {
  must(record.files.has("labels.json"), "缺少 labels.json", "labels.json is missing");
  must(record.labels === null || record.labels.announcement === record.digest, "labels.json 属于另一公告", "labels.json belongs to another announcement");
  checkLabels(record);
  const result = need(record.result, record.undrawn());
  const { totals } = result;
  const { policy, draw } = record.announcement!;
  must(result.announcement === record.digest && result.draw === draw, `结果指向公告 ${result.announcement}（${result.draw}），本公告为 ${record.digest}（${draw}）`, `the result refers to announcement ${result.announcement} (${result.draw}), this one is ${record.digest} (${draw})`);
  const present = {
    "statistics.json": true, "ties.json": result.attempt > 0 && record.openlyComplete, "strata.jsonl": record.sealed, "cutoffs.jsonl": record.sealed,
    "visits.jsonl": policy.embargo !== "none",
  };
  for (const [name, due] of Object.entries(present)) {
    must(!due || record.files.has(name), `缺少 ${name}`, `${name} is missing`);
    must(due || !record.files.has(name), `不应有 ${name}`, `${name} should not exist for this draw`);
  }
  for (const [name, document] of Object.entries({ statistics: record.statistics, ties: record.ties }))
    must(document === null || document.announcement === record.digest, `${name}.json 属于另一公告`, `${name}.json belongs to another announcement`);
  must(record.statistics === null || record.statistics.draw === draw, `statistics.json 属于 ${record.statistics?.draw}，不是本次抽取`, `statistics.json belongs to another draw (${record.statistics?.draw})`);
  const { visits } = record;
  if (policy.embargo !== "none") checkEmbargoed(record);
  if (visits !== null) {
    const checks = visits.reduce((sum, visit) => sum + visit.checks.reduce((count, check) => count + check.items.length, 0), 0);
    total("checks", checks, totals.checks);
    total("visits", visits.length, totals.visits);
  }
  if (record.statistics !== null) checkStatistics(record, record.statistics);
  const stage = Record_.stage(result.attempt);
  let [cost, crews, undated] = [0n, 0, 0];
  if (!record.complete || visits === null) throw open(visits === null ? TOTALS : CREWS, say("总数与键相符，无缺无增", "totals and keys are right, nothing is missing or added"));
  for (const { crews: made, date, enterprise, part } of visits) {
    crews += date === null ? 0 : made.length;
    undated += date === null ? 1 : 0;
    must(date !== null || made.length === 0, `检查 ${enterprise} part ${part} 没有日期却有检查组`, `visit ${enterprise} part ${part} has no date but crews`);
    for (const { department, seats } of made)
      for (const seat of seats) cost += BigInt(record.hasher.cost(result.seed, `${stage}:${enterprise}:${department}:${seat}`));
  }
  const due = visits.reduce((sum, visit) => sum + (visit.date === null ? 0 : new Set(visit.checks.map((check) => record.tasks.get(check.task)?.department)).size), 0);
  total("crews", due, crews);
  total("cost", String(cost), totals.cost);
  total("crews", crews, totals.crews);
  total("undated", undated, totals.undated);
  return say("总数与键相符，无缺无增", "totals and keys are right, nothing is missing or added");
}

const TOTALS = say("仍在保密期：总数未核对", "under an embargo: totals are not compared");
const CREWS = say("仍在保密期：检查组、成本与无日期数未核对", "under an embargo: crews, cost and undated are not compared");

function total(name: string, due: number | string, told: number | string): void {
  must(due === told, `totals.${name} 应为 ${due}，公布为 ${told}`, `totals.${name} should be ${due}, published is ${told}`);
}

function openedVisits({ hidden, ids }: Openings): Visit[] {
  return (hidden as Visit[]).filter((_, at) => ids[at]!.startsWith("v"));
}

function checkLabels(record: Record_): void {
  const { labels } = record;
  if (labels === null) return;
  must(!record.sealed || Object.keys(labels.inspectors).length === 0, "密封抽取的 labels.json 不应有人员姓名", "labels.json of a sealed draw should name no inspectors");
  // with a broken result nobody can tell whom they may name (§12.1)
  if (record.result === null && record.files.has("result.json")) return;
  // what the auditor's openings show besides is not public
  const shown = record.result?.embargoed ? record.shown().get("visits") : undefined;
  const visible = new Set([...(record.result?.visits ?? []), ...(shown === undefined ? [] : openedVisits(shown))].map((visit) => visit.enterprise));
  const stranger = Object.keys(labels.enterprises).find((id) => !visible.has(id));
  must(stranger === undefined, `labels.json 给出了未公开检查的企业 ${stranger}`, `labels.json names enterprise ${stranger}, which has no visible visit`);
}

/** What can be said while rows are under embargo, and that opened rows are what was published openly. */
function checkEmbargoed(record: Record_): void {
  const { embargoed, totals, visits } = record.result!;
  const others = record.announcement!.policy.embargo === "visits" ? 2 : 1;
  must(totals.visits === embargoed!.size - others, `totals.visits 为 ${totals.visits}，保密列表有 ${embargoed!.size - others} 次检查`, `totals.visits is ${totals.visits}, the embargoed list has ${embargoed!.size - others} visits`);
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
  const { announcement, draw, findings } = need(record.findings, say("findings.json 损坏", "findings.json is broken"));
  need(record.result, record.undrawn());
  must(announcement === record.digest && draw === record.announcement!.draw, `findings.json 属于 ${draw}，不是本次抽取的公告`, `findings.json belongs to another announcement (${draw})`);
  // Of each item of a visit: was there nobody to check it?
  const known = new Map<string, boolean>();
  const visited = new Set<string>();
  const listed = visitsInEffect(record);
  for (const { checks, crews, enterprise, part } of listed ?? openedVisits(record.opened("visits"))) {
    visited.add(`${enterprise} ${part}`);
    // An embargo hides crews; only a change, which comes after it, leaves one unfilled.
    const absent = new Set(record.complete ? crews.filter(isUnfilled).map((crew) => crew.department) : []);
    for (const { items, task } of checks)
      for (const item of items) known.set(`${enterprise} ${part} ${task} ${item}`, absent.has(record.tasks.get(task)?.department ?? ""));
  }
  let last = "";
  let revision = 0;
  let unmatched = false;
  for (const finding of findings) {
    const place = `${finding.enterprise} ${finding.part} ${finding.task} ${finding.item}`;
    const row = `${finding.enterprise} part ${finding.part} ${finding.task} ${finding.item} revision ${finding.revision}`;
    if (visited.has(`${finding.enterprise} ${finding.part}`)) {
      must(known.has(place), `${row}：该次检查没有此任务与事项`, `${row}: the visit has no such task and item`);
      must(!known.get(place), `${row}：部门已退出，检查组空缺，无人到场`, `${row}: the department withdrew and its crew is unfilled, so nobody was there`);
    } else if (listed === null) unmatched = true;
    else must(false, `${row}：没有该次检查`, `${row}: there is no such visit`);
    must(/^[1-9A-F]$/.test(finding.code), `${row} 的代码 '${finding.code}' 不存在`, `${row}: no code '${finding.code}'`);
    must(METHODS.includes(finding.method), `${row} 的方法 '${finding.method}' 不存在`, `${row}: no method '${finding.method}'`);
    revision = place === last ? revision + 1 : 1;
    last = place;
    must(finding.revision === revision, `${row}：应为第 ${revision} 版`, `${row}: revision ${revision} is missing`);
    must(revision === 1 || finding.reason !== null, `${row}：更正须有理由`, `${row}: a correction needs a reason`);
    must(revision > 1 || finding.reason === null, `${row}：首版不应有理由`, `${row}: a first finding has no reason`);
  }
  const noted = say(`${findings.length} 条检查结果有效`, `${findings.length} findings are in order`);
  if (unmatched) throw open(say("部分检查仍在保密期，其检查结果无法对应", "some visits are still under an embargo, so their findings cannot be matched"), noted);
  return noted;
}

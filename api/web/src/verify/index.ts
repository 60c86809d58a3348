/** The verifier: from files to a list of checks (docs/protocol.md §12). No clock, no network, no state. */

import {
  checkCrews, checkDates, checkFindings, checkPrices, checkResult, checkSelection, checkSizes, checkVisits,
} from "./after";
import {
  checkAnnouncement, checkBeacon, checkCanonical, checkContributions, checkDraws, checkLists, checkSeed, checkSignatures,
} from "./before";
import { checkChanges } from "./changes";
import { CHECKS, type CheckName, Failure, type Outcome, type Said, say, Unchecked } from "./outcome";
import { type AuditorFiles, type Files, Record_ } from "./record";

export type Watch = (check: CheckName, share: number) => void;

const NO_LOG = say("本页不核对透明日志：遗漏的抽取与两面之辞未能核对", "this page reads no transparency log: missing draws and equivocation are not checked");
const NO_EVENTS = say("未核对带见证的日志，无从证明公告先于随机数", "without a log with witnesses nothing proves that the announcement was public before the round");

function unchecked(reason: Said): () => never {
  return () => {
    throw new Unchecked(reason);
  };
}

const RUN: Record<CheckName, (record: Record_, progress: (share: number) => void) => Said> = {
  canonical: checkCanonical, signatures: checkSignatures, log: unchecked(NO_LOG), lists: checkLists,
  announcement: checkAnnouncement, events: unchecked(NO_EVENTS), contributions: checkContributions, beacon: checkBeacon,
  seed: checkSeed, sizes: checkSizes, selection: checkSelection, visits: checkVisits, dates: checkDates,
  crews: checkCrews, prices: checkPrices, result: checkResult, findings: checkFindings, changes: checkChanges, draws: checkDraws,
};

function outcome(name: CheckName, run: () => Said): Outcome {
  try {
    return { name, status: "PASS", reason: run() };
  } catch (error) {
    if (error instanceof Failure) return { name, status: "FAIL", reason: error.said };
    if (error instanceof Unchecked) return { name, status: "NOT CHECKED", reason: error.said };
    // A document refers to what is not there. Whatever a hostile record does, it does not pass.
    const why = String((error as Error).message ?? error).slice(0, 120);
    return { name, status: "FAIL", reason: say(`文件互不相符（${why}）`, `documents do not fit together (${why})`) };
  }
}

/** Verify a record; `auditor` opens what is sealed. */
export function verify(files: Files, auditor: AuditorFiles | null, watch: Watch = () => {}): { outcomes: Outcome[]; record: Record_ | null } {
  watch("canonical", 0);
  let record: Record_ | null = null;
  const read = outcome("canonical", () => {
    record = new Record_(files, auditor);
    return checkCanonical(record);
  });
  const outcomes: Outcome[] = [];
  for (const name of CHECKS) {
    watch(name, 0);
    const known = record as Record_ | null;
    if (name === "canonical") outcomes.push(read);
    else if (known?.announcement) outcomes.push(outcome(name, () => RUN[name](known, (share) => watch(name, share))));
    else outcomes.push({ name, status: "NOT CHECKED", reason: say("没有可读的公告", "there is no readable announcement") });
  }
  return { outcomes: attested(outcomes, record as Record_ | null), record };
}

/** §15: name who attests what is not checked here. It stays NOT CHECKED: an attestation is a person's word. */
function attested(outcomes: Outcome[], record: Record_ | null): Outcome[] {
  const attestation = record?.attestation;
  const standing = outcomes.find((one) => one.name === "signatures")!.status === "PASS";
  if (!record || !attestation || !standing) return outcomes;
  const { name: auditor } = record.announcement!.auditor!;
  const last = record.changeLines.at(-1);
  const current = attestation.changes === (last === undefined ? null : record.hasher.text(last));
  return outcomes.map((one) => {
    const called = attestation.checks.find((check) => check.name === one.name)?.status;
    const apart = one.name === "findings" || one.name === "draws" || (one.name === "changes" && !current);
    if (one.status !== "NOT CHECKED" || called !== "PASS" || apart) return one;
    return { ...one, reason: say(`${one.reason.zh}；${auditor} 证明属实`, `${one.reason.en}; attested by ${auditor}`) };
  });
}

/** 0 all pass, 1 something failed, 3 nothing failed but something was not checked. */
export function exitCode(outcomes: Outcome[]): 0 | 1 | 3 {
  if (outcomes.some((one) => one.status === "FAIL")) return 1;
  return outcomes.every((one) => one.status === "PASS") ? 0 : 3;
}

/** The verifier: from files to a list of checks (docs/protocol.md §12). No clock, no network, no state. */

import { checkFindings, checkResult } from "./after";
import {
  attestationFault, checkAnnouncement, checkBeacon, checkCanonical, checkContributions, checkDraws, checkLists, checkSeed, checkSignatures,
} from "./before";
import { checkChanges } from "./changes";
import { checkEvents, checkLog } from "./order";
import { type CheckName, CHECKS, Failure, type Outcome, type Progress, type Said, say, Unchecked } from "./outcome";
import { checkCrews, checkDates, checkPrices } from "./plan";
import type { Policy } from "./policy";
import { checkReceipt } from "./receipt";
import { type AuditorFiles, type Files, Record_ } from "./record";
import { checkSelection, checkSizes, checkVisits } from "./selection";

/** What is given to a verifier: a published folder and, where there are, the auditor's files, whom to trust, a receipt. */
export interface Given { files: Files; auditor: AuditorFiles | null; policy: Policy | null; receipt: Uint8Array | null }

const RUN: Record<(typeof CHECKS)[number], (record: Record_, progress: Progress) => Said> = {
  canonical: checkCanonical, signatures: checkSignatures, log: checkLog, lists: checkLists, announcement: checkAnnouncement,
  events: checkEvents, contributions: checkContributions, beacon: checkBeacon, seed: checkSeed, sizes: checkSizes,
  selection: checkSelection, visits: checkVisits, dates: checkDates, crews: checkCrews, prices: checkPrices, result: checkResult,
  findings: checkFindings, changes: checkChanges, draws: (record) => checkDraws(record, record.voided ? null : judgeVoided),
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

/** One record under verification. Checks are independent of each other and can be made in any order, here or in several threads. */
export class Verification {
  readonly record: Record_;
  private receipt: Uint8Array | null;

  constructor({ auditor, files, policy, receipt }: Given, voided = false) {
    this.record = new Record_(files, auditor, policy, voided);
    this.receipt = receipt;
  }

  check(name: CheckName, progress: Progress = () => {}): Outcome {
    const { receipt, record } = this;
    if (name === "canonical") return outcome(name, () => checkCanonical(record));
    if (record.announcement === null) return { name, status: "NOT CHECKED", reason: say("announcement.json 缺失或损坏", "announcement.json is missing or broken") };
    return outcome(name, () => (name === "receipt" ? checkReceipt(record, receipt!) : RUN[name](record, progress)));
  }

  /** The check of a receipt, in the place of the one that was given before. */
  judge(receipt: Uint8Array): Outcome {
    this.receipt = receipt;
    return this.check("receipt");
  }

  /** §15: name who attests what is not checked here. It stays NOT CHECKED: an attestation is a person's word. */
  attested(outcomes: Outcome[]): Outcome[] {
    const { attestation, announcement, changeLines, hasher } = this.record;
    if (!attestation || !announcement || attestationFault(this.record) !== null) return outcomes;
    const { name: auditor } = announcement.auditor!;
    const last = changeLines.at(-1);
    const current = attestation.changes === (last === undefined ? null : hasher.text(last));
    return outcomes.map((one) => {
      const called = attestation.checks.find((check) => check.name === one.name)?.status;
      const apart = one.name === "findings" || one.name === "draws" || (one.name === "changes" && !current);
      if (one.status !== "NOT CHECKED" || called !== "PASS" || apart) return one;
      return { ...one, reason: say(`${one.reason.zh}；审计方 ${auditor} 已核对并签名证明`, `${one.reason.en}; attested by ${auditor}`) };
    });
  }
}

/** §12.1: the first fault in the folder of a voided draw. */
function judgeVoided(files: Files): Said | null {
  const inner = new Verification({ files, auditor: null, policy: null, receipt: null }, true);
  for (const name of CHECKS) {
    const { reason, status } = inner.check(name);
    if (status === "FAIL") return say(`${name}：${reason.zh}`, `${name}: ${reason.en}`);
  }
  return null;
}

/** 0 all pass, 1 something failed, 3 nothing failed but something was not checked. */
export function exitCode(outcomes: Outcome[]): 0 | 1 | 3 {
  if (outcomes.some((one) => one.status === "FAIL")) return 1;
  return outcomes.every((one) => one.status === "PASS") ? 0 : 3;
}

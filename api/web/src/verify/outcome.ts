/** How a check can end. */

/** A sentence in both languages. */
export interface Said { zh: string; en: string }

/** Names in a reason are joined by a comma and a space, clauses by a semicolon; Chinese has its own marks for both. */
export function say(zh: string, en: string): Said {
  return { zh: zh.replaceAll(", ", "、").replaceAll("; ", "；"), en };
}

export type Status = "PASS" | "FAIL" | "NOT CHECKED";

export interface Outcome { name: CheckName; status: Status; reason: Said }

/** Takes the share of a check that is done, from 0 to 1. */
export type Progress = (share: number) => void;

/** The checks of docs/protocol.md §12, in their order. */
export const CHECKS = [
  "canonical", "signatures", "log", "lists", "announcement", "events", "contributions", "beacon", "seed", "sizes",
  "selection", "visits", "dates", "crews", "prices", "result", "findings", "changes", "draws",
] as const;
/** With a receipt there is one more, the last. */
export type CheckName = (typeof CHECKS)[number] | "receipt";

/** The record is wrong. */
export class Failure extends Error {
  constructor(readonly said: Said) {
    super(said.en);
  }
}

/** What the check needs is not there, or is for the auditor. */
export class Unchecked extends Error {
  constructor(readonly said: Said) {
    super(said.en);
  }
}

export function must(condition: unknown, zh: string, en: string): asserts condition {
  if (!condition) throw new Failure(say(zh, en));
}

/** A value that a check needs. */
export function need<T>(value: T | null | undefined, reason: Said): T {
  if (value === null || value === undefined) throw new Unchecked(reason);
  return value;
}

/** NOT CHECKED for a reason, though something was: `noted`. */
export function open(reason: Said, noted: Said): Unchecked {
  return new Unchecked(say(`${reason.zh}；已核对：${noted.zh}`, `${reason.en}; checked: ${noted.en}`));
}

/** Why something is not known, `subject` said first. */
export function after(subject: Said, reason: Said): Said {
  return say(`${subject.zh}：${reason.zh}`, `${subject.en}: ${reason.en}`);
}

export const SEALED = say("密封，须由审计方核对", "sealed, for the auditor to check");
export const EMBARGO = say("仍在保密期，尚未全部启封", "under an embargo: not all of it is opened yet");
export const NO_RESULT = say("尚未抽取", "not drawn yet");

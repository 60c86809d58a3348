/** What the page and its background threads say to each other; answers carry the number of the request. */

import type { Explanation, Match, Summary } from "./explain";
import type { CheckName, Outcome, Said } from "./verify/outcome";
import type { AuditorFiles, Files } from "./verify/record";

/** Bytes of everything that is to be checked: a record and, where there are, the auditor's files, the reader's policy, a receipt. */
export interface Bundle { files: Files; auditor: AuditorFiles | null; policy: Uint8Array | null; receipt: Uint8Array | null }

export type Request =
  | { kind: "open"; id: number; bundle: Bundle }
  | { kind: "check"; id: number; name: CheckName }
  | { kind: "conclude"; id: number; outcomes: Outcome[] }
  | { kind: "judge"; id: number; receipt: Uint8Array }
  | { kind: "search"; id: number; text: string; most: number }
  | { kind: "explain"; id: number; enterprise: string; salt: string };

/** `receipt`: the enterprise whose receipt was given. */
export interface Verified { outcomes: Outcome[]; exit: 0 | 1 | 3; summary: Summary | null; receipt: string | null }

export type Answer =
  | { kind: "opened"; id: number; refused: Said | null }
  | { kind: "progress"; id: number; check: CheckName; share: number }
  | { kind: "checked"; id: number; outcome: Outcome }
  | ({ kind: "concluded"; id: number } & Verified)
  | { kind: "judged"; id: number; outcome: Outcome; receipt: string | null }
  | { kind: "found"; id: number; matches: Match[]; count: number }
  | { kind: "explained"; id: number; explanation: Explanation | null };

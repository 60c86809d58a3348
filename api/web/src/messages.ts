/** What the page and its background thread say to each other; answers carry the number of the request. */

import type { Explanation, Match, Summary } from "./explain";
import type { CheckName, Outcome } from "./verify/outcome";
import type { AuditorFiles, Files } from "./verify/record";

export type Request =
  | { kind: "verify"; id: number; files: Files; auditor: AuditorFiles | null }
  | { kind: "search"; id: number; text: string; most: number }
  | { kind: "explain"; id: number; enterprise: string; receipt: string };

export interface Verified { outcomes: Outcome[]; exit: 0 | 1 | 3; summary: Summary | null }

export type Answer =
  | { kind: "progress"; id: number; check: CheckName; share: number }
  | ({ kind: "verified"; id: number } & Verified)
  | { kind: "found"; id: number; matches: Match[]; count: number }
  | { kind: "explained"; id: number; explanation: Explanation | null };

/** The verifier in a background thread. */

import { explain, search, summarise } from "./explain";
import type { Answer, Bundle, Request } from "./messages";
import { hashesAgree } from "./selftest";
import { exitCode, Verification } from "./verify/index";
import { LogFault } from "./verify/note";
import { say, type Said } from "./verify/outcome";
import { parsePolicy } from "./verify/policy";
import { enterpriseOf } from "./verify/receipt";

let verification: Verification | null = null;
let receipt: Uint8Array | null = null;

function answer(message: Answer): void {
  self.postMessage(message);
}

function open(bundle: Bundle): Said | null {
  verification = null;
  receipt = bundle.receipt;
  try {
    const policy = bundle.policy === null ? null : parsePolicy(bundle.policy);
    if (!hashesAgree(bundle.files.get("frame.jsonl") ?? new Uint8Array(0)))
      return say("本浏览器算出的散列不对，请换用另一浏览器", "this browser computes hashes wrongly; please use another one");
    verification = new Verification({ ...bundle, policy });
    return null;
  } catch (error) {
    if (error instanceof LogFault) return error.said;
    throw error;
  }
}

self.onmessage = ({ data }: MessageEvent<Request>) => {
  const { id } = data;
  if (data.kind === "open") {
    answer({ kind: "opened", id, refused: open(data.bundle) });
    return;
  }
  if (verification === null) return;
  const { record } = verification;
  switch (data.kind) {
    case "check": {
      let last = performance.now();
      const outcome = verification.check(data.name, (share) => {
        const now = performance.now();
        if (now - last < 80) return;
        last = now;
        answer({ kind: "progress", id, check: data.name, share });
      });
      answer({ kind: "checked", id, outcome });
      break;
    }
    case "conclude": {
      const outcomes = verification.attested(data.outcomes);
      const summary = summarise(record);
      answer({ kind: "concluded", id, outcomes, exit: exitCode(outcomes), summary, receipt: receipt && enterpriseOf(receipt) });
      break;
    }
    case "judge":
      receipt = data.receipt;
      answer({ kind: "judged", id, outcome: verification.judge(receipt), receipt: enterpriseOf(receipt) });
      break;
    case "search":
      answer({ kind: "found", id, ...search(record, data.text, data.most) });
      break;
    case "explain":
      answer({ kind: "explained", id, explanation: explain(record, data.enterprise, data.salt, receipt) });
  }
};

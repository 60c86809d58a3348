/** The verifier in a background thread. */

import { explain, search, summarise } from "./explain";
import type { Answer, Request } from "./messages";
import { exitCode, verify } from "./verify/index";
import type { Record_ } from "./verify/record";

let record: Record_ | null = null;

function answer(message: Answer): void {
  self.postMessage(message);
}

self.onmessage = ({ data }: MessageEvent<Request>) => {
  if (data.kind === "verify") {
    let last = 0;
    const verified = verify(data.files, data.auditor, (check, share) => {
      const now = performance.now();
      if (share > 0 && now - last < 50) return;
      last = now;
      answer({ kind: "progress", id: data.id, check, share });
    });
    record = verified.record;
    const summary = record === null ? null : summarise(record);
    answer({ kind: "verified", id: data.id, outcomes: verified.outcomes, exit: exitCode(verified.outcomes), summary });
  } else if (data.kind === "search") {
    answer({ kind: "found", id: data.id, ...(record === null ? { matches: [], count: 0 } : search(record, data.text, data.most)) });
  } else if (data.kind === "explain") {
    answer({ kind: "explained", id: data.id, explanation: record === null ? null : explain(record, data.enterprise, data.receipt) });
  }
};

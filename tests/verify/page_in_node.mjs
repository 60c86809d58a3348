// The verifier of verify.html without a browser: the script of its background thread, taken out of the built page.
// One request a line on standard input, {files, auditor, policy, receipt, checks} with bytes in base64, and `hasty` to stop at the first
// FAIL; one answer a line, {exit, checks: [[check, status, reason]]}.
import { readFileSync } from "node:fs";
import { createInterface } from "node:readline";
import vm from "node:vm";

const page = readFileSync(process.argv[2], "utf8");
const script = /<script type="text\/plain" id="worker">([^]*?)<\/script>/.exec(page)[1];
const answers = [];
globalThis.self = { postMessage: (message) => answers.push(message) };
vm.runInThisContext(script);

const bytes = (text) => new Uint8Array(Buffer.from(text, "base64"));
const all = (given) => new Map(Object.entries(given).map(([name, text]) => [name, bytes(text)]));

function ask(request) {
  answers.length = 0;
  self.onmessage({ data: { id: 0, ...request } });
  return answers.at(-1);
}

for await (const line of createInterface({ input: process.stdin })) {
  const { auditor, files, policy, receipt, checks, hasty } = JSON.parse(line);
  const bundle = {
    files: all(files),
    auditor: auditor && { secret: bytes(auditor.secret), openings: all(auditor.openings) },
    policy: policy === null ? null : bytes(policy),
    receipt: receipt === null ? null : bytes(receipt),
  };
  const { refused } = ask({ kind: "open", bundle });
  if (refused) throw new Error(refused.en);
  const names = receipt === null ? checks : [...checks, "receipt"];
  const outcomes = [];
  for (const name of names) {
    outcomes.push(ask({ kind: "check", name }).outcome);
    if (hasty && outcomes.at(-1).status === "FAIL") break;
  }
  const { exit, outcomes: concluded } = ask({ kind: "conclude", outcomes });
  const told = concluded.map(({ name, status, reason }) => [name, status, reason.en]);
  console.log(JSON.stringify({ exit, checks: told }));
}

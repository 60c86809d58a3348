/** The background threads: each holds the whole record and makes the checks that it is given next. */

import type { Answer, Bundle, Request, Verified } from "./messages";
import { type CheckName, CHECKS, type Outcome, type Said } from "./verify/outcome";

/** `share` of a check that is under way; 1 when it is done. */
export type Watch = (check: CheckName, share: number) => void;

type Ask<K extends Request["kind"]> = Omit<Extract<Request, { kind: K }>, "id" | "kind">;

/**
 * The first thread takes checks from the front, the others from the back, so that as few of them as possible need to read
 * the frame, which is what those in front look at.
 */
const ORDER: readonly CheckName[] = [
  "dates", "visits", "canonical", "lists", "selection", "result", "announcement", "draws", "changes", "findings", "receipt", "sizes",
  "signatures", "contributions", "seed", "log", "events", "beacon", "crews", "prices",
];

/** What no thread can be blamed for: a policy that cannot be read, a browser that computes wrongly. */
export class Refused extends Error {
  constructor(readonly said: Said) {
    super(said.en);
  }
}

class Thread {
  private readonly worker: Worker;
  private asked = 0;
  private readonly waiting = new Map<number, { resolve: (answer: Answer) => void; reject: (error: Error) => void; watch: Watch }>();

  constructor(address: string) {
    this.worker = new Worker(address);
    this.worker.onmessage = ({ data }: MessageEvent<Answer>) => {
      const request = this.waiting.get(data.id);
      if (data.kind === "progress") request?.watch(data.check, data.share);
      else {
        this.waiting.delete(data.id);
        request?.resolve(data);
      }
    };
    this.worker.onerror = (event) => {
      event.preventDefault();
      for (const { reject } of this.waiting.values()) reject(new Error(event.message));
      this.waiting.clear();
    };
  }

  ask<K extends Request["kind"], A extends Answer["kind"]>(kind: K, content: Ask<K>, _answer: A, watch: Watch = () => {}): Promise<Extract<Answer, { kind: A }>> {
    const id = ++this.asked;
    return new Promise((resolve, reject) => {
      this.waiting.set(id, { resolve: (answer) => resolve(answer as Extract<Answer, { kind: A }>), reject, watch });
      this.worker.postMessage({ kind, id, ...content });
    });
  }

  async check(name: CheckName, watch: Watch): Promise<Outcome> {
    const { outcome } = await this.ask("check", { name }, "checked", watch);
    watch(name, 1);
    return outcome;
  }

  end(): void {
    this.worker.terminate();
  }
}

export class Threads {
  private readonly all: Thread[];

  constructor(code: string) {
    const address = URL.createObjectURL(new Blob([code], { type: "text/javascript" }));
    this.all = Array.from({ length: Math.min(4, Math.max(2, navigator.hardwareConcurrency || 2)) }, () => new Thread(address));
  }

  get first(): Thread {
    return this.all[0]!;
  }

  /** Make all checks. Throws Refused, and Error where the browser ends a thread. */
  async verify(bundle: Bundle, watch: Watch): Promise<Verified> {
    await Promise.all(this.all.map(async (thread) => {
      const { refused } = await thread.ask("open", { bundle }, "opened");
      if (refused !== null) throw new Refused(refused);
    }));
    const left = ORDER.filter((name) => name !== "receipt" || bundle.receipt !== null);
    const outcomes: Outcome[] = [];
    await Promise.all(this.all.map(async (thread, n) => {
      for (;;) {
        const name = n === 0 ? left.shift() : left.pop();
        if (name === undefined) return;
        outcomes.push(await thread.check(name, watch));
      }
    }));
    const places = [...CHECKS, "receipt"] as CheckName[];
    outcomes.sort((a, b) => places.indexOf(a.name) - places.indexOf(b.name));
    return this.first.ask("conclude", { outcomes }, "concluded");
  }

  end(): void {
    for (const thread of this.all) thread.end();
  }
}

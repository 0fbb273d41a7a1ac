import { TwelveError } from "../../core/errors.ts";
import type { OngoingRun } from "../../ports/runs.ts";
import type { AnswerPart, AnswerRequest } from "../schema.ts";
import { type Channel, openChannel } from "./channel.ts";
import type { RunOutcome } from "./schema.ts";

/** Answers by a run that ends with the process, for whoever measures an agent and can ask again. */
export async function* answerPassing(request: AnswerRequest, id: string, loop: (run: OngoingRun, channel: Channel) => Promise<RunOutcome>): AsyncGenerator<AnswerPart> {
  const channel = openChannel();
  const leave = (): void => channel.abort(request.signal?.reason);
  request.signal?.addEventListener("abort", leave, { once: true });
  try {
    request.signal?.throwIfAborted();
    const running = loop(passingRun(id, channel.signal), channel).finally(() => channel.close());
    running.catch(() => {});
    for await (const text of channel.texts()) yield { type: "text", text };
    yield { type: "end", answer: (await running).answer };
  } finally {
    request.signal?.removeEventListener("abort", leave);
    leave();
  }
}

/** Nobody is there who could approve, and there is no later. */
function passingRun(id: string, signal: AbortSignal): OngoingRun {
  return {
    id,
    group: "",
    step: (_name, _begun, work) => work({ number: 1, signal }),
    tell: () => Promise.resolve(),
    wait: (asked) => Promise.reject(new TwelveError("APPROVAL_NEEDED", `The call ${Object.keys(asked).join(", ")} needs a person's approval, and nobody can give it here`, { fix: "Ask the release where it is served: there a run is kept, and waits for a person" })),
    postpone: () => Promise.resolve(),
    restedMs: () => Promise.resolve(0),
  };
}

import { eitherOf } from "../../core/abort.ts";
const longestMs = 5000;

/** Whether anything at all answers there, be it a refusal. An aborted signal ends it with the signal's reason. */
export async function answers(url: string, signal: AbortSignal | undefined): Promise<boolean> {
  const either = eitherOf(signal, AbortSignal.timeout(longestMs));
  try {
    const answer = await fetch(url, { method: "GET", redirect: "manual", signal: either.signal });
    await answer.body?.cancel();
    return true;
  } catch {
    signal?.throwIfAborted();
    return false;
  } finally {
    either.leave();
  }
}

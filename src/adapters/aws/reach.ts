const longestMs = 5000;

/** Whether anything at all answers there, be it a refusal. An aborted signal ends it with the signal's reason. */
export async function answers(url: string, signal: AbortSignal | undefined): Promise<boolean> {
  try {
    const limit = AbortSignal.timeout(longestMs);
    const answer = await fetch(url, { method: "GET", redirect: "manual", signal: signal === undefined ? limit : AbortSignal.any([signal, limit]) });
    await answer.body?.cancel();
    return true;
  } catch {
    signal?.throwIfAborted();
    return false;
  }
}

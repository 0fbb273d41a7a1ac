/** A connection that gives nothing for this long is taken for dead. */
const silenceMs = 30_000;

/** The body's pieces as they come. Ends the request when the reader leaves early, or when the server falls silent. */
export async function* readBody(response: Response, stop: AbortController, failed: (cause: unknown) => Error): AsyncGenerator<Uint8Array> {
  const { signal } = stop;
  const reader = response.body?.getReader();
  if (reader === undefined) return;
  let timer: NodeJS.Timeout | undefined;
  const listen = (): void => {
    clearTimeout(timer);
    timer = setTimeout(() => stop.abort(new Error(`nothing came for ${silenceMs / 1000} s`)), silenceMs);
  };
  try {
    for (;;) {
      listen();
      const { done, value } = await reader.read();
      if (done) return;
      // How long the reader takes with a piece is not the server's fault.
      clearTimeout(timer);
      yield value;
    }
  } catch (error) {
    throw failed(signal.aborted ? signal.reason : error);
  } finally {
    clearTimeout(timer);
    stop.abort();
  }
}

import { eitherOf } from "../../core/abort.ts";
import type { NodeHttpHandler } from "@smithy/node-http-handler";

/** What of a client decides how soon its first call can be made. */
interface Warmable {
  readonly credentials?: () => Promise<unknown>;
  readonly requestHandler: unknown;
}

const longestMs = 2000;

/**
 * Opens a connection of the client's own pool, and lets it find its credentials, which may be another service's business: what a first
 * call would have waited for. Nothing is asked for and nothing signed, so that any answer will do. Never fails: the call itself will say why.
 */
export async function warm({ credentials, requestHandler }: Warmable, url: string, signal?: AbortSignal): Promise<void> {
  const { protocol, hostname, port } = new URL(url);
  const either = eitherOf(signal, AbortSignal.timeout(longestMs));
  const request = { method: "GET", protocol, hostname, ...(port === "" ? {} : { port: Number(port) }), path: "/", query: {}, headers: {} };
  const connect = (requestHandler as NodeHttpHandler).handle(request as Parameters<NodeHttpHandler["handle"]>[0], { abortSignal: either.signal });
  const reading = connect.then(({ response }) => (response.body as { resume?: () => void } | undefined)?.resume?.());
  await Promise.allSettled([reading, credentials?.()]);
  either.leave();
}

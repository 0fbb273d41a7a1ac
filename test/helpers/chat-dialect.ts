/** What a stand-in for a chat provider needs to know of the provider's protocol. */
import type { ReceivedRequest, UpstreamFailure, UpstreamReply } from "../ports/model-upstream.ts";
import type { Reply } from "./service-server.ts";

export interface ChatEvent {
  /** Anthropic names its events. */
  readonly name?: string;
  readonly data: string;
}

export interface ChatDialect {
  readonly path: string;
  /** The events of an answer; without those of its end where it does not end. */
  eventsOf(reply: UpstreamReply, model: string): readonly ChatEvent[];
  /** The answer to a request that does not stream. */
  wholeOf(reply: UpstreamReply, model: string): unknown;
  failureOf(failure: UpstreamFailure): Reply;
  /** The key that a request carries. */
  keyOf(headers: Readonly<Record<string, string | string[] | undefined>>): string | undefined;
  readonly badKey: Reply;
  /** The catalogue, or one model of it; undefined for one that is not there. */
  modelsOf(names: readonly string[], name: string | undefined): unknown;
  /** Refuses what the real API refuses. */
  refusalOf(body: Readonly<Record<string, unknown>>, headers: Readonly<Record<string, string | string[] | undefined>>): string | undefined;
  read(body: unknown): ReceivedRequest;
}

/** Arguments as providers stream them: in two pieces at least. */
export function inPieces(text: string): readonly string[] {
  const middle = Math.ceil(text.length / 2);
  return text.length < 2 ? [text] : [text.slice(0, middle), text.slice(middle)];
}

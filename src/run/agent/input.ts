import type { Digest } from "../../core/descriptor.ts";
import type { AnswerRequest } from "../schema.ts";
import type { KeptRequest, RunInput } from "./schema.ts";

/** What is kept of a request. */
export function inputOf(request: AnswerRequest, release: Digest): RunInput {
  return { loop: 1, release, agent: request.agent, user: request.user ?? request.caller ?? null, traceId: request.traceId, ...(request.session === undefined ? {} : { session: request.session }), request: keptOf(request) };
}

const keptFields = ["messages", "said", "variables", "isStream", "temperature", "topP", "maxTokens", "stop", "seed", "effort", "format", "schema", "toolChoice", "isSingleCall", "isTrimmable"] as const satisfies readonly (keyof KeptRequest)[];

function keptOf(request: AnswerRequest): KeptRequest {
  const { messages, variables, isStream } = request;
  return { messages, variables, isStream, ...Object.fromEntries(keptFields.flatMap((field) => (request[field] === undefined ? [] : [[field, request[field]]]))) };
}

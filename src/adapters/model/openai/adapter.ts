import type { Environment } from "../../../ports/context.ts";
import { TwelveError } from "../../../core/errors.ts";
import type { Model, ModelChunk, ModelRequest } from "../../../ports/model.ts";
import { lateFailure, requestIdOf } from "../../http/failure.ts";
import { saidIn } from "../../http/said.ts";
import { requireKey } from "../../http/service.ts";
import { requestStream, type StreamPart } from "../../http/stream.ts";
import { type Fields, fieldsOf } from "../../http/unchecked.ts";
import { estimateUsage } from "../estimate.ts";
import { type AnswerReader, readAnswer } from "./answer.ts";
import { checkServer } from "./check.ts";
import { helpfulFailure, otherDialect } from "./dialect.ts";
import { type ChatTarget, readCompatibleReference, readOpenaiReference } from "./reference.ts";
import { chatBody, type Dialect } from "./request.ts";

const done = "[DONE]";

/** `openai:<model>`: OpenAI, or what OPENAI_BASE_URL puts in its place. */
export async function openOpenai(reference: string, env: Environment): Promise<Model> {
  return open(readOpenaiReference(reference, env));
}

/** `https://host/v1#<model>`: any server that speaks OpenAI's API. */
export async function openCompatible(reference: string, env: Environment): Promise<Model> {
  return open(readCompatibleReference(reference, env));
}

function open(target: ChatTarget): Model {
  const { provider, model, service, isOpenai } = target;
  /** Found out by asking, and remembered for as long as the process runs. */
  let dialect: Dialect = { limitName: target.limitName, isUsageAskable: true };

  /** The answer, once it began; asked for again where the server refused only a name. */
  async function begin(request: ModelRequest): Promise<Begun> {
    const first = dialect;
    for (let asked = first; ; dialect = asked) {
      const body = chatBody(model, request, { dialect: asked, reasoningEffort: target.reasoningEffort });
      const parts = requestStream({ service, url: target.url, headers: target.headers, body, timeoutMs: target.timeoutMs, signal: request.signal, isLast: ({ data }) => data === done });
      try {
        const { value } = await parts.next();
        return { parts, headers: value?.type === "begin" ? value.headers : {} };
      } catch (error) {
        // Others may have found out by now; what was refused is what this request asked.
        const other = otherDialect(error, asked, target.isLimitNameFixed || asked.limitName !== first.limitName);
        if (other === undefined) throw helpfulFailure(error);
        asked = other;
      }
    }
  }

  async function* generate(request: ModelRequest): AsyncGenerator<ModelChunk> {
    request.signal?.throwIfAborted();
    if (isOpenai) requireKey(service);
    const { parts, headers } = await begin(request);
    const answer = readAnswer();
    let isDone = false;
    for await (const part of parts) {
      if (part.type === "begin") continue;
      isDone ||= part.type === "whole" || part.data === done;
      if (part.type === "event" && part.data === done) continue;
      const chunk = part.type === "whole" ? fieldsOf(part.value) : parseChunk(part.data, service.name);
      const isError = chunk["object"] === "error" || (chunk["error"] !== undefined && chunk["error"] !== null);
      if (isError) throw lateFailure(saidIn(chunk, JSON.stringify(chunk)), headers, { service, url: target.url });
      for (const read of answer.read(chunk)) yield read;
    }
    checkEnd(answer.state, isDone, service.name);
    yield* answer.finish({ model, responseId: requestIdOf(headers), estimate: (text) => estimateUsage(request, text) });
  }

  return {
    provider,
    id: model,
    generate,
    async check(signal) {
      if (isOpenai) requireKey(service);
      return checkServer(target, signal);
    },
  };
}

interface Begun {
  readonly parts: AsyncGenerator<StreamPart>;
  readonly headers: Parameters<typeof requestIdOf>[0];
}

/** Some servers leave out why the answer ended, and some the last event; one of the two must have come. */
function checkEnd(state: AnswerReader["state"], isDone: boolean, name: string): void {
  if (state === "empty" && isDone) throw new TwelveError("SERVICE_FAILED", `${name} answered without \`choices\``, { fix: "Check that the address is that of an OpenAI-compatible API, which most servers have below /v1" });
  if (state !== "finished" && !isDone) throw new TwelveError("SERVICE_CUT", `${name} broke off its answer: the stream ended without its end`, { retry: { afterMs: null } });
}

function parseChunk(data: string, name: string): Fields {
  try {
    return fieldsOf(JSON.parse(data));
  } catch (cause) {
    throw new TwelveError("SERVICE_FAILED", `${name} streamed something that is not JSON`, { cause });
  }
}

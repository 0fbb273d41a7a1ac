import type { Environment } from "../../../ports/context.ts";
import { TwelveError } from "../../../core/errors.ts";
import type { Model, ModelChunk, ModelRequest } from "../../../ports/model.ts";
import { lateFailure, requestIdOf } from "../../http/failure.ts";
import { saidIn } from "../../http/said.ts";
import { requireKey } from "../../http/service.ts";
import { requestStream, type StreamPart } from "../../http/stream.ts";
import { type Fields, fieldsOf } from "../../http/unchecked.ts";
import { estimateUsage } from "../estimate.ts";
import { readAnswer } from "./answer.ts";
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

  /** The answer's parts, asked for again where the server refused only a name. Nothing was shown by then. */
  async function* ask(request: ModelRequest): AsyncGenerator<StreamPart> {
    const first = dialect;
    for (let asked = first; ; dialect = asked) {
      try {
        return yield* askIn(asked, request);
      } catch (error) {
        // Others may have found out by now; what was refused is what this request asked.
        const other = otherDialect(error, asked, target.isLimitNameFixed || asked.limitName !== first.limitName);
        if (other === undefined) throw helpfulFailure(error);
        asked = other;
      }
    }
  }

  function askIn(asked: Dialect, request: ModelRequest): AsyncGenerator<StreamPart> {
    const body = chatBody(model, request, { dialect: asked, reasoningEffort: target.reasoningEffort });
    return requestStream({ service, url: target.url, headers: target.headers, body, timeoutMs: target.timeoutMs, signal: request.signal, isLast: ({ data }) => data === done });
  }

  return {
    provider,
    id: model,
    async *generate(request) {
      request.signal?.throwIfAborted();
      if (isOpenai) requireKey(service);
      yield* readParts(ask(request), target, request);
    },
    async check(signal) {
      if (isOpenai) requireKey(service);
      return checkServer(target, signal);
    },
  };
}

/** The chunks of an answer, whatever carried its parts. */
export async function* readParts(parts: AsyncIterable<StreamPart>, { service, url, model }: Pick<ChatTarget, "service" | "url" | "model">, request: ModelRequest): AsyncGenerator<ModelChunk> {
  const answer = readAnswer();
  let headers: Parameters<typeof requestIdOf>[0] = {};
  let isDone = false;
  for await (const part of parts) {
    if (part.type === "begin") headers = part.headers;
    else if (part.type === "event" && part.data === done) isDone = true;
    else {
      const chunk = part.type === "whole" ? fieldsOf(part.value) : parseChunk(part.data, service.name);
      const isError = chunk["object"] === "error" || (chunk["error"] !== undefined && chunk["error"] !== null);
      if (isError) throw lateFailure(saidIn(chunk, JSON.stringify(chunk)), headers, { service, url });
      yield* answer.read(chunk);
      isDone ||= part.type === "whole";
    }
  }
  if (answer.state === "empty" && isDone) throw new TwelveError("SERVICE_FAILED", `${service.name} answered without \`choices\``, { fix: "Check that the address is that of an OpenAI-compatible API, which most servers have below /v1" });
  if (answer.state !== "finished" && !isDone) throw new TwelveError("SERVICE_CUT", `${service.name} broke off its answer: the stream ended without its end`, { retry: { afterMs: null } });
  yield* answer.finish({ model, responseId: requestIdOf(headers), estimate: (text) => estimateUsage(request, text) });
}

function parseChunk(data: string, name: string): Fields {
  try {
    return fieldsOf(JSON.parse(data));
  } catch (cause) {
    throw new TwelveError("SERVICE_FAILED", `${name} streamed something that is not JSON`, { cause });
  }
}

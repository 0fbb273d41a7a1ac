import type { Environment } from "../../../ports/context.ts";
import type { Model, ModelChunk, ModelRequest } from "../../../ports/model.ts";
import type { JsonRequest } from "../../http/client.ts";
import type { HttpAnswer } from "../../http/failure.ts";
import { requireKey } from "../../http/service.ts";
import { requestStream, requestWhole, type StreamPart, type StreamRequest } from "../../http/stream.ts";
import { checkServer } from "./check.ts";
import { helpfulFailure, otherDialect } from "./dialect.ts";
import { type ChatTarget, readCompatibleReference, readOpenaiReference } from "./reference.ts";
import { chatBody, type Dialect } from "./request.ts";
import { done, readParts } from "./stream.ts";

/** As long as OpenAI's own clients wait for an answer of which nothing comes before its end. */
const longestWholeMs = 600_000;

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

  /** What the server answers; asked again where it refused only how it was asked. */
  async function inDialect(ask: (dialect: Dialect) => Promise<Begun>): Promise<Begun> {
    const first = dialect;
    for (let asked = first; ; dialect = asked) {
      try {
        return await ask(asked);
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
    const { url, headers, timeoutMs, reasoningEffort } = target;
    // Whoever limits the silence of a server wants to hear that it is at work, which only a stream says.
    const isStreamWanted = request.isWhole !== true || timeoutMs !== undefined;
    const { parts, headers: begun } = await inDialect((asked) => {
      const isStream = isStreamWanted || asked.isStreamOnly === true;
      const asking = { service, url, headers, signal: request.signal, body: chatBody(model, request, { dialect: asked, isStream, reasoningEffort }) };
      return isStream ? begin({ ...asking, timeoutMs, isLast: ({ data }) => data === done }) : beginWhole({ ...asking, timeoutMs: longestWholeMs });
    });
    yield* readParts(parts, { service, url, model, request }, begun);
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

/** The answer, once it began. */
async function begin(request: StreamRequest): Promise<Begun> {
  const parts = requestStream(request);
  const { value } = await parts.next();
  return { parts, headers: value?.type === "begin" ? value.headers : {} };
}

async function beginWhole(request: JsonRequest): Promise<Begun> {
  const { part, headers } = await requestWhole(request);
  return { parts: [part], headers };
}

interface Begun {
  readonly parts: AsyncIterable<StreamPart> | Iterable<StreamPart>;
  readonly headers: HttpAnswer["headers"];
}

import type { Environment } from "../../../ports/context.ts";
import type { Model, ModelChunk, ModelRequest } from "../../../ports/model.ts";
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

  /** What the server answers; asked again where it refused only a name. */
  async function inDialect<Answer>(ask: (dialect: Dialect) => Promise<Answer>): Promise<Answer> {
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
    const isStream = request.isWhole !== true || timeoutMs !== undefined;
    const asking = (asked: Dialect) => ({ service, url, headers, signal: request.signal, body: chatBody(model, request, { dialect: asked, isStream, reasoningEffort }) });
    if (isStream) {
      const { parts, headers: begun } = await inDialect((asked) => begin({ ...asking(asked), timeoutMs, isLast: ({ data }) => data === done }));
      yield* readParts(parts, { service, url, model, request }, begun);
    } else {
      const { part, headers: begun } = await inDialect((asked) => requestWhole({ ...asking(asked), timeoutMs: longestWholeMs }));
      yield* readParts([part], { service, url, model, request }, begun);
    }
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

interface Begun {
  readonly parts: AsyncGenerator<StreamPart>;
  readonly headers: HttpAnswer["headers"];
}

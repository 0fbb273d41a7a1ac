import { TwelveError } from "../../../core/errors.ts";
import type { ServiceCheck } from "../../../ports/check.ts";
import type { Environment } from "../../../ports/context.ts";
import type { Model, ModelChunk, ModelRequest } from "../../../ports/model.ts";
import { requestJson } from "../../http/client.ts";
import { lateFailure, requestIdOf } from "../../http/failure.ts";
import { saidIn } from "../../http/said.ts";
import { requireKey } from "../../http/service.ts";
import { requestStream, type ServerEvent } from "../../http/stream.ts";
import { fieldsOf, textOf } from "../../http/unchecked.ts";
import { unlessDenied } from "../denied.ts";
import { estimateUsage } from "../estimate.ts";
import { endlessAnswer, parseEvent, readEvents } from "../stream.ts";
import { readMessage } from "./answer.ts";
import { type MessagesTarget, readReference } from "./reference.ts";
import { messageBody, takesSampling } from "./request.ts";

const longestCheckMs = 15_000;

/** `anthropic:<model>`: Anthropic, or what ANTHROPIC_BASE_URL puts in its place. */
export async function openModel(reference: string, env: Environment): Promise<Model> {
  const target = readReference(reference, env);
  const { model, service, isAnthropic } = target;
  return {
    provider: "anthropic",
    id: model,
    ignores: takesSampling(target) ? ["seed"] : ["temperature", "topP", "seed"],
    generate: (request) => answer(target, request),
    async check(signal) {
      if (isAnthropic) requireKey(service);
      return check(target, signal);
    },
  };
}

async function* answer(target: MessagesTarget, request: ModelRequest): AsyncGenerator<ModelChunk> {
  const { model, service, base, headers } = target;
  request.signal?.throwIfAborted();
  if (target.isAnthropic) requireKey(service);
  const url = `${base}/v1/messages`;
  const body = messageBody(request, target);
  const message = readMessage(request);
  let answered: Parameters<typeof requestIdOf>[0] = {};
  const read = (value: unknown): readonly ModelChunk[] => {
    const event = fieldsOf(value);
    if (event["type"] === "error") throw lateFailure(saidIn(event, JSON.stringify(event)), answered, { service, url });
    return message.read(event);
  };
  for await (const part of requestStream({ service, url, headers, body, timeoutMs: target.timeoutMs, signal: request.signal, isLast })) {
    if (part.type === "begin") answered = part.headers;
    else if (part.type === "events") for (const chunk of readEvents(part.events, (data) => read(parseEvent(data, service.name)))) yield chunk;
    else {
      for (const chunk of read(part.value)) yield chunk;
      if (!message.isFinished) throw new TwelveError("SERVICE_FAILED", `${service.name} answered something that is not a message`, { fix: "Check that ANTHROPIC_BASE_URL is the address of a server that speaks Anthropic's Messages API, without /v1" });
    }
  }
  if (!message.isFinished) throw endlessAnswer(service.name);
  yield message.finish({ model, responseId: requestIdOf(answered), estimate: (text) => estimateUsage(request, text) });
}

/** Some gateways leave the events' names out. */
function isLast({ name, data }: ServerEvent): boolean {
  return name === "message_stop" || (name === undefined && /^\{\s*"type":\s*"message_stop"/.test(data));
}

/** A model that is retired stays in the catalogue, and answers nothing. */
async function check({ service, base, headers, model, version, isAnthropic, timeoutMs = longestCheckMs }: MessagesTarget, signal?: AbortSignal): Promise<ServiceCheck> {
  const url = `${base}/v1/models/${encodeURIComponent(model)}`;
  try {
    const found = fieldsOf(await requestJson({ service, url, headers, signal, timeoutMs: Math.min(timeoutMs, longestCheckMs) }));
    const { lifecycle } = found;
    const until = textOf(found["retires_at"])?.slice(0, 10);
    if (lifecycle === "retired") throw new TwelveError("SERVICE_NOT_FOUND", `${service.name} is retired${until === undefined ? "" : ` since ${until}`}`, { fix: "Name a model that is served" });
    const name = textOf(found["display_name"]);
    const state = lifecycle === "deprecated" ? `deprecated${until === undefined ? "" : `, retires ${until}`}` : undefined;
    const detail = [name, state].filter((part) => part !== undefined).join("; ");
    return { version, ...(detail === "" ? {} : { detail }), ...lifeOf(lifecycle, until) };
  } catch (error) {
    // Gateways serve messages and often no catalogue.
    const isSilent = !isAnthropic && error instanceof TwelveError && error.code === "SERVICE_NOT_FOUND" && / answered (?:404|405)/.test(error.message);
    if (!isSilent) return unlessDenied(error, version);
    return { version, detail: "the server does not list its models", isModelUnknown: true };
  }
}

function lifeOf(lifecycle: unknown, until: string | undefined): Pick<ServiceCheck, "lifecycle"> {
  if (lifecycle === "active") return { lifecycle: { state: "active", endOfLife: null } };
  return lifecycle === "deprecated" ? { lifecycle: { state: "legacy", endOfLife: until ?? null } } : {};
}

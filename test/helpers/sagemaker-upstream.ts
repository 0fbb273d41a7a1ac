/** A SageMaker endpoint as the scripted upstream of the suite in `test/ports/model.contract.ts`, with a container that speaks OpenAI's chat, or TGI's own API. */
import { once } from "node:events";
import type { ServerResponse } from "node:http";
import { openModel } from "../../src/adapters/registry.ts";
import type { Model } from "../../src/ports/model.ts";
import { type FailureKind, type ReceivedRequest, type ScriptedUpstream, scriptedId, type UpstreamFailure, type UpstreamReply } from "../ports/model-upstream.ts";
import { openaiDialect } from "./chat-openai.ts";
import { tgiDialect } from "./chat-tgi.ts";
import { bytesFrame, piecesOf } from "./event-stream.ts";
import { listenBoth } from "./listen-both.ts";
import { type Asked, type Reply, type ServiceServer, startServer } from "./service-server.ts";

export const endpoint = "chat-endpoint";
const keys = { AWS_ACCESS_KEY_ID: "AKIDEXAMPLE", AWS_SECRET_ACCESS_KEY: "wJalrXUtnFEMI0123456789", AWS_REGION: "us-east-1" };

export interface SagemakerUpstream extends ScriptedUpstream {
  readonly server: ServiceServer;
  open(options?: string): Promise<Model>;
  /** Behind the scripted answers. */
  answer(reply: Reply): void;
}

export interface SagemakerOptions {
  /** OpenAI's where nothing is said. */
  readonly format?: "openai" | "tgi";
  /** Whether the reference asks for streams; it does where nothing is said. */
  readonly isStream?: boolean;
}

export async function startSagemakerUpstream({ format = "openai", isStream = true }: SagemakerOptions = {}): Promise<SagemakerUpstream> {
  const dialect = format === "tgi" ? tgiDialect : openaiDialect;
  const own = [...(format === "tgi" ? ["format=tgi"] : []), ...(isStream ? [] : ["stream=false"])];
  let replies: Reply[] = [];
  let requests: ReceivedRequest[] = [];
  let hanging: Promise<unknown> = Promise.resolve();

  function replyFor(scripted: UpstreamReply): Reply {
    const { fails, ending = "ends", says = [] } = scripted;
    if (fails !== undefined) return failureReply(fails);
    if (!isStream) return ending === "hangs" ? hangingReply() : wholeReply(dialect.wholeOf(scripted, endpoint));
    const text = dialect.eventsOf(scripted, endpoint).map(({ data }) => `data: ${data}\n\n`).join("");
    if (ending !== "hangs") return payloadReply(text, { ending });
    return {
      send(response) {
        hanging = once(response, "close");
        if (says.length > 0) payloadReply(text, { ending }).send?.(response);
      },
    };
  }

  function hangingReply(): Reply {
    return { send: (response) => void (hanging = once(response, "close")) };
  }

  function answer({ method, path, headers, body }: Asked): Reply {
    const [, name, operation] = /^\/endpoints\/([^/]+)\/(invocations|invocations-response-stream)$/.exec(path) ?? [];
    if (method !== "POST" || name === undefined) return refuse(404, "UnknownOperationException", "");
    if (!headers.authorization?.includes("/sagemaker/aws4_request")) return refuse(403, "InvalidSignatureException", "Credential should be scoped to correct service: 'sagemaker'");
    if (name !== endpoint) return refuse(400, "ValidationError", `Endpoint ${name} of account 123456789012 not found.`);
    // What a container says to a request without messages.
    if (operation === "invocations" && JSON.stringify(body) === "{}") return modelError(422, "field required: messages");
    // The tests of the adapter ask in both formats.
    if ((format === "tgi" ? "inputs" : "messages") in (body as object)) requests.push(dialect.read(body));
    return replies.shift() ?? refuse(500, "InternalFailure", "Nothing is scripted");
  }

  function withOwn(options: string): string {
    const all = [...own, ...(options === "" ? [] : [options.replace(/^\?/, "")])];
    return all.length === 0 ? "" : `?${all.join("&")}`;
  }

  const server = await startServer(answer, { listen: listenBoth });
  const open = (options = "", url = server.url): Promise<Model> => openModel(`sagemaker:${endpoint}${withOwn(options)}`, { dir: "/", env: { ...keys, AWS_ENDPOINT_URL_SAGEMAKER_RUNTIME: url } });
  return {
    server,
    open: (options) => open(options),
    answer: (reply) => void replies.push(reply),
    script(...scripted) {
      replies = scripted.map(replyFor);
      requests = [];
    },
    received: () => requests,
    closed: async () => void (await hanging),
    openImpatient: () => open("?timeoutMs=100"),
    openUnreachable: () => open("", "http://127.0.0.1:9"),
    lacks: { filtered: "a container says so at the end of its answer", toolErrors: "the format has no word for it", ...(format === "tgi" ? tgiLacks : {}), ...(isStream ? {} : wholeLacks) },
  };
}

const tgiWord = "TGI's own API has no word for it";
const tgiLacks: NonNullable<ScriptedUpstream["lacks"]> = {
  tools: tgiWord, toolChoice: tgiWord, images: tgiWord, reasoning: tgiWord, content_filter: tgiWord, tool_calls: tgiWord, usage: "it does not count the tokens of a prompt", cachedTokens: tgiWord,
};
const wholeLacks: NonNullable<ScriptedUpstream["lacks"]> = { pieces: "the answer comes whole", breaksOff: "the answer comes whole, or not at all" };

/** Without a stream the container's own answer is the body. */
function wholeReply(body: unknown): Reply {
  return { headers: { "x-amzn-requestid": scriptedId }, body };
}

interface PayloadOptions {
  readonly contentType?: string;
  readonly ending?: UpstreamReply["ending"];
  /** Frames instead of the rest of the answer. */
  readonly after?: readonly Buffer[];
}

/** A payload in parts of 25 bytes, which cut lines and characters in two. */
export function payloadReply(text: string, { contentType = "text/event-stream", ending = "ends", after = [] }: PayloadOptions = {}): Reply {
  const bytes = Buffer.from(text);
  const parts = Array.from({ length: Math.ceil(bytes.length / 25) }, (_, i) => bytesFrame("PayloadPart", bytes.subarray(25 * i, 25 * (i + 1))));
  return { send: (response) => void sendParts(response, [...parts, ...after], { contentType, ending }) };
}

async function sendParts(response: ServerResponse, frames: readonly Buffer[], { contentType, ending }: { readonly contentType: string; readonly ending: UpstreamReply["ending"] }): Promise<void> {
  response.on("error", () => undefined);
  response.writeHead(200, { "content-type": "application/vnd.amazon.eventstream", "x-amzn-sagemaker-content-type": contentType, "x-amzn-requestid": scriptedId });
  for (const piece of piecesOf(frames)) await new Promise((resolve) => response.write(piece, resolve));
  if (ending === "ends") response.end();
  if (ending === "breaksOff") response.destroy();
}

function failureReply({ kind, message, requestId, retryAfterMs }: UpstreamFailure): Reply {
  const headers: Readonly<Record<string, string>> = { "x-amzn-requestid": requestId, ...(retryAfterMs === undefined ? {} : { "retry-after": String(retryAfterMs / 1000) }) };
  const replies: Readonly<Record<FailureKind, Reply>> = {
    unauthenticated: refuse(403, "UnrecognizedClientException", message),
    denied: refuse(403, "AccessDeniedException", message),
    notFound: refuse(400, "ValidationError", `Endpoint ${endpoint} of account 123456789012 not found. ${message}`),
    limited: refuse(429, "ThrottlingException", message),
    quota: refuse(400, "ServiceQuotaExceededException", message),
    rejected: modelError(400, message),
    filtered: modelError(400, message),
    unavailable: modelError(500, message),
    garbage: { headers: { "content-type": "text/html" }, json: "<html><body>Welcome to the proxy</body></html>" },
  };
  return { ...replies[kind], headers: { ...replies[kind].headers, ...headers } };
}

/** SageMaker as the messenger of its container. */
export function modelError(status: number, message: string): Reply {
  const body = { Message: `Received client error (${status}) from primary with message "${message}".`, OriginalStatusCode: status, OriginalMessage: message, LogStreamArn: "" };
  return { status: 424, headers: { "x-amzn-errortype": "ModelError", "x-amzn-requestid": "m0de" }, body };
}

function refuse(status: number, type: string, message: string): Reply {
  return { status, headers: { "x-amzn-errortype": type, "x-amzn-requestid": "5a9e" }, body: { Message: message, message } };
}

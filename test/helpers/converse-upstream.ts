/** Bedrock as the scripted upstream of the suite in `test/ports/model.contract.ts`. */
import { once } from "node:events";
import { openModel } from "../../src/adapters/registry.ts";
import type { Image, Message, Model, ToolChoice } from "../../src/ports/model.ts";
import { type FailureKind, type ReceivedRequest, type ScriptedUpstream, scriptedId, type UpstreamFailure, type UpstreamReply } from "../ports/model-upstream.ts";
import { refuse, startBedrockServer } from "./bedrock-server.ts";
import { contentFrames, endFrames, sendFrames } from "./converse-frames.ts";
import type { Reply, ServiceServer } from "./service-server.ts";

export const claude = "anthropic.claude-test-v1:0";
const keys = { AWS_ACCESS_KEY_ID: "AKIDEXAMPLE", AWS_SECRET_ACCESS_KEY: "wJalrXUtnFEMI0123456789", AWS_REGION: "us-east-1" };

export interface ConverseUpstream extends ScriptedUpstream {
  readonly server: ServiceServer;
  open(options?: string): Promise<Model>;
  /** Instead of a scripted answer, in front of those. */
  answer(reply: Reply): void;
}

export async function startConverseUpstream(): Promise<ConverseUpstream> {
  let replies: Reply[] = [];
  let requests: ReceivedRequest[] = [];
  let hanging: Promise<unknown> = Promise.resolve();

  function replyFor(scripted: UpstreamReply): Reply {
    const { fails, ending, says = [], responseId: requestId = scriptedId } = scripted;
    if (fails !== undefined) return failureReply(fails);
    if (ending !== "hangs") return { send: sendFrames([...contentFrames(scripted), ...(ending === "breaksOff" ? [] : endFrames(scripted))], { requestId, ending }) };
    return {
      send(response) {
        hanging = once(response, "close");
        if (says.length > 0) sendFrames(contentFrames(scripted), { requestId, ending })(response);
      },
    };
  }

  const server = await startBedrockServer({
    converse({ body }) {
      requests.push(readRequest(body as Body));
      return replies.shift() ?? refuse(500, "InternalServerException", "Nothing is scripted");
    },
  });
  const open = (options = ""): Promise<Model> => openModel(`bedrock:${claude}${options}`, { dir: "/", env: { ...keys, AWS_ENDPOINT_URL: server.url } });
  return {
    server,
    open,
    answer: (reply) => void replies.push(reply),
    script(...scripted) {
      replies = scripted.map(replyFor);
      requests = [];
    },
    received: () => requests,
    closed: async () => void (await hanging),
    openImpatient: () => open("?timeoutMs=100"),
    openUnreachable: () => openModel(`bedrock:${claude}`, { dir: "/", env: { ...keys, AWS_ENDPOINT_URL: "http://127.0.0.1:9" } }),
  };
}

const refusals: Readonly<Record<Exclude<FailureKind, "garbage">, readonly [status: number, type: string]>> = {
  unauthenticated: [403, "UnrecognizedClientException"], denied: [403, "AccessDeniedException"], notFound: [404, "ResourceNotFoundException"], limited: [429, "ThrottlingException"],
  quota: [400, "ServiceQuotaExceededException"], rejected: [400, "ValidationException"], filtered: [400, "ValidationException"], unavailable: [503, "ServiceUnavailableException"],
};

function failureReply({ kind, message, requestId, retryAfterMs }: UpstreamFailure): Reply {
  if (kind === "garbage") return { headers: { "content-type": "text/html" }, json: "<html><body>Welcome to the proxy</body></html>" };
  const [status, type] = refusals[kind];
  const retryAfter = retryAfterMs === undefined ? {} : { "retry-after": String(retryAfterMs / 1000) };
  const said = kind === "filtered" ? `This request has been blocked by our content filters. ${message}` : message;
  return { status, headers: { "x-amzn-errortype": type, "x-amzn-requestid": requestId, ...retryAfter }, body: { message: said } };
}

interface Block {
  readonly text?: string;
  readonly image?: { readonly format: string; readonly source: { readonly bytes: string } };
  readonly toolUse?: { readonly toolUseId: string; readonly name: string; readonly input: object };
  readonly toolResult?: { readonly toolUseId: string; readonly content: readonly Block[]; readonly status?: string };
}

interface Body {
  readonly system?: readonly Block[];
  readonly messages: readonly { readonly role: "user" | "assistant"; readonly content: readonly Block[] }[];
  readonly inferenceConfig?: { readonly temperature?: number; readonly topP?: number; readonly maxTokens?: number; readonly stopSequences?: string[] };
  readonly toolConfig?: { readonly tools: readonly { readonly toolSpec: { readonly name: string; readonly description?: string; readonly inputSchema: { readonly json: Record<string, never> } } }[]; readonly toolChoice?: { readonly any?: object; readonly auto?: object; readonly tool?: { readonly name: string } } };
}

function readRequest({ system = [], messages, inferenceConfig: { stopSequences: stop, ...sampling } = {}, toolConfig }: Body): ReceivedRequest {
  return {
    messages: [...system.map(({ text = "" }) => ({ role: "system" as const, content: text })), ...messages.flatMap(({ role, content }) => readMessages(role, content))],
    ...sampling,
    ...(stop === undefined ? {} : { stop }),
    ...(toolConfig === undefined ? {} : { tools: toolConfig.tools.map(({ toolSpec: { inputSchema, ...tool } }) => ({ ...tool, parameters: inputSchema.json })), toolChoice: readChoice(toolConfig.toolChoice) }),
  };
}

function readChoice(choice: NonNullable<Body["toolConfig"]>["toolChoice"]): ToolChoice {
  if (choice?.tool !== undefined) return { name: choice.tool.name };
  return choice?.any === undefined ? "auto" : "required";
}

function readMessages(role: "user" | "assistant", content: readonly Block[]): readonly Message[] {
  const results = content.flatMap(({ toolResult: result }) => (result === undefined ? [] : [{ role: "tool" as const, content: textOf(result.content), toolCallId: result.toolUseId, ...(result.status === "error" ? { isError: true } : {}) }]));
  const images = content.flatMap(({ image }): Image[] => (image === undefined ? [] : [{ url: `data:image/${image.format};base64,${image.source.bytes}` }]));
  const toolCalls = content.flatMap(({ toolUse: call }) => (call === undefined ? [] : [{ id: call.toolUseId, name: call.name, arguments: JSON.stringify(call.input) }]));
  const isOnlyResults = results.length === content.length;
  return [...results, ...(isOnlyResults ? [] : [{ role, content: textOf(content), ...(images.length === 0 ? {} : { images }), ...(toolCalls.length === 0 ? {} : { toolCalls }) }])];
}

function textOf(content: readonly Block[]): string {
  return content.map(({ text = "" }) => text).join("");
}

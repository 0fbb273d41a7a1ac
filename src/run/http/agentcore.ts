import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import { digestOf } from "../../core/descriptor.ts";
import { TwelveError } from "../../core/errors.ts";
import type { SessionKey } from "../../ports/session.ts";
import type { Ping } from "./agentcore-schema.ts";
import type { Server } from "./api.ts";
import { answerWith, parseBody } from "./asking.ts";
import { chatWording } from "./completion.ts";
import { longestName, userOf } from "./field.ts";
import { jsonReader } from "./json.ts";
import { ChatRequest, toAnswerRequest } from "./request.ts";
import { sessionKey } from "./session.ts";

/** What the runtime contract of Amazon Bedrock AgentCore needs to know. */
export interface AgentCore {
  /** The service names a session with every request: one that keeps none is not given it. */
  readonly keepsSessions: (agent: string) => boolean;
}

const sessionHeader = "x-amzn-bedrock-agentcore-runtime-session-id";
const userHeader = "x-amzn-bedrock-agentcore-runtime-user-id";

/** `POST /invocations` and `GET /ping`, as AgentCore calls a container. */
export function addAgentCore(app: FastifyInstance, server: Server, { keepsSessions }: AgentCore): void {
  const { runtime, clock } = server;
  const activity = trackActivity(() => Math.floor(clock.now().getTime() / 1000));
  app.get("/ping", (): Ping => activity.state());
  void app.register((scope, _options, done) => {
    // The payload is JSON, whatever the caller of InvokeAgentRuntime says or leaves out: the AWS SDK calls it bytes.
    scope.addContentTypeParser("*", jsonReader(server.access));
    scope.post("/invocations", { config: { deciding: [sessionHeader, userHeader, "accept"] } }, async (request, reply) => {
      activity.follow(reply);
      const body = parseBody(ChatRequest, chatBody(request, runtime.agents[0]), ["prompt"]);
      const wording = chatWording({ server, trace: request.trace, body });
      return answerWith(server, [request, reply], { asked: { ...toAnswerRequest(body), ...userOf(userIn(request, body)) }, session: sessionOf(request, body, keepsSessions(body.model)), wording });
    });
    done();
  });
}

/** A prompt is a conversation of one message; who accepts events gets a stream. */
function chatBody({ body, headers }: FastifyRequest, first: string | undefined): unknown {
  if (typeof body !== "object" || body === null || Array.isArray(body)) return body;
  const { prompt, ...given }: { readonly prompt?: unknown; readonly messages?: unknown } = body;
  if (prompt !== undefined && (typeof prompt !== "string" || given.messages !== undefined)) {
    const message = typeof prompt === "string" ? "Give a prompt or messages, not both" : "Expected a text";
    throw new TwelveError("REQUEST_INVALID", "The request is not valid", { problems: [{ path: "prompt", message }] });
  }
  const wantsEvents = headers.accept?.includes("text/event-stream") === true;
  // Before the release is known there is no agent yet, and the runtime says what it waits for.
  return { model: first ?? "first", ...(wantsEvents ? { stream: true } : {}), ...given, ...(prompt === undefined ? {} : { messages: [{ role: "user", content: prompt }] }) };
}

function sessionOf(request: FastifyRequest, body: ChatRequest, isKept: boolean): SessionKey | undefined {
  const { headers, caller } = request;
  const { [sessionHeader]: header } = headers;
  const named = body.session ?? (isKept && typeof header === "string" ? header : undefined);
  if (named === undefined) return undefined;
  // AgentCore's names may be longer than a state service takes.
  return sessionKey(caller, named.length > longestName ? digestOf(named) : named, userIn(request, body));
}

/** AgentCore names the user in a header; whoever asks directly, in the body. */
function userIn({ headers }: FastifyRequest, body: ChatRequest): string | null | undefined {
  const { [userHeader]: user } = headers;
  return typeof user === "string" ? user : body.user;
}

interface Activity {
  /** Counts a request until its response is through. */
  follow(reply: FastifyReply): void;
  state(): Ping;
}

/** The time of the last change, and not of the last request: with a newer one at each ping, a session would never count as idle. */
function trackActivity(nowSeconds: () => number): Activity {
  let underway = 0;
  let changedAt = nowSeconds();
  const count = (change: 1 | -1): void => {
    underway += change;
    if (underway === Math.max(change, 0)) changedAt = nowSeconds();
  };
  return {
    follow({ raw }) {
      count(1);
      raw.once("close", () => count(-1));
    },
    state: () => ({ status: underway > 0 ? "HealthyBusy" : "Healthy", time_of_last_update: changedAt }),
  };
}

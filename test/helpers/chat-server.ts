/** A loopback stand-in for OpenAI's chat completions or Anthropic's messages, wire for wire; its answers are scripted, and its faults too. */
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import type { UpstreamReply } from "../ports/model-upstream.ts";
import { anthropicDialect } from "./chat-anthropic.ts";
import type { ChatDialect, ChatEvent } from "./chat-dialect.ts";
import { openaiDialect } from "./chat-openai.ts";
import { type Asked, readAsked, type Reply, writeReply } from "./service-server.ts";

/** How the bytes of a stream are put on the wire; all of it is allowed, and some of it is rare. */
export interface Wire {
  /** Bytes in each write; whole events where nothing is said. */
  readonly pieceBytes?: number;
  readonly lineEnd?: "\n" | "\r\n" | "\r";
  /** A comment before each event, as gateways send to keep a connection open. */
  readonly hasComments?: boolean;
  /** The events' names are left out. */
  readonly isNameless?: boolean;
}

/** One answer: scripted in our nouns, or as the events themselves, or another answer altogether. */
export type ChatReply = (UpstreamReply & { readonly wire?: Wire }) | { readonly events: readonly (string | ChatEvent)[]; readonly ending?: UpstreamReply["ending"]; readonly wire?: Wire } | { readonly reply: Reply } | { readonly reset: true };

export interface ChatServerOptions {
  readonly dialect?: "openai" | "anthropic";
  /** The only key that is accepted; any, or none, by default. */
  readonly key?: string;
  /** The models of the catalogue; without them there is no catalogue. */
  readonly models?: readonly string[];
  /** A server that knows no streams answers whole. */
  readonly isStreamKnown?: boolean;
  /** One that knows nothing else streams, whatever it is asked for. */
  readonly isWholeKnown?: boolean;
}

export interface ChatServer {
  /** Such as http://127.0.0.1:4711. */
  readonly url: string;
  readonly dialect: ChatDialect;
  /** The requests for an answer. */
  readonly requests: Asked[];
  /** Taken from the front, one for each request for an answer; what is left over when it is empty is a short text. */
  readonly script: ChatReply[];
  /** Resolves when the client has closed the newest request that hangs, at once where it has already. */
  closed(): Promise<void>;
  close(): Promise<void>;
}

export async function startChatServer({ dialect: name = "openai", key, models, isStreamKnown = true, isWholeKnown = true }: ChatServerOptions = {}): Promise<ChatServer> {
  const dialect = name === "openai" ? openaiDialect : anthropicDialect;
  const requests: Asked[] = [];
  const script: ChatReply[] = [];
  let hanging = Promise.withResolvers<void>();

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const asked = await readAsked(request);
    const path = asked.path.split("?")[0] ?? "";
    if (key !== undefined && dialect.keyOf(asked.headers) !== key) return writeReply(response, dialect.badKey);
    if (asked.method === "GET" && path.startsWith("/v1/models")) return writeReply(response, catalogue(path));
    if (asked.method !== "POST" || path !== dialect.path) return writeReply(response, dialect.failureOf({ kind: "notFound", message: `Invalid URL (${asked.method} ${path})`, requestId: "req_path" }));
    requests.push(asked);
    const body = asked.body as Readonly<Record<string, unknown>>;
    const refusal = dialect.refusalOf(body, asked.headers);
    if (refusal !== undefined) return writeReply(response, dialect.failureOf({ kind: "rejected", message: refusal, requestId: "req_body" }));
    const reply = script.shift() ?? { says: ["A body may ", "be one mebibyte ", "large."] };
    if ("reset" in reply) return void response.destroy();
    if ("reply" in reply) return writeReply(response, reply.reply);
    if ("fails" in reply && reply.fails !== undefined) return writeReply(response, dialect.failureOf(reply.fails));
    const model = String(body["model"]);
    if (!("events" in reply) && isWholeKnown && (body["stream"] !== true || !isStreamKnown)) {
      if (reply.ending === "hangs") return void (hanging = watched(response));
      return writeReply(response, { body: dialect.wholeOf(reply, model) });
    }
    const events = "events" in reply ? reply.events.map((event) => (typeof event === "string" ? { data: event } : event)) : dialect.eventsOf(reply, model);
    if (reply.ending === "hangs") hanging = watched(response);
    await stream(response, events, reply.wire ?? {});
    if (reply.ending === "breaksOff") response.destroy();
    else if (reply.ending !== "hangs") response.end();
  }

  function catalogue(path: string): Reply {
    const id = decodeURIComponent(path.slice("/v1/models".length).replace(/^\//, ""));
    const found = models === undefined ? undefined : dialect.modelsOf(models, id === "" ? undefined : id);
    return found === undefined ? dialect.failureOf({ kind: "notFound", message: `The model '${id}' does not exist`, requestId: "req_model" }) : { body: found };
  }

  const server = createServer((request, response) => void answer(request, response));
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    dialect, requests, script,
    closed: () => hanging.promise,
    close: () => new Promise((resolve) => {
      server.close(() => resolve());
      server.closeAllConnections();
    }),
  };
}

function watched(response: ServerResponse): PromiseWithResolvers<void> {
  const closing = Promise.withResolvers<void>();
  response.once("close", () => closing.resolve());
  return closing;
}

async function stream(response: ServerResponse, events: readonly ChatEvent[], { pieceBytes, lineEnd = "\n", hasComments = false, isNameless = false }: Wire): Promise<void> {
  response.writeHead(200, { "content-type": "text/event-stream; charset=utf-8", "cache-control": "no-cache", "x-request-id": "req_stream" });
  const texts = events.map(({ name, data }) => [...(hasComments ? [": keep-alive", ""] : []), ...(name === undefined || isNameless ? [] : [`event: ${name}`]), `data: ${data}`, "", ""].join(lineEnd));
  response.flushHeaders();
  for (const text of texts) {
    const bytes = Buffer.from(text);
    const size = pieceBytes ?? bytes.length;
    for (let at = 0; at < bytes.length; at += size) {
      if (response.destroyed) return;
      await new Promise<void>((resolve) => response.write(bytes.subarray(at, at + size), () => resolve()));
    }
  }
}

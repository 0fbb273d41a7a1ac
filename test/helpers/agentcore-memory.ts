/** The events of AgentCore Memory as they are answered on the wire. Timestamps are seconds, as numbers. */
import { randomBytes } from "node:crypto";
import { type Asked, type Reply, type ServerOptions, type ServiceServer, startServer } from "./service-server.ts";

export interface MemoryServerOptions extends Pick<ServerOptions, "faultOf"> {
  /** Whether a token is remembered, as the documentation says; off for seeing what happens where it is forgotten. */
  readonly knowsTokens?: boolean;
  readonly pageSize?: number;
  /** Whether the service can delete events just now. */
  readonly mayDelete?: () => boolean;
  /** Holds an answer back. */
  readonly before?: (asked: Asked) => Promise<void> | undefined;
}

export interface MemoryServer extends ServiceServer {
  /** What is kept, for looking whether something is left. */
  readonly events: ReadonlyMap<string, KeptEvent>;
  /** Lets the first event go, as a memory does after some days. */
  dropOldest(): void;
}

interface Part {
  readonly conversational?: { readonly role?: string; readonly content?: { readonly text?: string } };
  readonly blob?: unknown;
}

export interface KeptEvent {
  readonly memoryId: string;
  readonly actorId: string;
  readonly sessionId: string;
  readonly eventId: string;
  readonly eventTimestamp: number;
  readonly payload: readonly Part[];
  readonly metadata: Readonly<Record<string, { readonly stringValue?: string }>>;
}

interface Body {
  readonly actorId?: string;
  readonly sessionId?: string;
  readonly eventTimestamp?: number;
  readonly payload?: readonly Part[];
  readonly metadata?: KeptEvent["metadata"];
  readonly clientToken?: string;
  readonly includePayloads?: boolean;
  readonly maxResults?: number;
  readonly nextToken?: string;
}

export const memoryId = "support-a1b2c3d4e5";
const actorPattern = /^[a-zA-Z0-9][a-zA-Z0-9-_/]*(?::[a-zA-Z0-9-_/]+)*[a-zA-Z0-9-_/]*$/;
const sessionPattern = /^[a-zA-Z0-9][a-zA-Z0-9-_]{0,99}$/;
const metadataPattern = /^[a-zA-Z0-9\s._:/=+@-]{0,256}$/;

export async function startAgentcoreMemory({ knowsTokens = true, pageSize = 100, mayDelete = () => true, before = () => undefined, faultOf }: MemoryServerOptions = {}): Promise<MemoryServer> {
  const events = new Map<string, KeptEvent>();
  const tokens = new Map<string, KeptEvent>();

  function answer({ method, path, headers, body }: Asked): Reply {
    if (!(headers.authorization ?? "").startsWith("AWS4-HMAC-SHA256 Credential=")) return refuse(403, "AccessDeniedException", "Missing Authentication Token");
    const [, memories, memory, kind, actor = "", sessions, session = "", below, event = ""] = path.split("/").map(decodeURIComponent);
    if (memories !== "memories") return refuse(404, "UnknownOperationException", "");
    if (memory !== memoryId) return refuse(404, "ResourceNotFoundException", `Memory not found: ${memory}`);
    const request = (body ?? {}) as Body;
    if (kind === "events" && method === "POST") return createEvent(request);
    if (kind !== "actor" || sessions !== "sessions" || !actorPattern.test(actor) || actor.length > 255) return refuse(400, "ValidationException", "actorId");
    const own = [...events.values()].filter(({ actorId }) => actorId === actor);
    if (session === "" && method === "POST") {
      const ids = [...new Set(own.map(({ sessionId }) => sessionId))];
      return page("sessionSummaries", ids.map((sessionId) => ({ sessionId, actorId: actor, createdAt: own.find((kept) => kept.sessionId === sessionId)?.eventTimestamp })), request);
    }
    if (!sessionPattern.test(session)) return refuse(400, "ValidationException", "sessionId");
    const found = own.filter(({ sessionId }) => sessionId === session);
    if (below === undefined && method === "POST") {
      return page("events", found.toReversed().map(({ payload, ...rest }) => ({ ...rest, payload: request.includePayloads === false ? [] : payload })), request);
    }
    const kept = found.find(({ eventId }) => eventId === event);
    if (below !== "events" || kept === undefined) return refuse(404, "ResourceNotFoundException", `Event not found: ${event}`);
    if (method === "GET") return { body: { event: kept } };
    if (!mayDelete()) return refuse(500, "ServiceException", "Try again later");
    events.delete(kept.eventId);
    return { body: { eventId: kept.eventId } };
  }

  function createEvent({ actorId = "", sessionId = "", eventTimestamp, payload, metadata = {}, clientToken = "" }: Body): Reply {
    if (!actorPattern.test(actorId) || !sessionPattern.test(sessionId)) return refuse(400, "ValidationException", "actorId or sessionId");
    if (typeof eventTimestamp !== "number" || eventTimestamp > 1e11) return refuse(400, "ValidationException", "eventTimestamp");
    if (payload === undefined || payload.length > 100 || payload.some((part) => !isPart(part))) return refuse(400, "ValidationException", "payload");
    if (Object.keys(metadata).length > 15 || Object.values(metadata).some(({ stringValue = "" }) => !metadataPattern.test(stringValue))) return refuse(400, "ValidationException", "metadata");
    const earlier = knowsTokens ? tokens.get(clientToken) : undefined;
    if (earlier !== undefined) return { status: 201, body: { event: earlier } };
    const eventId = `${String(Math.floor(eventTimestamp * 1000)).padStart(19, "0")}#${randomBytes(4).toString("hex")}`;
    const kept = { memoryId, actorId, sessionId, eventId, eventTimestamp, payload, metadata };
    tokens.set(clientToken, kept);
    events.set(eventId, kept);
    return { status: 201, body: { event: kept } };
  }

  function page(name: string, items: readonly object[], { maxResults = 20, nextToken = "0" }: Body): Reply {
    if (maxResults > 100) return refuse(400, "ValidationException", "maxResults");
    const [start, size] = [Number(nextToken), Math.min(pageSize, maxResults)];
    return { body: { [name]: items.slice(start, start + size), ...(start + size < items.length ? { nextToken: String(start + size) } : {}) } };
  }

  const server = await startServer(async (asked) => {
    await before(asked);
    return answer(asked);
  }, { faultOf });
  return { ...server, events, dropOldest: () => void events.delete([...events.keys()][0] ?? "") };
}

function isPart({ conversational, blob }: Part): boolean {
  if (conversational === undefined) return blob !== undefined;
  const { role = "", content: { text = "" } = {} } = conversational;
  return ["ASSISTANT", "USER", "TOOL", "OTHER"].includes(role) && text.length > 0 && text.length <= 100_000 && blob === undefined;
}

function refuse(status: number, type: string, message: string): Reply {
  return { status, headers: { "x-amzn-errortype": type, "x-amzn-requestid": "a6e7" }, body: { message } };
}

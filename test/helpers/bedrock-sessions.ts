/** Bedrock's session store as it answers on the wire, over HTTP/1.1 and HTTP/2 on one port. */
import { randomUUID } from "node:crypto";
import { listenBoth } from "./listen-both.ts";
import { type Asked, type Reply, type ServerOptions, type ServiceServer, startServer } from "./service-server.ts";

export interface SessionsServerOptions extends Pick<ServerOptions, "faultOf"> {
  /** What happens to a step whose ID is there already; the documentation does not say. */
  readonly repeats?: "reject" | "ignore" | "overwrite";
  readonly mostSteps?: number;
  readonly pageSize?: number;
}

export interface SessionsServer extends ServiceServer {
  /** As Bedrock does with those that nobody uses. */
  expireAll(status: "ENDED" | "EXPIRED"): void;
  /** What is kept, for looking whether something is left. */
  readonly sessions: ReadonlyMap<string, object>;
}

interface KeptStep {
  readonly invocationId: string;
  readonly invocationStepTime: string;
  readonly payload: { readonly contentBlocks?: readonly { readonly text?: string }[] };
}

interface Kept {
  status: "ACTIVE" | "ENDED" | "EXPIRED";
  readonly createdAt: string;
  lastUpdatedAt: string;
  readonly metadata: Readonly<Record<string, string>>;
  readonly invocations: Set<string>;
  readonly steps: Map<string, KeptStep>;
}

interface Body {
  readonly sessionMetadata?: Readonly<Record<string, string>>;
  readonly invocationId?: string;
  readonly invocationIdentifier?: string;
  readonly invocationStepId?: string;
  readonly invocationStepTime?: string;
  readonly payload?: KeptStep["payload"];
}

const uuid = /^[a-f0-9]{8}(?:-[a-f0-9]{4}){3}-[a-f0-9]{12}$/;

export async function startBedrockSessions({ repeats = "reject", mostSteps = 1000, pageSize = 1000, faultOf }: SessionsServerOptions = {}): Promise<SessionsServer> {
  const sessions = new Map<string, Kept>();
  let lastMs = 0;
  /** No two of one moment, as a service's clock that counts finely. */
  const timestamp = (): string => new Date((lastMs = Math.max(Date.now(), lastMs + 1))).toISOString();

  function answer({ method, path, headers, body }: Asked): Reply {
    if (!(headers.authorization ?? "").startsWith("AWS4-HMAC-SHA256 Credential=")) return refuse(403, "MissingAuthenticationTokenException", "Missing Authentication Token");
    const { pathname, searchParams } = new URL(path, "http://localhost");
    const [, , id = "", below = "", step = ""] = pathname.split("/");
    const request = (body ?? {}) as Body;
    if (id === "" && method === "PUT") return createSession(request);
    if (id === "" && method === "POST") {
      const summaries = [...sessions].map(([sessionId, kept]) => ({ sessionId, sessionArn: arn(sessionId), sessionStatus: kept.status, createdAt: kept.createdAt, lastUpdatedAt: kept.lastUpdatedAt }));
      return page("sessionSummaries", summaries.toReversed(), searchParams);
    }
    if (!uuid.test(id)) return refuse(400, "ValidationException", "1 validation error detected: sessionIdentifier");
    const kept = sessions.get(id);
    if (kept === undefined) return refuse(404, "ResourceNotFoundException", `Session ${id} not found`);
    if (below === "" && method === "GET") return { body: { sessionId: id, sessionArn: arn(id), sessionStatus: kept.status, createdAt: kept.createdAt, lastUpdatedAt: kept.lastUpdatedAt, sessionMetadata: kept.metadata } };
    if (below === "" && method === "PATCH") {
      if (kept.status !== "ACTIVE") return refuse(409, "ConflictException", "The session is not active");
      kept.status = "ENDED";
      return { body: { sessionId: id, sessionArn: arn(id), sessionStatus: kept.status } };
    }
    if (below === "" && method === "DELETE") {
      if (kept.status === "ACTIVE") return refuse(409, "ConflictException", "End the session before you delete it");
      sessions.delete(id);
      return { body: {} };
    }
    if (below === "invocations" && method === "PUT") return createInvocation(id, kept, request);
    if (below === "invocationSteps" && method === "PUT") return putStep(kept, request);
    if (below === "invocationSteps" && step === "" && method === "POST") {
      const summaries = [...kept.steps].map(([invocationStepId, { invocationId, invocationStepTime }]) => ({ sessionId: id, invocationId, invocationStepId, invocationStepTime }));
      return page("invocationStepSummaries", summaries.toReversed(), searchParams);
    }
    if (below === "invocationSteps" && method === "POST") {
      const found = kept.steps.get(step);
      if (found === undefined || found.invocationId !== request.invocationIdentifier) return refuse(404, "ResourceNotFoundException", `Step ${step} not found`);
      return { body: { invocationStep: { sessionId: id, invocationStepId: step, ...found } } };
    }
    return refuse(404, "UnknownOperationException", "");
  }

  function createSession({ sessionMetadata = {} }: Body): Reply {
    const entries = Object.entries(sessionMetadata);
    if (entries.length > 50 || entries.some(([key, value]) => key === "" || key.length > 100 || value.length > 5000)) return refuse(400, "ValidationException", "1 validation error detected: sessionMetadata");
    const [id, createdAt] = [randomUUID(), timestamp()];
    sessions.set(id, { status: "ACTIVE", createdAt, lastUpdatedAt: createdAt, metadata: sessionMetadata, invocations: new Set(), steps: new Map() });
    return { status: 201, body: { sessionId: id, sessionArn: arn(id), sessionStatus: "ACTIVE", createdAt } };
  }

  function createInvocation(sessionId: string, kept: Kept, { invocationId = randomUUID() }: Body): Reply {
    if (!uuid.test(invocationId)) return refuse(400, "ValidationException", "1 validation error detected: invocationId");
    if (kept.status !== "ACTIVE" || kept.invocations.has(invocationId)) return refuse(409, "ConflictException", "The invocation exists, or the session is not active");
    kept.invocations.add(invocationId);
    return { status: 201, body: { sessionId, invocationId, createdAt: timestamp() } };
  }

  function putStep(kept: Kept, { invocationIdentifier = "", invocationStepId = randomUUID(), invocationStepTime = "", payload }: Body): Reply {
    const blocks = payload?.contentBlocks ?? [];
    if (!uuid.test(invocationStepId) || !/^\d{4}-\d\d-\d\dT[\d:.]+Z$/.test(invocationStepTime)) return refuse(400, "ValidationException", "1 validation error detected");
    if (payload === undefined || blocks.length === 0 || blocks.some(({ text }) => text === undefined || text === "")) return refuse(400, "ValidationException", "1 validation error detected: payload");
    if (!kept.invocations.has(invocationIdentifier)) return refuse(404, "ResourceNotFoundException", `Invocation ${invocationIdentifier} not found`);
    if (kept.status !== "ACTIVE") return refuse(409, "ConflictException", "The session is not active");
    if (kept.steps.has(invocationStepId) && repeats === "reject") return refuse(409, "ConflictException", `Step ${invocationStepId} exists`);
    if (!kept.steps.has(invocationStepId) && kept.steps.size >= mostSteps) return refuse(402, "ServiceQuotaExceededException", "The session has as many steps as it may have");
    if (!kept.steps.has(invocationStepId) || repeats === "overwrite") kept.steps.set(invocationStepId, { invocationId: invocationIdentifier, invocationStepTime, payload });
    kept.lastUpdatedAt = timestamp();
    return { status: 201, body: { invocationStepId } };
  }

  function page(name: string, items: readonly object[], parameters: URLSearchParams): Reply {
    const size = Math.min(pageSize, Number(parameters.get("maxResults") ?? 10));
    const start = Number(parameters.get("nextToken") ?? 0);
    return { body: { [name]: items.slice(start, start + size), ...(start + size < items.length ? { nextToken: String(start + size) } : {}) } };
  }

  const server = await startServer(answer, { listen: listenBoth, faultOf });
  return { ...server, sessions, expireAll: (status) => sessions.forEach((kept) => void (kept.status = status)) };
}

function arn(id: string): string {
  return `arn:aws:bedrock:us-east-1:123456789012:session/${id}`;
}

function refuse(status: number, type: string, message: string): Reply {
  return { status, headers: { "x-amzn-errortype": type, "x-amzn-requestid": "5e55" }, body: { message } };
}

/** The two session stores of AWS's that have no transactions, for tests of what both must do. */
import { onTestFinished } from "vitest";
import { openSessions as openAgentcore } from "../../../src/adapters/session/agentcore/adapter.ts";
import { openSessions as openBedrock } from "../../../src/adapters/session/bedrock/adapter.ts";
import type { SessionStore } from "../../../src/ports/session.ts";
import { memoryId, startAgentcoreMemory } from "../../helpers/agentcore-memory.ts";
import { startBedrockSessions } from "../../helpers/bedrock-sessions.ts";
import type { Asked, Fault, Reply, ServerOptions, ServiceServer } from "../../helpers/service-server.ts";

export interface StartedService {
  readonly server: ServiceServer;
  /** How many things the service keeps. */
  readonly size: () => number;
  /** Closes what a session lies in, as the service does after a while, where it does. */
  readonly end?: () => void;
}

export interface AwsService {
  readonly name: string;
  readonly start: (options?: Pick<ServerOptions, "faultOf">) => Promise<StartedService>;
  /** `query` is empty, or options with their question mark. No pause takes any time. */
  readonly open: (server: ServiceServer, query?: string, now?: () => number) => SessionStore;
  /** The request that writes an append. */
  readonly isWrite: (asked: Asked) => boolean;
  /** The requests that look what became of it, and others like them. */
  readonly isLook: (asked: Asked) => boolean;
  readonly throttled: string;
  readonly broken: string;
}

const credentials = { AWS_REGION: "us-east-1", AWS_ACCESS_KEY_ID: "AKIDEXAMPLE", AWS_SECRET_ACCESS_KEY: "geheim" };
const pause = async (): Promise<void> => {};

export const bedrock: AwsService = {
  name: "bedrock-sessions",
  async start(options = {}) {
    const server = await startBedrockSessions(options);
    onTestFinished(() => server.close());
    return { server, size: () => server.sessions.size, end: () => server.expireAll("ENDED") };
  },
  open: ({ url }, query = "", now = Date.now) => closing(openBedrock(`bedrock-sessions:${query}`, { ...credentials, AWS_ENDPOINT_URL_BEDROCK_AGENT_RUNTIME: url }, { pause, now })),
  isWrite: ({ method, path }) => method === "PUT" && path.includes("/invocationSteps"),
  isLook: ({ method, path }) => method === "POST" && /\/invocationSteps\/[^/?]+$/.test(path),
  throttled: "ThrottlingException",
  broken: "InternalServerException",
};

export const agentcore: AwsService = {
  name: "agentcore-memory",
  async start(options = {}) {
    const server = await startAgentcoreMemory(options);
    onTestFinished(() => server.close());
    return { server, size: () => server.events.size };
  },
  open: ({ url }, query = "", now = Date.now) => closing(openAgentcore(`agentcore-memory:${memoryId}${query}`, { ...credentials, AWS_ENDPOINT_URL_BEDROCK_AGENTCORE: url }, { pause, now })),
  isWrite: ({ method, path }) => method === "POST" && path.endsWith("/events"),
  isLook: ({ method, path }) => method === "POST" && /\/sessions\/[^/?]+$/.test(path),
  throttled: "ThrottledException",
  broken: "ServiceException",
};

export const awsServices: readonly AwsService[] = [bedrock, agentcore];

function closing(store: SessionStore): SessionStore {
  onTestFinished(() => store.close());
  return store;
}

export function refusal(status: number, type: string, message = `The service says ${type}`): Reply & Fault {
  return { status, headers: { "x-amzn-errortype": type, "x-amzn-requestid": "r-1" }, body: { message } };
}

export const entry = { role: "user", content: "text", at: "2026-11-24T10:00:00.000Z" } as const;
export const key = { user: "u", session: "s" };

export function codeOf(work: Promise<unknown>): Promise<string> {
  return work.then(() => "done", (error: Error & { readonly code?: string }) => error.code ?? error.message);
}

/** What a clean look at the session shows. */
export async function contentsOf(store: SessionStore): Promise<readonly string[]> {
  return ((await store.read(key))?.entries ?? []).map(({ content }) => content);
}

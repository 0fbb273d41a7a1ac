import { setTimeout as sleep } from "node:timers/promises";
import type { BedrockAgentCoreClient, ListSessionsOutput, PayloadType } from "@aws-sdk/client-bedrock-agentcore";
import { TwelveError } from "../../../core/errors.ts";
import type { Environment } from "../../../ports/context.ts";
import { callOnce } from "../../aws/call.ts";
import { clientConfig } from "../../aws/client-config.ts";
import { awsError, awsFailure } from "../../aws/failure.ts";
import { once } from "../../aws/once.ts";
import { type EventHead, type KnownEvent, readEvent, writeMetadata } from "./event.ts";
import type { Place } from "./names.ts";

export interface MemoryOptions {
  readonly env: Environment;
  readonly name: string;
  readonly memoryId: string;
  readonly region: string | undefined;
  readonly timeoutMs: number;
}

export interface Writing {
  readonly head: EventHead;
  readonly payload: PayloadType[];
  /** The memory takes no notice of a second event with the same token. */
  readonly token: string;
}

/** The few calls that are made. What is gone is undefined, or not there. */
export interface Memory {
  /** Gives the event that the token stands for, which another process may have written. */
  create(place: Place, writing: Writing): Promise<KnownEvent | undefined>;
  /** Every event, also those that are not ours, by their ID alone. */
  list(place: Place, withPayloads: boolean): Promise<{ readonly known: readonly KnownEvent[]; readonly others: readonly string[] }>;
  get(place: Place, eventId: string): Promise<KnownEvent | undefined>;
  remove(place: Place, eventId: string): Promise<void>;
  sessions(actorId: string): Promise<readonly string[]>;
  check(signal: AbortSignal | undefined): Promise<void>;
  close(): void;
}

const pageSize = 100;
const mostTries = 6;

export function openMemory({ env, name, memoryId, region, timeoutMs }: MemoryOptions): Memory {
  let client: BedrockAgentCoreClient | undefined;
  const open = once(async () => {
    const [{ default: sdk }, config] = await Promise.all([import("@aws-sdk/client-bedrock-agentcore"), clientConfig(env, { service: "BEDROCK_AGENTCORE", name, region })]);
    client = new sdk.BedrockAgentCoreClient(config);
    return { sdk, client };
  });
  type Opened = Awaited<ReturnType<typeof open>>;

  /** A session without events is not found, and neither is a memory that does not exist. */
  const failure = (error: unknown, action: string): TwelveError => {
    const { name: kind, message } = awsError(error);
    if (kind !== "ResourceNotFoundException" || !/memory/i.test(message)) return awsFailure(error, name, `bedrock-agentcore:${action}`);
    return new TwelveError("SERVICE_NOT_FOUND", `${name}: there is no such memory (${message})`, {
      cause: error, fix: "Check the ID and the region, or create one: aws bedrock-agentcore-control create-memory --name twelve_sessions --event-expiry-duration 90",
    });
  };
  async function call<Answer>(action: string, send: (opened: Opened, abortSignal: AbortSignal) => Promise<Answer>, signal?: AbortSignal): Promise<Answer> {
    return callOnce({ name, timeoutMs, signal, send: async (abortSignal) => send(await open(), abortSignal), failure: (error) => failure(error, action) });
  }
  async function listSessions(actorId: string, page: { readonly maxResults: number; readonly nextToken?: string }, signal?: AbortSignal): Promise<ListSessionsOutput | undefined> {
    const send = ({ sdk, client: api }: Opened, abortSignal: AbortSignal): Promise<ListSessionsOutput> =>
      api.send(new sdk.ListSessionsCommand({ memoryId, actorId, filter: { eventFilter: "HAS_EVENTS" }, ...page }), { abortSignal });
    return unlessGone(call("ListSessions", send, signal));
  }

  return {
    async create({ actorId, sessionId }, { head, payload, token }) {
      for (let attempt = 1; ; attempt += 1) {
        try {
          const { event } = await call("CreateEvent", ({ sdk, client: api }, abortSignal) => api.send(new sdk.CreateEventCommand({
            memoryId, actorId, sessionId, clientToken: token, eventTimestamp: new Date(head.updatedMs), payload, metadata: writeMetadata(head), ...(head.isEnd ? { extractionMode: "SKIP" as const } : {}),
          }), { abortSignal }));
          return event === undefined ? undefined : readEvent(event);
        } catch (error) {
          // Somebody is about to use the same token.
          if (!isNamed(error, "RetryableConflictException") || attempt === mostTries) throw error;
          await sleep(Math.random() * 50 * attempt);
        }
      }
    },
    async list({ actorId, sessionId }, includePayloads) {
      const known: KnownEvent[] = [];
      const others: string[] = [];
      let nextToken: string | undefined;
      do {
        const page = await unlessGone(call("ListEvents", ({ sdk, client: api }, abortSignal) =>
          api.send(new sdk.ListEventsCommand({ memoryId, actorId, sessionId, includePayloads, maxResults: pageSize, ...(nextToken === undefined ? {} : { nextToken }) }), { abortSignal })));
        for (const event of page?.events ?? []) {
          const read = readEvent(event);
          if (read === undefined) others.push(event.eventId ?? "");
          else known.push(read);
        }
        nextToken = page?.nextToken;
      } while (nextToken !== undefined);
      return { known, others };
    },
    async get({ actorId, sessionId }, eventId) {
      const answer = await unlessGone(call("GetEvent", ({ sdk, client: api }, abortSignal) => api.send(new sdk.GetEventCommand({ memoryId, actorId, sessionId, eventId }), { abortSignal })));
      return answer?.event === undefined ? undefined : readEvent(answer.event);
    },
    async remove({ actorId, sessionId }, eventId) {
      await unlessGone(call("DeleteEvent", ({ sdk, client: api }, abortSignal) => api.send(new sdk.DeleteEventCommand({ memoryId, actorId, sessionId, eventId }), { abortSignal })));
    },
    async sessions(actorId) {
      const found = new Set<string>();
      let nextToken: string | undefined;
      do {
        const page = await listSessions(actorId, { maxResults: pageSize, ...(nextToken === undefined ? {} : { nextToken }) });
        for (const { sessionId } of page?.sessionSummaries ?? []) found.add(sessionId ?? "");
        nextToken = page?.nextToken;
      } while (nextToken !== undefined);
      return [...found];
    },
    async check(signal) {
      await listSessions("twelve", { maxResults: 1 }, signal);
    },
    close: () => client?.destroy(),
  };
}

/** A memory that does not exist is a failure of another code. */
async function unlessGone<Answer>(answer: Promise<Answer>): Promise<Answer | undefined> {
  return answer.catch((error: unknown) => {
    if (isNamed(error, "ResourceNotFoundException") && !(error as TwelveError).message.includes("no such memory")) return undefined;
    throw error;
  });
}

function isNamed(error: unknown, name: string): boolean {
  return error instanceof TwelveError && error.cause instanceof Error && error.cause.name === name;
}

import { setTimeout as sleep } from "node:timers/promises";
import type { ListSessionsOutput, PayloadType } from "@aws-sdk/client-bedrock-agentcore";
import { TwelveError } from "../../../core/errors.ts";
import type { Environment } from "../../../ports/context.ts";
import { clientConfig } from "../../aws/client-config.ts";
import { awsError, awsFailure, isCausedBy } from "../../aws/failure.ts";
import { lazyClient } from "../../aws/lazy-client.ts";
import { pagesOf } from "../../aws/pages.ts";
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
  /** A session without events is not found, and neither is a memory that does not exist. */
  const failure = (error: unknown, action: string): TwelveError => {
    const { name: kind, message } = awsError(error);
    // The memory's own name may hold any of these words.
    const said = message.replaceAll(memoryId, "");
    if (kind !== "ResourceNotFoundException" || !/memory/i.test(said) || /\b(?:event|session|actor)/i.test(said)) return awsFailure(error, name, `bedrock-agentcore:${action}`);
    return new TwelveError("SERVICE_NOT_FOUND", `${name}: there is no such memory (${message})`, {
      cause: error, fix: "Check the ID and the region, or create one: aws bedrock-agentcore-control create-memory --name twelve_sessions --event-expiry-duration 90",
    });
  };
  const { call, close } = lazyClient({
    name, timeoutMs, failure,
    async open() {
      const [{ default: sdk }, config] = await Promise.all([import("@aws-sdk/client-bedrock-agentcore"), clientConfig(env, { service: "BEDROCK_AGENTCORE", name, region })]);
      return { sdk, client: new sdk.BedrockAgentCoreClient(config) };
    },
  });
  async function listSessions(actorId: string, page: { readonly maxResults: number; readonly nextToken: string | undefined }, signal?: AbortSignal): Promise<ListSessionsOutput | undefined> {
    return unlessGone(call("ListSessions", ({ sdk, client }, abortSignal) => client.send(new sdk.ListSessionsCommand({ memoryId, actorId, filter: { eventFilter: "HAS_EVENTS" }, ...page }), { abortSignal }), signal));
  }

  return {
    async create({ actorId, sessionId }, { head, payload, token }) {
      for (let attempt = 1; ; attempt += 1) {
        try {
          const { event } = await call("CreateEvent", ({ sdk, client }, abortSignal) => client.send(new sdk.CreateEventCommand({
            memoryId, actorId, sessionId, clientToken: token, eventTimestamp: new Date(head.updatedMs), payload, metadata: writeMetadata(head), ...(head.isEnd ? { extractionMode: "SKIP" as const } : {}),
          }), { abortSignal }));
          return event === undefined ? undefined : readEvent(event);
        } catch (error) {
          // Somebody is about to use the same token.
          if (!isCausedBy(error, "RetryableConflictException") || attempt === mostTries) throw error;
          await sleep(Math.random() * 50 * attempt);
        }
      }
    },
    async list({ actorId, sessionId }, includePayloads) {
      const known: KnownEvent[] = [];
      const others: string[] = [];
      const pages = pagesOf(name, (nextToken) => unlessGone(call("ListEvents", ({ sdk, client }, abortSignal) =>
        client.send(new sdk.ListEventsCommand({ memoryId, actorId, sessionId, includePayloads, maxResults: pageSize, nextToken }), { abortSignal }))));
      for await (const page of pages) {
        for (const event of page?.events ?? []) {
          const read = readEvent(event);
          if (read === undefined) others.push(event.eventId ?? "");
          else known.push(read);
        }
      }
      return { known, others };
    },
    async get({ actorId, sessionId }, eventId) {
      const answer = await unlessGone(call("GetEvent", ({ sdk, client }, abortSignal) => client.send(new sdk.GetEventCommand({ memoryId, actorId, sessionId, eventId }), { abortSignal })));
      return answer?.event === undefined ? undefined : readEvent(answer.event);
    },
    async remove({ actorId, sessionId }, eventId) {
      await unlessGone(call("DeleteEvent", ({ sdk, client }, abortSignal) => client.send(new sdk.DeleteEventCommand({ memoryId, actorId, sessionId, eventId }), { abortSignal })));
    },
    async sessions(actorId) {
      const found = new Set<string>();
      for await (const page of pagesOf(name, (nextToken) => listSessions(actorId, { maxResults: pageSize, nextToken }))) {
        for (const { sessionId } of page?.sessionSummaries ?? []) found.add(sessionId ?? "");
      }
      return [...found];
    },
    async check(signal) {
      await listSessions("twelve", { maxResults: 1, nextToken: undefined }, signal);
    },
    close,
  };
}

/** A memory that does not exist is a failure of another code. */
async function unlessGone<Answer>(answer: Promise<Answer>): Promise<Answer | undefined> {
  return answer.catch((error: unknown) => {
    if (isCausedBy(error, "ResourceNotFoundException") && !(error as TwelveError).message.includes("no such memory")) return undefined;
    throw error;
  });
}

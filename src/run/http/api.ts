import type { FastifyReply, FastifyRequest } from "fastify";
import type { Scope } from "../../config/api-key.ts";
import type { TwelveError } from "../../core/errors.ts";
import type { Clock } from "../../ports/clock.ts";
import type { OpenedRuntime } from "../apply.ts";
import type { Metrics } from "../metrics/record.ts";
import type { MockApi } from "../mock/api.ts";
import type { Trace } from "../trace.ts";
import type { Ui } from "../ui/open.ts";
import type { Access } from "./access.ts";
import type { AgentCore } from "./agentcore.ts";
import type { CollectAll } from "./metrics.ts";
import type { HttpError } from "./error.ts";
import type { Traffic } from "./traffic.ts";

declare module "fastify" {
  interface FastifyRequest {
    trace: Trace;
    /** Aborted when the client goes away, when the answer takes too long, or when the server must stop; the reason says which. */
    life: AbortSignal;
    caller: Caller;
    /** The run of an agent with tools that answers it, where the request has an Idempotency-Key. */
    runId: string | undefined;
    /** It came when the server had begun to stop. */
    isLate: boolean;
  }
}

/** Who asks, once the request was let in. */
export interface Caller {
  /** Name of the API key; null on a server without keys. */
  readonly key: string | null;
  /** What the key is limited to; undefined: to nothing. */
  readonly scopes?: ReadonlySet<Scope> | undefined;
}

/** What the API stands on. */
export interface ServerOptions {
  readonly runtime: OpenedRuntime;
  readonly traffic: Traffic;
  readonly clock: Clock;
  /** Whom it lets in; undefined for as long as that is not known. */
  readonly access: () => Access | undefined;
  /** Why that is not known yet. */
  readonly notReady: () => TwelveError;
  /** Others than this machine may reach it. */
  readonly isExposed: boolean;
  /** Names the release in every answer. */
  readonly fingerprint: () => string;
  /** Where AgentCore's contract is served, too. */
  readonly agentCore?: AgentCore | undefined;
  /** Set where no model answers. */
  readonly mock?: MockApi | undefined;
  /** Takes a JSON line about a failure that is a bug of ours. */
  readonly writeLine: (line: string) => void;
  /** For the page at `/`, where it is served. */
  readonly ui?: Ui | undefined;
  /** Of the process; of the server alone by default. */
  readonly metrics?: Metrics;
  /** Gives what a scrape is about: this process by default. */
  readonly collectAll?: CollectAll;
}

/** What every group of routes is given. */
export interface Server extends ServerOptions {
  readonly report: (error: unknown, request: FastifyRequest) => void;
  readonly wordFailure: (error: unknown, asked: readonly [FastifyRequest, FastifyReply]) => HttpError;
}

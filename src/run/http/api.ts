import type { Scope } from "../../config/api-key.ts";
import type { OpenedRuntime } from "../apply.ts";
import type { Metrics } from "../metrics/record.ts";
import type { MockApi } from "../mock/api.ts";
import type { Trace } from "../trace.ts";
import type { Ui } from "../ui/open.ts";
import type { AgentCore } from "./agentcore.ts";
import type { Failures } from "./failure.ts";
import type { GuardOptions } from "./guarded.ts";
import type { CollectAll } from "./metrics.ts";

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
export interface ServerOptions extends Omit<GuardOptions, "metrics" | "wordOwn"> {
  readonly runtime: OpenedRuntime;
  /** Names the release in every answer. */
  readonly fingerprint: () => string;
  /** Where AgentCore's contract is served, too. */
  readonly agentCore?: AgentCore | undefined;
  /** Set where no model answers. */
  readonly mock?: MockApi | undefined;
  /** For the page at `/`, where it is served. */
  readonly ui?: Ui | undefined;
  /** Of the process; of the server alone by default. */
  readonly metrics?: Metrics;
  /** Gives what a scrape is about: this process by default. */
  readonly collectAll?: CollectAll;
}

/** What every group of routes is given. */
export interface Server extends ServerOptions, Failures {}

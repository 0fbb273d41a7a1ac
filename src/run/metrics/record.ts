import type { ModelCallEvent } from "../schema.ts";
import { type Cell, counter, type Family, gauge, histogram, type Spread } from "./family.ts";

/** What a process counts of itself. Names and labels are documented in docs/processes.md; labels have few values: never users or sessions. */
export interface Metrics {
  /** Requests under way, those of probes and scrapes left out. */
  readonly inFlight: Cell;
  readonly streams: Cell;
  /** What one route counts; to be kept, since looking it up costs more than counting. */
  route(method: string, route: string): RouteMetrics;
  modelCalled(event: ModelCallEvent): void;
  /** Work that waits and that is being done, as one who works on the queue saw it. */
  queueSeen(queue: string, depth: { readonly waiting: number; readonly running: number; readonly undecided?: number }): void;
  readySeen(isReady: boolean): void;
  families(): readonly Family[];
}

export interface RouteMetrics {
  ended(status: number, durationMs: number, firstByteMs: number | undefined): void;
}

const requestSeconds = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120];
const retrievalSeconds = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5];

export function openMetrics(): Metrics {
  const inFlight = gauge({ name: "twelve_http_requests_in_flight", help: "Requests under way, without probes and scrapes" });
  const streams = gauge({ name: "twelve_http_streams_open", help: "Answers being streamed" });
  const requests = counter({ name: "twelve_http_requests_total", help: "Requests that ended; status 499 where the client went away before any answer", labels: ["method", "route", "status"] });
  const durations = histogram({ name: "twelve_http_request_duration_seconds", help: "From a request's headers to the end of its answer", labels: ["method", "route"] }, requestSeconds);
  const firstBytes = histogram({ name: "twelve_http_time_to_first_byte_seconds", help: "From a request's headers to the first byte of its answer", labels: ["method", "route"] }, requestSeconds);
  const callLabels = ["agent", "provider", "model"];
  const calls = counter({ name: "twelve_model_calls_total", help: "Model calls; the outcome is ok, aborted, or a failure's code", labels: [...callLabels, "outcome"] });
  const callDurations = histogram({ name: "twelve_model_call_duration_seconds", help: "From a request to the last chunk of its answer, retrieval included", labels: callLabels }, requestSeconds);
  const tokens = counter({ name: "twelve_model_tokens_total", help: "Tokens: input, of which cached_input, and output", labels: [...callLabels, "type"] });
  const cost = counter({ name: "twelve_model_cost_usd_total", help: "Cost of the calls whose price is known", labels: callLabels });
  const unpriced = counter({ name: "twelve_model_calls_unpriced_total", help: "Calls with tokens whose price is not known", labels: callLabels });
  const retrievals = histogram({ name: "twelve_retrieval_duration_seconds", help: "Time to retrieve what a question is answered from", labels: ["agent"] }, retrievalSeconds);
  const depth = gauge({ name: "twelve_queue_depth", help: "Pieces of work in a queue: waiting, running on any machine, or undecided, which wait for a person", labels: ["queue", "state"], aggregator: "max" });
  const processes = gauge({ name: "twelve_processes", help: "Processes that this scrape is the sum of" });
  const ready = gauge({ name: "twelve_processes_ready", help: "Those of them that are ready" });
  const all = [inFlight, streams, requests, durations, firstBytes, calls, callDurations, tokens, cost, unpriced, retrievals, depth, processes, ready];
  processes.at().value = 1;
  ready.at().value = 0;

  return {
    inFlight: inFlight.at(),
    streams: streams.at(),
    route(method, route) {
      const [duration, firstByte] = [durations.at(method, route), firstBytes.at(method, route)];
      const statuses: Cell[] = [];
      return {
        ended(status, durationMs, firstByteMs) {
          (statuses[status] ??= requests.at(method, route, String(status))).value++;
          duration.observe(durationMs / 1000);
          if (firstByteMs !== undefined) firstByte.observe(firstByteMs / 1000);
        },
      };
    },
    modelCalled: countCalls({ calls, callDurations, tokens, cost, unpriced, retrievals }),
    queueSeen(queue, { waiting, running, undecided }) {
      depth.at(queue, "waiting").value = waiting;
      depth.at(queue, "running").value = running;
      if (undecided !== undefined) depth.at(queue, "undecided").value = undecided;
    },
    readySeen(isReady) {
      ready.at().value = isReady ? 1 : 0;
    },
    families: () => all.map((metric) => metric.family()),
  };
}

type CallMetrics = Readonly<Record<"calls" | "tokens" | "cost" | "unpriced", ReturnType<typeof counter>> & Record<"callDurations" | "retrievals", ReturnType<typeof histogram>>>;

/** The cells of one agent and model, which nearly every call shares with those before it. */
interface CallCells {
  readonly ok: Cell;
  readonly input: Cell;
  readonly cachedInput: Cell;
  readonly output: Cell;
  readonly duration: Spread;
}

function countCalls({ calls, callDurations, tokens, cost, unpriced, retrievals }: CallMetrics): Metrics["modelCalled"] {
  const known = new Map<string, CallCells>();
  return (event) => {
    const { "gen_ai.agent.name": agent, "gen_ai.provider.name": provider, "gen_ai.request.model": model, "twelve.cost.amount": amount, "twelve.retrieval_ms": retrievalMs } = event;
    const labels = [agent, provider, model];
    const key = labels.join("\n");
    let cells = known.get(key);
    if (cells === undefined) {
      cells = { ok: calls.at(...labels, "ok"), input: tokens.at(...labels, "input"), cachedInput: tokens.at(...labels, "cached_input"), output: tokens.at(...labels, "output"), duration: callDurations.at(...labels) };
      known.set(key, cells);
    }
    const outcome = event["twelve.aborted"] ? "aborted" : event["error.type"];
    (outcome === null ? cells.ok : calls.at(...labels, outcome)).value++;
    cells.duration.observe(event["twelve.duration_ms"] / 1000);
    cells.input.value += event["gen_ai.usage.input_tokens"] ?? 0;
    cells.cachedInput.value += event["gen_ai.usage.cache_read.input_tokens"] ?? 0;
    cells.output.value += event["gen_ai.usage.output_tokens"] ?? 0;
    if (amount !== null) cost.at(...labels).value += amount;
    else if (event["gen_ai.usage.input_tokens"] !== null) unpriced.at(...labels).value++;
    if (retrievalMs !== null) retrievals.at(agent).observe(retrievalMs / 1000);
  };
}

import type { Family } from "./family.ts";

export const metricsContentType = "text/plain; version=0.0.4; charset=utf-8";

/** The families of one process, with those of Node and of the machine. prom-client is loaded at the first call. */
export async function withProcessMetrics(own: readonly Family[]): Promise<readonly Family[]> {
  const registry = await processRegistry();
  // Some of them name other ways of putting several processes together than ours do.
  return [...own, ...((await registry.getMetricsAsJSON()) as unknown as readonly Family[])];
}

/** The same at the end of a process: those of Node only where somebody has looked at them. */
export async function lastMetrics(own: readonly Family[]): Promise<readonly Family[]> {
  return opened === undefined ? own : withProcessMetrics(own);
}

/** The text that Prometheus reads: the numbers of one process, or the sum of several. */
export async function exposition(processes: readonly (readonly Family[])[]): Promise<string> {
  const { default: { AggregatorRegistry } } = await import("prom-client");
  // What makes no sense as a sum, such as a start time, is left out of one; a single process has it.
  const listed = processes.length === 1 ? processes.map((families) => families.map((family) => ({ ...family, aggregator: "first" }))) : processes;
  return AggregatorRegistry.aggregate(listed.map((families) => [...families])).metrics();
}

let opened: Promise<import("prom-client").Registry> | undefined;

/** One a process: what it looks at is the process. */
function processRegistry(): Promise<import("prom-client").Registry> {
  opened ??= import("prom-client").then(({ default: { collectDefaultMetrics, Registry } }) => {
    const registry = new Registry();
    collectDefaultMetrics({ register: registry });
    return registry;
  });
  return opened;
}

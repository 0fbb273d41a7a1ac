import { shortDigest } from "../core/descriptor.ts";
import type { Context } from "../ports/context.ts";
import type { Activation } from "../release/schema.ts";
import { openRuntime } from "./apply.ts";
import { type Address, isLoopback, listen, stopServer } from "./http/listen.ts";
import { openServer } from "./http/server.ts";
import { trackTraffic } from "./http/traffic.ts";
import { type ReleaseToRun, releaseName } from "./named.ts";
import type { ModelCallEvent } from "./schema.ts";

interface ServeOptions extends Address {
  readonly release: ReleaseToRun;
  readonly environment: string;
  readonly attachments: Activation["attachments"];
  readonly agents: readonly string[];
  readonly drainMs: number;
  readonly isContentLogged: boolean;
}

/** Serves agents over HTTP until the process is asked to stop. Each line on stdout is one JSON event. */
export async function serve(context: Context, options: ServeOptions): Promise<void> {
  const { release, environment, attachments, agents, host, drainMs } = options;
  const { story, clock, signal } = context;
  const name = releaseName(release);
  const digest = release.releaseDescriptor.digest;
  const traffic = trackTraffic();
  const startedMs = clock.monotonicMs();
  // The server's modules load while the store and the index are read.
  const emit = (event: ModelCallEvent): void => context.writeLine(JSON.stringify(event));
  const [runtime] = await Promise.all([openRuntime(context, { release, environment, attachments, agents, isContentLogged: options.isContentLogged, emit }), import("fastify")]);
  try {
    const app = await openServer({ runtime, traffic, clock, fingerprint: `${name}-${shortDigest(digest)}`, writeLine: (line) => context.writeLine(line) });
    const url = await listen(app, options);
    const write = (event: string, fields: object): void =>
      context.writeLine(JSON.stringify({ event, time: clock.now().toISOString(), "twelve.app": release.release.app, "twelve.environment": environment, "twelve.release.number": release.number, "twelve.release.digest": digest, ...fields }));
    write("server-ready", { url, agents, "twelve.duration_ms": Math.round(clock.monotonicMs() - startedMs) });
    if (!isLoopback(host)) story.warn(`Anyone who can reach ${host} can use this server: this version has no authentication. Put it behind a proxy that has`);
    story.note(`Ready: ${url}  release ${name} (${shortDigest(digest)})  agents: ${agents.join(", ")}`);
    story.note(`Try it: curl ${url}/v1/chat/completions -H 'content-type: application/json' -d '{"model": "${agents[0]}", "messages": [{"role": "user", "content": "..."}]}'`);

    await untilAborted(signal);
    story.note(`Stopping: waiting up to ${drainMs / 1000} s for open requests. A second signal ends at once`);
    await stopServer(app, traffic, drainMs);
    write("server-stopped", { requests: traffic.taken });
  } finally {
    await runtime.close();
  }
}

function untilAborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener("abort", () => resolve(), { once: true });
  });
}

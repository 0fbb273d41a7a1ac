import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { onTestFinished } from "vitest";
import { openConfig, openEmbedder, openModel, openOrigin, openQueue, openReranker, openRuns, openSessions, openSource, openStore, openTool, openVectors, openVectorService } from "../../src/adapters/registry.ts";
import { systemProcesses } from "../../src/adapters/system/process.ts";
import type { Clock } from "../../src/ports/clock.ts";
import type { Context } from "../../src/ports/context.ts";
import type { Store } from "../../src/ports/store.ts";
import type { Story } from "../../src/ports/story.ts";

/** A folder of the test's own, removed when the test ends. */
export async function temporaryFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "twelve-test-"));
  // A process that the test started may be writing its last file.
  onTestFinished(() => rm(folder, { recursive: true, force: true, maxRetries: 10, retryDelay: 100 }));
  return folder;
}

/** Starts at 2026-01-01T00:00:00Z and goes on by one millisecond at each look; "random" bytes count up. */
export function fixedClock(): Clock {
  let ticks = 0;
  let draws = 0;
  return {
    now: () => new Date(Date.UTC(2026, 0, 1) + ticks++),
    monotonicMs: () => ticks++,
    randomHex: (sizeBytes) => (++draws).toString(16).padStart(sizeBytes * 2, "0").slice(-sizeBytes * 2),
  };
}

export interface TestContext extends Context {
  /** Everything the command told, one entry a line: `note …`, `warn …`. */
  readonly told: readonly string[];
  /** Lines written to stdout by a long-running command. */
  readonly lines: readonly string[];
}

export interface TestContextOptions {
  readonly dir: string;
  readonly env?: Readonly<Record<string, string>>;
  /** A memory store of the test's own by default. */
  readonly store?: Store;
  readonly clock?: Clock;
  readonly signal?: AbortSignal;
}

/** A context with the real embedded adapters, a memory store and a fixed clock. */
export async function testContext({ dir, env = {}, store, clock, signal }: TestContextOptions): Promise<TestContext> {
  const told: string[] = [];
  const lines: string[] = [];
  const opened = store ?? (await openStore("memory:", { dir, env }));
  const story: Story = {
    note: (message, speaker) => told.push(`note ${speaker === undefined ? "" : `${speaker} | `}${message}`),
    warn: (message, speaker) => told.push(`warn ${speaker === undefined ? "" : `${speaker} | `}${message}`),
    progress: () => ({ update: () => {}, done: (message) => told.push(`note ${message}`), stop: () => {} }),
  };
  return {
    dir,
    env,
    clock: clock ?? fixedClock(),
    processes: systemProcesses,
    // Further processes are started by the built program alone.
    instances: { start: (args) => { throw new Error(`A test started twelve ${args.join(" ")}; name one process, or give the test instances of its own`); } },
    story,
    signal: signal ?? new AbortController().signal,
    store: () => Promise.resolve(opened),
    openModel: (reference, secrets, folder = dir) => openModel(reference, { dir: folder, env: { ...env, ...secrets } }),
    openVectorService: (reference, secrets) => openVectorService(reference, { dir, env: { ...env, ...secrets } }),
    openSessions: (reference, secrets) => openSessions(reference, { dir, env: { ...env, ...secrets } }),
    openEmbedder: (reference, secrets) => openEmbedder(reference, { dir, env: { ...env, ...secrets } }),
    openReranker: (reference, secrets) => openReranker(reference, { dir, env: { ...env, ...secrets } }),
    openSource: (reference, options) => openSource(reference, { dir, env }, options),
    openOrigin: (reference) => openOrigin(reference, { dir, env }),
    openVectors: (reference) => openVectors(reference, { dir, env }),
    openConfig: (reference) => openConfig(reference, { dir, env }),
    openQueue: (reference) => openQueue(reference, { dir, env }),
    openRuns: (reference) => openRuns(reference, { dir, env }),
    openTool,
    writeLine: (line) => lines.push(line),
    relay: ({ instance, stream, text }) => told.push(`${instance} ${stream} ${text}`),
    told,
    lines,
  };
}

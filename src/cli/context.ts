import { resolve } from "node:path";
import * as registry from "../adapters/registry.ts";
import { systemClock } from "../adapters/system/clock.ts";
import { systemProcesses } from "../adapters/system/process.ts";
import type { Context } from "../ports/context.ts";
import type { Store } from "../ports/store.ts";
import type { Story } from "../ports/story.ts";

const defaultStore = "file:.twelve/store";

interface ContextOptions {
  readonly dir: string | undefined;
  readonly story: Story;
  readonly signal: AbortSignal;
}

/** The context of a real process; the only place where adapters are opened. */
export function openContext({ dir: wanted, story, signal }: ContextOptions): Context {
  const dir = resolve(wanted ?? ".");
  let store: Promise<Store> | undefined;
  return {
    dir,
    env: process.env,
    clock: systemClock,
    processes: systemProcesses,
    story,
    signal,
    store: () => (store ??= registry.openStore(process.env["TWELVE_STORE"] || defaultStore, dir)),
    openModel: (reference) => registry.openModel(reference, dir),
    openEmbedder: (reference) => registry.openEmbedder(reference, dir),
    openVectors: (reference) => registry.openVectors(reference, dir),
    openConfig: (reference) => registry.openConfig(reference, dir),
    writeLine: (line) => void process.stdout.write(`${line}\n`),
  };
}

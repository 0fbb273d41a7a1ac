import { resolve } from "node:path";
import * as registry from "../adapters/registry.ts";
import { systemClock } from "../adapters/system/clock.ts";
import { systemInstances, systemParent } from "../adapters/system/instance.ts";
import { systemProcesses } from "../adapters/system/process.ts";
import type { Context, Environment } from "../ports/context.ts";
import { instanceVariable } from "../ports/instance.ts";
import type { Store } from "../ports/store.ts";
import type { Story } from "../ports/story.ts";
import { flagsToPassOn, type GlobalFlags } from "./global-flags.ts";
import { openRelay } from "./relay.ts";
import { openWriteLine } from "./line.ts";

const defaultStore = "file:.twelve/store";

/** The process that started this one as one of its instances. */
export const parent = systemParent(process.env[instanceVariable]);

interface ContextOptions {
  readonly flags: GlobalFlags;
  readonly story: Story;
  readonly signal: AbortSignal;
}

/** The context of a real process; the only place where adapters are opened. */
export function openContext({ flags, story, signal }: ContextOptions): Context {
  const dir = resolve(flags.dir ?? ".");
  const from = { dir, env: process.env };
  const withSecrets = (secrets: Environment = {}): registry.Surroundings => ({ dir, env: { ...process.env, ...secrets } });
  let store: Promise<Store> | undefined;
  return {
    dir,
    env: process.env,
    clock: systemClock,
    processes: systemProcesses,
    instances: systemInstances(flagsToPassOn(flags)),
    parent,
    story,
    signal,
    store: () => (store ??= registry.openStore(process.env["TWELVE_STORE"] || defaultStore, from)),
    openModel: (reference, secrets, folder) => registry.openModel(reference, { ...withSecrets(secrets), dir: folder ?? dir }),
    openEmbedder: (reference, secrets) => registry.openEmbedder(reference, withSecrets(secrets)),
    openReranker: (reference, secrets) => registry.openReranker(reference, withSecrets(secrets)),
    openVectors: (reference) => registry.openVectors(reference, from),
    openVectorService: (reference, secrets) => registry.openVectorService(reference, withSecrets(secrets)),
    openSessions: (reference, secrets) => registry.openSessions(reference, withSecrets(secrets)),
    openSource: (reference, options) => registry.openSource(reference, from, options),
    openOrigin: (reference) => registry.openOrigin(reference, from),
    openConfig: (reference) => registry.openConfig(reference, from),
    openQueue: (reference) => registry.openQueue(reference, from),
    openRuns: (reference) => registry.openRuns(reference, from),
    openTool: registry.openTool,
    relay: openRelay(flags, process.env),
    writeLine: openWriteLine(flags, process.env),
  };
}

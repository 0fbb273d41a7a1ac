import { canonicalJson } from "../core/canonical-json.ts";
import type { Descriptor } from "../core/descriptor.ts";
import type { Problem } from "../core/errors.ts";
import type { Build } from "../build/schema.ts";
import type { ResolvedValues } from "../config/resolve.ts";
import { resolvedAgents, resolvedIndexes } from "../config/settings.ts";
import { withoutCredentials } from "../core/url.ts";
import { modelChain } from "../manifest/model-chain.ts";
import type { Manifest } from "../manifest/schema.ts";
import { type ConfigValue, referencesIn } from "../manifest/setting.ts";
import { findPrompt } from "../prompt/schema.ts";
import type { Activation, FrozenValue, Release } from "./schema.ts";

export interface ReleaseParts {
  readonly build: Build;
  readonly buildDescriptor: Descriptor;
  /** The Index of each name that an agent searches. */
  readonly indexes: Readonly<Record<string, Descriptor>>;
  readonly values: ResolvedValues;
}

/** What stands for a key that nothing sets. */
export const unset = "unset";

/** Equal builds, indexes and frozen values give equal releases; nothing of an environment is in one. */
export function planRelease({ build, buildDescriptor, indexes, values }: ReleaseParts): Release {
  const { manifest } = build;
  const agents = resolvedAgents(manifest, values);
  const settings = resolvedIndexes(manifest, values, usedIndexes(manifest));
  const models = [...Object.values(agents).flatMap(({ model, retrieve }) => [...modelChain({ model }), ...(retrieve?.reranker === undefined ? [] : [retrieve.reranker])]), ...Object.values(settings).map(({ embedder }) => embedder)];
  const entries = Object.entries(values);
  return {
    version: 1,
    app: build.app,
    build: buildDescriptor,
    indexes: { ...indexes },
    config: Object.fromEntries(entries.flatMap(([key, { kind, value, source }]) => (kind === "frozen" ? [[key, { value, source: source ?? unset }]] : []))),
    attachments: entries.filter(([, { kind }]) => kind === "attachment").map(([key]) => key).toSorted(),
    secrets: Object.fromEntries(entries.flatMap(([key, { kind }]) => (kind === "secret" ? [[key, { optional: manifest.config[key]?.optional ?? false }]] : []))),
    models: [...new Set(models)].toSorted(),
    agents,
    processes: manifest.processes,
  };
}

/** Names of the indexes that agents search; an index that nobody searches is no part of a release. */
export function usedIndexes({ agents }: Pick<Manifest, "agents">): readonly string[] {
  return [...new Set(Object.values(agents).flatMap(({ retrieve }) => (retrieve === undefined ? [] : [retrieve.index])))].toSorted();
}

/** Agents whose prompt, in the variant that configuration chooses, is not in the build. */
export function promptProblems({ agents, config }: Release, { prompts, manifest }: Build): readonly Problem[] {
  return Object.entries(agents).flatMap(([agent, { prompt, variant = null }]) => {
    if (findPrompt(prompts, { name: prompt, variant }) !== undefined) return [];
    const variants = prompts.filter(({ name }) => name === prompt).map((candidate) => candidate.variant ?? "none");
    const keys = referencesIn(manifest.agents[agent]?.variant).map(({ key }) => `${key} is ${JSON.stringify(config[key]?.value)} (from ${config[key]?.source})`);
    const message = `The build has no prompt "${prompt}"${variant === null ? "" : ` in the variant "${variant}"`}. ${keys.length === 0 ? "" : `${keys.join(", ")}. `}Variants of "${prompt}": ${variants.join(", ") || "no such prompt"}`;
    return [{ path: `agents.${agent}.${variant === null ? "prompt" : "variant"}`, message }];
  });
}

/** What an activation records of its environment: service URLs without credentials, and where each secret is read from. */
export function captureEnvironment(values: ResolvedValues): Pick<Activation, "attachments" | "secrets"> {
  const entries = Object.entries(values);
  return {
    attachments: Object.fromEntries(entries.flatMap(([key, { kind, value, source }]) =>
      kind === "attachment" ? [[key, { url: value === null ? null : withoutCredentials(String(value)), source: source ?? unset }]] : [])),
    secrets: Object.fromEntries(entries.flatMap(([key, { kind, source }]) => (kind === "secret" ? [[key, source]] : []))),
  };
}

export interface FrozenDifference {
  readonly key: string;
  readonly frozen: FrozenValue;
  readonly here: { readonly value: ConfigValue; readonly source: string };
}

/** Frozen keys that an environment sets to another value than the release has. Defaults do not count: nobody set them. */
export function frozenDifferences({ config }: Pick<Release, "config">, values: ResolvedValues): readonly FrozenDifference[] {
  return Object.entries(config).flatMap(([key, frozen]) => {
    const { value = null, source = null } = values[key] ?? {};
    if (value === null || source === null || source === "default" || value === frozen.value) return [];
    return [{ key, frozen, here: { value, source } }];
  });
}

/** Whether activating again would record anything new. */
export function isSameActivation(current: Activation, wanted: Pick<Activation, "number" | "release" | "attachments" | "secrets">): boolean {
  const facts = ({ number, release, attachments, secrets }: typeof wanted): string => canonicalJson({ number, release, attachments, secrets });
  return facts(current) === facts(wanted);
}

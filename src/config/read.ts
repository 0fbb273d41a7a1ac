import { TwelveError } from "../core/errors.ts";
import { didYouMean } from "../core/nearest.ts";
import type { Manifest } from "../manifest/schema.ts";
import type { Context } from "../ports/context.ts";
import { warnMisspelled } from "./misspelled.ts";
import { type Pins, readProvided } from "./provided.ts";
import { type ConfigSources, findText, resolveConfig, type ResolvedConfig, type ResolvedValues, severalComplaint } from "./resolve.ts";
import { withoutCredentials } from "../core/url.ts";

/** With a story, a name that looks like a slip is warned of. */
type Opening = Pick<Context, "env" | "openConfig"> & Partial<Pick<Context, "story">>;
export type EnvironmentDeclaration = Manifest["environments"][string];

export interface Wanted {
  readonly environment: string;
  /** From `parseSets` in `set.ts`. */
  readonly sets?: Readonly<Record<string, string>>;
  /** The keys to resolve; all by default. A command that needs one key does not fail for another. */
  readonly only?: readonly string[];
  readonly pins?: Pins;
}

/** Every key, typed, with its source. Fails with ENVIRONMENT_UNKNOWN, and with CONFIG_INVALID naming all that is wrong. */
export async function resolveFor(context: Opening, manifest: Manifest, wanted: Wanted): Promise<ResolvedValues> {
  const { values, problems } = await inspectConfig(context, manifest, wanted);
  if (problems.length === 0) return values;
  const [what, it] = problems.length === 1 ? ["1 key is", "it"] : [`${problems.length} keys are`, "them"];
  const source = [manifest.environments[wanted.environment]?.config ?? []].flat().join(" or ");
  throw new TwelveError("CONFIG_INVALID", `The configuration of ${wanted.environment} cannot be used: ${what} missing or wrong`, {
    problems: problems.map(({ key, message }) => ({ path: key, message })),
    fix: `Set ${it} in the process environment${source === "" ? "" : ` or in ${source}`}; \`twelve config list --env ${wanted.environment}\` shows every key`,
  });
}

/** Like `resolveFor`, with what is wrong beside the values instead of a failure. */
export async function inspectConfig(context: Opening, manifest: Manifest, { environment, sets = {}, only, pins }: Wanted): Promise<ResolvedConfig> {
  const provider = await readProvided(context, environmentOf(manifest, environment), pins);
  const declarations = only === undefined ? manifest.config : Object.fromEntries(Object.entries(manifest.config).filter(([key]) => only.includes(key)));
  const resolved = resolveConfig(declarations, { sets, env: context.env, ...(provider === undefined ? {} : { provider }) });
  const missing = Object.entries(resolved.values).filter(([, { source }]) => source === null || source === "default").map(([key]) => key);
  if (provider !== undefined && context.story !== undefined) warnMisspelled(context.story, provider, { declared: Object.keys(manifest.config), missing });
  return resolved;
}

/** `development` exists without being declared. Fails with ENVIRONMENT_UNKNOWN, naming the nearest one. */
export function environmentOf({ environments }: Pick<Manifest, "environments">, name: string): EnvironmentDeclaration {
  const declared = Object.hasOwn(environments, name) ? environments[name] : undefined;
  if (declared !== undefined) return declared;
  if (name === "development") return { requires: [] };
  const names = [...new Set(["development", ...Object.keys(environments)])];
  throw new TwelveError("ENVIRONMENT_UNKNOWN", `There is no environment "${name}".${didYouMean(name, names)} Declared: ${names.join(", ")}`);
}

/** What a process of an activated release needs beside its frozen values. Made when it starts, and never written anywhere. */
export interface ProcessConfig {
  /** Service URLs, with the credentials that the environment holds for them. */
  readonly attachments: Readonly<Record<string, string>>;
  readonly secrets: Readonly<Record<string, string>>;
}

export interface Activated {
  readonly environment: string;
  readonly attachments: Readonly<Record<string, { readonly url: string | null; readonly source?: string }>>;
  /** Where each secret was when the release was activated. */
  readonly secrets?: Pins | undefined;
}

/**
 * Reads secrets where the environment has them, in the versions that the activation names, and completes the activation's
 * URLs with credentials. The activation decides which service is meant: a URL that now names another one is not used. Fails
 * with CONFIG_INVALID for a required secret that is missing.
 */
export async function readProcessConfig(
  context: Opening,
  manifest: Manifest,
  { environment, attachments, secrets: pinned = {} }: Activated,
): Promise<ProcessConfig> {
  const provider = await readProvided(context, environmentOf(manifest, environment), { ...pinsOf(attachments), ...pinned });
  const sources = { env: context.env, ...(provider === undefined ? {} : { provider }) };
  const secrets = findSecrets(manifest, sources);
  const missing = Object.entries(manifest.config).filter(([key, { kind, optional }]) => kind === "secret" && !optional && !Object.hasOwn(secrets, key)).map(([key]) => key);
  if (missing.length > 0) {
    const places = ["the process environment", ...(provider === undefined ? [] : [provider.reference])].join(" or ");
    throw new TwelveError("CONFIG_INVALID", `${environment} lacks ${missing.length === 1 ? "a secret" : "secrets"}: ${missing.join(", ")}`, { fix: `Set ${missing.join(", ")} in ${places}` });
  }
  return { attachments: withCredentials(attachments, sources), secrets };
}

/** The URLs alone; where nothing was activated, as the environment has them now, and null is the process environment alone. */
export async function readAttachments(context: Opening, manifest: Manifest, { environment, attachments }: { readonly environment: string | null; readonly attachments: Activated["attachments"] | undefined }): Promise<ProcessConfig["attachments"]> {
  if (attachments !== undefined && environment !== null) {
    const provider = await readProvided(context, environmentOf(manifest, environment), pinsOf(attachments));
    return withCredentials(attachments, { env: context.env, ...(provider === undefined ? {} : { provider }) });
  }
  const { values } = environment === null ? resolveConfig(manifest.config, { sets: {}, env: context.env }) : await inspectConfig(context, manifest, { environment });
  return Object.fromEntries(Object.entries(values).flatMap(([key, { kind, value }]) => (kind === "attachment" && value !== null ? [[key, String(value)]] : [])));
}

function pinsOf(attachments: Activated["attachments"]): Pins {
  return Object.fromEntries(Object.entries(attachments).map(([key, { source = null }]) => [key, source]));
}

function withCredentials(attachments: Activated["attachments"], sources: Pick<ConfigSources, "env" | "provider">): ProcessConfig["attachments"] {
  return Object.fromEntries(Object.entries(attachments).flatMap(([key, { url }]) => {
    if (url === null) return [];
    const text = findText(key, "attachment", sources)?.text;
    return [[key, text !== undefined && withoutCredentials(text) === url ? text : url] as const];
  }));
}

/**
 * The secrets that the manifest declares, as far as the environment has them: what the adapters of a command look
 * credentials up in. A service that misses one says so itself, so that a command fails only for what it uses.
 */
export async function readSecrets(context: Opening, manifest: Pick<Manifest, "config" | "environments">, environment: string, pins?: Pins): Promise<Readonly<Record<string, string>>> {
  if (!Object.values(manifest.config).some(({ kind }) => kind === "secret")) return {};
  const provider = await readProvided(context, environmentOf(manifest, environment), pins);
  return findSecrets(manifest, { env: context.env, ...(provider === undefined ? {} : { provider }) });
}

function findSecrets({ config }: Pick<Manifest, "config">, sources: Pick<ConfigSources, "env" | "provider">): Readonly<Record<string, string>> {
  const declared = Object.entries(config).filter(([, { kind }]) => kind === "secret");
  return Object.fromEntries(declared.flatMap(([key]) => {
    const text = findText(key, "secret", sources)?.text;
    const complaint = text === undefined && sources.provider !== undefined ? severalComplaint(key, sources.provider) : undefined;
    if (complaint !== undefined) throw new TwelveError("CONFIG_INVALID", `${key}: ${complaint}`, { fix: `Store one value as ${key} there` });
    return text === undefined ? [] : [[key, text] as const];
  }));
}

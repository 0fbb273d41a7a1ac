import type { ConfigDeclaration, ConfigKind } from "../manifest/schema.ts";
import type { ConfigValue } from "../manifest/setting.ts";
import { parseValue, valueComplaint } from "../manifest/value.ts";
import type { ConfigReading, SourcedText } from "../ports/config.ts";
import type { Environment } from "../ports/context.ts";
import { hasCredentials, isUrl } from "../core/url.ts";

/** Where values may come from, strongest first; the declaration's default comes last. */
export interface ConfigSources {
  /** Values of `--set KEY=VALUE`. */
  readonly sets: Readonly<Record<string, string>>;
  /** The process environment. */
  readonly env: Environment;
  /** What the environment's configuration sources hold. */
  readonly provider?: ProvidedConfig;
}

/** What an environment's configuration sources hold together. */
export interface ProvidedConfig extends ConfigReading {
  /** All of them, for messages. */
  readonly reference: string;
  /** Which of them has each name, of `values` and of `ignored`. */
  readonly places: Readonly<Record<string, string>>;
}

export interface ResolvedKey {
  readonly kind: ConfigKind;
  /** null for a key that nothing sets, and always for a secret: only its source leaves this module. */
  readonly value: ConfigValue | null;
  /** `--set`, `environment`, where the provider has it, `default`; null when nothing sets the key. */
  readonly source: string | null;
}
export type ResolvedValues = Readonly<Record<string, ResolvedKey>>;

export interface ConfigProblem {
  readonly key: string;
  readonly message: string;
}

export interface ResolvedConfig {
  readonly values: ResolvedValues;
  readonly problems: readonly ConfigProblem[];
}

interface Found {
  readonly value: ConfigValue | undefined;
  readonly source: string;
}

/**
 * Every declared key with its value and the source it came from. A stronger source with a wrong value is a problem,
 * not a reason to look further: nobody would see that the weaker one won.
 */
export function resolveConfig(declarations: Readonly<Record<string, ConfigDeclaration>>, sources: ConfigSources): ResolvedConfig {
  const values: Record<string, ResolvedKey> = {};
  const problems: ConfigProblem[] = [];
  for (const [key, declaration] of Object.entries(declarations)) {
    const { kind } = declaration;
    const found = find(key, declaration, sources);
    const message = complaint(key, declaration, found, sources);
    if (message !== undefined) problems.push({ key, message });
    const isKept = message === undefined && kind !== "secret";
    values[key] = { kind, value: isKept ? (found?.value ?? null) : null, source: found?.source ?? null };
  }
  return { values, problems };
}

/** The text of a key from outside the process's command line: the environment, else the provider. */
export function findText(
  key: string,
  kind: ConfigKind,
  { env, provider }: Pick<ConfigSources, "env" | "provider">,
): SourcedText | undefined {
  // An empty secret or URL means none: compose files and CI systems pass variables on that way. An empty frozen value is a value.
  const isSet = (text: string | undefined): text is string => text !== undefined && (text !== "" || kind === "frozen");
  const fromEnv = env[key];
  if (isSet(fromEnv)) return { text: fromEnv, source: "environment" };
  const fromProvider = provider !== undefined && Object.hasOwn(provider.values, key) ? provider.values[key] : undefined;
  return isSet(fromProvider?.text) ? fromProvider : undefined;
}

function find(key: string, declaration: ConfigDeclaration, sources: ConfigSources): Found | undefined {
  const set = Object.hasOwn(sources.sets, key) ? sources.sets[key] : undefined;
  const found = set === undefined ? findText(key, declaration.kind, sources) : { text: set, source: "--set" };
  if (found !== undefined) return { value: parseValue(declaration, found.text), source: found.source };
  return declaration.default === undefined ? undefined : { value: declaration.default, source: "default" };
}

function complaint(key: string, declaration: ConfigDeclaration, found: Found | undefined, { sets, env, provider }: ConfigSources): string | undefined {
  const { kind, optional, type } = declaration;
  const listed = provider === undefined || (found !== undefined && found.source !== "default") ? undefined : severalComplaint(key, provider);
  if (listed !== undefined) return listed;
  if (found === undefined) {
    if (optional) return undefined;
    const places = [...(kind === "secret" ? [] : ["--set"]), "the process environment", ...(provider === undefined ? [] : [describe(provider)])];
    return `Required, but nothing sets it. Looked in ${places.join(", ")}${kind === "secret" ? "" : "; it has no default"}`;
  }
  const { value, source } = found;
  if (kind === "secret" && source === "--set") {
    return "A secret cannot be given with --set: it would stay in the shell's history and be missing when a process starts. Put it in the environment";
  }
  const reason = value === undefined ? `Expected ${type === "integer" ? "an integer" : type === "boolean" ? "true or false" : `a ${type}`}` : valueComplaint(declaration, value);
  if (reason !== undefined) return `${reason}${kind === "frozen" ? `, found ${show(value ?? sets[key] ?? env[key] ?? provider?.values[key]?.text)}` : ""} (from ${source})`;
  if (typeof value !== "string" || kind === "secret") return undefined;
  if (kind === "attachment" && !isUrl(value)) return `Expected a service URL such as postgres://host/database (from ${source})`;
  if (kind === "frozen" && hasCredentials(value)) {
    return `The URL holds credentials, and a frozen value is stored in the release (from ${source}). Take them out of it and declare a key of kind secret`;
  }
  return undefined;
}

/** What is wrong with a key of which a source holds no single value, without a word of it. */
export function severalComplaint(key: string, { ignored, places }: Pick<ProvidedConfig, "ignored" | "places">): string | undefined {
  return ignored.includes(key) ? `Expected a single value, a text, a number or true or false; it is a list, an object or null (from ${places[key]})` : undefined;
}

/** With a few of the names that somebody may have taken for keys. */
function describe({ reference, ignored }: ProvidedConfig): string {
  if (ignored.length === 0) return reference;
  const more = ignored.length > 3 ? ` and ${ignored.length - 3} more` : "";
  return `${reference} (what it holds as ${ignored.slice(0, 3).join(", ")}${more} is no key: keys stand at its top, with a single value)`;
}

function show(value: ConfigValue | undefined): string {
  return typeof value === "string" ? JSON.stringify(value) : String(value);
}

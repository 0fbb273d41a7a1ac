import { readDocument } from "../artifact/document.ts";
import { type Build, buildKind } from "../build/schema.ts";
import { environmentOf, inspectConfig, readSecrets } from "../config/read.ts";
import { resolvedAgents, resolvedIndexes } from "../config/settings.ts";
import { readActivatedStateUrl, readStateUrl } from "../config/state.ts";
import { inTime } from "../core/deadline.ts";
import { TwelveError } from "../core/errors.ts";
import { readManifest } from "../manifest/read.ts";
import type { Manifest } from "../manifest/schema.ts";
import type { Context, Environment } from "../ports/context.ts";
import { readActiveOrNone, readRelease } from "../release/read.ts";
import type { Activation, Release } from "../release/schema.ts";
import { problemOf } from "./apply.ts";
import { type Need, type Needed, planNeeds } from "./plan.ts";
import type { ServiceRow } from "./schema.ts";

interface Wanted {
  readonly environment: string;
  readonly release: string | undefined;
  /** How long store and configuration source may take. */
  readonly limitMs: number;
}

export interface FoundNeeds {
  readonly app: string;
  /** null where the manifest says what a release would need. */
  readonly release: number | null;
  readonly needs: readonly Need[];
  /** What is missing before anything can be asked. */
  readonly missing: readonly ServiceRow[];
  readonly secrets: Environment;
}

/**
 * The services of the release that is named, else of the active one of the environment, else of what the manifest with the
 * environment's configuration would give. A store or a configuration source that is away does not stop it: that is what is asked for.
 */
export async function findNeeds(context: Context, { environment, release: wanted, limitMs }: Wanted): Promise<FoundNeeds> {
  const working = await readManifest(context.dir);
  environmentOf(working, environment);
  const store = await context.store();
  const found = await unlessAway(inTime(() => findRelease(context, working.name, { environment, wanted }), { limitMs, who: store.url, signal: context.signal }));
  const manifest = found?.build.manifest ?? working;
  const configs = [environmentOf(manifest, environment).config ?? []].flat();
  const source = `configuration source of ${environment}`;
  const read = await unlessAway(inTime(() => readSecrets(context, manifest, environment), { limitMs, who: source, signal: context.signal }));
  // Without its source, an environment still has the process environment and the defaults.
  const readable = read === undefined ? withoutSource(manifest, environment) : manifest;
  const secrets = read ?? (await readSecrets(context, readable, environment));
  const { needed, missing } = found === undefined ? await fromManifest(context, readable, environment) : await fromRelease(context, readable, { ...found, environment });
  return {
    app: working.name,
    release: found?.number ?? null,
    needs: planNeeds({ ...needed, store: store.url, configs }),
    missing: [...missing, ...missingSecrets(readable, secrets, [environment, ...configs])],
    secrets,
  };
}

interface Found {
  readonly number: number;
  readonly release: Release;
  readonly build: Build;
  readonly attachments: Activation["attachments"] | undefined;
}

async function findRelease(context: Context, app: string, { environment, wanted }: { readonly environment: string; readonly wanted: string | undefined }): Promise<Found | undefined> {
  const store = await context.store();
  const found = wanted === undefined ? await readActiveOrNone(store, app, environment) : await readRelease(store, app, wanted);
  if (found === undefined) return undefined;
  const { number, release } = found;
  return { number, release, build: await readDocument(store, buildKind, release.build), attachments: "activation" in found ? found.activation.attachments : undefined };
}

type Own = Omit<Needed, "store" | "configs">;
interface Gathered {
  readonly needed: Own;
  readonly missing: readonly ServiceRow[];
}

async function fromRelease(context: Context, manifest: Manifest, { release, build, attachments, environment }: Found & { readonly environment: string }): Promise<Gathered> {
  const settings = resolvedIndexes(build.manifest, release.config, Object.keys(release.indexes));
  const { state, missing } = await orMissing("state", async () => (attachments === undefined ? readStateUrl(context, manifest, environment) : (await readActivatedStateUrl(context, manifest, { environment, attachments })).url));
  return { needed: { agents: release.agents, indexes: settings, state, hasWorkers: hasWorkers(release) }, missing };
}

async function fromManifest(context: Context, manifest: Manifest, environment: string): Promise<Gathered> {
  const { values, problems } = await inspectConfig(context, manifest, { environment });
  const keys = problems.filter(({ key }) => manifest.config[key]?.kind !== "secret");
  const rows = keys.map(({ key, message }) => missingRow(`configuration ${key}`, { code: "CONFIG_INVALID", message, fix: `Set ${key}; \`twelve config list --env ${environment}\` shows every key` }));
  const agents = eachResolved(manifest.agents, (name) => resolvedAgents(manifest, values, [name]));
  const searched = [...new Set(Object.values(manifest.agents).flatMap(({ retrieve }) => retrieve?.index ?? []))];
  const indexes = eachResolved(Object.fromEntries(searched.map((name) => [name, true])), (name) => resolvedIndexes(manifest, values, [name]));
  const { state, missing } = await orMissing("state", () => readStateUrl(context, manifest, environment));
  // A key that is missing is told once, not with everything that uses it.
  const unusable = rows.length > 0 ? [] : [...agents.missing, ...indexes.missing, ...missing];
  return { needed: { agents: agents.settings, indexes: indexes.settings, state, hasWorkers: hasWorkers(manifest) }, missing: [...rows, ...unusable] };
}

function eachResolved<Settings>(declared: Readonly<Record<string, unknown>>, resolve: (name: string) => Readonly<Record<string, Settings>>): { readonly settings: Readonly<Record<string, Settings>>; readonly missing: readonly ServiceRow[] } {
  const missing: ServiceRow[] = [];
  const settings = Object.keys(declared).map((name) => {
    try {
      return resolve(name);
    } catch (error) {
      missing.push(missingRow(name, problemOf(error)));
      return {};
    }
  });
  return { settings: Object.assign({}, ...settings) as Readonly<Record<string, Settings>>, missing };
}

async function orMissing(service: string, read: () => Promise<string>): Promise<{ readonly state: string | undefined; readonly missing: readonly ServiceRow[] }> {
  try {
    return { state: await read(), missing: [] };
  } catch (error) {
    return { state: undefined, missing: [missingRow(service, problemOf(error))] };
  }
}

function hasWorkers({ processes }: Pick<Manifest, "processes">): boolean {
  return Object.values(processes).some((process) => "work" in process);
}

function missingSecrets({ config }: Manifest, secrets: Environment, [environment, ...sources]: readonly string[]): readonly ServiceRow[] {
  const places = ["the process environment", ...sources].join(" or ");
  const lacking = Object.entries(config).filter(([key, { kind, optional }]) => kind === "secret" && !optional && secrets[key] === undefined);
  return lacking.map(([key]) => missingRow(`secret ${key}`, { code: "CONFIG_INVALID", message: `${environment} does not have it`, fix: `Set ${key} in ${places}` }));
}

function missingRow(service: string, problem: ServiceRow["problem"]): ServiceRow {
  return { service, url: null, isReachable: false, version: null, detail: null, latencyMs: null, problem };
}

function withoutSource(manifest: Manifest, environment: string): Manifest {
  return { ...manifest, environments: { ...manifest.environments, [environment]: { requires: [] } } };
}

/** Undefined where a service failed, or a configuration source could not be read: that gets a line of its own. */
async function unlessAway<Result>(read: Promise<Result>): Promise<Result | undefined> {
  try {
    return await read;
  } catch (error) {
    if (error instanceof TwelveError && (error.exit === 6 || error.code === "CONFIG_INVALID" || error.code === "SERVICE_UNSUPPORTED")) return undefined;
    throw error;
  }
}

import { readDocument } from "../artifact/document.ts";
import { type Build, buildKind } from "../build/schema.ts";
import { codeFolder } from "../code/folder.ts";
import { layOutCode } from "../code/layout.ts";
import { environmentOf, inspectConfig, readSecrets } from "../config/read.ts";
import { embedderOfIndex, resolvedAgents, resolvedIndexes, servicesOfAgent } from "../config/settings.ts";
import { readActivatedStateUrl, readStateUrl } from "../config/state.ts";
import { readVectorUrls } from "../config/vectors.ts";
import type { Descriptor } from "../core/descriptor.ts";
import { inTime } from "../core/deadline.ts";
import { TwelveError } from "../core/errors.ts";
import { findIndex } from "../index/read.ts";
import { readManifest } from "../manifest/read.ts";
import type { Manifest } from "../manifest/schema.ts";
import type { Context, Environment } from "../ports/context.ts";
import { readActiveOrNone, readRelease } from "../release/read.ts";
import type { Activation, Release } from "../release/schema.ts";
import { problemOf } from "./apply.ts";
import { type AgentNeeds, type Need, type Needed, planNeeds } from "./plan.ts";
import { missingRow, type ServiceRow } from "./schema.ts";
import { findTools } from "./tools.ts";

interface Wanted {
  readonly environment: string;
  readonly release: string | undefined;
  /** What a release made now would need, instead of any that there is. Fails with USAGE_INVALID beside `release`. */
  readonly isNext: boolean;
  /** How long store and configuration source may take. */
  readonly limitMs: number;
}

export interface FoundNeeds {
  readonly app: string;
  /** null where the manifest says what a release would need. */
  readonly release: number | null;
  readonly needs: readonly Need[];
  /** What the manifest says about models. */
  readonly lifecycle: Manifest["lifecycle"];
  /** What is missing before anything can be asked. */
  readonly missing: readonly ServiceRow[];
  readonly secrets: Environment;
  /** Where the release's code is laid out, in which models that are files of it are found; undefined for the working folder. */
  readonly code: string | undefined;
}

/**
 * The services of the release that is named, else of the active one of the environment, else of what the manifest with the
 * environment's configuration would give. A store or a configuration source that is away does not stop it: that is what is asked for.
 */
export async function findNeeds(context: Context, { environment, release: wanted, isNext, limitMs }: Wanted): Promise<FoundNeeds> {
  if (isNext && wanted !== undefined) throw new TwelveError("USAGE_INVALID", "`--next` looks at no release, and `--release` at one", { fix: "Give one of the two" });
  const working = await readManifest(context.dir);
  environmentOf(working, environment);
  const store = await context.store();
  const found = isNext ? undefined : await unlessAway(inTime(() => findRelease(context, working.name, { environment, wanted }), { limitMs, who: store.url, signal: context.signal }));
  const manifest = found?.build.manifest ?? working;
  const configs = [environmentOf(manifest, environment).config ?? []].flat();
  const source = `configuration source of ${environment}`;
  const read = await unlessAway(inTime(() => readSecrets(context, manifest, environment, found?.secrets), { limitMs, who: source, signal: context.signal }));
  // Without its source, an environment still has the process environment and the defaults.
  const readable = read === undefined ? withoutSource(manifest, environment) : manifest;
  const secrets = read ?? (await readSecrets(context, readable, environment));
  const { needed, missing } = found === undefined ? await fromManifest(context, readable, { environment, limitMs, secrets }) : await fromRelease(context, readable, { ...found, environment, held: secrets });
  return {
    app: working.name,
    release: found?.number ?? null,
    lifecycle: manifest.lifecycle,
    needs: planNeeds({ ...needed, store: store.url, configs }),
    missing: [...missing, ...missingSecrets(readable, secrets, [environment, ...configs])],
    secrets,
    code: found === undefined ? undefined : await unlessAway(layOut(context, found)),
  };
}

/** Only a script is read from there. */
async function layOut(context: Context, { build, release }: Found): Promise<string> {
  const folder = codeFolder(context.dir, build.code);
  if (release.models.some((model) => model.startsWith("mock:script:"))) await layOutCode(await context.store(), build.code, folder);
  return folder;
}

interface Found {
  readonly number: number;
  readonly release: Release;
  readonly build: Build;
  readonly attachments: Activation["attachments"] | undefined;
  /** Where each secret was when the release was activated. */
  readonly secrets: Activation["secrets"] | undefined;
}

async function findRelease(context: Context, app: string, { environment, wanted }: { readonly environment: string; readonly wanted: string | undefined }): Promise<Found | undefined> {
  const store = await context.store();
  const found = wanted === undefined ? await readActiveOrNone(store, app, environment) : await readRelease(store, app, wanted);
  if (found === undefined) return undefined;
  const { number, release } = found;
  const activation = "activation" in found ? found.activation : undefined;
  return { number, release, build: await readDocument(store, buildKind, release.build), attachments: activation?.attachments, secrets: activation?.secrets };
}

type Own = Omit<Needed, "store" | "configs">;
interface Gathered {
  readonly needed: Own;
  readonly missing: readonly ServiceRow[];
}

async function fromRelease(context: Context, manifest: Manifest, { release, build, attachments, environment, held }: Found & { readonly environment: string; readonly held: Environment }): Promise<Gathered> {
  const settings = resolvedIndexes(build.manifest, release.config, Object.keys(release.indexes));
  const state = await orMissing("state", async () => (attachments === undefined ? readStateUrl(context, manifest, environment) : (await readActivatedStateUrl(context, manifest, { environment, attachments })).url));
  const placed = await placedIndexes(context, manifest, { settings, descriptors: release.indexes }, { environment, attachments });
  const tools = await findTools(context, manifest, release.agents, { environment, attachments, frozen: release.config, secrets: held });
  return { needed: { agents: release.agents, indexes: placed.indexes, tools: tools.places, state: state.found, processes: release.processes }, missing: [...state.missing, ...placed.missing, ...tools.missing] };
}

async function fromManifest(context: Context, manifest: Manifest, { environment, limitMs, secrets }: Pick<Wanted, "environment" | "limitMs"> & { readonly secrets: Environment }): Promise<Gathered> {
  const { values, problems } = await inspectConfig(context, manifest, { environment });
  const keys = problems.filter(({ key }) => manifest.config[key]?.kind !== "secret");
  const rows = keys.map(({ key, message }) => missingRow(`configuration ${key}`, { code: "CONFIG_INVALID", message, fix: `Set ${key}; \`twelve config list --env ${environment}\` shows every key` }));
  const agents = eachResolved<AgentNeeds>(manifest.agents, (name) => resolvedAgents(manifest, values, [name])[name], (name) => servicesOfAgent(manifest, values, name));
  const searched = [...new Set(Object.values(manifest.agents).flatMap(({ retrieve }) => retrieve?.index ?? []))];
  const indexes = eachResolved<IndexNeeds>(Object.fromEntries(searched.map((name) => [name, true])), (name) => resolvedIndexes(manifest, values, [name])[name], (name) => ({ embedder: embedderOfIndex(manifest, values, name) }));
  const state = await orMissing("state", () => readStateUrl(context, manifest, environment));
  const descriptors = await newestIndexes(context, manifest.name, Object.keys(indexes.settings), limitMs);
  const placed = await placedIndexes(context, manifest, { settings: indexes.settings, descriptors }, { environment });
  const tools = await findTools(context, manifest, manifest.agents, { environment, frozen: values, secrets });
  // A key that is missing is told once, not with everything that uses it.
  const unusable = rows.length > 0 ? [] : [...agents.missing, ...indexes.missing, ...state.missing, ...placed.missing, ...tools.missing];
  return { needed: { agents: agents.settings, indexes: placed.indexes, tools: tools.places, state: state.found, processes: manifest.processes }, missing: [...rows, ...unusable] };
}

interface Indexes {
  readonly settings: Readonly<Record<string, IndexNeeds>>;
  readonly descriptors: Readonly<Record<string, Descriptor>>;
}

/** What a release made now would take. A store that is away has a line of its own. */
async function newestIndexes(context: Context, app: string, names: readonly string[], limitMs: number): Promise<Indexes["descriptors"]> {
  const store = await context.store();
  const found = await unlessAway(inTime(() => Promise.all(names.map(async (name) => [name, (await findIndex(store, app, name))?.descriptor] as const)), { limitMs, who: store.url, signal: context.signal }));
  return Object.fromEntries((found ?? []).flatMap(([name, descriptor]) => (descriptor === undefined ? [] : [[name, descriptor]])));
}

/** The indexes with the service that each is searched at; without one it is the embedded engine. */
async function placedIndexes(context: Context, manifest: Manifest, { settings, descriptors }: Indexes, where: Parameters<typeof readVectorUrls>[3]): Promise<{ readonly indexes: Needed["indexes"]; readonly missing: readonly ServiceRow[] }> {
  const { found: urls = {}, missing } = await orMissing("vectors", () => readVectorUrls(context, manifest, Object.keys(settings), where));
  return { indexes: Object.fromEntries(Object.entries(settings).map(([name, { embedder }]) => [name, { embedder, vectors: urls[name]?.url, descriptor: descriptors[name] }])), missing };
}

interface IndexNeeds {
  readonly embedder: string | undefined;
}

/** Each by its name; where its settings cannot be used, what can be told of it all the same. */
function eachResolved<Settings>(declared: Readonly<Record<string, unknown>>, resolve: (name: string) => Settings | undefined, tell: (name: string) => Settings | undefined): { readonly settings: Readonly<Record<string, Settings>>; readonly missing: readonly ServiceRow[] } {
  const missing: ServiceRow[] = [];
  const settings: Record<string, Settings> = {};
  for (const name of Object.keys(declared)) {
    let found: Settings | undefined;
    try {
      found = resolve(name);
    } catch (error) {
      missing.push(missingRow(name, problemOf(error)));
      found = tell(name);
    }
    if (found !== undefined) settings[name] = found;
  }
  return { settings, missing };
}

async function orMissing<Found>(service: string, read: () => Promise<Found>): Promise<{ readonly found: Found | undefined; readonly missing: readonly ServiceRow[] }> {
  try {
    return { found: await read(), missing: [] };
  } catch (error) {
    return { found: undefined, missing: [missingRow(service, problemOf(error))] };
  }
}

function missingSecrets({ config }: Manifest, secrets: Environment, [environment, ...sources]: readonly string[]): readonly ServiceRow[] {
  const places = ["the process environment", ...sources].join(" or ");
  const lacking = Object.entries(config).filter(([key, { kind, optional }]) => kind === "secret" && !optional && secrets[key] === undefined);
  return lacking.map(([key]) => missingRow(`secret ${key}`, { code: "CONFIG_INVALID", message: `${environment} does not have it`, fix: `Set ${key} in ${places}` }));
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

import { readDocument } from "../artifact/document.ts";
import { buildKind } from "../build/schema.ts";
import { environmentOf, readSecrets, resolveFor } from "../config/read.ts";
import { readVectorUrls } from "../config/vectors.ts";
import { keysOfIndex, resolvedAgents, resolvedIndexes } from "../config/settings.ts";
import { type Digest, shortDigest } from "../core/descriptor.ts";
import { findIndex, readIndex } from "../index/read.ts";
import { readManifest } from "../manifest/read.ts";
import type { AgentSettings, Manifest } from "../manifest/schema.ts";
import { referencesIn } from "../manifest/setting.ts";
import type { Context, Environment } from "../ports/context.ts";
import { readActiveOrNone, readRelease } from "../release/read.ts";
import { chooseSearch, type Choice, type Wanted } from "./choose-plan.ts";
import { type IndexToSearch, indexesToSearch } from "./read.ts";

export interface Request extends Wanted {
  readonly env: string;
  readonly release: string | undefined;
}

/** What is searched, and with whose settings. */
export interface Target extends Choice {
  readonly app: string;
  readonly plan: IndexToSearch;
  /** Those of the agent; undefined where no agent searches the index. */
  readonly retrieve: AgentSettings["retrieve"];
  /** null for the newest index with the configuration of now. */
  readonly release: { readonly number: number; readonly digest: Digest } | null;
  readonly secrets: Environment;
}

/**
 * The release that is named, else the active one of the environment, else the newest index as the manifest and the
 * configuration stand now. Fails with INDEX_UNKNOWN, INDEX_NOT_FOUND, AGENT_UNKNOWN, RELEASE_NOT_FOUND or as configuration does.
 */
export async function findTarget(context: Context, { env, release: name, ...wanted }: Request): Promise<Target> {
  const [store, manifest] = await Promise.all([context.store(), readManifest(context.dir)]);
  environmentOf(manifest, env);
  const app = manifest.name;
  const found = name === undefined ? await readActiveOrNone(store, app, env) : await readRelease(store, app, name);
  if (found === undefined) return findNewest(context, manifest, { env, ...wanted });
  const { release, releaseDescriptor, number } = found;
  const build = await readDocument(store, buildKind, release.build);
  const agents = Object.entries(release.agents).map(([agent, { retrieve }]) => ({ name: agent, retrieve }));
  const choice = chooseSearch({ place: `release v${number}`, indexes: Object.keys(release.indexes), agents }, wanted);
  const [plan] = indexesToSearch(release, build, [choice.index]);
  if (plan === undefined) throw new Error(`Index ${choice.index} was not found again`);
  const newest = await findIndex(store, app, choice.index).catch(() => undefined);
  if (newest !== undefined && newest.descriptor.digest !== plan.index.digest) context.story.note(`A newer index ${choice.index} (${shortDigest(newest.descriptor.digest)}) is not in this release: make one with \`twelve release\``);
  const retrieve = choice.agent === null ? undefined : release.agents[choice.agent]?.retrieve;
  const secrets = await readSecrets(context, build.manifest, env);
  const attachments = "activation" in found ? found.activation.attachments : undefined;
  const { [choice.index]: vectors } = await readVectorUrls(context, build.manifest, [choice.index], { environment: env, attachments });
  return { app, ...choice, plan: { ...plan, vectors }, retrieve, secrets, release: { number, digest: releaseDescriptor.digest } };
}

async function findNewest(context: Context, manifest: Manifest, { env, ...wanted }: Omit<Request, "release">): Promise<Target> {
  const agents = Object.entries(manifest.agents).map(([name, { retrieve }]) => ({ name, retrieve }));
  const choice = chooseSearch({ place: "twelve.yaml", indexes: Object.keys(manifest.indexes), agents }, wanted);
  // Only the keys that a search needs: it works where that of the agent's model is not set.
  const declared = choice.agent === null ? undefined : manifest.agents[choice.agent]?.retrieve;
  const only = [...referencesIn(declared).map(({ key }) => key), ...keysOfIndex(manifest, choice.index)];
  const values = await resolveFor(context, manifest, { environment: env, only });
  const searcher = { prompt: "none", model: "mock:echo", session: false, retrieve: declared };
  const retrieve = choice.agent === null ? undefined : resolvedAgents({ ...manifest, agents: { [choice.agent]: searcher } }, values)[choice.agent]?.retrieve;
  const embedder = resolvedIndexes(manifest, values, [choice.index])[choice.index]?.embedder;
  if (embedder === undefined) throw new Error(`Index ${choice.index} was not resolved`);
  const { descriptor } = await readIndex(await context.store(), manifest.name, choice.index);
  const secrets = await readSecrets(context, manifest, env);
  return { app: manifest.name, ...choice, plan: { name: choice.index, index: descriptor, embedder }, retrieve, secrets, release: null };
}

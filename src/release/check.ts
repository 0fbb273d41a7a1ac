import type { Build } from "../build/schema.ts";
import { codeFolder } from "../code/folder.ts";
import { layOutCode } from "../code/layout.ts";
import { readSecrets } from "../config/read.ts";
import type { ResolvedValues } from "../config/resolve.ts";
import { keysOfIndex, resolvedIndexes } from "../config/settings.ts";
import { checkState, stateUrlOf } from "../config/state.ts";
import { TwelveError } from "../core/errors.ts";
import { withoutCredentials } from "../core/url.ts";
import { type DeclaredModel, lifecycleComplaints } from "../manifest/lifecycle.ts";
import { modelChain } from "../manifest/model-chain.ts";
import { askLives } from "../manifest/told-lives.ts";
import type { Context, Environment } from "../ports/context.ts";
import type { Store } from "../ports/store.ts";
import type { Model } from "../ports/model.ts";
import { ignoredSampling, samplingOf } from "../prompt/sampling.ts";
import { findPrompt } from "../prompt/schema.ts";
import { checkIndex } from "./indexes.ts";
import type { Release } from "./schema.ts";

interface ServicesQuestion {
  readonly build: Build;
  readonly release: Release;
  readonly environment: string;
  /** The environment's configuration. */
  readonly values: ResolvedValues;
}

/**
 * Whether this environment's services are what the release needs: every model can be opened, and every index fits its
 * embedder. Fails with MODEL_RETIRED, SERVICE_UNSUPPORTED, CONFIG_INVALID, INDEX_STALE or EMBEDDER_DRIFTED before anything is recorded.
 */
export async function checkServices(context: Context, store: Store, { build, release, environment, values }: ServicesQuestion): Promise<void> {
  const settings = resolvedIndexes(build.manifest, release.config, Object.keys(release.indexes));
  const secrets = await readSecrets(context, build.manifest, environment);
  await refuseEnded(context, { build, models: chosenModels(release, settings), secrets });
  await openModels(context, store, { build, release });
  await checkState(context, release, stateUrlOf(values, context.env));
  for (const [name, descriptor] of Object.entries(release.indexes)) {
    const own = settings[name];
    if (own !== undefined) await checkIndex(context, store, { name, descriptor, settings: own, secrets, command: indexCommand(name, { build, release, environment }) });
  }
}

/** Only now it is known which models configuration has chosen. */
function chosenModels({ agents }: Release, indexes: Readonly<Record<string, { readonly embedder: string }>>): readonly DeclaredModel[] {
  const path = "models";
  const chosen = [
    ...Object.values(agents).flatMap((agent): readonly DeclaredModel[] => [
      ...modelChain(agent).map((reference) => ({ role: "model", reference, path }) as const),
      ...(agent.retrieve?.reranker === undefined ? [] : [{ role: "reranker", reference: agent.retrieve.reranker, path } as const]),
    ]),
    ...Object.values(indexes).map(({ embedder }) => ({ role: "embedder", reference: embedder, path }) as const),
  ];
  return [...new Map(chosen.map((model) => [`${model.role} ${model.reference}`, model])).values()];
}

interface EndsQuestion {
  readonly build: Build;
  readonly models: readonly DeclaredModel[];
  readonly secrets: Environment;
}

async function refuseEnded(context: Context, { build: { manifest: { lifecycle } }, models, secrets }: EndsQuestion): Promise<void> {
  const { clock, story } = context;
  const complaints = lifecycleComplaints(models, lifecycle, clock.now(), await askLives(context, models, lifecycle, secrets));
  for (const { message, isEnded } of complaints) if (!isEnded) story.warn(message);
  const ended = complaints.filter(({ isEnded }) => isEnded);
  if (ended.length > 0) throw new TwelveError("MODEL_RETIRED", ended.map(({ message }) => message).join("; "));
}

async function openModels(context: Context, store: Store, { build, release }: Pick<ServicesQuestion, "build" | "release">): Promise<void> {
  const models = [...new Set(Object.values(release.agents).flatMap(modelChain))];
  const folder = codeFolder(context.dir, build.code);
  // A script is that of the release's code; the working folder may hold another one by now.
  if (models.some((model) => model.startsWith("mock:script:"))) await layOutCode(store, build.code, folder);
  const opened = new Map(await Promise.all(models.map(async (reference) => [reference, await context.openModel(reference, {}, folder)] as const)));
  for (const warning of ignoredSettings({ build, release }, opened)) context.story.warn(warning);
}

/** What an agent sets and one of its models will not be told. */
function ignoredSettings({ build, release }: Pick<ServicesQuestion, "build" | "release">, opened: ReadonlyMap<string, Model>): readonly string[] {
  return Object.entries(release.agents).flatMap(([agent, settings]) => {
    const prompt = findPrompt(build.prompts, { name: settings.prompt, variant: settings.variant ?? null });
    if (prompt === undefined) return [];
    const sampling = samplingOf(settings, prompt);
    return modelChain(settings).flatMap((reference) => {
      const model = opened.get(reference);
      return (model && ignoredSampling(agent, sampling, { reference: withoutCredentials(reference), model })) ?? [];
    });
  });
}

/** The command that makes an index with the configuration that the release has. */
function indexCommand(name: string, { build, release, environment }: Pick<ServicesQuestion, "build" | "release" | "environment">): string {
  const sets = keysOfIndex(build.manifest, name).flatMap((key) => {
    const frozen = release.config[key];
    return frozen?.source === "--set" ? [` --set ${quoted(`${key}=${String(frozen.value)}`)}`] : [];
  });
  return `twelve index ${name} --env ${environment}${sets.join("")}`;
}

/** As a shell takes it for one word. */
function quoted(text: string): string {
  return /^[\w=:./@-]+$/.test(text) ? text : `'${text.replaceAll("'", String.raw`'\''`)}'`;
}

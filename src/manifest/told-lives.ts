import { inTime } from "../core/deadline.ts";
import { summaryOf, TwelveError } from "../core/errors.ts";
import type { Checkable, ModelLifecycle } from "../ports/check.ts";
import type { Context, Environment } from "../ports/context.ts";
import { type DeclaredModel, dated, type Lifecycle, type LifecycleOverrides, lifecycleOf, type ToldLives } from "./lifecycle.ts";

/** Providers that tell when a model ends, for nothing, and of whose models no table says it. */
const telling = /^bedrock:/i;
const limitMs = 3000;

type Asking = Pick<Context, "openModel" | "openEmbedder" | "openReranker" | "clock" | "signal" | "story">;

/**
 * Asks providers of the models whose end of life neither twelve.yaml nor the table knows, all at the same time. One that cannot
 * be asked, or does not know the model from here, stops nobody: what it said is told.
 */
export async function askLives(context: Asking, models: readonly DeclaredModel[], overrides: LifecycleOverrides, secrets: Environment = {}): Promise<ToldLives> {
  const now = context.clock.now();
  const asked = new Map(models.filter(({ reference }) => telling.test(reference) && lifecycleOf(reference, overrides, now).source === null).map((model) => [model.reference, model]));
  const lives = await Promise.all([...asked.values()].map(async (model): Promise<readonly [string, Lifecycle] | undefined> => {
    const { reference } = model;
    try {
      const told = await inTime((signal) => lifeOf(context, model, { secrets, signal }), { limitMs, who: reference, signal: context.signal });
      return told === undefined ? undefined : [reference, dated(told.endOfLife, "Bedrock", now)];
    } catch (error) {
      context.signal.throwIfAborted();
      if (!(error instanceof TwelveError)) throw error;
      if (error.code === "SERVICE_NOT_FOUND") context.story.warn(summaryOf(error));
      else context.story.note(`Nobody could be asked how long ${reference} will live: ${summaryOf(error)}`);
      return undefined;
    }
  }));
  return new Map(lives.filter((life) => life !== undefined));
}

async function lifeOf(context: Asking, { role, reference }: DeclaredModel, { secrets, signal }: { readonly secrets: Environment; readonly signal: AbortSignal }): Promise<ModelLifecycle | undefined> {
  const opened: Checkable = role === "model" ? await context.openModel(reference, secrets) : role === "embedder" ? await context.openEmbedder(reference, secrets) : await context.openReranker(reference, secrets);
  // Where the one tells it, the other is a call that costs.
  return opened.lifecycle === undefined ? (await opened.check(signal)).lifecycle : opened.lifecycle(signal);
}

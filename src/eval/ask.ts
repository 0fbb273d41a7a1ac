import { summaryOf, TwelveError } from "../core/errors.ts";
import type { Context } from "../ports/context.ts";
import type { Progress } from "../ports/story.ts";
import type { CompiledPrompt } from "../prompt/schema.ts";
import type { Answer, Runtime } from "../run/schema.ts";
import type { Case } from "./plan.ts";
import type { Variables } from "./template-plan.ts";

/** The answer to a case, or what failed. */
export type Asked = { readonly answer: Answer } | { readonly error: string; readonly latencyMs: number };

export interface Asking {
  readonly runtime: Pick<Runtime, "answer">;
  readonly agent: string;
  readonly prompt: CompiledPrompt;
  readonly maxConcurrency: number;
  readonly progress: Progress;
}

/**
 * Asks every case, at most `maxConcurrency` at once, and gives the answers in the order of the cases. A failure that the
 * user can act on is the case's result; a bug of twelve or an abort ends everything.
 */
export async function askAll(context: Context, cases: readonly Case[], asking: Asking): Promise<readonly Asked[]> {
  const results: Asked[] = [];
  const queue = cases.entries();
  let done = 0;
  let broken = false;
  const work = async (): Promise<void> => {
    for (const [index, item] of queue) {
      context.signal.throwIfAborted();
      if (broken) return;
      try {
        results[index] = await askOne(context, item, asking);
      } catch (error) {
        broken = true;
        throw error;
      }
      done += 1;
      asking.progress.update(done, cases.length);
    }
  };
  await Promise.all(Array.from({ length: Math.min(asking.maxConcurrency, cases.length) }, work));
  return results;
}

async function askOne({ clock, signal }: Context, item: Case, { runtime, agent, prompt }: Asking): Promise<Asked> {
  const started = clock.monotonicMs();
  const request = {
    agent,
    messages: [{ role: "user", content: item.question }],
    variables: promptVariables(prompt, item.others),
    isStream: false,
    traceId: clock.randomHex(16),
    signal,
  } as const;
  try {
    for await (const part of runtime.answer(request)) {
      if (part.type === "end") return { answer: part.answer };
    }
    throw new Error("The answer ended without its last part");
  } catch (error) {
    signal.throwIfAborted();
    if (!(error instanceof TwelveError)) throw error;
    return { error: `${error.code}: ${summaryOf(error)}`, latencyMs: clock.monotonicMs() - started };
  }
}

/** A prompt that declares its variables gets only those; the others are there for the assertions. */
function promptVariables({ input: { schema } }: Pick<CompiledPrompt, "input">, variables: Variables): Variables {
  if (schema === null || schema["additionalProperties"] === true) return variables;
  const declared = schema["properties"];
  if (typeof declared !== "object" || declared === null) return {};
  return Object.fromEntries(Object.entries(variables).filter(([name]) => Object.hasOwn(declared, name)));
}

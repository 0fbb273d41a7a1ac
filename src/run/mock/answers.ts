import { resolve } from "node:path";
import { openScriptModel } from "../../mock/model.ts";
import { readScript } from "../../mock/read.ts";
import type { ScriptedPassage, ScriptedTool } from "../../mock/schema.ts";
import type { Context } from "../../ports/context.ts";
import type { Model } from "../../ports/model.ts";

/** What a mock server answers by. */
export interface MockAnswers {
  readonly model: Model;
  /** For people, such as `2 replies of answers.yaml`. */
  readonly title: string;
  /** That the replies name. */
  readonly agents: readonly string[];
  readonly passages: readonly ScriptedPassage[];
  readonly tools: Readonly<Record<string, ScriptedTool>>;
  /** Begins anew with what is counted. */
  reset(): void;
}

/** The script in `file`; without one, every answer repeats the last user message. Fails with SCRIPT_INVALID. */
export async function readAnswers({ dir, openModel }: Pick<Context, "dir" | "openModel">, file: string | undefined): Promise<MockAnswers> {
  if (file === undefined) return { model: await openModel("mock:echo"), title: "the last user message, since no --answers are given", agents: [], passages: [], tools: {}, reset: () => {} };
  const script = await readScript({ path: resolve(dir, file), name: file, missing: { message: `There is no file ${file}`, fix: "Correct the path given with `--answers`" } });
  const model = openScriptModel({ script, file });
  const { replies } = script;
  return {
    model,
    title: `${replies.length === 1 ? "the reply" : `the ${replies.length} replies`} of ${file}`,
    agents: [...new Set(replies.flatMap(({ when }) => when?.agent ?? []))],
    passages: script.passages ?? [],
    tools: script.tools ?? {},
    reset: () => model.reset(),
  };
}

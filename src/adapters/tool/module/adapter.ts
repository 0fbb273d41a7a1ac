import { existsSync } from "node:fs";
import { join, sep } from "node:path";
import type { Json } from "../../../core/canonical-json.ts";
import { unlessAborted } from "../../../core/abort.ts";
import { TwelveError } from "../../../core/errors.ts";
import type { ModulePlace, SourceCallOptions, ToolResult, ToolSource } from "../../../ports/tool.ts";
import { tooLong } from "../answer.ts";
import { startThread, type ThreadLimits, type ToolThread } from "./thread.ts";

const usual: ThreadLimits = { loadMs: 30_000, deafMs: 1000, memoryMb: 512 };

/** A file of the code, loaded in a thread that is started again after it ended. Fails with TOOL_INVALID. */
export async function openModule(place: ModulePlace, limits: ThreadLimits = usual): Promise<ToolSource> {
  const { name, timeoutMs } = place;
  const file = join(place.folder, place.file);
  let starting = start();
  let calls = 0;

  async function start(): Promise<ToolThread> {
    if (!existsSync(file)) throw new TwelveError("TOOL_INVALID", `The module ${place.file} of tool ${name} does not exist`, { fix: "Correct `module` under `tools:` in twelve.yaml, and look at `code:` there: a release has only what its build packaged" });
    return startThread({ file, env: place.env, ...limits }).catch((cause: unknown) => {
      // Where the code of a release is laid out helps nobody who is to correct it.
      const reason = (cause instanceof Error ? cause.message : String(cause)).replaceAll(`${place.folder}${sep}`, "");
      const fix = fixFor(reason);
      throw new TwelveError("TOOL_INVALID", `The module ${place.file} of tool ${name} cannot be used: ${reason}`, { cause, ...(fix === undefined ? {} : { fix }) });
    });
  }

  /** One thread for all: of calls that come at the same time after it ended, the first starts the next one. */
  async function running(): Promise<ToolThread> {
    const seen = starting;
    const isGone = await seen.then((thread) => thread.isEnded(), () => true);
    if (isGone && starting === seen) starting = start();
    return starting;
  }

  async function call(given: Json, options: SourceCallOptions): Promise<ToolResult> {
    const { signal, mayRepeat: _, ...facts } = options;
    signal.throwIfAborted();
    const thread = await running();
    const id = ++calls;
    const { promise: late, resolve } = Promise.withResolvers<undefined>();
    const timer = setTimeout(() => resolve(undefined), timeoutMs);
    try {
      const result = await unlessAborted(() => Promise.race([thread.call(id, given, facts), late]), signal);
      if (result === undefined) thread.abandon(id);
      return result ?? tooLong(timeoutMs);
    } catch (error) {
      thread.abandon(id);
      throw error;
    } finally {
      clearTimeout(timer);
    }
  }

  const tools = [{ ...(await starting).tool, call }];
  return {
    tools: () => tools,
    async check() {
      await running();
      return { version: null, detail: "loaded" };
    },
    close: async () => (await starting.catch(() => undefined))?.close(),
  };
}

/** For the two things that a first module most often lacks, both of them outside the module. */
function fixFor(reason: string): string | undefined {
  const missing = /Cannot find package '([^']+)'/.exec(reason)?.[1];
  if (missing !== undefined) return `Run \`npm install ${missing}\` in the application's folder`;
  return /import statement outside a module|Unexpected token 'export'/.test(reason) ? 'Add `"type": "module"` to the package.json of the application' : undefined;
}

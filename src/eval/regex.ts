import { type Context, createContext, Script } from "node:vm";

/** Some patterns take time that doubles with each character of the text; one that takes longer than this says nothing. */
export const regexLimitMs = 1000;

const script = new Script("pattern.test(text)");
let arena: Context | undefined;

/** Whether the text matches; undefined when the pattern did not come to an end in time. The engine itself stops it. */
export function matches(pattern: RegExp, text: string): boolean | undefined {
  arena ??= createContext({});
  Object.assign(arena, { pattern, text });
  try {
    return script.runInContext(arena, { timeout: regexLimitMs }) as boolean;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ERR_SCRIPT_EXECUTION_TIMEOUT") return undefined;
    throw error;
  }
}

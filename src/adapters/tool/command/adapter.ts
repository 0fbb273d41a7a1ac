import { scrub } from "../../../core/scrub.ts";
import type { CommandPlace, SourceTool, ToolCallOptions, ToolResult, ToolSource } from "../../../ports/tool.ts";
import { failed, largestResultBytes, tooLong, tooMuch, unclear } from "../answer.ts";
import { startGroup } from "./group.ts";

const quotedCharacters = 2000;

/** A program that is started for each call: arguments as JSON on standard input, the result from standard output. */
export function openCommand(place: CommandPlace): ToolSource {
  const tools: readonly SourceTool[] = [{ call: (given, options) => run(place, JSON.stringify(given), options) }];
  return {
    tools: () => tools,
    check: () => Promise.resolve({ version: null, detail: "started for each call" }),
    close: () => Promise.resolve(),
  };
}

async function run({ command, folder, env, timeoutMs }: CommandPlace, input: string, { signal, ...facts }: ToolCallOptions): Promise<ToolResult> {
  signal.throwIfAborted();
  const program = startGroup(command, { folder, env: { ...env, ...factsOf(facts) } });
  let isLate = false;
  const timer = setTimeout(() => {
    isLate = true;
    program.kill();
  }, timeoutMs);
  signal.addEventListener("abort", program.kill, { once: true });
  try {
    const { code, stdout, stderr, isTooLarge } = await program.finish(input, largestResultBytes);
    signal.throwIfAborted();
    if (isLate) return tooLong(timeoutMs);
    if (isTooLarge) return { ...tooMuch(), isUnknown: true };
    if (code === 0) return { content: stdout.trimEnd(), isError: false };
    const said = scrub((stderr.trim() === "" ? stdout : stderr).trim().slice(-quotedCharacters));
    const quote = said === "" ? "" : `: ${said}`;
    return code === null ? unclear(`The command ended with a signal${quote}`) : failed(`The command ended with exit code ${code}${quote}`);
  } finally {
    clearTimeout(timer);
    signal.removeEventListener("abort", program.kill);
  }
}

/** What a command may want to know of its call. */
function factsOf({ callId, run, agent, user, traceparent }: Omit<ToolCallOptions, "signal">): Readonly<Record<string, string | undefined>> {
  return { TWELVE_CALL_ID: callId, TWELVE_RUN_ID: run, TWELVE_AGENT: agent, TWELVE_USER: user ?? undefined, TRACEPARENT: traceparent };
}

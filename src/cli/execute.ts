import type { Command as Program } from "commander";
import type { Command } from "../ports/command.ts";
import { openContext, parent } from "./context.ts";
import type { GlobalFlags } from "./global-flags.ts";
import { flushLines } from "./line.ts";
import { readInput } from "./options.ts";
import { printAnswer, printFailure, printVerdict } from "./output.ts";
import { openStory } from "./story.ts";
import { version } from "./version.ts";

const interrupted = 130;
/** A command that is not a service gets this long to end by itself; all writes are atomic, so ending it is safe. */
const graceMs = 1000;

/** Runs one loaded command to its end and gives its exit code. Never throws. */
export async function runCommand({ default: command }: { readonly default: Command }, program: Program): Promise<number> {
  const flags = program.optsWithGlobals<GlobalFlags>();
  const isJson = flags.json === true;
  const interruption = listenForInterruption(command.isService === true);
  const story = await openStory({ isJson, isQuiet: flags.quiet === true, isColorWanted: flags.color !== false, env: process.env });
  try {
    const input = readInput(program, command);
    const context = openContext({ flags, story, signal: interruption.signal });
    parent?.onStopAsked(interruption.ask);
    parent?.onLost(interruption.ask);
    const output = await Promise.race([command.run(input, context), interruption.forced]);
    if (command.isService !== true) printAnswer(command, output, input, { isJson, isQuiet: flags.quiet === true });
    const verdict = command.verdict?.(output);
    if (verdict === undefined) return 0;
    printVerdict(verdict.message, isJson);
    return verdict.exit;
  } catch (error) {
    // A service that is asked to stop ends by itself, unless it was still starting.
    if (interruption.signal.aborted && command.isService !== true) {
      story.warn("Interrupted. Nothing is half-written; run the command again to go on.");
      return interrupted;
    }
    if (interruption.signal.aborted && error === interruption.signal.reason) {
      // Whoever started an instance asked it to, and tells so.
      if (parent === undefined) story.note("Stopped before it was ready");
      return 0;
    }
    return printFailure(error, { isJson, version });
  } finally {
    flushLines();
    story.close();
    interruption.stop();
  }
}

/** First signal: ask the command to end. Second signal: end at once. A service is asked, too, when its log loses its reader. */
function listenForInterruption(isService: boolean): { readonly signal: AbortSignal; readonly forced: Promise<never>; readonly ask: () => void; stop(): void } {
  const controller = new AbortController();
  const { promise: forced, reject } = Promise.withResolvers<never>();
  // Nobody may be waiting any more when it is rejected.
  forced.catch(() => {});
  let timer: NodeJS.Timeout | undefined;
  let isAsked = false;
  const onSignal = (): void => {
    if (isAsked) process.exit(interrupted);
    isAsked = true;
    controller.abort(new Error("interrupted"));
    if (!isService) timer = setTimeout(() => reject(new Error("interrupted")), graceMs);
  };
  // A service whose log nobody reads any more stops in good order; any other command goes on to its end.
  const onLostReader = (): void => controller.abort(new Error("interrupted"));
  if (isService) process.stdout.once("error", onLostReader);
  // Ctrl-C and a terminal that is closed reach all processes, and a service manager signals a whole group: whoever started this one asks it when its turn has come.
  const onAsked = parent !== undefined ? (): void => {} : onSignal;
  process.on("SIGINT", onAsked);
  if (parent !== undefined && process.platform !== "win32") process.once("SIGQUIT", () => process.exit(interrupted));
  process.on("SIGTERM", onAsked);
  if (isService) process.on("SIGHUP", onAsked);
  return {
    signal: controller.signal,
    forced,
    ask: onLostReader,
    stop() {
      clearTimeout(timer);
      process.stdout.off("error", onLostReader);
      for (const name of ["SIGINT", "SIGTERM", "SIGHUP"]) process.off(name, onAsked);
    },
  };
}

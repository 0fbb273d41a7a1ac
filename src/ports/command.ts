import type { z } from "zod";
import type { Context } from "./context.ts";

/**
 * One command. Its schemas give its flags, its help, its reference page and its `--json` document.
 * A field of `input` whose meta has `positional: true` is an argument; the others are flags. Further meta keys:
 * `valueName` (shown as `--port <number>`) and `short` (one letter). A list is a flag that may be repeated.
 */
export interface Command<Input extends z.ZodObject = z.ZodObject, Output extends z.ZodType = z.ZodType> {
  readonly input: Input;
  readonly output: Output;
  /** Command lines that work, for help and docs. */
  readonly examples: readonly string[];
  /** Longer text for help, where the summary does not say enough. */
  readonly description?: string;
  run(input: z.output<Input>, context: Context): Promise<z.output<Output>>;
  /** The answer for a person, printed on stdout without `--json`. An empty string prints nothing. */
  render(output: z.output<Output>, input: z.output<Input>): string;
  /** The command runs until it is stopped and writes JSON lines itself: no answer is printed, and it ends in its own time. */
  readonly isService?: boolean;
  /** 0 unless the answer itself is a "no"; then what to say on stderr and the exit code. */
  verdict?(output: z.output<Output>): { readonly exit: number; readonly message: string } | undefined;
}

export function defineCommand<Input extends z.ZodObject, Output extends z.ZodType>(
  command: Command<Input, Output>,
): Command<Input, Output> {
  return command;
}

import { formatLocation, type Problem, TwelveError } from "../core/errors.ts";
import type { Command } from "../ports/command.ts";

/** The hints at the end of an answer: what to run next, and what would undo it. */
const hints = /(?:(?:^|\n+)Next:[^\n]*(?:\n(?: {2}|Undo:)[^\n]*)*)+\n*$/;

/** The answer, on stdout: one JSON document, or the command's own text, which has no hints where nothing but the answer is wanted. */
export function printAnswer(command: Command, output: unknown, input: Record<string, unknown>, { isJson, isQuiet }: { readonly isJson: boolean; readonly isQuiet: boolean }): void {
  const rendered = isJson ? JSON.stringify(output, null, 2) : command.render(output, input);
  const text = isQuiet && !isJson ? rendered.replace(hints, "") : rendered;
  if (text !== "") process.stdout.write(text.endsWith("\n") ? text : `${text}\n`);
}

/** Why an answer ends with another exit code than 0. The answer itself is on stdout already. */
export function printVerdict(message: string, isJson: boolean): void {
  process.stderr.write(isJson ? `${JSON.stringify({ verdict: message })}\n` : `${message}\n`);
}

/** A failure on stderr, for a person or as one JSON object; gives the exit code. */
export function printFailure(error: unknown, { isJson, version }: { readonly isJson: boolean; readonly version: string }): number {
  if (error instanceof TwelveError) {
    const { code, message, fix, problems, exit } = error;
    process.stderr.write(isJson ? `${JSON.stringify({ error: { code, message, fix, problems, exit } })}\n` : formatFailure(error));
    return exit;
  }
  const stack = error instanceof Error ? (error.stack ?? error.message) : String(error);
  const message = error instanceof Error ? error.message : String(error);
  const report = `This is a bug in twelve ${version} (Node ${process.version}, ${process.platform}). Please report it with the lines above.`;
  process.stderr.write(isJson ? `${JSON.stringify({ error: { code: "BUG", message, fix: report, stack, exit: 1 } })}\n` : `${stack}\n\n${report}\n`);
  return 1;
}

function formatFailure({ message, problems, fix, code }: TwelveError): string {
  const lines = [`Error: ${message}`, ...problems.map((problem) => `  ${formatProblem(problem)}`), `Fix: ${fix}  [${code}]`];
  return `${lines.join("\n")}\n`;
}

function formatProblem(problem: Problem): string {
  const where = [formatLocation(problem), problem.path].filter((part) => part !== undefined && part !== "").join("  ");
  return where === "" ? problem.message : `${where}  ${problem.message}`;
}

import { styleText } from "node:util";
import type { RelayedLine } from "../ports/instance.ts";
import type { GlobalFlags } from "./global-flags.ts";

/** One a type of process; red is for what is wrong. */
const colors = ["cyan", "yellow", "green", "magenta", "blue"] as const;

/**
 * Writes lines of other processes to the same stream of this one. Where a person reads them, each begins with the name of
 * its process; what programs read, such as events on a standard output that is no terminal, stays as it is.
 */
export function openRelay({ json, color }: GlobalFlags, env: Readonly<Record<string, string | undefined>>): (line: RelayedLine) => void {
  const isColorWanted = color !== false && !env["NO_COLOR"] && env["TERM"] !== "dumb" && json !== true;
  return ({ stream, instance, type, width, text }) => {
    const target = process[stream];
    const isPrefixed = json !== true && (stream === "stderr" || target.isTTY);
    if (!isPrefixed) return void target.write(`${text}\n`);
    const label = `${instance.padEnd(width)} |`;
    const shown = isColorWanted && target.isTTY ? styleText(colors[type % colors.length] ?? "cyan", label, { validateStream: false }) : label;
    target.write(`${shown} ${text}\n`);
  };
}

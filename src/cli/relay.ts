import { styleText } from "node:util";
import type { RelayedLine } from "../ports/instance.ts";
import type { GlobalFlags } from "./global-flags.ts";
import { isColorWanted, openShow, type Variables } from "./shown.ts";

/** One a type of process; red is for what is wrong. */
const colors = ["cyan", "yellow", "green", "magenta", "blue"] as const;

/**
 * Writes lines of other processes to the same stream of this one. Where a person reads them, each begins with the name of
 * its process, and an event is told in words; what programs read, such as events on a standard output that is no terminal, stays as it is.
 */
export function openRelay(flags: GlobalFlags, env: Variables): (line: RelayedLine) => void {
  const isColored = isColorWanted(flags, env);
  const show = openShow(flags, env);
  return ({ stream, instance, type, width, text }) => {
    const target = process[stream];
    const isPrefixed = flags.json !== true && (stream === "stderr" || target.isTTY);
    if (!isPrefixed) return void target.write(`${text}\n`);
    const label = `${instance.padEnd(width)} |`;
    const begin = isColored && target.isTTY ? styleText(colors[type % colors.length] ?? "cyan", label, { validateStream: false }) : label;
    const shown = stream === "stdout" ? show(text, instance) : text;
    target.write(shown.split("\n").map((line) => `${begin} ${line}\n`).join(""));
  };
}

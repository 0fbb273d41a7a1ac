import { styleText } from "node:util";
import { formatEvent, type Paint, type Tone } from "./event-line.ts";
import type { GlobalFlags } from "./global-flags.ts";

export type Variables = Readonly<Record<string, string | undefined>>;

const styles = { good: "green", aside: "yellow", bad: "red", faint: "dim" } as const satisfies Record<Tone, string>;

/** Whether a terminal may be shown colours. */
export function isColorWanted({ json, color }: GlobalFlags, env: Variables): boolean {
  return color !== false && !env["NO_COLOR"] && env["TERM"] !== "dumb" && json !== true;
}

/** A line of the log as a terminal shows it; `speaker` is the process that it is of, where it begins with that. */
export type Show = (text: string, speaker?: string) => string;

export function openShow(flags: GlobalFlags, env: Variables): Show {
  const isColored = isColorWanted(flags, env);
  const paint: Paint = (tone, text) => (isColored ? styleText(styles[tone], text, { validateStream: false }) : text);
  return (text, speaker) => formatEvent(text, { paint, speaker });
}

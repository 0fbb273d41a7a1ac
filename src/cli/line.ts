import type { GlobalFlags } from "./global-flags.ts";
import { openShow, type Variables } from "./shown.ts";

let waiting = "";

/**
 * Writes a line to stdout with the others of the same turn of the event loop: each write is a call to the system, and a busy server
 * logs many answers in a turn. They are out before the process ends, however it ends but by SIGKILL, which takes this turn's with it.
 */
export function writeLine(line: string): void {
  if (waiting === "") setImmediate(flushLines);
  waiting += `${line}\n`;
}

/** How a line of the log is written: in words on a terminal, and as it is where a program reads it or `--json` asks for it. */
export function openWriteLine(flags: GlobalFlags, env: Variables): (line: string) => void {
  if (flags.json === true || !process.stdout.isTTY) return writeLine;
  const show = openShow(flags, env);
  return (line) => writeLine(show(line));
}

export function flushLines(): void {
  if (waiting === "") return;
  const text = waiting;
  waiting = "";
  process.stdout.write(text);
}

// At a second signal, say, when nobody waits for anything.
process.once("exit", flushLines);

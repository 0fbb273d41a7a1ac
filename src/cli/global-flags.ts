/** Flags that every command takes. */
export interface GlobalFlags {
  readonly json?: boolean;
  readonly dir?: string;
  readonly quiet?: boolean;
  /** Commander's form of `--no-color`. */
  readonly color?: boolean;
}

export const globalFlags = [
  ["--json", "Print exactly one JSON document, and failures as JSON on stderr"],
  ["--dir <folder>", "The application's folder; the current one by default"],
  ["-q, --quiet", "Say nothing but the answer, warnings and failures"],
  ["--no-color", "Use no colour; NO_COLOR does the same"],
] as const;

/** As they stand on the command line of a further process of the same command. */
export function flagsToPassOn({ json, dir, quiet, color }: GlobalFlags): readonly string[] {
  return [...(json === true ? ["--json"] : []), ...(dir === undefined ? [] : ["--dir", dir]), ...(quiet === true ? ["--quiet"] : []), ...(color === false ? ["--no-color"] : [])];
}

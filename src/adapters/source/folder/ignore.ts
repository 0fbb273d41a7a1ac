import type { Dirent } from "node:fs";
import { join, relative, sep } from "node:path";
import ignore, { type Ignore } from "ignore";
import { patternsBelow } from "./ignore-pattern.ts";
import { readText, repositoryOf } from "./repository.ts";

/** What ignore files leave out, as far down as they have been read. */
export interface IgnoreRules {
  /** `below` is the path below the source, ending in a slash for a folder. Its parents must have been asked before. */
  readonly isIgnored: (below: string) => boolean;
  readonly patterns: Ignore | undefined;
  /** The source below the top of its repository: empty, or ending in a slash. */
  readonly base: string;
  /** Names of the ignore files, the strongest last. */
  readonly names: readonly string[];
}

// The same files are left out on every machine, whatever git's settings and its filesystem think of case.
const options = { ignoreCase: false };
/** Ignores for `twelve index` only; a `!pattern` in it brings back what .gitignore leaves out. */
const ownName = ".twelveignore";

/** The rules that hold at the root of a source, from the files above it. `root` has no links in it. */
export async function rulesAt(root: string, { gitignore }: { readonly gitignore: boolean }): Promise<IgnoreRules> {
  const none = rulesOf(undefined, "", gitignore ? [".gitignore", ownName] : [ownName]);
  const repository = gitignore ? await repositoryOf(root) : undefined;
  if (repository === undefined) return none;
  const steps = relative(repository.top, root).split(sep).filter((step) => step !== "");
  const patterns = ignore(options).add([...patternsBelow("", repository.exclude)]);
  for (let depth = 0; depth < steps.length; depth += 1) {
    const above = steps.slice(0, depth);
    const text = await readText(join(repository.top, ...above, ".gitignore"));
    patterns.add([...patternsBelow(above.map((step) => `${step}/`).join(""), text)]);
  }
  const base = steps.map((step) => `${step}/`).join("");
  // Who names an ignored folder as a source wants its documents: then only the files inside it count.
  const isNamedAnyway = base !== "" && patterns.ignores(base);
  return isNamedAnyway ? none : rulesOf(patterns, base, none.names);
}

/** The rules inside a folder of the source; `entries` are what is in it. */
export async function rulesBelow(rules: IgnoreRules, folder: { readonly path: string; readonly below: string }, entries: readonly Dirent[]): Promise<IgnoreRules> {
  const names = rules.names.filter((name) => entries.some((entry) => entry.name === name && entry.isFile()));
  if (rules.patterns === undefined && names.length === 0) return rules;
  // A list of its own for each folder: it remembers every path that it was asked about.
  const patterns = ignore(options);
  if (rules.patterns !== undefined) patterns.add(rules.patterns);
  for (const name of names) patterns.add([...patternsBelow(rules.base + folder.below, await readText(join(folder.path, name)))]);
  return rulesOf(patterns, rules.base, rules.names);
}

function rulesOf(patterns: Ignore | undefined, base: string, names: readonly string[]): IgnoreRules {
  return { patterns, base, names, isIgnored: patterns === undefined ? () => false : (below) => patterns.ignores(base + below) };
}

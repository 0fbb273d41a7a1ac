import picomatch from "picomatch";

interface Globs {
  /** Globs below a source; one without a slash matches the name in any folder. Everything by default. */
  readonly include?: readonly string[] | undefined;
  readonly exclude?: readonly string[] | undefined;
}

/** Whether a path below its source is wanted: it matches one of `include` and none of `exclude`. */
export function wantedBy({ include, exclude = [] }: Globs): (below: string) => boolean {
  const isIncluded = include === undefined ? () => true : matcherOf(include);
  const isExcluded = matcherOf(exclude);
  return (below) => isIncluded(below) && !isExcluded(below);
}

function matcherOf(globs: readonly string[]): (below: string) => boolean {
  const tests = globs.map((glob) => picomatch(glob, { dot: true, ...(glob.includes("/") ? {} : { basename: true }) }));
  return (below) => tests.some((test) => test(below));
}

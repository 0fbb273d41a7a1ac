const longest = 64;
/** Of a name that is cut, so that two that begin the same stay two. */
const markLength = 8;

/**
 * Names for the tools of a server, by the name that each has there: `<declared>_<tool>`, within what every provider takes. No two are the same,
 * and none is one of another declaration, whose names have no underscore.
 */
export function namesOf(declared: string, tools: readonly string[], mark: (name: string) => string): ReadonlyMap<string, string> {
  const plain = tools.map((tool) => [tool, `${declared}_${tool.replaceAll(/[^a-zA-Z0-9_-]/g, "_")}`] as const);
  return new Map(plain.map(([tool, name]) => {
    const isShared = !/^[\w-]*$/.test(tool) && plain.filter(([, other]) => other === name).length > 1;
    return [tool, isShared || name.length > longest ? `${name.slice(0, longest - markLength - 1)}_${mark(tool).slice(0, markLength)}` : name];
  }));
}

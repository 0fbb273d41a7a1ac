/** The group of a run: the agent, which has no space in its name, and the API key whose run it is. */
export function groupOf({ agent, key }: { readonly agent: string; readonly key: string | null }): string {
  return key === null ? agent : `${agent} ${key}`;
}

/** Whose run it is, by its group. */
export function callerOf(group: string): string | null {
  return group.split(" ")[1] ?? null;
}

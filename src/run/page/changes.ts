import type { Setting } from "../ui/schema.ts";

export interface Change {
  readonly group: string;
  readonly name: string;
  readonly first: string;
  readonly second: string;
}

/** The settings that two releases have otherwise, as far as they concern one agent. */
export function changesBetween(first: readonly Setting[], second: readonly Setting[], agent: string): readonly Change[] {
  const keyOf = ({ group, name }: Setting): string => `${group}\n${name}`;
  const [left, right] = [first, second].map((settings) => new Map(settings.map((setting) => [keyOf(setting), setting]))) as [Map<string, Setting>, Map<string, Setting>];
  const all = [...left.values(), ...[...right].filter(([key]) => !left.has(key)).map(([, setting]) => setting)];
  return all.flatMap((setting) => {
    const { group, name } = setting;
    const isOthers = group.startsWith("agent ") && group !== `agent ${agent}`;
    const [one, other] = [left, right].map((settings) => settings.get(keyOf(setting))?.value ?? "none") as [string, string];
    return isOthers || one === other ? [] : [{ group, name, first: one, second: other }];
  });
}

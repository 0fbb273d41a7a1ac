import type { CallPart, ToolCall } from "../../ports/model.ts";

/** What of an answer's calls its stream has told so far. */
export interface ToldCalls {
  add(part: CallPart): void;
  /** What of the calls has not been told: all of one that no piece came of. */
  rest(calls: readonly ToolCall[]): readonly CallPart[];
}

export function toldCalls(): ToldCalls {
  const told = new Map<number, string>();
  return {
    add: ({ position, arguments: piece }) => void told.set(position, (told.get(position) ?? "") + piece),
    rest: (calls) =>
      calls.flatMap(({ id, name, arguments: whole }, position): readonly CallPart[] => {
        const before = told.get(position);
        if (before === undefined) return [{ type: "call_part", position, begun: { id, name }, arguments: whole }];
        const rest = restOf(whole, before);
        return rest === "" ? [] : [{ type: "call_part", position, arguments: rest }];
      }),
  };
}

/** A model that gives no arguments gives an empty object. */
function restOf(whole: string, before: string): string {
  if (before.trim() === "") return whole;
  return whole.startsWith(before) ? whole.slice(before.length) : "";
}

import type { CallPart, ToolCall } from "../../../ports/model.ts";
import { type Fields, fieldsOf, listOf, textOf } from "../../http/unchecked.ts";

interface OpenCall {
  index: unknown;
  id: string | undefined;
  name: string;
  arguments: string;
  /** Somebody was told of it. */
  isBegun: boolean;
}

/** Tool calls that come in pieces. */
export interface CallReader {
  /** The `tool_calls`, or in the older form the `function_call`, of one part of an answer, as pieces of calls whose ID and name are known. */
  read(delta: Fields): readonly CallPart[];
  /** Each whole, in the order in which they began. */
  calls(): readonly ToolCall[];
}

/** Pieces belong together by `index`. Some servers give none, and then each call is whole; some give every call the same one. */
export function readCalls(): CallReader {
  const open: OpenCall[] = [];

  function openFor(index: unknown, id: string | undefined, name: string | undefined): OpenCall {
    const known = index === undefined ? open.at(-1) : open.findLast((call) => call.index === index);
    const isAnother = known === undefined || (id !== undefined && known.id !== undefined && id !== known.id) || (index === undefined && name !== undefined);
    if (!isAnother) return known;
    const call = { index, id, name: "", arguments: "", isBegun: false };
    open.push(call);
    return call;
  }

  function add(index: unknown, id: string | undefined, { name: given, arguments: piece }: Fields): readonly CallPart[] {
    const name = textOf(given);
    const call = openFor(index, id, name);
    call.id ??= id;
    // A name comes once; servers that repeat it do so whole.
    if (call.name === "" && name !== undefined) call.name = name;
    const text = typeof piece === "string" ? piece : piece === undefined || piece === null ? "" : JSON.stringify(piece);
    call.arguments += text;
    return tell(call, text);
  }

  function tell(call: OpenCall, text: string): readonly CallPart[] {
    const { id, name } = call;
    if (id === undefined || name === "" || (call.isBegun && text === "")) return [];
    const part = { type: "call_part", position: open.indexOf(call) } as const;
    if (call.isBegun) return [{ ...part, arguments: text }];
    call.isBegun = true;
    return [{ ...part, begun: { id, name }, arguments: call.arguments }];
  }

  return {
    read({ tool_calls: pieces, function_call: older }) {
      const parts = listOf(pieces).flatMap((piece) => {
        const { index, id, function: called } = fieldsOf(piece);
        return add(index ?? undefined, textOf(id), fieldsOf(called));
      });
      return typeof older === "object" && older !== null ? [...parts, ...add("function_call", undefined, fieldsOf(older))] : parts;
    },
    calls: () => open.map((call) => ({ id: call.id ?? `call_${crypto.randomUUID()}`, name: call.name, arguments: call.arguments.trim() === "" ? "{}" : call.arguments })),
  };
}

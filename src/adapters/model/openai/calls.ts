import type { ToolCall } from "../../../ports/model.ts";
import { type Fields, fieldsOf, listOf, textOf } from "../../http/unchecked.ts";

interface OpenCall {
  index: unknown;
  id: string | undefined;
  name: string;
  arguments: string;
}

/** Tool calls that come in pieces. */
export interface CallReader {
  /** The `tool_calls`, or in the older form the `function_call`, of one part of an answer. */
  read(delta: Fields): void;
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
    const call = { index, id, name: "", arguments: "" };
    open.push(call);
    return call;
  }

  function add(index: unknown, id: string | undefined, { name: given, arguments: piece }: Fields): void {
    const name = textOf(given);
    const call = openFor(index, id, name);
    call.id ??= id;
    // A name comes once; servers that repeat it do so whole.
    if (call.name === "" && name !== undefined) call.name = name;
    call.arguments += typeof piece === "string" ? piece : piece === undefined || piece === null ? "" : JSON.stringify(piece);
  }

  return {
    read({ tool_calls: pieces, function_call: older }) {
      for (const piece of listOf(pieces)) {
        const { index, id, function: called } = fieldsOf(piece);
        add(index ?? undefined, textOf(id), fieldsOf(called));
      }
      if (typeof older === "object" && older !== null) add("function_call", undefined, fieldsOf(older));
    },
    calls: () => open.map((call) => ({ id: call.id ?? `call_${crypto.randomUUID()}`, name: call.name, arguments: call.arguments.trim() === "" ? "{}" : call.arguments })),
  };
}

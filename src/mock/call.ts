import type { CallPart, ModelRequest, ToolCall } from "../ports/model.ts";
import type { ScriptedAnswer, ScriptedChunk } from "./schema.ts";

/** A piece of a stream: of the text, or of the arguments of a call. */
export interface Piece {
  readonly text: string;
  /** Since the one before, where that is told. */
  readonly afterMs?: number;
  readonly call?: Pick<CallPart, "position" | "begun">;
}

export function toPieces(chunks: readonly ScriptedChunk[]): readonly Piece[] {
  return chunks.map((chunk) => (typeof chunk === "string" ? { text: chunk } : chunk));
}

interface PlayedCall {
  readonly call: ToolCall;
  readonly position: number;
  /** Of the arguments. */
  readonly pieces: readonly Piece[];
}

/** About what models stream at a time. */
const usualPiece = /[^]{1,12}/gu;

/** The calls of an answer; one alone where no more are wanted. */
export function callsOf({ callTools = [] }: ScriptedAnswer, turn: number, { isSingleCall }: Pick<ModelRequest, "isSingleCall">): readonly PlayedCall[] {
  return callTools.slice(0, isSingleCall === true ? 1 : callTools.length).map(({ id, name, arguments: given, chunks }, position) => {
    const written = chunks === undefined ? undefined : toPieces(chunks);
    const text = written?.map((piece) => piece.text).join("") ?? (typeof given === "string" ? given : JSON.stringify(given));
    const pieces = written ?? (text.match(usualPiece) ?? []).map((piece) => ({ text: piece }));
    return { position, call: { id: id ?? `call_${turn}_${position + 1}`, name, arguments: text }, pieces };
  });
}

/** First who is called, then the arguments as they come. */
export function partsOf({ position, call: { id, name }, pieces }: PlayedCall): readonly Piece[] {
  return [{ text: "", call: { position, begun: { id, name } } }, ...pieces.map((piece) => ({ ...piece, call: { position } }))];
}

import type { RenderedMessage, RenderedPart } from "./schema.ts";

/** Something that a helper put between the text of a template. */
export type Marker =
  | { readonly type: "role"; readonly role: RenderedMessage["role"] }
  | { readonly type: "history" }
  | { readonly type: "part"; readonly part: RenderedPart };

/** Rendered text and markers, in order. */
export type Piece = string | Marker;

interface OpenMessage {
  role: RenderedMessage["role"];
  content: RenderedPart[];
}

/**
 * Cuts a rendering into messages by the rules of the dotprompt format: text before any role is the user's; pieces of
 * nothing but white space are dropped; earlier messages stand where {{history}} is, else before the last user message.
 */
export function toMessages(pieces: readonly Piece[], history: readonly RenderedMessage[]): readonly RenderedMessage[] {
  let current: OpenMessage = { role: "user", content: [] };
  const messages: (OpenMessage | RenderedMessage)[] = [current];
  let isHistoryPlaced = false;
  for (const piece of pieces) {
    if (typeof piece === "string") {
      if (piece.trim() !== "") current.content.push({ text: piece });
    } else if (piece.type === "part") {
      current.content.push(piece.part);
    } else if (piece.type === "role") {
      if (current.content.length === 0) {
        current.role = piece.role;
        continue;
      }
      current = { role: piece.role, content: [] };
      messages.push(current);
    } else {
      isHistoryPlaced = true;
      current = { role: "model", content: [] };
      messages.push(...history.map((message) => ({ ...message, metadata: { purpose: "history" } })), current);
    }
  }
  const filled = messages.filter(({ content }) => content.length > 0);
  return isHistoryPlaced ? filled : insertHistory(filled, history);
}

function insertHistory(messages: readonly RenderedMessage[], history: readonly RenderedMessage[]): readonly RenderedMessage[] {
  if (messages.at(-1)?.role !== "user") return [...messages, ...history];
  return [...messages.slice(0, -1), ...history, ...messages.slice(-1)];
}

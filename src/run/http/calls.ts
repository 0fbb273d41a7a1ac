import { TwelveError } from "../../core/errors.ts";
import type { Message } from "../../ports/model.ts";

/** Each call is answered before anybody else speaks, and nothing else is. Every provider insists on it, each with an error of its own. */
export function checkCalls(messages: readonly Message[]): void {
  let open: readonly string[] = [];
  for (const { role, toolCallId, toolCalls } of messages) {
    if (role === "system") continue;
    if (role === "tool") {
      if (!open.includes(toolCallId ?? "")) throw new TwelveError("REQUEST_INVALID", `The result of the call ${toolCallId} answers no call that stands before it`);
      open = open.filter((id) => id !== toolCallId);
      continue;
    }
    if (open.length > 0) throw unanswered(open);
    if (toolCalls !== undefined) open = toolCalls.map(({ id }) => id);
  }
  if (open.length > 0) throw unanswered(open);
}

function unanswered(open: readonly string[]): TwelveError {
  return new TwelveError("REQUEST_INVALID", `${open.length === 1 ? "The call" : "The calls"} ${open.join(", ")} must be answered with the results of the tools, before anything else is said`);
}

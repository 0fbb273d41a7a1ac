import type { Message } from "../../ports/model.ts";

/** What a message says, for an API that has no names: of several users, each says who speaks. A model that read its own name so would begin to write it. */
export function wordsOf({ role, name, content }: Message): string {
  return role === "user" && name !== undefined ? `${name}: ${content}` : content;
}

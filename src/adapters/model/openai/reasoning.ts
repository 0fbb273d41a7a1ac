import type { Json } from "../../../core/canonical-json.ts";
import { type Fields, fieldsOf, textOf } from "../../http/unchecked.ts";

/** OpenAI does not show its reasoning; DeepSeek, vLLM, OpenRouter and others do, by one of these names. */
const names = ["reasoning_content", "reasoning"] as const;

/** The reasoning in a part of an answer, with the name that the server gives it. */
export function reasoningIn(delta: Fields): { readonly name: string; readonly text: string } | undefined {
  for (const name of names) {
    const text = textOf(delta[name]);
    if (text !== undefined) return { name, text };
  }
  return undefined;
}

/** What such a server gave, sent back under its own name; blocks of other providers are left out. */
export function reasoningFields(blocks: readonly Json[]): Readonly<Record<string, string>> {
  const found = blocks.flatMap((block) => names.flatMap((name) => {
    const text = textOf(fieldsOf(block)[name]);
    return text === undefined ? [] : [[name, text] as const];
  }));
  return Object.fromEntries(found);
}

import type { ContentBlock, ReasoningContentBlock } from "@aws-sdk/client-bedrock-runtime";
import type { Json } from "../../../core/canonical-json.ts";

/** Reasoning as Bedrock gave it, in JSON. What is redacted is bytes, which JSON writes in base64. */
export function reasoningJson(block: { readonly text: string; readonly signature: string | undefined; readonly redacted: readonly Uint8Array[] }): Json | undefined {
  const { text, signature, redacted } = block;
  if (redacted.length > 0) return { reasoningContent: { redactedContent: Buffer.concat(redacted).toString("base64") } };
  if (text === "" && signature === undefined) return undefined;
  return { reasoningContent: { reasoningText: { text, ...(signature === undefined ? {} : { signature }) } } };
}

/** The same for sending it back; undefined for what another provider gave. */
export function reasoningBlock(json: Json): ContentBlock | undefined {
  const content = fieldOf(json, "reasoningContent");
  const redacted = fieldOf(content, "redactedContent");
  if (typeof redacted === "string") return blockOf({ redactedContent: Buffer.from(redacted, "base64") });
  const reasoned = fieldOf(content, "reasoningText");
  const [text, signature] = [fieldOf(reasoned, "text"), fieldOf(reasoned, "signature")];
  return typeof text === "string" ? blockOf({ reasoningText: { text, ...(typeof signature === "string" ? { signature } : {}) } }) : undefined;
}

function blockOf(reasoningContent: ReasoningContentBlock): ContentBlock {
  return { reasoningContent };
}

function fieldOf(value: Json | undefined, name: string): Json | undefined {
  return typeof value === "object" && value !== null && !Array.isArray(value) ? (value as Readonly<Record<string, Json>>)[name] : undefined;
}

import type { CallToolResult, ContentBlock, Tool as McpTool } from "@modelcontextprotocol/sdk/types.js";
import { canonicalJson } from "../../../core/canonical-json.ts";
import type { SourceTool, ToolResult } from "../../../ports/tool.ts";
import { describeBytes, largestResultBytes, tooMuch } from "../answer.ts";

/** What a server says of a tool, without how it is called. */
export function toTool({ name, title, description, inputSchema, annotations }: McpTool): Omit<SourceTool, "call"> & { readonly name: string } {
  const text = description ?? title ?? annotations?.title;
  return { name, ...(text === undefined ? {} : { description: text }), parameters: inputSchema as NonNullable<SourceTool["parameters"]>, ...idempotenceOf(annotations) };
}

/** What changes nothing may be asked again. A server that gives hints and does not say that a call may be repeated, means that it may not. */
function idempotenceOf(annotations: McpTool["annotations"]): Pick<SourceTool, "isIdempotent"> {
  const { readOnlyHint, idempotentHint, destructiveHint } = annotations ?? {};
  if (readOnlyHint === true || idempotentHint === true) return { isIdempotent: true };
  return readOnlyHint === undefined && idempotentHint === undefined && destructiveHint === undefined ? {} : { isIdempotent: false };
}

/** The result as the text of one message. */
export function toResult({ content, structuredContent, isError }: CallToolResult): ToolResult {
  const texts = content.map(textOf).filter((text) => structuredContent === undefined || !isSame(text, structuredContent));
  const all = [...texts, ...(structuredContent === undefined ? [] : [JSON.stringify(structuredContent)])].join("\n");
  if (Buffer.byteLength(all) > largestResultBytes) return tooMuch();
  return { content: all, isError: isError === true };
}

/** Servers repeat what is structured as text, for clients that know only that. */
function isSame(text: string, value: unknown): boolean {
  if (!/^\s*[{[]/.test(text)) return false;
  try {
    return canonicalJson(JSON.parse(text)) === canonicalJson(value);
  } catch {
    return false;
  }
}

function textOf(block: ContentBlock): string {
  switch (block.type) {
    case "text":
      return block.text;
    case "image":
    case "audio":
      return describeBytes(`${block.type}: ${block.mimeType}`, Buffer.byteLength(block.data, "base64"));
    case "resource_link":
      return `[${[`resource: ${block.uri}`, block.title ?? block.name, block.description].filter((part) => part !== undefined && part !== "").join(", ")}]`;
    case "resource": {
      const { resource } = block;
      if ("text" in resource) return `[resource: ${resource.uri}]\n${resource.text}`;
      return describeBytes([`resource: ${resource.uri}`, resource.mimeType].filter((part) => part !== undefined).join(", "), Buffer.byteLength(resource.blob, "base64"));
    }
  }
}

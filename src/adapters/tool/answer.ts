import type { ToolResult } from "../../ports/tool.ts";

/** More than any model reads; a tool that says more than this was asked too much. */
export const largestResultBytes = 1024 * 1024;

export function failed(content: string): ToolResult {
  return { content, isError: true };
}

/** The call was broken off, or lost. */
export function unclear(content: string): ToolResult {
  return { ...failed(`${content}. What it has done by then is unknown`), isUnknown: true };
}

export function tooMuch(): ToolResult {
  return failed(`The result is larger than ${largestResultBytes / 1024} KiB. Ask for less at once`);
}

/** In the words of a model that may try something else. */
export function tooLong(timeoutMs: number): ToolResult {
  return unclear(`The tool was stopped: it did not finish within ${timeoutMs / 1000} s`);
}

/** Of what a model cannot read it is told what it is. */
export function describeBytes(kind: string, sizeBytes: number): string {
  return `[${kind}, ${sizeBytes < 1024 ? `${sizeBytes} bytes` : `${Math.round(sizeBytes / 1024)} KiB`}]`;
}

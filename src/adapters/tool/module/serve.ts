import { dirname, sep } from "node:path";
import { pathToFileURL } from "node:url";
import type { MessagePort } from "node:worker_threads";
import type { ToolResult } from "../../../ports/tool.ts";
import { failed, largestResultBytes, tooMuch } from "../answer.ts";
import { loadTool, type ModuleTool } from "./load.ts";
import type { Asked, Told } from "./message.ts";

/** The thread's side: loads the module, and calls it for each message. */
export async function serveTool(file: string, port: MessagePort): Promise<void> {
  const tell = (told: Told): void => port.postMessage(told);
  const calls = new Map<number, AbortController>();
  let tool: ModuleTool;
  try {
    tool = await loadTool(file);
  } catch (error) {
    return tell({ type: "unusable", reason: `${messageOf(error)}${placeOf(error, file)}` });
  }
  port.on("message", (asked: Asked) => {
    if (asked.type === "ping") return tell({ type: "pong" });
    if (asked.type === "abort") return calls.get(asked.id)?.abort();
    const { id, given, facts } = asked;
    const controller = new AbortController();
    calls.set(id, controller);
    void callTool(tool, given, { ...facts, signal: controller.signal }).then((result) => {
      calls.delete(id);
      tell({ type: "result", id, result });
    });
  });
  const { description, parameters } = tool;
  tell({ type: "loaded", tool: { ...(description === undefined ? {} : { description }), ...(parameters === undefined ? {} : { parameters }) } });
}

/** The line of the module, or of a file beside it, where Node says it: ` (order.ts:3)`. */
function placeOf(error: unknown, file: string): string {
  const folder = dirname(file);
  const stack = ((error instanceof Error && error.stack) || "").replaceAll(`${pathToFileURL(folder).href}/`, `${folder}${sep}`);
  const place = /^[^\s():]+:\d+/.exec(stack.split(`${folder}${sep}`)[1] ?? "")?.[0];
  return place === undefined ? "" : ` (${place})`;
}

/** What it throws is for the model, in its own words and without a stack. */
async function callTool(tool: ModuleTool, given: unknown, context: Parameters<ModuleTool["execute"]>[1]): Promise<ToolResult> {
  try {
    const parsed = await tool.parse(given);
    if ("problems" in parsed) return failed(parsed.problems);
    const content = written(await tool.execute(parsed.value, context));
    return Buffer.byteLength(content) > largestResultBytes ? tooMuch() : { content, isError: false };
  } catch (error) {
    return failed(messageOf(error));
  }
}

/** Text as it is, and any other value as JSON. */
function written(value: unknown): string {
  return typeof value === "string" ? value : (JSON.stringify(value) ?? "null");
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

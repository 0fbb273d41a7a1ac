import { readFile } from "node:fs/promises";
import { isAbsolute, join, normalize } from "node:path";
import { type Problem, TwelveError } from "../../../core/errors.ts";
import { schemaProblems } from "../../../core/problems.ts";
import { parseYaml } from "../../../core/yaml.ts";
import type { Message, ModelRequest } from "../../../ports/model.ts";
import { Script, type ScriptedAnswer, type ScriptedReply, type When } from "./script-schema.ts";
import { questionOf } from "./words.ts";

/**
 * Reads the script `file` of the application in `dir`. A build packages it with the code, and a release answers by what was
 * packaged, so it must lie inside. Fails with SCRIPT_INVALID, naming each problem's place.
 */
export async function readScript(file: string, dir: string): Promise<Script> {
  const path = normalize(file);
  if (file === "" || isAbsolute(path) || /^\.\.(?:[/\\]|$)/.test(path)) {
    throw new TwelveError("SCRIPT_INVALID", `mock:script:${file} names no file inside the application's folder`, { fix: "Write its path from that folder, such as mock:script:evals/model.yaml" });
  }
  const yaml = parseYaml(await readText(join(dir, path), file), file);
  if ("problems" in yaml) throw invalid(file, yaml.problems);
  const result = Script.safeParse(yaml.source.value ?? {});
  if (!result.success) throw invalid(file, schemaProblems(result.error, Script, yaml.source));
  return result.data;
}

async function readText(path: string, file: string): Promise<string> {
  try {
    return await readFile(path, "utf8");
  } catch (cause) {
    const code = cause instanceof Error && "code" in cause ? cause.code : undefined;
    if (code !== "ENOENT" && code !== "ENOTDIR") throw new TwelveError("SCRIPT_INVALID", `The script ${file} cannot be read: ${cause instanceof Error ? cause.message : String(cause)}`, { cause, fix: `Make ${file} a readable file` });
    throw new TwelveError("SCRIPT_INVALID", `The application has no script ${file}`, { cause, fix: `Correct the path. A release has only what its build packaged: \`git add ${file}\`, then build and release again` });
  }
}

function invalid(file: string, problems: readonly Problem[]): TwelveError {
  return new TwelveError("SCRIPT_INVALID", `The script ${file} has ${problems.length === 1 ? "a problem" : `${problems.length} problems`}`, { problems });
}

/** What the script says to a conversation: nothing but the conversation decides. Undefined where no reply fits, or its sequence is at its end. */
export function findAnswer({ replies }: Script, request: Pick<ModelRequest, "question" | "messages">): ScriptedAnswer | undefined {
  const { messages } = request;
  const facts = { question: questionOf(request), turn: turnOf(messages), tool: lastTool(messages) };
  const reply = replies.find(({ when }) => when === undefined || holds(when, facts));
  return reply?.sequence === undefined ? reply : stepOf(reply, messages);
}

interface Facts {
  readonly question: string;
  readonly turn: number;
  readonly tool: string | undefined;
}

function holds({ contains, matches, turn, tool }: When, facts: Facts): boolean {
  if (contains !== undefined && !facts.question.toLowerCase().includes(contains.toLowerCase())) return false;
  if (matches !== undefined && !new RegExp(matches, "iu").test(facts.question)) return false;
  if (turn !== undefined && turn !== facts.turn) return false;
  return tool === undefined || tool === facts.tool;
}

export function turnOf(messages: readonly Message[]): number {
  return messages.filter(({ role }) => role === "assistant").length + 1;
}

function stepOf({ sequence = [] }: ScriptedReply, messages: readonly Message[]): ScriptedAnswer | undefined {
  const asked = messages.findLastIndex(({ role }) => role === "user");
  return sequence[turnOf(messages.slice(asked + 1)) - 1];
}

function lastTool(messages: readonly Message[]): string | undefined {
  const last = messages.at(-1);
  if (last?.role !== "tool") return undefined;
  return messages.flatMap(({ toolCalls = [] }) => toolCalls).findLast(({ id }) => id === last.toolCallId)?.name;
}

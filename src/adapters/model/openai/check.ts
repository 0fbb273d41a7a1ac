import { TwelveError } from "../../../core/errors.ts";
import { didYouMean } from "../../../core/nearest.ts";
import type { ServiceCheck } from "../../../ports/check.ts";
import { requestJson } from "../../http/client.ts";
import { fieldsOf, listOf, textOf } from "../../http/unchecked.ts";
import { endpointOf } from "../../openai/server.ts";
import { unlessDenied } from "../denied.ts";
import type { ChatTarget } from "./reference.ts";

const longestCheckMs = 15_000;

export async function checkServer(target: ChatTarget, signal?: AbortSignal): Promise<ServiceCheck> {
  return look(target, signal).catch((error: unknown) => unlessDenied(error, null));
}

/** OpenAI is asked for the model, other servers for their list, which more of them have. */
async function look({ service, base, model, headers, isOpenai, timeoutMs = longestCheckMs }: ChatTarget, signal?: AbortSignal): Promise<ServiceCheck> {
  const url = endpointOf(base, isOpenai ? `models/${encodeURIComponent(model)}` : "models");
  const ask = requestJson({ service, url, headers, signal, timeoutMs: Math.min(timeoutMs, longestCheckMs), maxAnswerBytes: 32 * 1024 * 1024 });
  if (isOpenai) return { version: null, ...lifeOf(await ask) };
  const answer = await ask.catch((error: unknown) => {
    if (error instanceof TwelveError && error.code === "SERVICE_NOT_FOUND") return undefined;
    throw error;
  });
  const entries = listOf(fieldsOf(answer)["data"] ?? answer);
  const names = entries.flatMap((entry) => textOf(fieldsOf(entry)["id"]) ?? []);
  if (names.length === 0) return { version: null, detail: "the server does not list its models", isModelUnknown: true };
  // Ollama lists the tag that a name without one stands for, and Gemini a folder before the name; a pattern stands for any.
  const isListed = names.some((name) => name === model || name === `${model}:latest` || name === `models/${model}` || (name.includes("*") && matches(name, model)));
  if (isListed) return { version: null, detail: names.length === 1 ? "1 model" : `${names.length} models`, ...lifeOf(entries.find((entry) => fieldsOf(entry)["id"] === model)) };
  throw new TwelveError("SERVICE_NOT_FOUND", `${service.name}: the server does not list the model ${model}.${didYouMean(model, names)} It lists ${named(names)}`, { fix: "Correct the model's name in the reference, or load the model at the server" });
}

/** Servers that are not OpenAI's say nothing, as a rule; null is a model without an end that was announced. */
function lifeOf(entry: unknown): Pick<ServiceCheck, "lifecycle"> {
  const day = fieldsOf(entry)["shutdown_date"];
  if (day === null) return { lifecycle: { state: "active", endOfLife: null } };
  return typeof day === "string" && /^\d{4}-\d\d-\d\d/.test(day) ? { lifecycle: { state: "legacy", endOfLife: day.slice(0, 10) } } : {};
}

const shownNames = 5;

function named(names: readonly string[]): string {
  const more = names.length - shownNames;
  return `${names.slice(0, shownNames).join(", ")}${more > 0 ? ` and ${more} more` : ""}`;
}

function matches(pattern: string, model: string): boolean {
  const parts = pattern.split("*").map((part) => part.replaceAll(/[.+?^${}()|[\]\\]/g, "\\$&"));
  return new RegExp(`^${parts.join(".*")}$`).test(model);
}

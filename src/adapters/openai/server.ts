import type { Environment } from "../../ports/context.ts";
import { refuseCredentials, splitQuery, unusable } from "../http/options.ts";
import { type HttpService, readBase, readKey } from "../http/service.ts";

/** A server that speaks OpenAI's API, and what is asked of it. */
export interface OpenaiServer {
  readonly model: string;
  readonly service: HttpService;
  /** Such as `https://api.openai.com/v1`; it may have a query. */
  readonly base: string;
  readonly headers: Readonly<Record<string, string>>;
  /** OpenAI itself, which answers nothing without a key. */
  readonly isOpenai: boolean;
}

/** What a reference says after its address. */
export interface Named {
  readonly model: string;
  readonly query: string;
}

const openaiUrl = "https://api.openai.com/v1";

/** `openai:<model>[?options]`; `example` is a model. Fails with SERVICE_UNSUPPORTED. */
export function splitOpenaiReference(reference: string, example: string): Named {
  return splitModel(reference.slice("openai:".length), { reference, example });
}

/** `https://host/v1#<model>[?options]`. Fails with SERVICE_UNSUPPORTED. */
export function splitCompatibleReference(reference: string, { keyName, example }: { readonly keyName: string; readonly example: string }): Named & { readonly base: string } {
  // An empty fragment is a missing model, said below, and an empty query is none.
  refuseCredentials(reference.replace(/[#?]+$/, ""), keyName);
  const [base = "", ...rest] = reference.split("#");
  if (!URL.canParse(base)) throw unusable(reference, "is not a URL", "Write https://host/v1#model");
  return { base, ...splitModel(rest.join("#"), { reference, example }) };
}

/** OpenAI, or what OPENAI_BASE_URL puts in its place. */
export function openaiServer(model: string, reference: string, env: Environment): OpenaiServer {
  const base = readBase(env, "OPENAI_BASE_URL", { reference, own: openaiUrl });
  const accounts = { "OpenAI-Organization": readKey(env, "OPENAI_ORG_ID"), "OpenAI-Project": readKey(env, "OPENAI_PROJECT_ID") };
  const headers = Object.entries(accounts).flatMap(([name, value]) => (value === undefined ? [] : [[name, value] as const]));
  const service = { name: `openai:${model}`, keyName: "OPENAI_API_KEY", key: readKey(env, "OPENAI_API_KEY") };
  return { model, service, base, headers: Object.fromEntries(headers), isOpenai: new URL(base).hostname === "api.openai.com" };
}

/** Any server, with the key of that name. */
export function compatibleServer(base: string, model: string, { env, keyName }: { readonly env: Environment; readonly keyName: string }): OpenaiServer {
  const service = { name: `${base}#${model}`, keyName, key: keyFor(base, env, keyName) };
  return { model, service, base, headers: {}, isOpenai: new URL(base).hostname === "api.openai.com" };
}

/** OPENAI_API_KEY goes to OpenAI, or to the place that OPENAI_BASE_URL names, and to nobody else. */
function keyFor(base: string, env: Environment, keyName: string): string | undefined {
  const own = readKey(env, keyName);
  if (own !== undefined) return own;
  const theirs = [openaiUrl, env["OPENAI_BASE_URL"]?.trim() ?? ""].filter((url) => URL.canParse(url)).map((url) => new URL(url).origin);
  return theirs.includes(new URL(base).origin) ? readKey(env, "OPENAI_API_KEY") : undefined;
}

function splitModel(text: string, { reference, example }: { readonly reference: string; readonly example: string }): Named {
  const [model, query] = splitQuery(text);
  if (model === "" || /\s/.test(model)) throw unusable(reference, "names no model", `Write openai:${example} or https://host/v1#model; in a .env file within quotes, for the sign # begins a comment there`);
  return { model, query };
}

/** Below the path, and before a query that the address may have. */
export function endpointOf(base: string, path: string): string {
  const url = new URL(base);
  url.hash = "";
  url.pathname = `${url.pathname.replace(/\/+$/, "")}/${path}`;
  return url.href;
}

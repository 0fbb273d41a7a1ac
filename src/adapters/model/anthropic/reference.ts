import type { Environment } from "../../../ports/context.ts";
import { type Options, readChoice, readCount, readOptions, readTimeoutMs, splitQuery, unusable } from "../../http/options.ts";
import { type HttpService, readBase, readKey } from "../../http/service.ts";
import { readHeaders } from "./headers.ts";

/** A model behind Anthropic's Messages API, wherever it is. */
export interface MessagesTarget {
  readonly model: string;
  readonly service: HttpService;
  /** Without `/v1`. */
  readonly base: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly version: ApiVersion;
  /** Anthropic itself, which answers nothing without a key. */
  readonly isAnthropic: boolean;
  /** Sent where a request does not say: the API insists on a number. */
  readonly maxOutput: number;
  readonly thinking: Thinking | undefined;
  readonly effort: string | undefined;
  readonly timeoutMs: number | undefined;
}

export type ApiVersion = (typeof versions)[number];
export type Thinking = { readonly type: "adaptive" | "disabled" | "between_tools" } | { readonly type: "enabled"; readonly budget_tokens: number };

const versions = ["2026-10-21", "2023-06-01"] as const;
const anthropicUrl = "https://api.anthropic.com";
/** Every model that is served takes it, and few answers are longer. */
const defaultMaxOutput = 8192;
const leastThinking = 1024;
const efforts = ["low", "medium", "high", "xhigh", "max"];

/** `anthropic:<model>[?version=…&maxOutput=…&thinking=…&effort=…&timeoutMs=…]`, at ANTHROPIC_BASE_URL where that is set. Fails with SERVICE_UNSUPPORTED. */
export function readReference(reference: string, env: Environment): MessagesTarget {
  const [model, query] = splitQuery(reference.slice("anthropic:".length));
  if (model === "" || /\s/.test(model)) throw unusable(reference, "names no model", "Write anthropic:claude-sonnet-5 or the like");
  const options = readOptions(query, reference, ["version", "maxOutput", "thinking", "effort", "timeoutMs"]);
  const version = readChoice(options, "version", { reference, choices: versions }) ?? versions[0];
  const base = readBase(env, "ANTHROPIC_BASE_URL", { reference, own: anthropicUrl }).replace(/\/+$/, "");
  if (base.endsWith("/v1")) throw unusable(reference, "cannot be reached: ANTHROPIC_BASE_URL ends in /v1, which is added to it", "Set ANTHROPIC_BASE_URL to the address without /v1");
  return {
    model, version, base, service: { name: `anthropic:${model}`, ...readCredentials(env, version) }, headers: { ...readHeaders(env), "anthropic-version": version },
    isAnthropic: new URL(base).hostname === "api.anthropic.com", maxOutput: readCount(options, "maxOutput", { reference, least: 1, most: 1_000_000 }) ?? defaultMaxOutput,
    thinking: readThinking(options, reference), effort: readChoice(options, "effort", { reference, choices: efforts }), timeoutMs: readTimeoutMs(options, reference),
  };
}

/** The key before the token, as Anthropic's own clients choose. A token is always a bearer's; the older version has a header for keys. */
function readCredentials(env: Environment, version: ApiVersion): Pick<HttpService, "key" | "keyName" | "keyHeader"> {
  const key = readKey(env, "ANTHROPIC_API_KEY");
  const token = readKey(env, "ANTHROPIC_AUTH_TOKEN");
  if (key === undefined && token !== undefined) return { keyName: "ANTHROPIC_AUTH_TOKEN", key: token };
  return { keyName: "ANTHROPIC_API_KEY", key, ...(version === "2023-06-01" ? { keyHeader: "x-api-key" } : {}) };
}

function readThinking(options: Options, reference: string): Thinking | undefined {
  const { thinking } = options;
  if (thinking === undefined) return undefined;
  if (thinking === "adaptive" || thinking === "disabled" || thinking === "between_tools") return { type: thinking };
  if (/^[0-9]{1,7}$/.test(thinking) && Number(thinking) >= leastThinking) return { type: "enabled", budget_tokens: Number(thinking) };
  throw unusable(reference, `gives thinking as "${thinking}"; expected adaptive, disabled, between_tools or a number of tokens from ${leastThinking}`);
}

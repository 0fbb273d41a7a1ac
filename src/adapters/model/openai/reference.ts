import type { Environment } from "../../../ports/context.ts";
import { type Options, readChoice, readOptions, readTimeoutMs, unusable } from "../../http/options.ts";
import { compatibleServer, endpointOf, type OpenaiServer, openaiServer, splitCompatibleReference, splitOpenaiReference } from "../../openai/server.ts";

/** A chat model behind the OpenAI API, wherever it is. */
export interface ChatTarget extends OpenaiServer {
  readonly provider: string;
  readonly url: string;
  readonly limitName: LimitName;
  /** The reference says so, and no other name is tried. */
  readonly isLimitNameFixed: boolean;
  readonly reasoningEffort: string | undefined;
  readonly timeoutMs: number | undefined;
}

/** What the server calls the most tokens an answer may have. */
export type LimitName = (typeof limitNames)[number];

const limitNames = ["max_tokens", "max_completion_tokens"] as const;
const optionNames = ["limitName", "reasoningEffort", "timeoutMs"];
const example = "gpt-5.2";
const compatibleKeyName = "MODEL_API_KEY";

/** `gen_ai.provider.name` of hosts that have one. */
const providers: readonly (readonly [host: RegExp, provider: string])[] = [
  [/^api\.openai\.com$/, "openai"], [/\.openai\.azure\.com$/, "azure.ai.openai"], [/\.services\.ai\.azure\.com$/, "azure.ai.inference"],
  [/^bedrock-(mantle|runtime)\..*\.(aws|amazonaws\.com)$/, "aws.bedrock"], [/^generativelanguage\.googleapis\.com$/, "gcp.gemini"], [/^api\.deepseek\.com$/, "deepseek"],
  [/^api\.groq\.com$/, "groq"], [/^api\.mistral\.ai$/, "mistral_ai"], [/^api\.perplexity\.ai$/, "perplexity"], [/^api\.x\.ai$/, "x_ai"],
];

/** `openai:<model>[?options]`, at OPENAI_BASE_URL where that is set. Fails with SERVICE_UNSUPPORTED. */
export function readOpenaiReference(reference: string, env: Environment): ChatTarget {
  const { model, query } = splitOpenaiReference(reference, example);
  const options = readOptions(query, reference, optionNames);
  return target(openaiServer(model, reference, env), { options, reference, provider: "openai" });
}

/** `https://host/v1#<model>[?options]`. Fails with SERVICE_UNSUPPORTED. */
export function readCompatibleReference(reference: string, env: Environment): ChatTarget {
  const { base, model, query } = splitCompatibleReference(reference, { keyName: compatibleKeyName, example });
  const options = readOptions(query, reference, [...optionNames, "keyName"]);
  const { keyName = compatibleKeyName } = options;
  if (!/^[A-Za-z_][A-Za-z0-9_]*$/.test(keyName)) throw unusable(reference, `gives keyName as "${keyName}"; expected the name of an environment variable`);
  const { hostname } = new URL(base);
  const provider = providers.find(([host]) => host.test(hostname))?.[1] ?? "openai-compatible";
  return target(compatibleServer(base, model, { env, keyName }), { options, reference, provider });
}

function target(server: OpenaiServer, { options, reference, provider }: { readonly options: Options; readonly reference: string; readonly provider: string }): ChatTarget {
  const limitName = readChoice(options, "limitName", { reference, choices: limitNames });
  return {
    ...server, provider, url: endpointOf(server.base, "chat/completions"), reasoningEffort: options["reasoningEffort"], timeoutMs: readTimeoutMs(options, reference),
    // Others know the older name, and many no other; OpenAI's reasoning models refuse that one.
    limitName: limitName ?? (server.isOpenai ? "max_completion_tokens" : "max_tokens"), isLimitNameFixed: limitName !== undefined,
  };
}

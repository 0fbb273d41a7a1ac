import type { BedrockRuntimeClientConfig } from "@aws-sdk/client-bedrock-runtime";
import { TwelveError } from "../../core/errors.ts";
import type { Environment } from "../../ports/context.ts";
import { readKey } from "../http/service.ts";
import { bedrockFailure } from "./bedrock-failure.ts";

const connectTimeoutMs = 10_000;
const defaultTimeoutMs = 120_000;
const connectionsPerHost = 64;

export interface BedrockOptions {
  readonly env: Environment;
  /** The reference without options, for messages. */
  readonly name: string;
  readonly region: string | undefined;
  readonly timeoutMs: number | undefined;
}

export interface BedrockRuntime {
  /** InvokeModel with a JSON body: one attempt. Fails with the SERVICE_ codes; an aborted signal ends it with the signal's reason. */
  invoke(modelId: string, body: unknown, signal?: AbortSignal): Promise<unknown>;
}

/** Fails with SERVICE_UNSUPPORTED where no region is named. */
export async function openBedrockRuntime({ env, name, region: wanted, timeoutMs = defaultTimeoutMs }: BedrockOptions): Promise<BedrockRuntime> {
  const [{ default: sdk }, { default: http }] = await Promise.all([import("@aws-sdk/client-bedrock-runtime"), import("@smithy/node-http-handler")]);
  const region = wanted ?? (env["AWS_REGION"] || env["AWS_DEFAULT_REGION"] || undefined);
  const client = new sdk.BedrockRuntimeClient({
    ...(region === undefined ? {} : { region }),
    ...endpointIn(env),
    ...credentialsIn(env),
    // Whoever calls decides about retries; the SDK's own would multiply with them.
    maxAttempts: 1,
    // HTTP/1.1: the SDK's HTTP/2 fails with a bare "Protocol error" at any server or proxy that does not speak it.
    requestHandler: new http.NodeHttpHandler({ connectionTimeout: connectTimeoutMs, httpAgent: { maxSockets: connectionsPerHost }, httpsAgent: { maxSockets: connectionsPerHost } }),
  });
  await client.config.region().catch(() => {
    throw new TwelveError("SERVICE_UNSUPPORTED", `${name} needs an AWS region, and none is named`, { fix: `Set AWS_REGION, or write it into the reference: ${name}?region=us-east-1` });
  });

  async function send(modelId: string, body: unknown, abortSignal: AbortSignal): Promise<unknown> {
    const answer = await client.send(new sdk.InvokeModelCommand({ modelId, contentType: "application/json", accept: "application/json", body: JSON.stringify(body) }), { abortSignal });
    try {
      return JSON.parse(new TextDecoder().decode(answer.body));
    } catch {
      throw new TwelveError("SERVICE_FAILED", `${name} answered something that is not JSON`, { fix: "Check that the endpoint is Bedrock's, and not that of a proxy before it" });
    }
  }

  return {
    async invoke(modelId, body, signal) {
      signal?.throwIfAborted();
      const controller = new AbortController();
      const tooSlow = new TwelveError("SERVICE_TIMEOUT", `${name} did not answer within ${timeoutMs} ms`, { retry: { afterMs: null }, fix: "Try again; `timeoutMs` in the reference gives it more time" });
      const onAbort = (): void => controller.abort(signal?.reason);
      const timer = setTimeout(() => controller.abort(tooSlow), timeoutMs);
      signal?.addEventListener("abort", onAbort, { once: true });
      try {
        return await send(modelId, body, controller.signal);
      } catch (error) {
        if (controller.signal.aborted) throw controller.signal.reason;
        if (error instanceof TwelveError) throw error;
        throw bedrockFailure(error, { name, url: endpointIn(env).endpoint ?? `https://bedrock-runtime.${region ?? "region"}.amazonaws.com` });
      } finally {
        clearTimeout(timer);
        signal?.removeEventListener("abort", onAbort);
      }
    },
  };
}

/** The SDK looks into the process environment by itself; what the configuration declares as secret is only in `env`. */
function credentialsIn(env: Environment): Pick<BedrockRuntimeClientConfig, "credentials" | "token" | "authSchemePreference"> {
  const token = readKey(env, "AWS_BEARER_TOKEN_BEDROCK");
  if (token !== undefined) return { token: { token }, authSchemePreference: ["httpBearerAuth"] };
  const [accessKeyId, secretAccessKey, sessionToken] = ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"].map((key) => readKey(env, key));
  if (accessKeyId === undefined || secretAccessKey === undefined) return {};
  return { credentials: { accessKeyId, secretAccessKey, ...(sessionToken === undefined ? {} : { sessionToken }) } };
}

function endpointIn(env: Environment): { readonly endpoint?: string } {
  const endpoint = env["AWS_ENDPOINT_URL_BEDROCK_RUNTIME"] || env["AWS_ENDPOINT_URL"];
  return endpoint ? { endpoint } : {};
}

import type { ConverseStreamCommandInput, ConverseStreamOutput } from "@aws-sdk/client-bedrock-runtime";
import { TwelveError } from "../../core/errors.ts";
import { bedrockFailure } from "./bedrock-failure.ts";
import { callOnce, streamOnce } from "./call.ts";
import { bedrockToken, type ClientOptions, clientConfig, regionOf } from "./client-config.ts";
import { warm } from "./warm.ts";

const embeddingTimeoutMs = 120_000;

export interface BedrockRuntime {
  /** Where it is asked. */
  readonly url: string;
  readonly region: string;
  /** InvokeModel with a JSON body: one attempt. Fails with the SERVICE_ codes; an aborted signal ends it with the signal's reason. */
  invoke(modelId: string, body: unknown, signal?: AbortSignal): Promise<unknown>;
  /** Makes the first call as fast as later ones. Never fails. */
  warm(signal?: AbortSignal): Promise<void>;
  /** ConverseStream: one attempt, and the events as they come. `onAccepted` is told the request's ID. */
  converse(input: ConverseStreamCommandInput, onAccepted: (requestId: string | undefined) => void, signal?: AbortSignal): AsyncGenerator<ConverseStreamOutput, void>;
}

/** Fails with SERVICE_UNSUPPORTED where no region is named. */
export async function openBedrockRuntime({ env, name, region: wanted, timeoutMs }: ClientOptions): Promise<BedrockRuntime> {
  const [{ default: sdk }, config] = await Promise.all([import("@aws-sdk/client-bedrock-runtime"), clientConfig(env, { service: "BEDROCK_RUNTIME", name, region: wanted })]);
  const client = new sdk.BedrockRuntimeClient({ ...config, ...bedrockToken(env) });
  const region = await regionOf(client, name);
  const url = config.endpoint ?? `https://bedrock-runtime.${region}.amazonaws.com`;
  return {
    url,
    region,
    invoke: (modelId, body, signal) => callOnce({
      name, timeoutMs: timeoutMs ?? embeddingTimeoutMs, signal,
      async send(abortSignal) {
        const answer = await client.send(new sdk.InvokeModelCommand({ modelId, contentType: "application/json", accept: "application/json", body: JSON.stringify(body) }), { abortSignal });
        return parse(answer.body, name);
      },
      failure: (error) => bedrockFailure(error, { name, url }),
    }),
    warm: (signal) => warm(client.config, url, signal),
    converse(input, onAccepted, signal) {
      let requestId: string | undefined;
      return streamOnce({
        name, timeoutMs, signal,
        async open(abortSignal) {
          const { $metadata, stream } = await client.send(new sdk.ConverseStreamCommand(input), { abortSignal });
          requestId = $metadata.requestId;
          onAccepted(requestId);
          if (stream === undefined) throw new TwelveError("SERVICE_CUT", `${name} accepted the request and gave no answer`, { retry: { afterMs: null } });
          return stream;
        },
        failure: (error, hasBegun) => bedrockFailure(error, { name, url, hasBegun, requestId }),
      });
    },
  };
}

function parse(body: Uint8Array, name: string): unknown {
  try {
    return JSON.parse(new TextDecoder().decode(body));
  } catch {
    throw new TwelveError("SERVICE_FAILED", `${name} answered something that is not JSON`, { fix: "Check that the endpoint is Bedrock's, and not that of a proxy before it" });
  }
}

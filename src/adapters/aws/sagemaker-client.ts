import type { InvokeEndpointWithResponseStreamInput, ResponseStream } from "@aws-sdk/client-sagemaker-runtime";
import { TwelveError } from "../../core/errors.ts";
import { callOnce, streamOnce } from "./call.ts";
import { type ClientOptions, clientConfig, regionOf } from "./client-config.ts";
import { modelFailure } from "./model-failure.ts";

const checkTimeoutMs = 15_000;

const fixes = {
  none: "Set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or AWS_PROFILE after `aws sso login`, or run where a role is given to the process",
  SERVICE_UNAUTHENTICATED: "Renew or correct AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and AWS_SESSION_TOKEN, or the profile; check the machine's clock",
  SERVICE_DENIED: "Allow sagemaker:InvokeEndpoint and sagemaker:InvokeEndpointWithResponseStream on this endpoint in the policies of the user or role",
  SERVICE_NOT_FOUND: "Check the endpoint's name, the region and the account",
  SERVICE_REJECTED: "Correct what the container names above; `format` in the reference says which payload it is sent",
} as const;

type Place = Pick<InvokeEndpointWithResponseStreamInput, "EndpointName" | "InferenceComponentName" | "TargetVariant">;

/** The head of an answer, and then its bytes, cut anywhere. */
export type AnswerPart = { readonly type: "begin"; readonly requestId: string | undefined; readonly contentType: string } | { readonly type: "bytes"; readonly bytes: Uint8Array };

export interface SagemakerRuntime {
  /** Where it is asked. */
  readonly url: string;
  /** One attempt, streamed by the endpoint or in one piece. Fails with the SERVICE_ codes; an aborted signal ends it with the signal's reason. */
  invoke(place: Place, body: unknown, how: { readonly isStream: boolean; readonly signal: AbortSignal | undefined }): AsyncGenerator<AnswerPart, void>;
  /** One attempt without reading the answer. */
  probe(place: Place, body: unknown, signal: AbortSignal | undefined): Promise<void>;
}

/** Fails with SERVICE_UNSUPPORTED where no region is named. */
export async function openSagemakerRuntime({ env, name, region: wanted, timeoutMs }: ClientOptions): Promise<SagemakerRuntime> {
  const [{ default: sdk }, config] = await Promise.all([import("@aws-sdk/client-sagemaker-runtime"), clientConfig(env, { service: "SAGEMAKER_RUNTIME", name, region: wanted })]);
  const client = new sdk.SageMakerRuntimeClient(config);
  const region = await regionOf(client, name);
  const url = config.endpoint ?? `https://runtime.sagemaker.${region}.amazonaws.com`;
  const input = (place: Place, body: unknown) => ({ ...place, ContentType: "application/json", Body: Buffer.from(JSON.stringify(body)) });

  async function whole(place: Place, body: unknown, abortSignal: AbortSignal): Promise<Answer> {
    const { Body: bytes, ContentType: contentType = "", $metadata: { requestId } } = await client.send(new sdk.InvokeEndpointCommand({ ...input(place, body), Accept: "application/json" }), { abortSignal });
    return { requestId, contentType, parts: [bytes] };
  }

  async function streamed(place: Place, body: unknown, abortSignal: AbortSignal): Promise<Answer> {
    const { Body: events, ContentType: contentType = "", $metadata: { requestId } } = await client.send(new sdk.InvokeEndpointWithResponseStreamCommand(input(place, body)), { abortSignal });
    if (events === undefined) throw new TwelveError("SERVICE_CUT", `${name} accepted the request and gave no answer`, { retry: { afterMs: null } });
    return { requestId, contentType, parts: bytesOf(events) };
  }

  return {
    url,
    invoke(place, body, { isStream, signal }) {
      let requestId: string | undefined;
      return streamOnce({
        name, timeoutMs, signal,
        async open(abortSignal) {
          const answer = await (isStream ? streamed : whole)(place, body, abortSignal);
          requestId = answer.requestId;
          return partsOf(answer);
        },
        failure: (error, hasBegun) => modelFailure(error, { name, url, fixes, hasBegun, requestId }),
      });
    },
    probe: (place, body, signal) => callOnce({
      name, timeoutMs: Math.min(timeoutMs ?? checkTimeoutMs, checkTimeoutMs), signal,
      send: async (abortSignal) => void (await client.send(new sdk.InvokeEndpointCommand(input(place, body)), { abortSignal })),
      failure: (error) => modelFailure(error, { name, url, fixes }),
    }),
  };
}

interface Answer {
  readonly requestId: string | undefined;
  readonly contentType: string;
  readonly parts: AsyncIterable<Uint8Array> | readonly Uint8Array[];
}

async function* partsOf({ requestId, contentType, parts }: Answer): AsyncGenerator<AnswerPart> {
  yield { type: "begin", requestId, contentType };
  for await (const bytes of parts) yield { type: "bytes", bytes };
}

async function* bytesOf(events: AsyncIterable<ResponseStream>): AsyncGenerator<Uint8Array> {
  for await (const { PayloadPart: part } of events) if (part?.Bytes !== undefined) yield part.Bytes;
}

import type { GetObjectCommandOutput } from "@aws-sdk/client-s3";
import { TwelveError } from "../../../core/errors.ts";
import type { Environment } from "../../../ports/context.ts";
import type { OpenOptions, Origin, OriginFile } from "../../../ports/origin.ts";

/** The objects below `s3://bucket/prefix`. Region, endpoint and credentials come from the environment, as for every AWS tool. */
export async function openOrigin(reference: string, env: Environment): Promise<Origin> {
  const { bucket, prefix } = parseReference(reference);
  const { GetObjectCommand, S3Client } = await import("@aws-sdk/client-s3");
  const client = new S3Client(settingsFrom(env));

  async function open(path: string, { resume, signal }: OpenOptions = {}): Promise<OriginFile | undefined> {
    const range = resume === undefined ? {} : { Range: `bytes=${resume.start}-`, IfMatch: resume.version };
    let answer: GetObjectCommandOutput;
    try {
      answer = await client.send(new GetObjectCommand({ Bucket: bucket, Key: prefix + path, ...range }), signal === undefined ? {} : { abortSignal: signal });
    } catch (error) {
      if (signal?.aborted === true) throw signal.reason;
      const status = statusOf(error);
      // The object is another one by now: from the start, then.
      if (resume !== undefined && (status === 412 || status === 416)) return open(path, signal === undefined ? {} : { signal });
      // A missing bucket is 404 too, but no file of it can ever be found.
      if (status === 404 && nameOf(error) !== "NoSuchBucket") return undefined;
      throw failure(`${reference} gave no ${path}`, error);
    }
    const whole = /\/(\d+)$/.exec(answer.ContentRange ?? "")?.[1];
    return {
      start: whole === undefined ? 0 : (resume?.start ?? 0),
      sizeBytes: whole === undefined ? answer.ContentLength : Number(whole),
      version: answer.ETag,
      bytes: read(answer, `${reference} broke off at ${path}`, signal),
    };
  }

  return { url: reference, open };
}

async function* read({ Body: body }: GetObjectCommandOutput, what: string, signal: AbortSignal | undefined): AsyncGenerator<Uint8Array> {
  if (body === undefined) return;
  try {
    yield* body as unknown as AsyncIterable<Uint8Array>;
  } catch (error) {
    throw signal?.aborted === true ? (signal.reason as Error) : failure(what, error);
  }
}

function settingsFrom(env: Environment): object {
  const { AWS_ACCESS_KEY_ID: accessKeyId, AWS_SECRET_ACCESS_KEY: secretAccessKey, AWS_SESSION_TOKEN: sessionToken } = env;
  const endpoint = env["AWS_ENDPOINT_URL_S3"] || env["AWS_ENDPOINT_URL"];
  const region = env["AWS_REGION"] || env["AWS_DEFAULT_REGION"] || (endpoint ? "us-east-1" : undefined);
  return {
    ...(region === undefined ? {} : { region }),
    // Servers of one's own rarely have a host name for every bucket.
    ...(endpoint ? { endpoint, forcePathStyle: true } : {}),
    // Without these the SDK looks where AWS tools look: profiles, roles, metadata.
    ...(accessKeyId && secretAccessKey ? { credentials: { accessKeyId, secretAccessKey, ...(sessionToken ? { sessionToken } : {}) } } : {}),
    followRegionRedirects: true,
    // Checked against twelve.lock by whoever reads.
    responseChecksumValidation: "WHEN_REQUIRED",
  };
}

function parseReference(reference: string): { readonly bucket: string; readonly prefix: string } {
  const [, bucket, prefix = ""] = /^s3:\/\/([a-z0-9][a-z0-9.-]{1,61}[a-z0-9])(?:\/([^?#]*))?$/.exec(reference) ?? [];
  if (bucket === undefined) throw new TwelveError("SERVICE_UNSUPPORTED", `${reference} names no bucket`, { fix: "Write s3://bucket/prefix" });
  return { bucket, prefix: prefix === "" || prefix.endsWith("/") ? prefix : `${prefix}/` };
}

function failure(what: string, error: unknown): TwelveError {
  const status = statusOf(error);
  const name = nameOf(error);
  const message = `${what}: ${name === "" ? String(error) : `${name}: ${(error as Error).message}`}`;
  const isDenied = status === 401 || status === 403 || name === "CredentialsProviderError";
  if (isDenied) return new TwelveError("SERVICE_DENIED", message, { cause: error });
  if (status === 429 || name === "SlowDown") return new TwelveError("SERVICE_LIMITED", message, { cause: error, retry: { afterMs: null } });
  const mayPass = status === undefined ? name !== "NoSuchBucket" : status >= 500 || status === 200 || status === 206;
  return new TwelveError("SERVICE_FAILED", message, { cause: error, ...(mayPass ? { retry: { afterMs: null } } : {}) });
}

function statusOf(error: unknown): number | undefined {
  return (error as { readonly $metadata?: { readonly httpStatusCode?: number } }).$metadata?.httpStatusCode;
}

function nameOf(error: unknown): string {
  return error instanceof Error ? error.name : "";
}

import type { Readable } from "node:stream";
import type { GetObjectCommandOutput } from "@aws-sdk/client-s3";
import { TwelveError } from "../../../core/errors.ts";
import type { Environment } from "../../../ports/context.ts";
import type { OpenOptions, Origin, OriginFile } from "../../../ports/origin.ts";
import { awsError, awsFailure } from "../../aws/failure.ts";
import { openS3 } from "../../aws/s3.ts";
import { bodyChunks } from "../../aws/s3-body.ts";
import { parseS3Reference, type S3Reference, urlOf } from "../../aws/s3-reference.ts";
import { signalOf } from "../../aws/signal.ts";

/** The objects below `s3://bucket/prefix`. Region, endpoint and credentials come from the environment, as for every AWS tool. */
export async function openOrigin(reference: string, env: Environment): Promise<Origin> {
  const place = parseReference(reference);
  const url = urlOf(place).replace(/\/$/, "");
  const client = await openS3(env);

  async function open(path: string, { resume, signal }: OpenOptions = {}): Promise<OriginFile | undefined> {
    const range = resume === undefined ? {} : { Range: `bytes=${resume.start}-`, IfMatch: resume.version };
    let answer: GetObjectCommandOutput;
    try {
      answer = await client.getObject({ Bucket: place.bucket, Key: place.key + path, ...range }, signalOf(signal));
    } catch (error) {
      if (signal?.aborted === true) throw signal.reason;
      const { status, name } = awsError(error);
      // The object is another one by now: from the start, then.
      if (resume !== undefined && (status === 412 || status === 416)) return open(path, signal === undefined ? {} : { signal });
      // A missing bucket is 404 too, but no file of it can ever be found.
      if (status === 404 && name !== "NoSuchBucket") return undefined;
      throw awsFailure(error, `${url} with ${path}`, "s3:GetObject");
    }
    const whole = /\/(\d+)$/.exec(answer.ContentRange ?? "")?.[1];
    return {
      start: whole === undefined ? 0 : (resume?.start ?? 0),
      sizeBytes: whole === undefined ? answer.ContentLength : Number(whole),
      version: answer.ETag,
      bytes: bodyChunks(answer.Body as Readable, `${url} with ${path}`, signal),
    };
  }

  return { url, open };
}

/** A prefix is taken as a folder. What looks like a query is refused: it may hold a token, and twelve.lock keeps the URL. */
function parseReference(reference: string): S3Reference {
  const { bucket, key } = parseS3Reference(reference, "SERVICE_UNSUPPORTED");
  const mark = /[?#]/.exec(key)?.[0];
  if (mark !== undefined) throw new TwelveError("SERVICE_UNSUPPORTED", `s3://${bucket} is given with a ${mark}, which the place of a model cannot have`, { fix: "Write s3://bucket/prefix" });
  return { bucket, key: key === "" || key.endsWith("/") ? key : `${key}/` };
}

import { createReadStream } from "node:fs";
import { readdir, readFile } from "node:fs/promises";
import { join, sep } from "node:path";
import type { Readable } from "node:stream";
import type { ListObjectsV2CommandOutput } from "@aws-sdk/client-s3";
import { inTime } from "../../../core/deadline.ts";
import { TwelveError } from "../../../core/errors.ts";
import type { Environment } from "../../../ports/context.ts";
import { awsError, awsFailure } from "../../aws/failure.ts";
import { pagesOf } from "../../aws/pages.ts";
import { openS3 } from "../../aws/s3.ts";
import { errorWithReason, notS3 } from "../../aws/s3-answer.ts";
import { bodyBytes } from "../../aws/s3-body.ts";
import { parseS3Reference } from "../../aws/s3-reference.ts";
import { awsSettings } from "../../aws/settings.ts";
import { signalOf } from "../../aws/signal.ts";
import { countedIndexes, type Opening, type Place } from "./place.ts";
import { shapeName } from "./shape.ts";

const filesAtOnce = 8;
/** A shape has a few hundred. */
const maxShapeBytes = 1024 * 1024;

/** A folder of a bucket: `s3://bucket/prefix`, at Amazon or any server that speaks its language. No request is longer than `timeoutMs` without progress. */
export async function s3Place(reference: string, env: Environment, timeoutMs: number): Promise<Place> {
  const { bucket, key } = parseS3Reference(reference, "SERVICE_UNSUPPORTED");
  const trimmed = key.replace(/\/+$/, "");
  const prefix = trimmed === "" ? "" : `${trimmed}/`;
  const client = await openS3(env, { idleMs: timeoutMs });
  const url = `s3://${bucket}${trimmed === "" ? "" : `/${trimmed}`}`;
  const keyOf = (name: string, path: string): string => `${prefix}${name}/${path}`;

  async function attempt<Result>(action: string, work: () => Promise<Result>, signal?: AbortSignal): Promise<Result> {
    try {
      return await work();
    } catch (error) {
      signal?.throwIfAborted();
      const { name } = awsError(error);
      if (["NoSuchBucket", "InvalidBucketName", "NotFound"].includes(name)) throw new TwelveError("SERVICE_NOT_FOUND", `There is no bucket s3://${bucket}`, { cause: error, fix: "Correct its name, or create it" });
      throw awsFailure(error, url, action);
    }
  }

  /** A request that takes no longer for large indexes. */
  function ask<Result>(action: string, work: (signal: AbortSignal) => Promise<Result>): Promise<Result> {
    return attempt(action, () => inTime(work, { limitMs: timeoutMs, who: url }));
  }

  type Page = ListObjectsV2CommandOutput & { readonly nextToken: string | undefined };

  const pages = (query: { readonly Prefix: string; readonly Delimiter?: string; readonly MaxKeys?: number }, signal?: AbortSignal): AsyncGenerator<Page, void> =>
    pagesOf(url, async (token) => {
      const page = await client.listObjectsV2({ Bucket: bucket, ...query, ...(token === undefined ? {} : { ContinuationToken: token }) }, signalOf(signal));
      if (page.IsTruncated === undefined) throw notS3(url);
      return { ...page, nextToken: page.IsTruncated ? page.NextContinuationToken : undefined };
    });

  async function list(signal?: AbortSignal): Promise<readonly string[]> {
    const names = await attempt("s3:ListBucket", async () => {
      const found: string[] = [];
      for await (const page of pages({ Prefix: prefix, Delimiter: "/" }, signal)) found.push(...(page.CommonPrefixes ?? []).map(({ Prefix = "" }) => Prefix.slice(prefix.length, -1)));
      return found;
    }, signal);
    const complete = await inTurns(names, async (name) => (await readShape(name, signal)) !== undefined);
    return names.filter((_, i) => complete[i]).toSorted();
  }

  function readShape(name: string, signal?: AbortSignal): Promise<string | undefined> {
    return attempt("s3:GetObject", async () => {
      const answer = await client.getObject({ Bucket: bucket, Key: keyOf(name, shapeName) }, signalOf(signal)).catch((error: unknown) => {
        if (awsError(error).name === "NoSuchKey") return undefined;
        throw error;
      });
      if (answer === undefined) return undefined;
      if (answer.ETag === undefined) throw notS3(url);
      return (await bodyBytes(answer.Body as Readable, { what: url, maxBytes: maxShapeBytes, expectedBytes: answer.ContentLength, signal })).toString();
    }, signal);
  }

  async function keysOf(name: string): Promise<readonly string[]> {
    const found: string[] = [];
    for await (const page of pages({ Prefix: keyOf(name, "") })) found.push(...(page.Contents ?? []).flatMap(({ Key }) => Key ?? []));
    return found;
  }

  return {
    url,
    list,
    readShape,
    put: (name, folder) => attempt("s3:PutObject", async () => {
      const entries = await readdir(folder, { recursive: true, withFileTypes: true });
      const files = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name)).filter((file) => file !== join(folder, shapeName));
      const { default: storage } = await import("@aws-sdk/lib-storage");
      await inTurns(files, async (file) => {
        const Key = keyOf(name, file.slice(folder.length + 1).split(sep).join("/"));
        // In parts where it is large; an upload that is broken off leaves none behind.
        const { ETag } = await new storage.Upload({ client, params: { Bucket: bucket, Key, Body: createReadStream(file) } }).done();
        if (ETag === undefined) throw notS3(url);
      });
      await client.putObject({ Bucket: bucket, Key: keyOf(name, shapeName), Body: await readFile(join(folder, shapeName)), ContentType: "application/json" });
    }),
    async remove(name) {
      const remove = (Key: string): Promise<unknown> => ask("s3:DeleteObject", (signal) => client.deleteObject({ Bucket: bucket, Key }, signalOf(signal)));
      await remove(keyOf(name, shapeName));
      // One by one, because not every server knows how to delete several at once.
      await inTurns(await ask("s3:ListBucket", () => keysOf(name)), remove);
    },
    openingOf: (name, signal) => attempt("s3:ListBucket", async (): Promise<Opening> => {
      const { endpoint } = awsSettings(env, "S3");
      // LanceDB does not search for profiles and sign-ons; the SDK does.
      const { accessKeyId, secretAccessKey, sessionToken, expiration } = await client.config.credentials();
      const head = await client.headBucket({ Bucket: bucket }, signalOf(signal)).catch(async (error: unknown) => {
        throw await errorWithReason(client, { bucket, prefix }, error);
      });
      const region = head.BucketRegion ?? (await client.config.region());
      return {
        uri: `${url}/${name}`,
        expiresAt: expiration,
        storageOptions: {
          aws_access_key_id: accessKeyId,
          aws_secret_access_key: secretAccessKey,
          ...(sessionToken === undefined ? {} : { aws_session_token: sessionToken }),
          aws_region: region,
          // Only Amazon gives every bucket a host name of its own.
          ...(endpoint === undefined ? {} : { aws_endpoint: endpoint, aws_virtual_hosted_style_request: "false", allow_http: String(endpoint.startsWith("http:")) }),
          ...patienceOf(timeoutMs),
        },
      };
    }, signal),
    probe: (signal) => attempt("s3:ListBucket", async () => void (await pages({ Prefix: prefix, MaxKeys: 1 }, signal).next()), signal),
    check: async (signal) => ({ version: null, detail: countedIndexes((await list(signal)).length) }),
    close: () => client.destroy(),
  };
}

/** Somebody waits for the answer: LanceDB itself would try for three minutes. */
function patienceOf(timeoutMs: number): Readonly<Record<string, string>> {
  return { lance_aimd_max_retries: "1", download_retry_count: "1", client_max_retries: "2", client_retry_timeout: "5", connect_timeout: "5s", timeout: `${timeoutMs}ms` };
}

/** Does the work for every item, a few at a time, and gives the results in order. */
async function inTurns<Item, Result>(items: readonly Item[], work: (item: Item) => Promise<Result>): Promise<readonly Result[]> {
  const results: Result[] = [];
  const queue = items.entries();
  await Promise.all(Array.from({ length: filesAtOnce }, async () => {
    for (const [i, item] of queue) results[i] = await work(item);
  }));
  return results;
}

import { createReadStream } from "node:fs";
import { readdir, readFile } from "node:fs/promises";
import { join, sep } from "node:path";
import type { ListObjectsV2CommandOutput, S3 } from "@aws-sdk/client-s3";
import { TwelveError } from "../../../core/errors.ts";
import type { Environment } from "../../../ports/context.ts";
import { awsError, awsFailure } from "../../aws/failure.ts";
import { openS3, type S3Options } from "../../aws/s3.ts";
import { parseS3Reference } from "../../aws/s3-reference.ts";
import { awsSettings } from "../../aws/settings.ts";
import { countedIndexes, type Opening, type Place } from "./place.ts";
import { shapeName } from "./shape.ts";

const filesAtOnce = 8;

/** A folder of a bucket: `s3://bucket/prefix`, at Amazon or any server that speaks its language. */
export async function s3Place(reference: string, env: Environment, options: S3Options = {}): Promise<Place> {
  const { bucket, key } = parseS3Reference(reference, "SERVICE_UNSUPPORTED");
  const trimmed = key.replace(/\/+$/, "");
  const prefix = trimmed === "" ? "" : `${trimmed}/`;
  const client = await openS3(env, options);
  const url = `s3://${bucket}${trimmed === "" ? "" : `/${trimmed}`}`;
  const keyOf = (name: string, path: string): string => `${prefix}${name}/${path}`;

  async function attempt<Result>(action: string, work: () => Promise<Result>, signal?: AbortSignal): Promise<Result> {
    try {
      return await work();
    } catch (error) {
      signal?.throwIfAborted();
      const { name } = awsError(error);
      // An answer to HEAD has no body, so its failure has no name of its own.
      if (["NoSuchBucket", "InvalidBucketName", "NotFound"].includes(name)) throw new TwelveError("SERVICE_NOT_FOUND", `There is no bucket s3://${bucket}`, { cause: error, fix: "Correct its name, or create it" });
      throw awsFailure(error, `The bucket s3://${bucket}`, action);
    }
  }

  async function list(signal?: AbortSignal): Promise<readonly string[]> {
    const names = await attempt("s3:ListBucket", () => foldersBelow(client, { bucket, prefix }, signal), signal);
    const complete = await inTurns(names, async (name) => (await readShape(name, signal)) !== undefined);
    return names.filter((_, i) => complete[i]).toSorted();
  }

  async function readShape(name: string, signal?: AbortSignal): Promise<string | undefined> {
    return attempt("s3:GetObject", async () => {
      try {
        const { Body } = await client.getObject({ Bucket: bucket, Key: keyOf(name, shapeName) }, signalOf(signal));
        return await Body?.transformToString();
      } catch (error) {
        if (awsError(error).name === "NoSuchKey") return undefined;
        throw error;
      }
    }, signal);
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
        await new storage.Upload({ client, params: { Bucket: bucket, Key, Body: createReadStream(file) } }).done();
      });
      await client.putObject({ Bucket: bucket, Key: keyOf(name, shapeName), Body: await readFile(join(folder, shapeName)), ContentType: "application/json" });
    }),
    remove: (name) => attempt("s3:DeleteObject", async () => {
      await client.deleteObject({ Bucket: bucket, Key: keyOf(name, shapeName) });
      // One by one, because not every server knows how to delete several at once.
      await inTurns(await keysBelow(client, { bucket, prefix: keyOf(name, "") }), (each) => client.deleteObject({ Bucket: bucket, Key: each }));
    }),
    openingOf: (name) => attempt("s3:ListBucket", async (): Promise<Opening> => {
      const { endpoint } = awsSettings(env, "S3");
      // LanceDB does not search for profiles and sign-ons; the SDK does.
      const { accessKeyId, secretAccessKey, sessionToken, expiration } = await client.config.credentials();
      const region = (await client.headBucket({ Bucket: bucket })).BucketRegion ?? (await client.config.region());
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
          ...patience,
        },
      };
    }),
    async check(signal) {
      await attempt("s3:ListBucket", () => client.headBucket({ Bucket: bucket }, signalOf(signal)), signal);
      return { version: null, detail: countedIndexes((await list(signal)).length) };
    },
    close: () => client.destroy(),
  };
}

/** Somebody waits for the answer: LanceDB itself would try for three minutes. */
const patience = { lance_aimd_max_retries: "1", client_max_retries: "2", client_retry_timeout: "5", connect_timeout: "5s", timeout: "30s" } as const;

interface Below {
  readonly bucket: string;
  readonly prefix: string;
}

async function foldersBelow(client: S3, { bucket, prefix }: Below, signal?: AbortSignal): Promise<readonly string[]> {
  const found: string[] = [];
  for await (const page of pagesOf(client, { Bucket: bucket, Prefix: prefix, Delimiter: "/" }, signal)) {
    found.push(...(page.CommonPrefixes ?? []).map(({ Prefix = "" }) => Prefix.slice(prefix.length, -1)));
  }
  return found;
}

async function keysBelow(client: S3, { bucket, prefix }: Below): Promise<readonly string[]> {
  const found: string[] = [];
  for await (const page of pagesOf(client, { Bucket: bucket, Prefix: prefix })) found.push(...(page.Contents ?? []).flatMap(({ Key }) => Key ?? []));
  return found;
}

async function* pagesOf(client: S3, query: { readonly Bucket: string; readonly Prefix: string; readonly Delimiter?: string }, signal?: AbortSignal): AsyncGenerator<ListObjectsV2CommandOutput, void> {
  let token: string | undefined;
  do {
    const page: ListObjectsV2CommandOutput = await client.listObjectsV2({ ...query, ...(token === undefined ? {} : { ContinuationToken: token }) }, signalOf(signal));
    yield page;
    token = page.IsTruncated === true ? page.NextContinuationToken : undefined;
  } while (token !== undefined);
}

function signalOf(signal: AbortSignal | undefined): { readonly abortSignal?: AbortSignal } {
  return signal === undefined ? {} : { abortSignal: signal };
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

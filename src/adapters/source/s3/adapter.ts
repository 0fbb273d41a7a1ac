import type { S3 } from "@aws-sdk/client-s3";
import { TwelveError } from "../../../core/errors.ts";
import type { Environment } from "../../../ports/context.ts";
import type { DocumentSource, SourceFile, SourceSkip } from "../../../ports/document.ts";
import { openS3, type S3Options } from "../../aws/s3.ts";
import { maxLineBytes } from "../feed/adapter.ts";
import { type FeedBytes, listFeed } from "../feed/list.ts";
import { isLeftOut } from "../left-out.ts";
import { findObject, type ListedObject, listObjects } from "./list.ts";
import { readObject, streamObject } from "./read.ts";
import { parseS3Reference, type S3Reference, urlOf } from "../../aws/s3-reference.ts";

/** An object that has grown since it was listed is still read up to here. */
const grownBytes = 32 * 1024 * 1024;
/** Texts of a feed that are kept from the one pass through it; each further one is a request of its own. */
const heldBytes = 64 * 1024 * 1024;

/**
 * The objects of a bucket below a prefix, which is taken as a folder: `s3://bucket/docs` is not `docs-old/`. A key may
 * also name one object, and a feed by its ending.
 */
export async function openSource(reference: string, { env }: { readonly env: Environment }, options: S3Options = {}): Promise<DocumentSource> {
  const named = parseS3Reference(reference, "SOURCE_INVALID");
  const client = await openS3(env, options);
  return {
    url: urlOf(named),
    list: /\.(?:jsonl|ndjson)$/i.test(named.key)
      ? (isWanted, signal) => listRemoteFeed(client, named, isWanted, signal)
      : (isWanted, signal) => listPrefix(client, named, isWanted, signal),
  };
}

async function* listPrefix(client: S3, named: S3Reference, isWanted: (below: string) => boolean, signal?: AbortSignal): AsyncGenerator<SourceFile | SourceSkip, void> {
  const isFolder = named.key === "" || named.key.endsWith("/");
  const single = isFolder ? undefined : await findObject(client, named, signal);
  if (single !== undefined) {
    yield offerObject(client, named.bucket, single);
    return;
  }
  const prefix = isFolder ? named : { ...named, key: `${named.key}/` };
  for await (const object of listObjects(client, prefix, signal)) {
    const below = object.key.slice(prefix.key.length);
    if (isMarker(object) || below.split("/").some(isLeftOut) || !isWanted(below)) continue;
    yield offerObject(client, named.bucket, object);
  }
}

/** Objects that only stand for a folder: consoles and Hadoop make them. */
function isMarker({ key, sizeBytes }: ListedObject): boolean {
  return key.endsWith("/") || (sizeBytes === 0 && key.endsWith("_$folder$"));
}

function offerObject(client: S3, bucket: string, { key, sizeBytes, etag, reason }: ListedObject): SourceFile | SourceSkip {
  const path = urlOf({ bucket, key });
  if (reason !== undefined) return { path, reason };
  return { path, sizeBytes, ...(etag === undefined ? {} : { version: etag }), read: async (signal) => readObject(client, { bucket, key }, { maxBytes: Math.max(sizeBytes, grownBytes), signal }) };
}

async function* listRemoteFeed(client: S3, named: S3Reference, isWanted: (below: string) => boolean, signal?: AbortSignal): AsyncGenerator<SourceFile | SourceSkip, void> {
  const object = await findObject(client, named, signal);
  if (object === undefined) throw new TwelveError("SOURCE_INVALID", `There is no object ${urlOf(named)}`);
  if (object.reason !== undefined) throw new TwelveError("SOURCE_INVALID", `${urlOf(named)} ${object.reason}`);
  const { etag } = object;
  const feed: FeedBytes = {
    path: urlOf(named),
    maxLineBytes,
    heldBytes,
    open: (openSignal) => streamObject(client, named, { etag, signal: openSignal }),
    readAt: async (part, readSignal) => readObject(client, named, { part, maxBytes: part.sizeBytes, etag, signal: readSignal }),
  };
  yield* listFeed(feed, isWanted, signal);
}

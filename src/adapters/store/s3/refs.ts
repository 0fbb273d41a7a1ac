import { randomUUID } from "node:crypto";
import type { Readable } from "node:stream";
import type { S3 } from "@aws-sdk/client-s3";
import { digestOf } from "../../../core/descriptor.ts";
import { TwelveError } from "../../../core/errors.ts";
import { checkRefName, checkRefPrefix, checkRefValue } from "../../../core/ref-name.ts";
import type { RefStore } from "../../../ports/store.ts";
import { awsError } from "../../aws/failure.ts";
import { bodyBytes } from "../../aws/s3-body.ts";
import { isBusy, isMissing, isRefused, isRepeated, notS3, storeFailure } from "./failure.ts";
import { listKeys } from "./list.ts";
import type { Place } from "./place.ts";
import { checksumOf } from "./upload.ts";
import { waitShortly } from "./wait.ts";

/** Ends every key. No part of a ref's name begins with a dot, so `a` and `a/b` never stand in each other's way, in a folder neither. */
const ending = "/.value";
/** Values have at most 64 KiB; what is larger is not a ref. */
const longestBytes = 128 * 1024;
const readAttempts = 3;
const idLine = /^[0-9a-f-]{36}\n/;

interface StoredRef {
  readonly id: string;
  readonly value: string;
  readonly tag: string;
}

type Condition = { readonly IfNoneMatch: "*" } | { readonly IfMatch: string };

/**
 * A ref is one object; its tag is the object's ETag. Before the value stands a line with the ID of the write: it makes a value
 * that comes back another object than it was the first time, and a writer whose answer was lost finds out whether it won.
 * Amazon S3 shows a write to every later read and list; this counts on it, as on the conditions, which `checkConditions` tries.
 */
export function objectRefs(client: S3, place: Place, checkConditions: () => Promise<void>): RefStore {
  const folder = `${place.prefix}refs/`;
  const at = (name: string): { readonly Bucket: string; readonly Key: string } => ({ Bucket: place.bucket, Key: folder + name + ending });

  const read = async (name: string): Promise<StoredRef | undefined> => {
    for (let attempt = 1; ; attempt += 1) {
      const answer = await client.getObject(at(name)).catch((error: unknown) => {
        if (isMissing(error)) return undefined;
        throw storeFailure(error, place, "s3:GetObject");
      });
      if (answer === undefined) return undefined;
      if (answer.ETag === undefined) {
        (answer.Body as Readable).destroy();
        throw notS3(place);
      }
      try {
        const bytes = await bodyBytes(answer.Body as Readable, { what: `The store ${place.url}`, maxBytes: longestBytes, expectedBytes: answer.ContentLength });
        return parse(name, new TextDecoder("utf-8", { ignoreBOM: true }).decode(bytes), answer.ETag);
      } catch (error) {
        // The SDK repeats a request that fails, and not one whose answer breaks off.
        if (!(error instanceof TwelveError) || error.retry === undefined || attempt === readAttempts) throw storeFailure(error, place, "s3:GetObject");
      }
    }
  };
  const parse = (name: string, text: string, tag: string): StoredRef => {
    const id = idLine.exec(text)?.[0];
    if (id === undefined) throw new TwelveError("STORE_UNUSABLE", `s3://${place.bucket}/${folder}${name}${ending} is not what twelve has written`, { fix: "Restore the object's version before, or delete it if the ref is not needed" });
    return { id: id.trimEnd(), value: text.slice(id.length), tag };
  };

  /** Whether this write was the one. */
  const write = async (name: string, value: string, condition: Condition): Promise<boolean> => {
    await checkConditions();
    const id = randomUUID();
    const body = `${id}\n${value}`;
    const object = { ...at(name), Body: body, ContentType: "text/plain; charset=utf-8", ...checksumOf(digestOf(body)), ...condition };
    const isOurs = async (): Promise<boolean> => (await read(name))?.id === id;
    let isUncertain = false;
    for (let attempt = 1; ; attempt += 1) {
      try {
        const { ETag } = await client.putObject(object);
        if (ETag === undefined) throw notS3(place);
        return true;
      } catch (error) {
        isUncertain ||= isRepeated(error);
        // The first of two sendings may have been taken, and its answer lost: then the second one is refused because of it.
        if (isRefused(error) || ("IfMatch" in condition && isMissing(error))) return isUncertain && (await isOurs());
        if (isBusy(error) && (await waitShortly(attempt))) continue;
        const { status } = awsError(error);
        if ((status === undefined || status >= 500) && (await isOurs().catch(() => false))) return true;
        throw storeFailure(error, place, "s3:PutObject");
      }
    }
  };

  return {
    async read(name) {
      checkRefName(name);
      const ref = await read(name);
      return ref && { value: ref.value, tag: ref.tag };
    },
    async create(name, value) {
      checkRefName(name);
      checkRefValue(name, value);
      return write(name, value, { IfNoneMatch: "*" });
    },
    async replace(name, value, tag) {
      checkRefName(name);
      checkRefValue(name, value);
      // An empty condition is none, and `*` holds for whatever is there.
      return /^"[^"*]+"$/.test(tag) && write(name, value, { IfMatch: tag });
    },
    async list(prefix) {
      checkRefPrefix(prefix);
      const names: string[] = [];
      // The ref that has the name of the folder itself has a key there, too: `.value` alone.
      for await (const key of listKeys(client, place, folder + prefix)) if (key.endsWith(ending)) names.push(prefix + key.slice(0, -ending.length));
      return names.sort();
    },
  };
}

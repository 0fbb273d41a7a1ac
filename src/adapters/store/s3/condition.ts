import type { S3 } from "@aws-sdk/client-s3";
import { digestOf } from "../../../core/descriptor.ts";
import { TwelveError } from "../../../core/errors.ts";
import { awsError } from "../../aws/failure.ts";
import { isBusy, isMissing, isRefused, notS3, storeFailure } from "./failure.ts";
import type { Place } from "./place.ts";
import { checksumOf } from "./upload.ts";

/** An object beside blobs and refs that says what they are. */
const markerName = "store.json";
const marker = '{"kind":"twelve store","version":1}\n';
const noTag = `"${"0".repeat(32)}"`;

/**
 * Makes sure, once, that the server keeps to the conditions of a write. Some that speak S3 take `If-None-Match` and `If-Match`
 * and do not look at them: there two releases would silently get one number. Fails with STORE_UNUSABLE, or with the
 * SERVICE_ codes.
 */
export function conditionCheck(client: S3, place: Place): () => Promise<void> {
  const put = async (condition: { readonly IfNoneMatch: "*" } | { readonly IfMatch: string }): Promise<"written" | "refused"> => {
    try {
      const { ETag: tag } = await client.putObject({ Bucket: place.bucket, Key: place.prefix + markerName, Body: marker, ContentType: "application/json", ...checksumOf(digestOf(marker)), ...condition });
      if (tag === undefined) throw notS3(place);
      return "written";
    } catch (error) {
      if (isRefused(error) || isBusy(error) || isMissing(error)) return "refused";
      if (awsError(error).status === 501) throw unconditional(place, error);
      throw storeFailure(error, place, "s3:PutObject");
    }
  };
  const check = async (): Promise<void> => {
    const [created, replaced] = await Promise.all([put({ IfNoneMatch: "*" }), put({ IfMatch: noTag })]);
    // Written is right for the very first time only.
    const again = created === "written" ? await put({ IfNoneMatch: "*" }) : "refused";
    if (replaced === "written" || again === "written") throw unconditional(place);
  };
  let checked: Promise<void> | undefined;
  return () => {
    checked ??= check().catch((error: unknown) => {
      checked = undefined;
      throw error;
    });
    return checked;
  };
}

function unconditional({ url }: Place, cause?: unknown): TwelveError {
  return new TwelveError("STORE_UNUSABLE", `The server of ${url} does not keep to the conditions of a write (If-None-Match, If-Match)`, {
    cause, fix: "Use Amazon S3 or a server with conditional writes: without them two processes could take the same release number",
  });
}

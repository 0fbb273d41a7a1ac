import { TwelveError } from "../../../core/errors.ts";
import { awsError, awsFailure } from "../../aws/failure.ts";

/**
 * A failure around a bucket or an object; `what` is its URL, with which the message begins, and `action` what was asked,
 * such as s3:GetObject. SOURCE_INVALID is about this one, SERVICE_* about the service and so about all.
 */
export function s3Failure(error: unknown, what: string, action: string): TwelveError {
  const { name } = awsError(error);
  if (name === "NoSuchBucket" || name === "InvalidBucketName") return new TwelveError("SOURCE_INVALID", `There is no bucket ${what} (${name})`, { cause: error });
  if (name === "NoSuchKey") return new TwelveError("SOURCE_INVALID", `${what} is gone: it was deleted after it was listed`, { cause: error });
  if (name === "InvalidObjectState") return new TwelveError("SOURCE_INVALID", `${what} is archived; it is read once it has been restored`, { cause: error });
  if (name === "PreconditionFailed" || name === "InvalidRange") return new TwelveError("SOURCE_INVALID", `${what} cannot be read: it changed after it was listed`, { cause: error, fix: "Run the command again" });
  return awsFailure(error, what, action);
}

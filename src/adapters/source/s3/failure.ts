import { TwelveError } from "../../../core/errors.ts";
import { awsError, awsFailure } from "../../aws/failure.ts";

type Action = "s3:ListBucket" | "s3:GetObject";

/**
 * A failure around a bucket or an object; `what` is its URL, with which the message begins. SOURCE_INVALID is about this
 * one, SERVICE_* about the service and so about all.
 */
export function s3Failure(error: unknown, what: string, action: Action): TwelveError {
  const { name, message } = awsError(error);
  // Like a local file that its permissions lock: the others can be read all the same.
  if (name === "AccessDenied" && action === "s3:GetObject") return new TwelveError("SOURCE_INVALID", `${what} cannot be read with these AWS credentials (AccessDenied: ${message})`, { cause: error });
  if (name === "NoSuchBucket" || name === "InvalidBucketName") return new TwelveError("SOURCE_INVALID", `There is no bucket ${what} (${name})`, { cause: error });
  if (name === "NoSuchKey") return new TwelveError("SOURCE_INVALID", `${what} is gone: it was deleted after it was listed`, { cause: error });
  if (name === "InvalidObjectState") return new TwelveError("SOURCE_INVALID", `${what} is archived; it is read once it has been restored`, { cause: error });
  if (name === "PreconditionFailed" || name === "InvalidRange") return new TwelveError("SOURCE_INVALID", `${what} cannot be read: it changed after it was listed`, { cause: error, fix: "Run the command again" });
  return awsFailure(error, what, action);
}

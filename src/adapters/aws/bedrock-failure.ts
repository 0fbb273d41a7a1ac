import type { TwelveError } from "../../core/errors.ts";
import { type Asked, modelFailure } from "./model-failure.ts";

const fixes = {
  none: "Set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or AWS_BEARER_TOKEN_BEDROCK, or AWS_PROFILE after `aws sso login`",
  SERVICE_UNAUTHENTICATED: "Renew or correct the AWS credentials: AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and AWS_SESSION_TOKEN, or AWS_BEARER_TOKEN_BEDROCK, or the profile; check the machine's clock",
  SERVICE_DENIED: "Check that the credentials allow bedrock:InvokeModel and bedrock:InvokeModelWithResponseStream on this model and its inference profile, and that the account has access to the model in this region",
  SERVICE_NOT_FOUND: "Check the model's ID and the region; a model past its end of life is gone as well",
} as const;

/** An error of Bedrock's clients in our words. */
export function bedrockFailure(cause: unknown, asked: Omit<Asked, "fixes"> & Partial<Pick<Asked, "fixes">>): TwelveError {
  return modelFailure(cause, { ...asked, fixes: { ...fixes, ...asked.fixes } });
}

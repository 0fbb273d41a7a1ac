import { awsRegion } from "../../aws/region.ts";
import { type Options, unusable } from "../../http/options.ts";

/** As CreateSession takes it: https://docs.aws.amazon.com/bedrock/latest/APIReference/API_agent-runtime_CreateSession.html */
const keyArn = /^arn:aws(?:-[a-z]+)*:kms:[a-zA-Z0-9-]+:[0-9]{12}:key\/[a-zA-Z0-9-]{36}$/;
const fix = "Write the ARN of the key itself, not of an alias, such as kmsKey=arn:aws:kms:us-east-1:123456789012:key/1234abcd-12ab-34cd-56ef-1234567890ab";

/** The `kmsKey` of a reference's options. Fails with SERVICE_UNSUPPORTED for what Bedrock would not take. */
export function readKmsKey(options: Options, reference: string): string | undefined {
  const key = options["kmsKey"];
  if (key === undefined) return undefined;
  if (!keyArn.test(key)) throw unusable(reference, `gives kmsKey as "${key}"; expected the ARN of a KMS key`, fix);
  const region = options["region"];
  if (region !== undefined && region !== awsRegion(key)) throw unusable(reference, `names a KMS key of the region ${awsRegion(key) ?? "?"}, and sessions in ${region}`, fix);
  return key;
}

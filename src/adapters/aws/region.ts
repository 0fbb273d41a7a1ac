import { type Options, unusable } from "../http/options.ts";

/** The `region` of a reference's options. Fails with SERVICE_UNSUPPORTED for what cannot be one. */
export function readRegion(options: Options, reference: string): string | undefined {
  const region = options["region"];
  if (region === undefined || /^[a-z]{2,}(-[a-z]+)+-\d+$/.test(region)) return region;
  throw unusable(reference, `names "${region}" as its region`, "Write a region such as us-east-1");
}

/** The region in an ARN; undefined for anything else. */
export function awsRegion(id: string): string | undefined {
  return /^arn:[^:]*:[a-z0-9-]+:([a-z0-9-]+):/.exec(id)?.[1];
}

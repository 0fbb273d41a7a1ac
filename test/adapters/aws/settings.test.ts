import { describe, expect, it } from "vitest";
import { awsSettings, maxAttempts } from "../../../src/adapters/aws/settings.ts";

describe("the settings of an AWS client", () => {
  it.each([
    [{}, {}],
    [{ AWS_REGION: "eu-central-1", AWS_DEFAULT_REGION: "us-west-2" }, { region: "eu-central-1" }],
    [{ AWS_DEFAULT_REGION: "us-west-2" }, { region: "us-west-2" }],
    [{ AWS_ENDPOINT_URL: "http://all" }, { endpoint: "http://all", region: "us-east-1" }],
    [{ AWS_ENDPOINT_URL: "http://all", AWS_ENDPOINT_URL_S3: "http://s3", AWS_REGION: "any" }, { endpoint: "http://s3", region: "any" }],
    [{ AWS_ENDPOINT_URL_S3: "http://s3", AWS_IGNORE_CONFIGURED_ENDPOINT_URLS: "true" }, {}],
    [{ AWS_ENDPOINT_URL_SSM: "http://ssm", AWS_ENDPOINT_URL_S3: "" }, {}],
    [{ AWS_ACCESS_KEY_ID: "id" }, {}],
    [{ AWS_ACCESS_KEY_ID: "id", AWS_SECRET_ACCESS_KEY: "key" }, { credentials: { accessKeyId: "id", secretAccessKey: "key" } }],
    [{ AWS_ACCESS_KEY_ID: "id", AWS_SECRET_ACCESS_KEY: "key", AWS_SESSION_TOKEN: "token", AWS_PROFILE: "team" }, { profile: "team", credentials: { accessKeyId: "id", secretAccessKey: "key", sessionToken: "token" } }],
  ])("%j", (env, settings) => {
    expect(awsSettings(env, "S3")).toEqual(settings);
  });
});

it.each([[undefined, 6], ["", 6], ["none", 6], ["1", 1], ["10", 10]])("makes of AWS_MAX_ATTEMPTS=%s %i attempts", (value, attempts) => {
  expect(maxAttempts({ AWS_MAX_ATTEMPTS: value })).toBe(attempts);
});

import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { openOrigin } from "../../../src/adapters/origin/s3/adapter.ts";
import command from "../../../src/models/pull-command.ts";
import { temporaryFolder, testContext } from "../../helpers/context.ts";
import { type Moto, motoS3, startMoto, withoutMoto } from "../../helpers/moto.ts";
import { type Files, tinyModel } from "../../models/tiny-model.ts";
import { describeOrigin, originFiles } from "../../ports/origin.contract.ts";

describe.skipIf(withoutMoto)("with moto (needs moto_server)", () => {
  let moto: Moto;

  beforeAll(async () => {
    moto = await startMoto();
    const client = motoS3(moto);
    await client.createBucket({ Bucket: "acme-models" });
    const put = async (prefix: string, files: Files): Promise<void> => {
      for (const [path, content] of Object.entries(files)) await client.putObject({ Bucket: "acme-models", Key: prefix + path, Body: content });
    };
    await put("contract/", originFiles);
    await put("tiny/", tinyModel);
    client.destroy();
  });
  afterAll(() => moto.stop());

  describeOrigin("s3", () => openOrigin("s3://acme-models/contract", moto.env));

  it("brings a model from a bucket", async () => {
    const dir = await temporaryFolder();
    const { models } = await command.run(command.input.parse({ model: "tiny", from: "s3://acme-models/tiny" }), await testContext({ dir, env: moto.env }));
    expect(models).toMatchObject([{ source: "s3://acme-models/tiny", fetched: Object.keys(tinyModel).sort() }]);
  });

  it("says that a bucket does not exist, which waiting does not mend", async () => {
    const origin = await openOrigin("s3://acme-nothing/tiny", moto.env);
    await expect(origin.open("config.json")).rejects.toMatchObject({ code: "SERVICE_NOT_FOUND", message: expect.stringContaining("NoSuchBucket"), retry: undefined });
  });
});

it("says that a server cannot be reached, and that trying again may help", async () => {
  const origin = await openOrigin("s3://acme-models/tiny", { AWS_ENDPOINT_URL: "http://127.0.0.1:1", AWS_ACCESS_KEY_ID: "a", AWS_SECRET_ACCESS_KEY: "s3cret", AWS_MAX_ATTEMPTS: "1" });
  const failure = await origin.open("config.json").then(() => undefined, (error: unknown) => error as Error);
  expect(failure).toMatchObject({ code: "SERVICE_UNAVAILABLE", retry: { afterMs: null } });
  expect(failure?.message).not.toContain("s3cret");
});

it.each(["s3:", "s3://", "s3://-bucket/x", "s3://a/x", "s3://bucket/x?versionId=1", "s3://bucket/x#y"])("refuses %s", async (reference) => {
  await expect(openOrigin(reference, {})).rejects.toMatchObject({ code: "SERVICE_UNSUPPORTED" });
});

it.each(["s3://AKIA:s3cret@bucket/x", "S3://AKIA:s3cret@bucket/x", "s3:AKIA:s3cret@bucket/x", "s3:///AKIA:s3cret@bucket/x", "s3://AKIA:s3/cret@bucket/x", "s3://bucket/x?token=s3cret"])(
  "refuses %s without repeating what may be a password",
  async (reference) => {
    const failure = await openOrigin(reference, {}).then(() => undefined, (error: unknown) => error as Error);
    expect(failure).toMatchObject({ code: "SERVICE_UNSUPPORTED" });
    expect(failure?.message).not.toMatch(/AKIA|cret/);
  },
);

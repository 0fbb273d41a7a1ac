import { describe, expect, it, onTestFinished } from "vitest";
import { openSessions } from "../../../src/adapters/session/bedrock/adapter.ts";
import { startBedrockSessions } from "../../helpers/bedrock-sessions.ts";
import type { Asked } from "../../helpers/service-server.ts";
import { bedrock, entry, key, refusal } from "./aws-services.ts";

const arn = "arn:aws:kms:us-east-1:123456789012:key/1234abcd-12ab-34cd-56ef-1234567890ab";
const isCreation = ({ method, path }: Asked): boolean => method === "PUT" && /^\/sessions\/?$/.test(path);

describe("the key that bedrock sessions are encrypted with", () => {
  it.each([
    ["?kmsKey=" + arn, arn],
    ["?kmsKey=" + encodeURIComponent(arn) + "&region=us-east-1", arn],
    ["?kmsKey=arn:aws-cn:kms:cn-north-1:123456789012:key/mrk-1234abcd12ab34cd56ef1234567890ab", "arn:aws-cn:kms:cn-north-1:123456789012:key/mrk-1234abcd12ab34cd56ef1234567890ab"],
    ["", undefined],
  ])("is the one of the reference: %s", async (query, expected) => {
    const { server } = await bedrock.start();
    const store = bedrock.open(server, query);
    const version = await store.append(key, [entry], { expected: 0 });
    await store.append(key, [entry], { expected: version });
    const [creation, ...others] = server.requests.filter(isCreation);
    expect(creation?.body).toEqual({ sessionMetadata: expect.objectContaining({ user: "u" }) as object, ...(expected === undefined ? {} : { encryptionKeyArn: expected }) });
    expect(others).toEqual([]);
  });

  it.each([
    ["an ID alone", "1234abcd-12ab-34cd-56ef-1234567890ab", "the ARN of a KMS key"],
    ["an alias", "arn:aws:kms:us-east-1:123456789012:alias/sessions", "the ARN of a KMS key"],
    ["another service's ARN", "arn:aws:s3:us-east-1:123456789012:key/1234abcd-12ab-34cd-56ef-1234567890ab", "the ARN of a KMS key"],
    ["a key of another region", `${arn}&region=eu-central-1`, "eu-central-1"],
  ])("is refused where it is %s", (_, value, said) => {
    expect(() => openSessions(`bedrock-sessions:?kmsKey=${value}`, {})).toThrow(expect.objectContaining({ code: "SERVICE_UNSUPPORTED", message: expect.stringContaining(said) as string, fix: expect.stringContaining("arn:aws:kms:") as string }) as Error);
  });

  it("is named where it may not be used", async () => {
    const server = await startBedrockSessions({ faultOf: (asked) => (isCreation(asked) ? refusal(403, "AccessDeniedException") : undefined) });
    onTestFinished(() => server.close());
    await expect(bedrock.open(server, `?kmsKey=${arn}`).append(key, [entry], { expected: 0 })).rejects.toMatchObject({ code: "SERVICE_DENIED", fix: expect.stringMatching(/bedrock:CreateSession.*kms:GenerateDataKey.*kms:DescribeKey/) as string });
  });
});

import { describe, expect, it } from "vitest";
import { openEmbedder, openModel, openOrigin, openQueue, openReranker, openSessions, openSource, openStore, openVectorService, type Surroundings } from "../../src/adapters/registry.ts";
import { TwelveError } from "../../src/core/errors.ts";
import { modelSchemes } from "../../src/manifest/model-scheme.ts";
import { listAll } from "../ports/source.contract.ts";
import { temporaryFolder } from "../helpers/context.ts";

type Open = (reference: string, from: Surroundings) => Promise<unknown>;
const listSource: Open = async (reference, from) => listAll(await openSource(reference, from));

async function failureOf(open: Open, reference: string): Promise<unknown> {
  return open(reference, { dir: await temporaryFolder(), env: {} }).catch((error: unknown) => error);
}

describe("a password in a reference is not repeated", () => {
  it.each<[name: string, open: Open, references: readonly string[]]>([
    ["a source", listSource, [
      "s3://AKIA:s3cret@bucket/x", "S3://AKIA:s3cret@bucket/x", "S3:AKIA:s3cret@bucket/x", " s3://AKIA:s3cret@bucket/x", "s3://AKIA:s3/cret@bucket/x", "s3:///AKIA:s3cret@bucket",
      "HTTPS://AKIA:s3cret@host/x", "https:AKIA:s3cret@host/x", "https:AKIA:s3cret@host/x.jsonl", `https:AKIA:s3cret@${"x".repeat(300)}`,
    ]],
    ["an origin", openOrigin, [
      "s3://AKIA:s3cret@bucket/x", "S3://AKIA:s3cret@bucket/x", "http://AKIA:s3cret@host/x", "HTTP://AKIA:s3cret@host/x", "https://AKIA:s3/cret@/", "file://AKIA:s3cret@host/x", "FILE://AKIA:s3cret@host/x",
    ]],
    ["a store", openStore, ["file://AKIA:s3cret@host/x", "FILE://AKIA:s3cret@host/x", "s3://AKIA:s3cret@bucket"]],
    ["a queue", openQueue, ["postgres://AKIA:s3/cret@host:port/x", "POSTGRES://AKIA:s3/cret@host:port/x", "pglite://AKIA:s3cret@host/x", "redis://AKIA:s3cret@host"]],
    ["an embedder", openEmbedder, [
      "https://AKIA:s3cret@host/v1#m", "HTTPS://AKIA:s3cret@host/v1#m", "https://AKIA:s3/cret@host", "openai:AKIA:s3cret@host?x=1", "tei+http://AKIA:s3cret@host", "TEI+HTTP://AKIA:s3cret@host",
      "bedrock:AKIA:s3cret@host", "hash:AKIA:s3cret@host", "transformers:AKIA:s3cret@host", "transformers:models/x?token=s3cret",
    ]],
    ["a reranker", openReranker, ["tei+https://AKIA:s3cret@host", "cohere:AKIA:s3cret@host?x=1", "jina:AKIA:s3cret@host?x=1"]],
  ])("by %s", async (_, open, references) => {
    for (const reference of references) {
      const failure = await failureOf(open, reference);
      const told = failure instanceof TwelveError ? `${failure.message} ${failure.fix}` : "AKIA: no failure of ours";
      expect({ reference, leaks: told.match(/AKIA|cret/g) }).toEqual({ reference, leaks: null });
    }
  });
});

/** A parser takes `cret`, the tail of the password, for the host. */
describe("a password that hides the host is refused before anything is asked", () => {
  it.each<[name: string, open: Open, references: readonly string[]]>([
    ["a queue", openQueue, ["postgres://AKIA:s3@cret/x#y@127.0.0.1:1/v", "POSTGRESQL://AKIA:s3@cret/x@127.0.0.1:1/v"]],
    ["sessions", openSessions, ["postgres://AKIA:s3@cret/x#y@127.0.0.1:1/v", "postgres://AKIA:s3@cret?x@127.0.0.1:1/v", "redis://AKIA:s3@cret/1@127.0.0.1:1/0", "rediss://AKIA:s3@cret?x@127.0.0.1:1"]],
    ["a vector service", openVectorService, ["postgres://AKIA:s3@cret/x#y@127.0.0.1:1/v", "opensearch://AKIA:s3@cret/x@127.0.0.1:1", "opensearch+http://AKIA:s3@cret?x@127.0.0.1:1"]],
  ])("by %s", async (_, open, references) => {
    for (const reference of references) {
      const failure = await failureOf(open, reference);
      expect({ reference, failure }).toMatchObject({ failure: { code: "CONFIG_INVALID", message: expect.stringContaining("127.0.0.1:1") as string, fix: expect.stringContaining("Percent-encode") as string } });
      expect(JSON.stringify([failure, String(failure)])).not.toMatch(/AKIA|cret/);
    }
  });
});

it("knows the schemes of models that `lifecycle:` may name, and no other", async () => {
  const known = await Promise.all([openModel, openEmbedder, openReranker].map(async (open) => /Supported: (.*)$/.exec((await failureOf(open, "nobody:x") as Error).message)?.[1]?.split(", ") ?? []));
  expect([...new Set(known.flat())].toSorted()).toEqual(modelSchemes.map((scheme) => `${scheme}:`).toSorted());
});

it("takes a scheme in whatever case it is written", async () => {
  const from = { dir: await temporaryFolder(), env: {} };
  expect((await openEmbedder("HASH:64", from)).identity).toEqual((await openEmbedder("hash:64", from)).identity);
  expect((await openSource("S3://manuals/Docs", { ...from, env: { AWS_ACCESS_KEY_ID: "a", AWS_SECRET_ACCESS_KEY: "b", AWS_REGION: "us-east-1" } })).url).toBe("s3://manuals/Docs");
  expect((await openStore("FILE:Store", from)).url).toBe(`file:${from.dir}/Store`);
});

import { beforeAll, describe, expect, it } from "vitest";
import { openSource } from "../../../src/adapters/registry.ts";
import type { DocumentSource } from "../../../src/ports/document.ts";
import { type Moto, motoS3, startMoto, withoutMoto } from "../../helpers/moto.ts";
import { describeSource, listAll, textOf } from "../../ports/source.contract.ts";

describe.skipIf(withoutMoto)("an S3 source and moto (skipped where moto_server is not installed)", () => {
  let moto: Moto;
  let buckets = 0;
  beforeAll(async () => {
    moto = await startMoto();
    return moto.stop;
  });

  async function bucketOf(objects: Readonly<Record<string, string>>): Promise<string> {
    const bucket = `manuals-${++buckets}`;
    const client = motoS3(moto);
    await client.createBucket({ Bucket: bucket });
    const queue = Object.entries(objects).values();
    await Promise.all(Array.from({ length: 16 }, async () => {
      for (const [Key, Body] of queue) await client.putObject({ Bucket: bucket, Key, Body: Buffer.from(Body) });
    }));
    return bucket;
  }
  const open = async (reference: string): Promise<DocumentSource> => openSource(reference, { dir: "/", env: moto.env });

  describeSource("s3 on moto", {
    async open(documents) {
      const bucket = await bucketOf(documents);
      return { source: await open(`s3://${bucket}`), pathOf: (name) => `s3://${bucket}/${name}` };
    },
    openMissing: async () => open("s3://no-such-bucket/docs"),
  });

  it("takes a prefix as a folder, and a key as the object", async () => {
    const bucket = await bucketOf({ "docs/": "", "docs/a.md": "one", "docs/../odd.md": "odd", "docs//b.md": "two", "docs-old/c.md": "three" });
    expect((await listAll(await open(`s3://${bucket}/docs`))).files.map(({ path }) => path).sort()).toEqual([`s3://${bucket}/docs/../odd.md`, `s3://${bucket}/docs//b.md`, `s3://${bucket}/docs/a.md`]);
    const { files } = await listAll(await open(`s3://${bucket}/docs/../odd.md`));
    expect([files.length, await textOf(files[0])]).toEqual([1, "odd"]);
  });

  it("names archived objects with the reason", async () => {
    const bucket = await bucketOf({ "a.md": "one" });
    await motoS3(moto).putObject({ Bucket: bucket, Key: "old.md", Body: "old", StorageClass: "GLACIER" });
    const { files, skips } = await listAll(await open(`s3://${bucket}`));
    expect(files.map(({ path }) => path)).toEqual([`s3://${bucket}/a.md`]);
    expect(skips).toEqual([{ path: `s3://${bucket}/old.md`, reason: "is archived in GLACIER; it is read once it has been restored" }]);
  });

  it("reads a feed", async () => {
    const bucket = await bucketOf({ "data/feed.jsonl": '{"id":"1","text":"one","lang":"en"}\n{"id":"2","text":"two"}\n' });
    const { files } = await listAll(await open(`s3://${bucket}/data/feed.jsonl`));
    expect(files.map(({ path, metadata, loader }) => [path, metadata, loader])).toEqual([[`s3://${bucket}/data/feed.jsonl#1`, { lang: "en" }, "text"], [`s3://${bucket}/data/feed.jsonl#2`, {}, "text"]]);
    expect(await Promise.all(files.map(textOf))).toEqual(["one", "two"]);
  });

  it("fails for one object alone that is gone after it was listed", async () => {
    const bucket = await bucketOf({ "a.md": "one", "b.md": "two" });
    const { files } = await listAll(await open(`s3://${bucket}`));
    await motoS3(moto).deleteObject({ Bucket: bucket, Key: "a.md" });
    await expect(files[0]?.read()).rejects.toMatchObject({ code: "SOURCE_INVALID", message: `s3://${bucket}/a.md is gone: it was deleted after it was listed` });
    expect(await textOf(files[1])).toBe("two");
  });
});

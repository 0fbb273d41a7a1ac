import { randomBytes, randomUUID } from "node:crypto";
import type { S3 } from "@aws-sdk/client-s3";
import { beforeAll, describe, expect, it } from "vitest";
import { openStore } from "../../../../src/adapters/registry.ts";
import { openStore as openS3Store } from "../../../../src/adapters/store/s3/adapter.ts";
import { hexOf } from "../../../../src/core/descriptor.ts";
import { motoS3, startMoto, withoutMoto } from "../../../helpers/moto.ts";
import { startVersitygw, versitygwS3, withoutVersitygw } from "../../../helpers/versitygw.ts";
import { describeStore, type StoreUnderTest } from "../../../ports/store.contract.ts";

interface Service {
  readonly s3: S3;
  readonly env: Readonly<Record<string, string>>;
}

async function openOn({ s3, env }: Service): Promise<StoreUnderTest> {
  const prefix = `team/${randomUUID()}`;
  return {
    store: await openStore(`s3://stores/${prefix}`, { dir: "/", env }),
    flipBit: async ({ digest }) => {
      const object = { Bucket: "stores", Key: `${prefix}/blobs/sha256/${hexOf(digest)}` };
      const bytes = (await (await s3.getObject(object)).Body?.transformToByteArray()) ?? new Uint8Array();
      bytes[0] = (bytes[0] ?? 0) ^ 1;
      await s3.putObject({ ...object, Body: bytes });
    },
  };
}

function describeOn(name: string, service: () => Service): void {
  describeStore(`s3: on ${name}`, () => openOn(service()));

  it(`keeps a blob in parts, and knows it again by the checksum of ${name}`, async () => {
    const { s3, env } = service();
    const store = await openS3Store(`s3://stores/${randomUUID()}`, { env }, { partBytes: 5 * 1024 * 1024 });
    const large = randomBytes(11 * 1024 * 1024);
    const blob = await store.blobs.write(large, "text/plain");
    const key = `${store.url.slice("s3://stores/".length)}/blobs/sha256/${hexOf(blob.digest)}`;
    const before = await s3.headObject({ Bucket: "stores", Key: key });
    await store.blobs.write(large, "text/plain");
    expect(await s3.headObject({ Bucket: "stores", Key: key })).toMatchObject({ LastModified: before.LastModified, ETag: before.ETag, ContentLength: large.length });
    expect(await store.blobs.check(blob.digest)).toBe(large.length);
  });
}

describe.skipIf(withoutMoto)("an S3 store and moto (skipped where moto_server is not installed)", () => {
  let service: Service;
  beforeAll(async () => {
    const moto = await startMoto();
    service = { s3: motoS3(moto), env: moto.env };
    await service.s3.createBucket({ Bucket: "stores" });
    return moto.stop;
  });
  describeOn("moto", () => service);
});

describe.skipIf(withoutVersitygw)("an S3 store and versitygw (skipped where versitygw is not installed)", () => {
  let service: Service;
  beforeAll(async () => {
    const gateway = await startVersitygw();
    service = { s3: versitygwS3(gateway), env: gateway.env };
    await service.s3.createBucket({ Bucket: "stores" });
    return gateway.stop;
  });
  describeOn("versitygw", () => service);
});

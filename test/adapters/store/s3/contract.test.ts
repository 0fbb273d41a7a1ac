import { randomUUID } from "node:crypto";
import { beforeAll, describe } from "vitest";
import { openStore } from "../../../../src/adapters/registry.ts";
import { hexOf } from "../../../../src/core/descriptor.ts";
import { type Moto, motoS3, startMoto, withoutMoto } from "../../../helpers/moto.ts";
import { describeStore } from "../../../ports/store.contract.ts";

describe.skipIf(withoutMoto)("an S3 store and moto (skipped where moto_server is not installed)", () => {
  let moto: Moto;
  beforeAll(async () => {
    moto = await startMoto();
    await motoS3(moto).createBucket({ Bucket: "stores" });
    return moto.stop;
  });

  describeStore("s3:", async () => {
    const prefix = `team/${randomUUID()}`;
    const s3 = motoS3(moto);
    return {
      store: await openStore(`s3://stores/${prefix}`, { dir: "/", env: moto.env }),
      flipBit: async ({ digest }) => {
        const object = { Bucket: "stores", Key: `${prefix}/blobs/sha256/${hexOf(digest)}` };
        const bytes = (await (await s3.getObject(object)).Body?.transformToByteArray()) ?? new Uint8Array();
        bytes[0] = (bytes[0] ?? 0) ^ 1;
        await s3.putObject({ ...object, Body: bytes });
      },
    };
  });
});

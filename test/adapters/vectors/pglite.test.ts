import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { openVectorService } from "../../../src/adapters/registry.ts";
import { describeVectorService } from "../../ports/vector-service.contract.ts";

let folder = "";
beforeAll(async () => void (folder = await mkdtemp(join(tmpdir(), "twelve-vectors-"))));
// Its server writes until it sees that its folder is gone.
afterAll(() => rm(folder, { recursive: true, force: true, maxRetries: 10, retryDelay: 200 }));

describe("pgvector on the embedded database", () => {
  describeVectorService("pglite", () => openVectorService("pglite:vectors", { dir: folder, env: {} }), { text: "equal" });

  it("is not made in order to be asked what it holds", async () => {
    const service = await openVectorService("pglite:never", { dir: folder, env: {} });
    expect(await service.check()).toEqual({ version: null, detail: "made at first use" });
    expect(await service.namespaces()).toEqual([]);
    expect(await service.check()).toMatchObject({ version: expect.stringMatching(/^\d+/), detail: "nothing is published yet" });
    await service.close();
  });

  it("says which folder cannot be used", async () => {
    const service = await openVectorService("pglite:/proc/none", { dir: folder, env: {} });
    await expect(service.namespaces()).rejects.toMatchObject({ code: "FOLDER_UNUSABLE" });
    await service.close();
  });
});

import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { openVectorService } from "../../../src/adapters/registry.ts";
import { describeVectorService } from "../../ports/vector-service.contract.ts";

let dir = "";
beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), "twelve-test-"));
});
afterAll(() => rm(dir, { recursive: true, force: true }));

describeVectorService("lance in a shared folder", () => openVectorService("lance:shared", { dir, env: {} }), { text: "equal" });

describe("lance in a shared folder", () => {
  it("takes no place that is none", async () => {
    await expect(openVectorService("lance:", { dir, env: {} })).rejects.toMatchObject({ code: "SERVICE_UNSUPPORTED", fix: expect.stringContaining("lance:/mnt/vectors") });
  });
});

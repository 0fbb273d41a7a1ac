import { describe, expect, it } from "vitest";
import command from "../../src/build/command.ts";
import { readBuild } from "../../src/build/read.ts";
import { refs } from "../../src/artifact/refs.ts";
import type { Digest } from "../../src/core/descriptor.ts";
import type { Store } from "../../src/ports/store.ts";
import { testContext } from "../helpers/context.ts";
import { gitApp } from "../helpers/git-app.ts";

async function built(): Promise<{ store: Store; digest: Digest }> {
  const context = await testContext({ dir: await gitApp() });
  const { digest } = await command.run({ dryRun: false, strict: false }, context);
  return { store: await context.store(), digest };
}

describe("a build", () => {
  it.each<readonly [string, (digest: Digest) => string | undefined]>([
    ["nothing, which means the latest", () => undefined],
    ["latest", () => "latest"],
    ["the whole digest", (digest) => digest],
    ["four hex digits", (digest) => digest.slice(7, 11)],
    ["capital hex digits", (digest) => digest.slice(7, 15).toUpperCase()],
  ])("is found by %s", async (_, wanted) => {
    const { store, digest } = await built();
    expect((await readBuild(store, "shop", wanted(digest))).buildDescriptor.digest).toBe(digest);
  });

  it.each([
    ["anything but hex digits", "latset", '"latset" names no build: expected "latest" or at least four hex digits of a build\'s digest'],
    ["fewer than four digits", "abc", '"abc" names no build: expected "latest" or at least four hex digits of a build\'s digest'],
    ["digits of no build", "0000000000000000", "has no build of shop whose digest begins with 0000000000000000"],
  ])("is not found by %s", async (_, wanted, message) => {
    const { store } = await built();
    await expect(readBuild(store, "shop", wanted)).rejects.toMatchObject({ code: "BUILD_NOT_FOUND", message: expect.stringContaining(message) });
  });

  it("is not found for another application", async () => {
    const { store } = await built();
    await expect(readBuild(store, "other")).rejects.toMatchObject({ code: "BUILD_NOT_FOUND", message: expect.stringContaining("has no build of other yet") });
  });

  it("is not guessed when the digits fit two", async () => {
    const { store, digest } = await built();
    const twin = `${digest.slice(0, -1)}${digest.endsWith("0") ? "1" : "0"}` as Digest;
    await store.refs.create(refs.build("shop", twin), "{}");
    await expect(readBuild(store, "shop", digest.slice(7, 20))).rejects.toMatchObject({ code: "BUILD_NOT_FOUND", message: expect.stringContaining("2 builds of shop begin with") });
  });
});

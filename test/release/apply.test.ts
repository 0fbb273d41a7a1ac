import { describe, expect, it } from "vitest";
import { openStore } from "../../src/adapters/registry.ts";
import { canonicalJson } from "../../src/core/canonical-json.ts";
import { digestOf } from "../../src/core/descriptor.ts";
import type { Store } from "../../src/ports/store.ts";
import { appendActivation, appendAfter, type NewActivation, recordRelease } from "../../src/release/apply.ts";
import { listReleases, readActive, readHistory, readRelease } from "../../src/release/read.ts";
import type { Release } from "../../src/release/schema.ts";
import { fixedClock } from "../helpers/context.ts";

const clock = fixedClock();
const memoryStore = (): Promise<Store> => openStore("memory:", { dir: "/", env: {} });
const blob = (text: string) => ({ mediaType: "test", digest: digestOf(text), size: 1 });

function release(topK: number): Release {
  return { version: 1, app: "a", build: blob("build"), indexes: {}, config: { TOP_K: { value: topK, source: "--set" } }, attachments: [], secrets: {}, models: [], agents: {}, processes: {} };
}

async function activation(store: Store, topK: number, environment = "staging"): Promise<NewActivation> {
  const { number, releaseDescriptor } = await recordRelease({ store, clock }, release(topK));
  return { app: "a", environment, number, release: releaseDescriptor, attachments: {}, secrets: {}, reason: "release" };
}

describe("recordRelease", () => {
  it("gives twenty releases at once the numbers 1 to 20, each exactly once", async () => {
    const store = await memoryStore();
    const recorded = await Promise.all(Array.from({ length: 20 }, (_, i) => recordRelease({ store, clock }, release(i + 1))));
    expect(recorded.map(({ number }) => number).toSorted((a, b) => a - b)).toEqual(Array.from({ length: 20 }, (_, i) => i + 1));
    for (const { number, releaseDescriptor } of recorded) expect((await readRelease(store, "a", `v${number}`)).releaseDescriptor).toEqual(releaseDescriptor);
  });

  it("gives an equal release a new number and the same digest", async () => {
    const store = await memoryStore();
    const first = await recordRelease({ store, clock }, release(5));
    const second = await recordRelease({ store, clock }, release(5), "again");
    expect([first.number, second.number, second.message]).toEqual([1, 2, "again"]);
    expect(second.releaseDescriptor).toEqual(first.releaseDescriptor);
  });

  it("leaves a usable store when it is cut off before the number is taken", async () => {
    const store = await memoryStore();
    const cut: Store = { ...store, refs: { ...store.refs, create: () => Promise.reject(new Error("killed")) } };
    await expect(recordRelease({ store: cut, clock }, release(1))).rejects.toThrow("killed");
    expect((await recordRelease({ store, clock }, release(1))).number).toBe(1);
  });
});

describe("appendActivation", () => {
  it("keeps every one of ten concurrent activations in one chain", async () => {
    const store = await memoryStore();
    const wanted = await Promise.all(Array.from({ length: 10 }, (_, i) => activation(store, i)));
    await Promise.all(wanted.map((one) => appendActivation({ store, clock }, one)));
    const history = await readHistory(store, "a", "staging");
    expect(history.map((record) => record.activation.number).toSorted((a, b) => a - b)).toEqual(wanted.map(({ number }) => number).toSorted((a, b) => a - b));
    expect(history.at(-1)?.activation.previous).toBeNull();
  });

  it("asks again whether it may follow when another process was first", async () => {
    const store = await memoryStore();
    const [first, second] = [await activation(store, 1), await activation(store, 2)];
    let isRaced = false;
    const racing: Store = {
      ...store,
      refs: {
        ...store.refs,
        create: async (name, value) => {
          if (!isRaced) await appendActivation({ store, clock }, second);
          isRaced = true;
          return store.refs.create(name, value);
        },
      },
    };
    const seen: (number | undefined)[] = [];
    const recorded = await appendActivation({ store: racing, clock }, first, (current) => {
      seen.push(current?.activation.number);
      return current === undefined;
    });
    expect([recorded, seen]).toEqual([undefined, [undefined, 2]]);
    expect((await readActive(store, "a", "staging")).number).toBe(2);
  });
});

describe("appendAfter", () => {
  it("refuses when the environment has changed since it was looked at", async () => {
    const store = await memoryStore();
    const seen = await appendActivation({ store, clock }, await activation(store, 1));
    await appendActivation({ store, clock }, await activation(store, 2));
    const failure = appendAfter({ store, clock }, await activation(store, 3), seen?.activationDescriptor ?? blob("none"));
    await expect(failure).rejects.toMatchObject({ code: "RELEASE_CONFLICT" });
    expect((await readHistory(store, "a", "staging")).map((record) => record.activation.number)).toEqual([2, 1]);
  });
});

describe("readRelease", () => {
  it("finds a release by number and by the beginning of its digest", async () => {
    const store = await memoryStore();
    const { releaseDescriptor } = await recordRelease({ store, clock }, release(1));
    await recordRelease({ store, clock }, release(2));
    for (const name of ["v1", releaseDescriptor.digest, releaseDescriptor.digest.slice(7, 17).toUpperCase()]) {
      expect(await readRelease(store, "a", name)).toMatchObject({ number: 1, release: release(1) });
    }
  });

  it("gives an equal release its newest number when it is named by digest", async () => {
    const store = await memoryStore();
    await recordRelease({ store, clock }, release(1));
    const { releaseDescriptor } = await recordRelease({ store, clock }, release(1));
    expect((await readRelease(store, "a", releaseDescriptor.digest)).number).toBe(2);
  });

  it("does not choose between two releases whose digests begin alike", async () => {
    const store = await memoryStore();
    const seen = new Map<string, number>();
    const prefixOf = (topK: number): string => digestOf(canonicalJson(release(topK))).slice(0, "sha256:".length + 4);
    let topK = 0;
    for (; !seen.has(prefixOf(topK)); topK++) seen.set(prefixOf(topK), topK);
    await recordRelease({ store, clock }, release(seen.get(prefixOf(topK)) ?? -1));
    await recordRelease({ store, clock }, release(topK));
    const message = expect.stringMatching(/^sha256:[0-9a-f]{4} names 2 releases: v1 \([0-9a-f]{12}\), v2 \([0-9a-f]{12}\)$/);
    await expect(readRelease(store, "a", prefixOf(topK))).rejects.toMatchObject({ code: "RELEASE_NOT_FOUND", message });
  });

  it.each(["v3", "v0", "v01", "V1", "1", "abcd", "", "../v1", "v99999999999"])("does not find %j and says what there is", async (wanted) => {
    const store = await memoryStore();
    await recordRelease({ store, clock }, release(1));
    await expect(readRelease(store, "a", wanted)).rejects.toMatchObject({ code: "RELEASE_NOT_FOUND", message: expect.stringMatching(/; there is v1 \([0-9a-f]{12}\)$/) });
  });

  it("says that nothing was released yet", async () => {
    await expect(readRelease(await memoryStore(), "a", "v1")).rejects.toMatchObject({ code: "RELEASE_NOT_FOUND", message: "a has no release v1; nothing was released yet" });
    expect(await listReleases(await memoryStore(), "a")).toEqual([]);
  });
});

describe("readActive", () => {
  it("gives the release with its activation", async () => {
    const store = await memoryStore();
    await appendActivation({ store, clock }, await activation(store, 7));
    const active = await readActive(store, "a", "staging");
    expect(active).toMatchObject({ number: 1, release: release(7), activation: { environment: "staging", reason: "release", previous: null } });
  });

  it.each(["stagin", "a/b", "../x", ""])("says of %j where there is a release instead", async (environment) => {
    const store = await memoryStore();
    await appendActivation({ store, clock }, await activation(store, 7));
    await expect(readActive(store, "a", environment)).rejects.toMatchObject({ code: "RELEASE_NOT_ACTIVE", message: expect.stringContaining("There is one in staging") });
  });
});

import { describe, expect, it } from "vitest";
import { digestOf } from "../../src/core/descriptor.ts";
import { earlierActivation, previousActivation, standing } from "../../src/release/history.ts";
import type { Activation } from "../../src/release/schema.ts";

/** `v1 v2 <v1` reads: v1 activated, v2 activated, rolled back to v1. `v3=2`: v3 has the digest of v2. `v2@b`: with the service b. Newest first, as stores give it. */
function history(text: string): readonly Activation[] {
  const entries = text.split(" ").map((word): Activation => {
    const [, back = "", number = "0", same = number, url = "a"] = /^(<?)v(\d+)(?:=(\d+))?(?:@(\w))?$/.exec(word) ?? [];
    const release = { mediaType: "release", digest: digestOf(same), size: 1 };
    return { version: 1, app: "a", environment: "e", number: Number(number), release, attachments: { URL: { url, source: "environment" } }, secrets: {}, reason: back === "" ? "release" : "rollback", createdAt: "2026-01-01T00:00:00Z", previous: null };
  });
  return entries.toReversed();
}

describe("previousActivation", () => {
  it.each([
    ["v1", undefined],
    ["v1 v2", 1],
    ["v1 v2 v3", 2],
    ["v1 v2 v3 <v2", 1],
    ["v1 v2 v3 <v2 <v1", undefined],
    ["v1 v2 v3 <v1", undefined],
    ["v1 v2 <v1 v3", 1],
    ["v1 v2 <v1 v3 <v1", undefined],
    ["v1 v2 v3 <v2 <v3", 2],
    ["v1 v2=1", undefined],
    ["v1 v2 v3=2", 1],
    ["v1 v2 v1", 2],
    ["v1 v2 v3=2@b", 2],
    ["v1 v2 v3=2 v4=2@b v5=2@b", 3],
    ["v1 v2 v3=2@b <v2", 1],
    ["v1 v2 v3=2@b v4@b", 3],
    ["v1 v2 v3=2@b v4@b <v3=2@b", 2],
    ["v1 v1@b", 1],
    ["v2 v1 v1@b <v1", 2],
    ["v1 v2 v1 <v2", 1],
  ])("goes after %s to v%s", (text, expected) => {
    expect(previousActivation(history(text))?.number).toBe(expected);
  });
});

describe("standing", () => {
  it("leaves out what was rolled back", () => {
    expect(standing(history("v1 v2 v3 <v1 v4")).map(({ number }) => number)).toEqual([1, 4]);
  });
});

describe("earlierActivation", () => {
  const is = (number: number) => (activation: Activation) => activation.number === number;

  it("finds a release that was rolled back, so that one can go forth again", () => {
    expect(earlierActivation(history("v1 v2 <v1"), is(2))?.number).toBe(2);
  });

  it("finds nothing that was never active", () => {
    expect(earlierActivation(history("v1 v2"), is(3))).toBeUndefined();
  });
});

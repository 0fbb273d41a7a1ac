import { describe, expect, it } from "vitest";
import { digestOf } from "../../src/core/descriptor.ts";
import { namespaceOf, planPublish } from "../../src/index/publish-plan.ts";
import type { Publication } from "../../src/index/schema.ts";

const at = "2026-01-01T00:00:00.000Z";
const record = (facts: Partial<Publication>): Publication => ({ version: 1, index: { mediaType: "x", digest: digestOf("x"), size: 1 }, name: "docs", url: "postgres://host/db", published: null, loading: null, left: [], usedAt: at, ...facts });
const published = { namespace: "whole", chunks: 3, publishedAt: at };
const loading = { namespace: "half", attempt: "0", at };

describe("what publishing does first", () => {
  it.each([
    ["loads what was never published", undefined, [], {}, { kind: "load", namespace: "fresh" }],
    ["compares what was published", { published }, ["whole"], {}, { kind: "compare", namespace: "whole" }],
    ["loads beside it when it is to be done again", { published }, ["whole"], { isAgain: true }, { kind: "load", namespace: "fresh" }],
    ["loads what the server no longer lists", { published }, [], {}, { kind: "load", namespace: "fresh" }],
    ["compares what is published also while another process loads it again", { published, loading }, ["whole"], { silentForMs: 10 }, { kind: "compare", namespace: "whole" }],
    ["waits for another process", { loading }, [], { silentForMs: 10_000 }, { kind: "wait", waitMs: 20_000 }],
    ["makes the half anew that a dead process left", { loading }, [], { silentForMs: 30_000 }, { kind: "load", namespace: "half" }],
    ["goes on where a dead process had loaded everything", { loading }, ["half"], { silentForMs: 30_000 }, { kind: "finish", namespace: "half" }],
    ["trusts nothing when it is to be done again", { loading }, ["half"], { silentForMs: 30_000, isAgain: true }, { kind: "load", namespace: "half" }],
  ] as const)("%s", (_, facts, listed, question, expected) => {
    const publication = facts === undefined ? undefined : record(facts);
    expect(planPublish({ publication, listed: new Set(listed), isAgain: false, silentForMs: 0, fresh: "fresh", ...question })).toEqual(expected);
  });

  it.each([
    ["support", "docs", "support-docs-2d711642b7-0a1b2c"],
    ["a-very-long-name-of-an-application-of-sixty-three-characters-xyz", "and-of-an-index-as-well", "a-very-long-na-and-of-an-in-2d711642b7-0a1b2c"],
    ["twelve-factor--x", "docs", "twelve-factor-docs-2d711642b7-0a1b2c"],
    ["3d-models", "docs", "xd-models-docs-2d711642b7-0a1b2c"],
  ])("names the namespace of %s and %s in a form that every server takes", (app, name, expected) => {
    const namespace = namespaceOf({ app, name, digest: digestOf("x"), random: "0a1b2c" });
    expect(namespace).toBe(expected);
    expect(namespace).toMatch(/^[a-z][a-z0-9-]{0,44}$/);
  });
});

import { describe, expect, it } from "vitest";
import { digestOf } from "../../src/core/descriptor.ts";
import { isPlainLedger } from "../../src/index/plain-ledger.ts";
import { Ledger } from "../../src/index/schema.ts";

const digest = digestOf("a");
const chunk = { headings: ["A", "B"], id: "c", textDigest: digest, tokens: 3 };
const document = { chunks: [chunk, { ...chunk, page: 2 }], digest, language: null, loader: "markdown@1", metadata: { team: "a", tags: ["x", 1, true] }, path: "a.md" };
const skip = { path: "b.pdf", reason: "has no text layer", digest: null, loader: "pdf@1" };
const ledger = { version: 2, documents: [document, { ...document, language: "de", chunks: [] }], skipped: [skip, { ...skip, digest, loader: null }] };

const change = (of: object): object => ({ ...ledger, documents: [{ ...document, ...of }] });
const changeChunk = (of: object): object => change({ chunks: [{ ...chunk, ...of }] });

describe("a ledger that is read without its schema", () => {
  it("is one that the schema accepts, as it is", () => {
    expect(isPlainLedger(ledger)).toBe(true);
    expect(Ledger.parse(ledger)).toEqual(ledger);
  });

  it.each<[string, unknown]>([
    ["no object", null], ["a list", []], ["another version", { ...ledger, version: 1 }], ["no skips", { version: 2, documents: [] }], ["a further key", { ...ledger, extra: 1 }], ["documents that are no list", { ...ledger, documents: {} }],
    ["a document with a key too many", change({ extra: 1 })], ["without a path", change({ path: 1 })], ["with a bad digest", change({ digest: "sha256:0" })], ["with a language of another type", change({ language: 1 })],
    ["with a loader of another type", change({ loader: null })], ["with nested metadata", change({ metadata: { a: { b: 1 } } })], ["with null in its metadata", change({ metadata: { a: null } })], ["with a list of lists", change({ metadata: { a: [[1]] } })], ["with metadata that is a list", change({ metadata: [] })],
    ["a chunk with a key too many", changeChunk({ extra: 1 })], ["without an ID", changeChunk({ id: 1 })], ["with a bad digest", changeChunk({ textDigest: "x" })], ["with half a token", changeChunk({ tokens: 1.5 })], ["with half a page", changeChunk({ page: 1.5 })], ["with headings of another type", changeChunk({ headings: [1] })],
    ["a skip without a reason", { ...ledger, skipped: [{ ...skip, reason: null }] }], ["with a bad digest", { ...ledger, skipped: [{ ...skip, digest: "x" }] }], ["with a loader of another type", { ...ledger, skipped: [{ ...skip, loader: 1 }] }],
  ])("is none that the schema refuses: %s", (_, value) => {
    expect([isPlainLedger(value), Ledger.safeParse(value).success]).toEqual([false, false]);
  });
});

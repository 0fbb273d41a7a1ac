import { readFile } from "node:fs/promises";
import { describe, expect, it } from "vitest";
import { lifecycleTable } from "../../src/manifest/lifecycle-table.ts";

const inLibrary = (path: string): Promise<string> => readFile(new URL(`../../node_modules/${path}`, import.meta.url), "utf8");
const known = (references: readonly string[]): Record<string, string | undefined> => Object.fromEntries(references.map((reference) => [reference, lifecycleTable.ends[reference]]));

/** When one of these is red after an update of the library, the provider has announced something: put it into the table. */
describe("the dated table says what the provider's own client library says", () => {
  it("of OpenAI's models", async () => {
    const text = (await inLibrary("openai/resources/shared.d.ts")).replaceAll(/\n \* {0,3}/g, " ");
    const announced = [...text.matchAll(/- ((?:"[\w.-]+",? ?)+): Announced shutdown date: (\d{4}-\d\d-\d\d)/g)];
    const ends = Object.fromEntries(announced.flatMap(([, names = "", day = ""]) => [...names.matchAll(/"([^"]+)"/g)].map(([, name = ""]) => [`openai:${name}`, day])));
    expect(Object.keys(ends).length).toBeGreaterThan(50);
    expect(known(Object.keys(ends))).toEqual(ends);
  });

  it("of Anthropic's models", async () => {
    const text = await inLibrary("@anthropic-ai/sdk/internal/data/deprecated-models.js");
    const announced = [...text.matchAll(/'(claude-[\w.-]+)': '(\w+ \d+)(?:st|nd|rd|th), (\d{4})'/g)];
    // Its page has another date, or none, than its library for this one, which is by invitation only.
    const ends = Object.fromEntries(announced.filter(([, name]) => name !== "claude-mythos-preview").map(([, name = "", day = "", year = ""]) => [`anthropic:${name}`, new Date(`${day} ${year} UTC`).toISOString().slice(0, 10)]));
    expect(Object.keys(ends).length).toBeGreaterThan(2);
    expect(known(Object.keys(ends))).toEqual(ends);
  });
});

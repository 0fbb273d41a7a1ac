import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";

const css = readFileSync(join(import.meta.dirname, "../../../src/run/page/page.css"), "utf8");

/** The colours of the page by their names: the first block is light, what dark has otherwise stands in the second. */
const [light = {}, dark = {}] = [...css.matchAll(/:root \{([^}]*)\}/g)].map(([, block = ""]) => Object.fromEntries([...block.matchAll(/--([\w-]+): (#[0-9a-f]{6});/g)].map(([, name = "", value = ""]) => [name, value])));
const schemes: Readonly<Record<string, Readonly<Record<string, string>>>> = { light, dark: { ...light, ...dark } };

/** As WCAG 2.2 computes it. */
function contrast(first: string, second: string): number {
  const [brighter = 0, darker = 0] = [first, second].map(luminance).toSorted((left, right) => right - left);
  return (brighter + 0.05) / (darker + 0.05);
}

function luminance(colour: string): number {
  const [red = 0, green = 0, blue = 0] = [1, 3, 5].map((at) => Number.parseInt(colour.slice(at, at + 2), 16) / 255).map((part) => (part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4));
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
}

const texts = [
  ["ink", ["ground", "surface", "sunken", "tint", "warning-tint"]],
  ["muted", ["ground", "surface", "sunken", "tint", "warning-tint"]],
  ["accent", ["ground", "surface", "tint"]],
  ["on-accent", ["accent"]],
  ["on-tint", ["tint"]],
  ["warning", ["surface"]],
] as const;
const edges = [["edge", ["ground", "surface"]], ["accent", ["ground", "surface", "tint"]], ["warning", ["warning-tint"]]] as const;
const pairs = (list: readonly (readonly [string, readonly string[]])[]): readonly (readonly [string, string])[] => list.flatMap(([colour, grounds]) => grounds.map((ground) => [colour, ground] as const));

describe.each(Object.entries(schemes))("the page in %s colours", (_, colours) => {
  it.each(pairs(texts))("can be read: %s on %s has a contrast of 4.5", (colour, ground) => {
    expect(contrast(colours[colour] ?? "", colours[ground] ?? "")).toBeGreaterThanOrEqual(4.5);
  });

  it.each(pairs(edges))("shows where things are: %s on %s has a contrast of 3", (colour, ground) => {
    expect(contrast(colours[colour] ?? "", colours[ground] ?? "")).toBeGreaterThanOrEqual(3);
  });
});

it("computes contrast as the standard does", () => {
  expect(contrast("#000000", "#ffffff")).toBe(21);
  expect(contrast("#767676", "#ffffff")).toBeCloseTo(4.54, 2);
});

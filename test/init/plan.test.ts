import { describe, expect, it } from "vitest";
import { appNameFrom, planInit } from "../../src/init/plan.ts";

describe("planInit", () => {
  const template = [
    { path: "twelve.yaml", text: "name: twelve-app\n" },
    { path: "gitignore", text: ".twelve/\n" },
    { path: "docs/twelve.yaml", text: "twelve-app\n" },
  ];

  it("fills in the name, gives files their final names and points the manifest at its schema", () => {
    expect(planInit(template, "support", "{}\n")).toEqual([
      { path: ".gitignore", text: ".twelve/\n" },
      { path: ".twelve/twelve.schema.json", text: "{}\n" },
      { path: "docs/twelve.yaml", text: "support\n" },
      { path: "twelve.yaml", text: "# yaml-language-server: $schema=./.twelve/twelve.schema.json\nname: support\n" },
    ]);
  });

  it("gives the same plan whatever order the disk lists files in", () => {
    expect(planInit(template.toReversed(), "support", "{}\n")).toEqual(planInit(template, "support", "{}\n"));
  });
});

describe("appNameFrom", () => {
  it.each([
    ["support", "support"],
    ["My App", "my-app"],
    ["Kundendienst (Köln)", "kundendienst-koln"],
    ["--x--", "x"],
    ["支援", "app"],
    ["", "app"],
    ["a".repeat(70), "a".repeat(63)],
    [`${"a".repeat(62)}-b`, "a".repeat(62)],
  ])("makes of %j the name %j", (folder, name) => {
    expect(appNameFrom(folder)).toBe(name);
  });
});

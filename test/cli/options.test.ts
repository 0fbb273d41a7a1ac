import { Command as Program } from "commander";
import { expect, it } from "vitest";
import { z } from "zod";
import { addFlags, flagsOf, readInput } from "../../src/cli/options.ts";
import { defineCommand, type Command } from "../../src/ports/command.ts";

const sample = defineCommand({
  input: z.strictObject({
    name: z.string().meta({ description: "What to open", positional: true }),
    port: z.int().min(0).max(65535).default(3000).meta({ description: "Port" }),
    dryRun: z.boolean().default(false).meta({ description: "Write nothing" }),
    set: z.array(z.string()).default([]).meta({ description: "A value", valueName: "KEY=VALUE", short: "s" }),
    mode: z.enum(["fast", "slow"]).optional().meta({ description: "How" }),
  }),
  output: z.unknown(),
  examples: ["twelve sample x"],
  run: () => Promise.resolve(null),
  render: () => "",
}) as unknown as Command;

function read(...args: readonly string[]): unknown {
  const program = new Program("sample").exitOverride().configureOutput({ writeErr: () => {} });
  addFlags(program, sample);
  program.action(() => {});
  program.parse(args, { from: "user" });
  return readInput(program, sample);
}

it("gives each field of the schema its form on the command line", () => {
  expect(flagsOf(sample).map(({ form, isRequired }) => [form, isRequired])).toEqual([
    ["name", true],
    ["--port <number>", false],
    ["--dry-run", false],
    ["-s, --set <KEY=VALUE>", false],
    ["--mode <value>", false],
  ]);
});

it("tells choices, repetition and defaults in the description", () => {
  expect(flagsOf(sample).map(({ description }) => description)).toEqual(["What to open", "Port (default: 3000)", "Write nothing", "A value (may be repeated)", "How (one of fast, slow)"]);
});

it("reads arguments, numbers, switches and lists into the command's input", () => {
  expect(read("x", "--port", "80", "--dry-run", "-s", "A=1", "--set", "B=2")).toEqual({ name: "x", port: 80, dryRun: true, set: ["A=1", "B=2"] });
});

it("fills in what the schema has as default", () => {
  expect(read("x")).toEqual({ name: "x", port: 3000, dryRun: false, set: [] });
});

it.each([
  [["x", "--port", "http"], "--port", /^Expected number, found "http"$/],
  [["x", "--port", "70000"], "--port", /65535/],
  [["x", "--port", ""], "--port", /number/],
  [["x", "--mode", "medium"], "--mode", /fast/],
])("refuses %j, naming the flag", (args, path, message) => {
  expect(() => read(...args)).toThrow(expect.objectContaining({ code: "USAGE_INVALID", problems: [{ path, message: expect.stringMatching(message) as string }] }));
});

it("refuses a missing argument and an unknown flag", () => {
  expect(() => read()).toThrow(/missing required argument 'name'/);
  expect(() => read("x", "--prot", "80")).toThrow(/unknown option '--prot'/);
});

import { afterEach, expect, it, vi } from "vitest";
import { z } from "zod";
import { printAnswer } from "../../src/cli/output.ts";
import { defineCommand } from "../../src/ports/command.ts";

const written: string[] = [];
afterEach(() => {
  vi.restoreAllMocks();
  written.length = 0;
});

function printed(text: string, flags: { readonly isJson?: boolean; readonly isQuiet?: boolean }): string {
  vi.spyOn(process.stdout, "write").mockImplementation((part) => written.push(String(part)) > 0);
  const command = defineCommand({ input: z.strictObject({}), output: z.string(), examples: [], run: async () => text, render: () => text });
  printAnswer(command, text, {}, { isJson: false, isQuiet: false, ...flags });
  return written.join("");
}

it.each([
  ["one command", "Build 1\n  code  1 file\n\nNext: twelve index"],
  ["several lines", "Build 1\n  code  1 file\n\nNext:\n  cd app\n  twelve build"],
  ["what would undo it", "Build 1\n  code  1 file\nNext: `twelve run`\nUndo: `twelve rollback`"],
  ["several of them", "Build 1\n  code  1 file\n\nNext: a\n\nNext: b"],
])("leaves out with --quiet what to run next: %s", (_, text) => {
  expect(printed(text, { isQuiet: true })).toBe("Build 1\n  code  1 file\n");
});

it("keeps it otherwise, and words like it inside an answer", () => {
  expect(printed("Build 1\nNext: twelve index", {})).toBe("Build 1\nNext: twelve index\n");
  written.length = 0;
  expect(printed("Next: is a word of the prompt\nThe end", { isQuiet: true })).toBe("Next: is a word of the prompt\nThe end\n");
  written.length = 0;
  expect(printed("a\nNext: b", { isQuiet: true, isJson: true })).toBe('"a\\nNext: b"\n');
});

import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import type { EvalReport } from "../../src/eval/schema.ts";
import { twelve, twelveJson } from "../helpers/binary.ts";
import { temporaryFolder } from "../helpers/context.ts";

const suite = (script: string): string => `
tests:
  - vars: { question: How many days do I have to return a sensor? }
    assert:
      - { type: javascript, value: "${script}" }
      - { type: javascript, value: file://check.mjs }
      - { type: similar, value: You can return a sensor within 45 days., threshold: 0.2 }
      - { type: not-is-json, value: { type: object } }
      - { type: not-is-json, value: { $schema: "http://json-schema.org/draft-07/schema#", type: object } }
`;

describe("twelve eval, as it is installed", () => {
  it("runs scripts, schemas and similarity out of the bundle, and ends with 0 or 100", async () => {
    const parent = await temporaryFolder();
    const { folder: cwd } = await twelveJson<{ folder: string }>(["init", "app", "--template", "rag"], { cwd: parent });
    await twelveJson(["build"], { cwd });
    await twelveJson(["index"], { cwd });
    await twelveJson(["release", "--env", "staging"], { cwd });
    await writeFile(join(cwd, "evals/check.mjs"), "export default (output, { retrieved }) => output.length > 0 && retrieved.length > 0;\n");

    await writeFile(join(cwd, "evals/smoke.yaml"), suite("output.includes('45 days')"));
    const { pass, reports } = await twelveJson<{ pass: boolean; reports: EvalReport[] }>(["eval", "--env", "staging"], { cwd });
    expect(reports[0]?.cases[0]?.assertions.map(({ type, pass: isPassed }) => [type, isPassed])).toEqual([
      ["javascript", true], ["javascript", true], ["similar", true], ["not-is-json", true], ["not-is-json", true],
    ]);
    expect(pass).toBe(true);

    await writeFile(join(cwd, "evals/smoke.yaml"), suite("output.includes('46 days')"));
    const failing = await twelve(["eval", "--env", "staging"], { cwd });
    expect(failing.exitCode).toBe(100);
    expect(failing.stdout).toContain("1  FAIL");
    expect(failing.stdout).toContain("javascript: The script gave false");
    expect(failing.stderr).toContain("The gate of smoke (pass rate 0%, needed ");
    expect(failing.stdout).not.toContain("\u001b[");
    // The report is the newest word on this release: what had passed is no longer promoted.
    expect(await twelve(["promote", "staging", "production"], { cwd })).toMatchObject({ exitCode: 100 });
  });
});

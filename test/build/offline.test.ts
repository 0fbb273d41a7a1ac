import { execFile } from "node:child_process";
import { cpSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { describe, expect, it } from "vitest";
import { temporaryFolder } from "../helpers/context.ts";
import { git, gitApp } from "../helpers/git-app.ts";

const root = join(import.meta.dirname, "..", "..");
const run = promisify(execFile);

/** Node with every socket denied. */
function offline(...args: readonly string[]): Promise<{ stdout: string; stderr: string }> {
  return run(process.execPath, ["--no-warnings", "--import", join(root, "test/helpers/deny-network.ts"), ...args]);
}

describe("a build without a network", () => {
  it.each(["rag", "chat", "agent"])("of the template %s succeeds: no model and no other service is asked", async (template) => {
    const dir = await temporaryFolder();
    cpSync(join(root, "templates", template), dir, { recursive: true });
    git(dir, "init", "--quiet");
    git(dir, "add", "--all");
    const { stdout } = await offline(join(root, "src/main.ts"), "--dir", dir, "build", "--json");
    expect(JSON.parse(stdout)).toMatchObject({ isStored: true, dirty: true, commit: null });
  });

  it("of an application whose models are far away succeeds too", async () => {
    const dir = await gitApp({
      "twelve.yaml": 'name: far\nagents: { a: { prompt: answer, model: "https://models.example.com/v1#large" } }\nindexes: { docs: { source: [docs], embedder: "openai:text-embedding-3-small" } }\n',
      "prompts/answer.prompt": "---\nmodel: openai:gpt-4o\ninput: { schema: { question: string } }\n---\n{{question}}\n",
    });
    const { stdout } = await offline(join(root, "src/main.ts"), "--dir", dir, "build", "--json");
    expect(JSON.parse(stdout)).toMatchObject({ models: ["https://models.example.com/v1#large", "openai:gpt-4o", "openai:text-embedding-3-small"] });
  });

  it("would be caught if it asked one", async () => {
    await expect(offline("--eval", 'fetch("http://127.0.0.1:8099/")')).rejects.toMatchObject({ code: 99, stderr: expect.stringContaining("NETWORK: ") });
  });
});

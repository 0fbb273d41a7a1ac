import { execFileSync } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { temporaryFolder } from "./context.ts";

/** Git without the machine's or the caller's settings. */
export function git(dir: string, ...args: readonly string[]): string {
  const env = { PATH: process.env["PATH"], HOME: dir, GIT_CONFIG_GLOBAL: "/dev/null", GIT_CONFIG_NOSYSTEM: "1" };
  const identity = ["-c", "user.name=Test", "-c", "user.email=test@example.com", "-c", "init.defaultBranch=main", "-c", "protocol.file.allow=always"];
  return execFileSync("git", [...identity, ...args], { cwd: dir, env, encoding: "utf8", stdio: ["ignore", "pipe", "pipe"] }).trim();
}

export type Contents = Readonly<Record<string, string | Uint8Array>>;

export function writeFiles(dir: string, files: Contents): void {
  for (const [path, content] of Object.entries(files)) {
    mkdirSync(dirname(join(dir, path)), { recursive: true });
    writeFileSync(join(dir, path), content);
  }
}

export const smallApp: Contents = {
  "twelve.yaml": "name: shop\nagents:\n  support: { prompt: answer, model: \"mock:echo\" }\n",
  "prompts/answer.prompt": "---\ninput:\n  schema:\n    question: string\n---\n{{question}}\n",
  "src/main.py": "print('hello')\n",
};

/** A repository of the test's own, with these files in its first commit. */
export async function gitApp(files: Contents = smallApp): Promise<string> {
  const dir = await temporaryFolder();
  writeFiles(dir, files);
  git(dir, "init", "--quiet");
  git(dir, "add", "--all");
  git(dir, "commit", "--quiet", "--allow-empty", "--message", "First version");
  return dir;
}

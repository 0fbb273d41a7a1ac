/** Applications that are released for the benchmark. */
import { execFile } from "node:child_process";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { passageMaker } from "../passage.ts";
import { start, type Started } from "./started.ts";

const run = promisify(execFile);
const binary = join(import.meta.dirname, "../../bin/twelve.js");

/** Each is a chunk. */
const sectionsEach = 20;

/** Agents without retrieval, each with a model at one of the addresses. */
export async function releaseProxy(dir: string, upstreams: Readonly<Record<string, string>>): Promise<void> {
  const agents = Object.entries(upstreams).map(([name, url]) => `  ${name}: { prompt: answer, model: "${url}/v1#mock" }\n`);
  await mkdir(join(dir, "prompts"), { recursive: true });
  await writeFile(join(dir, "prompts/answer.prompt"), '---\ninput: { schema: { question: string } }\n---\n{{role "system"}}\nAnswer in one sentence.\n{{role "user"}}\n{{question}}\n');
  await release(dir, `name: bench\nagents:\n${agents.join("")}`);
}

/** An agent that keeps conversations, with a model at that address. */
export async function releaseSessions(dir: string, upstream: string): Promise<void> {
  await mkdir(join(dir, "prompts"), { recursive: true });
  await writeFile(join(dir, "prompts/answer.prompt"), "---\ninput: { schema: { question: string } }\n---\n{{history}}\n{{role \"user\"}}\n{{question}}\n");
  await release(dir, `name: bench\nagents:\n  talk: { prompt: answer, model: "${upstream}/v1#mock", session: true }\nprocesses:\n  web: { serve: [talk] }\n`);
}

/** An agent that searches so many chunks. */
export async function releaseSearch(dir: string, chunks: number): Promise<void> {
  const { passage } = passageMaker();
  await mkdir(join(dir, "prompts"), { recursive: true });
  await mkdir(join(dir, "docs"));
  await writeFile(join(dir, "prompts/answer.prompt"), "---\ninput: { schema: { question: string, passages(array): { number: integer, text: string, document: string, headings: string } } }\n---\n{{#each passages}}[{{number}}] {{text}}\n{{/each}}\n{{question}}\n");
  for (let number = 0; number < chunks / sectionsEach; number++) {
    const sections = Array.from({ length: sectionsEach }, (_, section) => `## Section ${section}\n\n${passage()}\n`);
    await writeFile(join(dir, "docs", `${number}.md`), `# Document ${number}\n\n${sections.join("\n")}`);
  }
  await release(dir, 'name: bench\nindexes:\n  docs: { source: [docs], embedder: "hash:512" }\nagents:\n  search: { prompt: answer, model: "mock:echo", retrieve: { index: docs } }\n');
}

async function release(dir: string, manifest: string): Promise<void> {
  await writeFile(join(dir, "twelve.yaml"), manifest);
  await writeFile(join(dir, ".gitignore"), ".twelve/\n");
  const identity = ["-c", "user.name=Bench", "-c", "user.email=bench@example.com"];
  for (const args of [["init", "--quiet"], ["add", "--all"], [...identity, "commit", "--quiet", "--message", "First version"]]) await run("git", args, { cwd: dir });
  const twelve = (...args: string[]): Promise<unknown> => run(process.execPath, [binary, ...args], { cwd: dir });
  await twelve("build");
  if (manifest.includes("indexes:")) await twelve("index");
  await twelve("release", "--env", "development");
}

/** `twelve run`, with its log in a pipe that is read. */
export function serve(dir: string): Promise<Started> {
  return start([binary, "run", "--env", "development", "--port", "0", "--quiet"], { cwd: dir });
}

/** Several processes of one type on one port, and the one that looks after them. */
export function serveSeveral(dir: string, processes: number, env: NodeJS.ProcessEnv): Promise<Started> {
  return start([binary, "run", "web", "--env", "development", "--port", "0", "--concurrency", String(processes), "--quiet"], { cwd: dir, env });
}

/** `npm run demo`: the whole straight line on this project's own docs/, in a temporary folder, with the real program. */
import { cp, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Readable } from "node:stream";
import { execa } from "execa";
import OpenAI from "openai";

const root = join(import.meta.dirname, "..");
const binary = join(root, "bin/twelve.js");
const question = "Which release does twelve rollback activate?";

// Nothing of the caller's shell may decide what the demo shows: a PORT or TOP_K there would be read as configuration.
const { PATH = "", HOME = "", TMPDIR = tmpdir(), SystemRoot = "" } = process.env;
const author = { GIT_AUTHOR_NAME: "Demo", GIT_AUTHOR_EMAIL: "demo@localhost", GIT_COMMITTER_NAME: "Demo", GIT_COMMITTER_EMAIL: "demo@localhost" };
const env = { PATH, HOME, TMPDIR, SystemRoot, NO_COLOR: "1", ...author };

function say(text: string): void {
  process.stdout.write(`${text}\n`);
}

function explain(text: string): void {
  say(`\n# ${text}`);
}

function indent(text: string): string {
  return text.trimEnd().replaceAll(/^/gm, "  ");
}

/** Runs one command as a user would see it, story included. Throws when it ends with another exit code than expected. */
async function twelve(cwd: string, line: string, expected = 0): Promise<void> {
  say(`$ twelve ${line}`);
  const { exitCode, all } = await execa(process.execPath, [binary, ...line.split(" ")], { cwd, env, extendEnv: false, reject: false, all: true });
  say(indent(all));
  if (exitCode !== expected) throw new Error(`twelve ${line} ended with exit code ${exitCode}, not ${expected}`);
}

async function git(cwd: string, ...args: readonly string[]): Promise<void> {
  await execa("git", args, { cwd, env, extendEnv: false });
}

/** Asks the server through OpenAI's own client, once whole and once streamed, and prints the answer with its sources. */
async function ask(url: string): Promise<void> {
  const client = new OpenAI({ baseURL: `${url}/v1`, apiKey: "unused", maxRetries: 0 });
  const request = { model: "support", messages: [{ role: "user" as const, content: question }] };
  const { choices } = await client.chat.completions.create(request);
  const message = choices[0]?.message as { content: string; citations?: readonly { number: number; document: string; headings: string }[] } | undefined;
  const answer = message?.content ?? "";
  say(`  Question: ${question}\n  Answer:   ${answer.replaceAll("\n", "\n            ")}`);
  for (const { number, document, headings } of message?.citations ?? []) say(`            [${number}] ${document}  ${headings}`);
  if (!/active before.*\[\d+\]/s.test(answer)) throw new Error("The answer does not say and cite what the documentation says");

  const pieces: string[] = [];
  for await (const chunk of await client.chat.completions.create({ ...request, stream: true })) {
    const piece = chunk.choices[0]?.delta.content;
    if (piece) pieces.push(piece);
  }
  say(`  Streamed: the same answer in ${pieces.length} pieces`);
  if (pieces.join("") !== answer) throw new Error("The streamed answer differs from the whole one");
}

/** Serves staging on a free port, asks it, prints its log, and stops it as a platform would. */
async function serve(cwd: string): Promise<void> {
  const line = "run --env staging --port 0";
  say(`$ twelve ${line}`);
  const server = execa(process.execPath, [binary, ...line.split(" ")], { cwd, env, extendEnv: false, reject: false, cleanup: true });
  try {
    await ask(await readyUrl(server.stderr, server));
  } finally {
    server.kill("SIGTERM");
  }
  const { exitCode, stdout } = await server;
  const event = stdout.split("\n").find((text) => text.includes('"model-call-finished"'));
  if (event === undefined) throw new Error(`The server logged no model call: ${stdout}`);
  explain("Each model call is one JSON line on stdout; this is the first one, a field a line.");
  const fields = Object.entries(JSON.parse(event) as Record<string, unknown>);
  say(indent(fields.map(([name, value]) => `${name.padEnd(36)} ${JSON.stringify(value)}`).join("\n")));
  if (exitCode !== 0) throw new Error(`The server ended with exit code ${exitCode}`);
  explain("At SIGTERM the server finished what it was doing and ended with exit code 0.");
}

/** The address in the line that says the server is ready; everything it says on the way is shown. */
function readyUrl(stderr: Readable, ended: PromiseLike<unknown>): Promise<string> {
  return new Promise((resolve, reject) => {
    stderr.on("data", (text: Buffer) => {
      say(indent(text.toString("utf8")));
      const url = /Ready:\s+(http:\/\/\S+)/.exec(text.toString("utf8"))?.[1];
      if (url !== undefined) resolve(url);
    });
    void ended.then(() => reject(new Error("The server ended before it was ready")));
  });
}

const folder = await mkdtemp(join(tmpdir(), "twelve-demo-"));
const startedMs = performance.now();
try {
  explain("A new application: manifest, prompts, eval suite, sample documents, in a git repository.");
  await twelve(folder, "init support --template rag");
  const app = join(folder, "support");

  explain("Its sample documents make room for the documentation of twelve, and the eval suite asks about that.");
  await rm(join(app, "docs"), { recursive: true });
  await cp(join(root, "docs"), join(app, "docs"), { recursive: true });
  await cp(join(root, "fixtures/demo/smoke.yaml"), join(app, "evals/smoke.yaml"));
  await git(app, "add", "--all");
  await git(app, "commit", "--quiet", "--message", "Answer from the documentation of twelve");

  explain("Build: every prompt is compiled and checked, the code is packaged. No model is called.");
  await twelve(app, "build");
  explain("Index: the documents are cut, embedded and stored as one immutable index.");
  await twelve(app, "index --source docs/");
  explain("Release: build, index and configuration are frozen as v1, which becomes active in staging.");
  await twelve(app, "release --env staging");
  explain("Production requires an eval of exactly this release, so a promotion is refused now (exit code 100).");
  await twelve(app, "promote staging production", 100);
  explain("Run: an OpenAI-compatible server answers from the release; any OpenAI client can ask it.");
  await serve(app);
  explain("Eval: the suite is asked, and the report is bound to the release.");
  await twelve(app, "eval --env staging");
  explain("Promote: the same release, now active in production.");
  await twelve(app, "promote staging production");
  explain("A second release with a stricter prompt, v2, takes the same way.");
  await twelve(app, "release --env staging --set PROMPT_VARIANT=strict");
  await twelve(app, "eval --env staging");
  await twelve(app, "promote staging production");
  explain("Rollback: production goes back to v1.");
  await twelve(app, "rollback --env production");
  await twelve(app, "releases");
  explain("Verify: every blob of the store still has the content that its name says.");
  await twelve(app, "verify");
  say(`\nThe whole line worked, in ${((performance.now() - startedMs) / 1000).toFixed(1)} s.`);
} finally {
  await rm(folder, { recursive: true, force: true });
}

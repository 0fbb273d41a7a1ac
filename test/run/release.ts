import { mkdir, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { writeDocument } from "../../src/artifact/document.ts";
import { movePointer } from "../../src/artifact/pointer.ts";
import { refs } from "../../src/artifact/refs.ts";
import { type Build, buildKind } from "../../src/build/schema.ts";
import { archiveMediaType, type CodeFile, codeTreeKind } from "../../src/code/schema.ts";
import { endBytes, fileHeader, paddedSize } from "../../src/code/tar.ts";
import { canonicalJson } from "../../src/core/canonical-json.ts";
import { digestOf } from "../../src/core/descriptor.ts";
import indexCommand from "../../src/index/command.ts";
import { readManifest } from "../../src/manifest/read.ts";
import releaseCommand from "../../src/release/command.ts";
import type { CompiledPrompt } from "../../src/prompt/schema.ts";
import type { TestContext } from "../helpers/context.ts";

export type Files = Readonly<Record<string, string>>;

/** Retrieval, a frozen key of each type, an attachment, a secret, and processes of every kind. */
export const manifest = `
name: handbook
config:
  CHAT_MODEL: { default: "mock:extractive" }
  TOP_K: { type: integer, default: 2 }
  NOTE: { optional: true }
  STATE_URL: { kind: attachment, default: "postgres://localhost/state" }
  API_KEY: { kind: secret, optional: true }
indexes:
  docs: { source: [docs], embedder: "hash:64" }
agents:
  support: { prompt: answer, model: "\${CHAT_MODEL}", retrieve: { index: docs, topK: "\${TOP_K}" } }
  chat: { prompt: chat, model: "mock:echo" }
processes:
  web: { serve: [support, chat] }
  show: { command: sh show.sh }
  fail: { command: exit 7 }
  patient: { command: sh patient.sh }
  worker: { work: [index] }
environments: { staging: { config: "dotenv:.env" }, production: {} }
`;

export const documents: Files = {
  "docs/limits.md": "# Limits\n\nThe body of a request may be 1 MiB large. Larger ones are refused.\n",
  "docs/ports.md": "# Ports\n\nThe server listens on port 3000 unless PORT says otherwise.\n",
};

const code: Files = {
  "show.sh": 'printf "%s|%s|%s|%s|%s|%s|%s|%s" "$TWELVE_RELEASE" "$TWELVE_ENVIRONMENT" "$PORT" "$TOP_K" "${NOTE-unset}" "$STATE_URL" "$API_KEY" "$OTHER" > "$OUT"\n',
  "patient.sh": 'trap "printf stopped >> \\"$OUT\\"; exit 5" TERM\nprintf started > "$OUT"\nwhile :; do sleep 0.05; done\n',
};

const noSchema = { schema: null, default: {} };
function prompt(name: string, template: string): CompiledPrompt {
  return { name, variant: null, path: `prompts/${name}.prompt`, model: null, config: {}, input: noSchema, output: { format: "text", schema: null }, template, partials: {}, metadata: {}, digest: digestOf(template) };
}
const prompts = [
  prompt("answer", '{{role "system"}}Answer from the passages.\n{{#each passages}}[{{number}}] {{text}}\n{{/each}}{{role "user"}}{{question}}'),
  prompt("chat", '{{role "system"}}You are {{tone}}.{{history}}{{role "user"}}{{question}}'),
];

export async function writeFiles(dir: string, files: Files): Promise<void> {
  for (const [path, text] of Object.entries(files)) {
    await mkdir(dirname(join(dir, path)), { recursive: true });
    await writeFile(join(dir, path), text);
  }
}

/** Makes v1 in the environment `staging`: a build with code, each index with its engine files, and a release of all. */
export async function makeRelease(context: TestContext, text = manifest, packaged: Files = {}): Promise<void> {
  await writeFiles(context.dir, { "twelve.yaml": text, ...documents });
  await storeBuild(context, { ...code, ...packaged });
  for (const name of Object.keys((await readManifest(context.dir)).indexes)) await indexCommand.run(indexCommand.input.parse({ name }), context);
  await releaseCommand.run(releaseCommand.input.parse({ env: "staging" }), context);
}

async function storeBuild(context: TestContext, code: Files): Promise<void> {
  const store = await context.store();
  const manifest = await readManifest(context.dir);
  const files: CodeFile[] = Object.entries(code).map(([path, text]) => ({ path, mode: "file", size: Buffer.byteLength(text), digest: digestOf(text) }));
  const tree = await writeDocument(store, codeTreeKind, { version: 1, files });
  const archive = Buffer.concat([...Object.entries(code).flatMap(([path, text]) => {
    const size = Buffer.byteLength(text);
    return [fileHeader({ path, isExecutable: false, size }), Buffer.concat([Buffer.from(text)], paddedSize(size))];
  }), Buffer.alloc(endBytes)]);
  await movePointer(store, refs.codeData(tree.digest), { version: 1, archives: [await store.blobs.write(archive, archiveMediaType)], contentBytes: archive.length });
  const build: Build = {
    version: 1, app: manifest.name, source: { commit: "1234567890abcdef", dirty: false }, manifest, manifestDigest: digestOf(canonicalJson(manifest)),
    code: tree, prompts, promptPackages: [], lockfiles: [], models: [],
  };
  const descriptor = await writeDocument(store, buildKind, build);
  await movePointer(store, refs.build(manifest.name, descriptor.digest), { build: descriptor });
  await movePointer(store, refs.latestBuild(manifest.name), { build: descriptor });
}

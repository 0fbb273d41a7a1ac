import { chmodSync, cpSync, existsSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { openStore } from "../../src/adapters/registry.ts";
import command from "../../src/build/command.ts";
import { readBuild } from "../../src/build/read.ts";
import type { BuildReport } from "../../src/build/report.ts";
import { layOutCode } from "../../src/code/layout.ts";
import { TwelveError } from "../../src/core/errors.ts";
import { manifestJsonSchema } from "../../src/manifest/json-schema.ts";
import { type TestContext, temporaryFolder, testContext } from "../helpers/context.ts";
import { type Contents, git, gitApp, smallApp, writeFiles } from "../helpers/git-app.ts";

type Flags = Partial<{ dryRun: boolean; strict: boolean }>;
const build = (context: TestContext, flags: Flags = {}): Promise<BuildReport> => command.run({ dryRun: false, strict: false, ...flags }, context);
async function buildIn(dir: string, flags?: Flags): Promise<BuildReport> {
  return build(await testContext({ dir }), flags);
}
const buildOf = async (files: Contents, flags?: Flags): Promise<BuildReport> => buildIn(await gitApp(files), flags);
const withFiles = (files: Contents): Contents => ({ ...smallApp, ...files });

describe("twelve build", () => {
  it("stores code and prompts as one artifact that can be read and laid out again", async () => {
    const dir = await gitApp();
    const context = await testContext({ dir });
    const report = await build(context);
    const store = await context.store();
    const { build: stored } = await readBuild(store, "shop");
    const folder = join(await temporaryFolder(), "code");
    await layOutCode(store, stored.code, folder);
    expect(new Set(readdirSync(folder, { recursive: true, encoding: "utf8" }))).toEqual(new Set(["prompts", "prompts/answer.prompt", "src", "src/main.py", "twelve.yaml"]));
    expect(stored).toMatchObject({ app: "shop", source: { commit: git(dir, "rev-parse", "HEAD"), dirty: false }, prompts: [{ name: "answer", variant: null, path: "prompts/answer.prompt" }], lockfiles: [], models: ["mock:echo"] });
    expect(report).toMatchObject({ app: "shop", isStored: true, isNew: true, dirty: false, code: { digest: stored.code.digest, files: 3 }, prompts: [{ name: "answer", variant: null }], findings: [] });
  });

  it("sends to the making of an index only until there is one", async () => {
    const context = await testContext({ dir: await gitApp(withFiles({ "twelve.yaml": 'name: shop\nindexes: { docs: { source: [docs] } }\nagents: { support: { prompt: answer, model: "mock:echo" } }\n' })) });
    const next = async (): Promise<string | undefined> => command.render(await build(context), command.input.parse({})).split("\n").at(-1);
    expect(await next()).toBe("Next: twelve index");
    await (await context.store()).refs.create("apps/shop/indexes/docs/latest", "any");
    expect(await next()).toBe("Next: twelve release --env development");
  });

  it("gives equal input one digest, in any folder and in any order of files", async () => {
    const first = await gitApp();
    const parent = await temporaryFolder();
    const second = join(parent, "a much longer name");
    cpSync(first, second, { recursive: true });
    const one = await buildIn(first);
    const two = await buildIn(second);
    expect(two.digest).toBe(one.digest);
  });

  it("gives one digest whether the code was stored at once or bit by bit", async () => {
    const dir = await gitApp();
    const context = await testContext({ dir });
    await build(context);
    writeFiles(dir, { "src/main.py": "print('changed')\n" });
    git(dir, "commit", "--quiet", "--all", "--message", "Second");
    const second = await build(context);
    expect((await buildIn(dir)).digest).toBe(second.digest);
  });

  it.each(["STORE_UNUSABLE", "SERVICE_UNAVAILABLE", "SERVICE_DENIED"] as const)("does not go on without the build before, or its code, where the store cannot be asked: %s", async (code) => {
    const dir = await gitApp();
    const context = await testContext({ dir });
    await build(context);
    const store = await context.store();
    for (const unread of ["apps/", "data/"]) {
      let isAway = true;
      const read = (name: string) => {
        if (!isAway || !name.startsWith(unread)) return store.refs.read(name);
        // Only once: what is written later reads again.
        isAway = false;
        return Promise.reject(new TwelveError(code, "away"));
      };
      await expect(build(await testContext({ dir, store: { ...store, refs: { ...store.refs, read } } }))).rejects.toMatchObject({ code });
    }
  });

  it("says when nothing changed", async () => {
    const context = await testContext({ dir: await gitApp() });
    const { digest } = await build(context);
    expect(await build(context)).toMatchObject({ digest, isNew: false, code: { storedBytes: 0 } });
  });

  it("moves latest, and keeps earlier builds under their digests", async () => {
    const dir = await gitApp();
    const context = await testContext({ dir });
    const first = await build(context);
    writeFiles(dir, { "src/main.py": "changed" });
    const second = await build(context);
    const store = await context.store();
    const latest = await readBuild(store, "shop");
    const earlier = await readBuild(store, "shop", first.digest.slice(7, 15));
    expect([latest.buildDescriptor.digest, earlier.buildDescriptor.digest]).toEqual([second.digest, first.digest]);
    expect([latest.build.source.dirty, earlier.build.source.dirty]).toEqual([true, false]);
  });

  it("makes another digest of another commit, prompt or manifest", async () => {
    const prompt = withFiles({ "prompts/answer.prompt": "---\ninput: { schema: { question: string } }\n---\nPlease: {{question}}\n" });
    const manifest = withFiles({ "twelve.yaml": "name: shop\nagents:\n  support: { prompt: answer, model: \"mock:extractive\" }\n" });
    const digests = await Promise.all([smallApp, prompt, manifest].map(async (files) => (await buildOf(files)).digest));
    expect(new Set(digests).size).toBe(3);
  });

  it("packages the app in a subfolder of a repository, without its neighbours", async () => {
    const nested = Object.fromEntries(Object.entries(smallApp).map(([path, content]) => [`apps/shop/${path}`, content]));
    const dir = await gitApp({ ...nested, "README.md": "x" });
    const report = await buildIn(join(dir, "apps/shop"), { dryRun: true });
    expect(report.files?.map(({ path }) => path)).toEqual(["prompts/answer.prompt", "src/main.py", "twelve.yaml"]);
  });

  it.each([
    ["the manifest", { "twelve.yaml": 'name: shop\ncode: { include: ["src/**"] }\nconfig: { KEY: { default: "x" } }\n' }],
    ["a prompt", { "prompts/answer.prompt": "---\ninput: { schema: { question: string } }\n---\nPlease: {{question}}\n" }],
  ])("is dirty when %s changed, also where the code leaves it out", async (_, change) => {
    const dir = await gitApp(withFiles({ "twelve.yaml": 'name: shop\ncode: { include: ["src/**"] }\n' }));
    const before = await buildIn(dir);
    writeFiles(dir, change);
    expect([before.dirty, (await buildIn(dir)).dirty]).toEqual([false, true]);
  });

  it("refreshes the schema that editors check the manifest with", async () => {
    const dir = await gitApp();
    writeFiles(dir, { ".twelve/twelve.schema.json": "old" });
    await buildIn(dir);
    expect(readFileSync(join(dir, ".twelve/twelve.schema.json"), "utf8")).toBe(manifestJsonSchema());
  });

  it("works with a file store, and after the process that began a build was killed", async () => {
    const dir = await gitApp();
    const store = await openStore("file:.twelve/store", { dir, env: {} });
    writeFiles(dir, { ".twelve/cache/code-facts.123-0001": "half of a cac" });
    const report = await build(await testContext({ dir, store }));
    expect((await readBuild(store, "shop", "latest")).buildDescriptor.digest).toBe(report.digest);
  });
});

describe("twelve build --dry-run", () => {
  it("names the build that would be made and its files, and writes nothing", async () => {
    const dir = await gitApp();
    const context = await testContext({ dir });
    const plan = await build(context, { dryRun: true });
    expect(plan).toMatchObject({ isStored: false, files: [{ path: "prompts/answer.prompt", mode: "file", size: 59 }, { path: "src/main.py" }, { path: "twelve.yaml" }] });
    expect([await (await context.store()).refs.list(""), existsSync(join(dir, ".twelve"))]).toEqual([[], false]);
    expect((await build(context)).digest).toBe(plan.digest);
  });
});

describe("findings", () => {
  const files = withFiles({ "package.json": '{"dependencies":{"openai":"latest"}}', "data/logo.png": `GGUF\x03\0\0\0${"\0".repeat(64)}` });

  it("are told with their factor and file, and do not stop the build", async () => {
    const context = await testContext({ dir: await gitApp(files) });
    const { findings } = await build(context);
    expect(findings.map(({ factor, file }) => `${factor} ${file}`)).toEqual(["IV. Backing services data/logo.png", "II. Dependencies package.json", "II. Dependencies package.json"]);
    expect(context.told.filter((line) => line.startsWith("warn data/logo.png: Git tracks GGUF model weights"))).toHaveLength(1);
  });

  it("are the same again from the cache", async () => {
    const context = await testContext({ dir: await gitApp(files) });
    const { findings } = await build(context);
    expect((await build(context)).findings).toEqual(findings);
  });

  it("refuse the build with --strict, and leave latest where it was", async () => {
    const context = await testContext({ dir: await gitApp(files) });
    await expect(build(context, { strict: true })).rejects.toMatchObject({ code: "CHECK_FAILED", exit: 100, problems: [{ file: "data/logo.png" }, {}, {}] });
    expect(await (await context.store()).refs.list("apps/")).toEqual([]);
  });

  it("never repeat a secret", async () => {
    const key = `sk-${"aB3dE5".repeat(6)}`;
    const context = await testContext({ dir: await gitApp(withFiles({ "src/key.py": `key = "${key}"\n` })) });
    const report = await build(context);
    expect(report.findings).toMatchObject([{ factor: "III. Config", file: "src/key.py" }]);
    expect(JSON.stringify([report, context.told])).not.toContain(key);
    expect(readFileSync(join(context.dir, ".twelve/cache/code-facts"), "utf8")).not.toContain(key);
  });
});

describe("input that cannot be built", () => {
  it("is a folder without a manifest", async () => {
    await expect(buildIn(await temporaryFolder())).rejects.toMatchObject({ code: "MANIFEST_NOT_FOUND" });
  });

  it("is a folder without a git repository", async () => {
    const dir = await temporaryFolder();
    writeFiles(dir, smallApp);
    await expect(buildIn(dir)).rejects.toMatchObject({ code: "GIT_MISSING", message: `${dir} is not in a git repository; a build packages the files that git tracks` });
  });

  it("is a repository that tracks nothing", async () => {
    const dir = await gitApp({});
    writeFiles(dir, smallApp);
    await expect(buildIn(dir)).rejects.toMatchObject({ code: "MANIFEST_UNTRACKED", message: `Git tracks no file in ${dir}; a build packages only what git tracks` });
  });

  it("is a manifest that git does not track", async () => {
    const dir = await gitApp();
    git(dir, "rm", "--quiet", "--cached", "twelve.yaml");
    await expect(buildIn(dir)).rejects.toMatchObject({ code: "MANIFEST_UNTRACKED", fix: `Run \`git -C ${dir} add twelve.yaml\`` });
  });

  it("is a prompt with a mistake, which is named with its line", async () => {
    const files = withFiles({ "prompts/answer.prompt": "---\ninput: { schema: { question: string } }\n---\n\n{{qestion}}\n" });
    await expect(buildOf(files)).rejects.toMatchObject({ code: "PROMPT_INVALID", problems: [{ file: "prompts/answer.prompt", line: 5 }] });
  });

  it("is a prompt that is not UTF-8", async () => {
    await expect(buildOf(withFiles({ "prompts/answer.prompt": Buffer.from([0xff, 0xfe, 0x41]) }))).rejects.toMatchObject({
      code: "PROMPT_INVALID", problems: [{ file: "prompts/answer.prompt", message: "is not UTF-8. Save it as UTF-8" }],
    });
  });

  it("is an agent whose prompt does not exist, with the line of the manifest", async () => {
    const files = withFiles({ "twelve.yaml": "name: shop\nagents:\n  support:\n    prompt: anwser\n    model: \"mock:echo\"\n" });
    await expect(buildOf(files)).rejects.toMatchObject({
      code: "PROMPT_UNKNOWN", problems: [{ file: "twelve.yaml", line: 4, column: 13, path: "agents.support.prompt", message: 'There is no prompt "anwser". Did you mean "answer"? Prompts: answer' }],
    });
  });

  it("is a folder of prompts outside of the application", async () => {
    await expect(buildOf(withFiles({ "twelve.yaml": "name: shop\nprompts: [../shared]\n" }))).rejects.toMatchObject({ code: "MANIFEST_INVALID", problems: [{ path: "prompts" }] });
  });

  it.skipIf(process.getuid?.() === 0)("is a file without permission to read it (skipped for root, who may read anything)", async () => {
    const dir = await gitApp();
    chmodSync(join(dir, "src/main.py"), 0o000);
    await expect(buildIn(dir)).rejects.toMatchObject({ code: "CODE_INVALID" });
  });

  it("is a sparse checkout", async () => {
    const dir = await gitApp();
    git(dir, "update-index", "--skip-worktree", "src/main.py");
    rmSync(join(dir, "src/main.py"));
    await expect(buildIn(dir)).rejects.toMatchObject({ code: "CODE_INVALID", problems: [{ file: "src/main.py", message: expect.stringContaining("sparse checkout") }] });
  });

  it("is a loop of links", async () => {
    const dir = await gitApp();
    symlinkSync("loop", join(dir, "loop"));
    git(dir, "add", ".");
    await expect(buildIn(dir)).rejects.toMatchObject({ code: "CODE_INVALID", problems: [{ file: "loop", message: expect.stringContaining("round in a circle") }] });
  });
});

describe("warnings", () => {
  it("name prompts that git does not track yet", async () => {
    const dir = await gitApp();
    writeFileSync(join(dir, "prompts", "new one.prompt"), "Hello\n");
    expect((await buildIn(dir)).warnings).toEqual(["prompts/new one.prompt is not tracked by git, so the build leaves it out. Add it with `git add 'prompts/new one.prompt'`"]);
  });

  it("name folders that hold no prompts", async () => {
    expect((await buildOf({ "twelve.yaml": "name: shop\nprompts: [promts]\n" })).warnings).toEqual(["twelve.yaml prompts: Git tracks no .prompt file in the folder promts"]);
  });
});

describe("prompts of an installed package", () => {
  const manifest = { "twelve.yaml": 'name: shop\nprompts: [prompts, "npm:@acme/prompts"]\nagents: { support: { prompt: greet, model: "mock:echo" } }\n', ".gitignore": "node_modules/\n.twelve/\n" };
  const greet = "---\ninput: { schema: { question: string } }\n---\nHello. {{question}}\n";
  const install = (dir: string, version = "1.2.3", fields = ""): void =>
    writeFiles(join(dir, "node_modules/@acme/prompts"), { "package.json": `{"name":"@acme/prompts","version":"${version}","exports":{}${fields}}`, "prompts/greet.prompt": greet, "library/other.prompt": greet });

  it("are built with the package's version and digest", async () => {
    const dir = await gitApp(withFiles(manifest));
    install(dir);
    const report = await buildIn(dir);
    expect(report.promptPackages).toEqual([{ name: "@acme/prompts", version: "1.2.3", digest: expect.stringMatching(/^sha256:/) }]);
    expect(report.prompts.map(({ name }) => name)).toEqual(["answer", "greet"]);
  });

  it("change the build when the package's version changes", async () => {
    const dir = await gitApp(withFiles(manifest));
    install(dir, "1.2.3");
    const first = await buildIn(dir);
    install(dir, "1.2.4");
    const second = await buildIn(dir);
    expect([first.promptPackages[0]?.digest === second.promptPackages[0]?.digest, first.digest === second.digest]).toEqual([true, false]);
  });

  it("come from the folder that the package names", async () => {
    const dir = await gitApp(withFiles({ ...manifest, "twelve.yaml": manifest["twelve.yaml"].replace("greet", "other") }));
    install(dir, "1.2.3", ',"twelve":{"prompts":"./library/"}');
    expect((await buildIn(dir)).prompts.map(({ name }) => name)).toEqual(["answer", "other"]);
  });

  it("are found where a workspace keeps them", async () => {
    const nested = Object.fromEntries(Object.entries(withFiles(manifest)).map(([path, content]) => [`apps/shop/${path}`, content]));
    const dir = await gitApp(nested);
    install(dir);
    expect((await buildIn(join(dir, "apps/shop"))).promptPackages).toMatchObject([{ version: "1.2.3" }]);
  });

  it("are said to be missing with the command that installs them", async () => {
    await expect(buildOf(withFiles(manifest))).rejects.toMatchObject({ code: "PROMPT_PACKAGE_MISSING", fix: "Run `npm install @acme/prompts`" });
  });

  it("cannot reach out of the package", async () => {
    const dir = await gitApp(withFiles(manifest));
    install(dir, "1.2.3", ',"twelve":{"prompts":"../../../prompts"}');
    await expect(buildIn(dir)).rejects.toMatchObject({ code: "PROMPT_INVALID" });
  });
});

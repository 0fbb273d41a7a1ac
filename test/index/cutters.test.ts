import { chmod, mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import { digestOf } from "../../src/core/descriptor.ts";
import type { CutRequest, CutResult } from "../../src/index/cut.ts";
import { type Cutters, maxBytesHere, openCutters } from "../../src/index/cutters.ts";
import { temporaryFolder } from "../helpers/context.ts";

const sizes = { maxTokens: 100, overlapTokens: 10 };
const hostile = new URL("./hostile.worker.ts", import.meta.url);
const limits = { timeoutMs: 60_000, memoryMb: 512 };

function open({ files = 1000, ...options }: Partial<Parameters<typeof openCutters>[1]> = {}): Cutters {
  const cutters = openCutters(sizes, { files, ...options });
  onTestFinished(() => cutters.close());
  return cutters;
}
const request = (path: string, text = `# Title\n\nText of ${path}.`): CutRequest => ({ path, loader: "markdown", bytes: new TextEncoder().encode(text) });
const outcome = (result: CutResult | undefined): string => (result?.kind === "document" ? result.document.chunks.map(({ text }) => text).join() : result?.kind === "skipped" ? `skipped: ${result.skipped.reason}` : "nothing");

describe("reading beside the main thread", () => {
  it.each([["in threads", 1000], ["without threads, where there are few files", 3]])("gives one result for each file, in order: %s", async (_, files) => {
    const paths = Array.from({ length: 40 }, (_, i) => `docs/${i}.md`);
    const results = await open({ files }).cut(paths.map((path) => (path === "docs/7.md" ? request(path, " \n") : request(path))));
    expect(results.map(outcome)).toEqual(paths.map((path) => (path === "docs/7.md" ? "skipped: is empty" : `Text of ${path}.`)));
    expect(results[7]).toEqual({ kind: "skipped", skipped: { path: "docs/7.md", reason: "is empty", digest: digestOf(" \n"), loader: expect.stringMatching(/^markdown@\d+$/) as string } });
  });

  it("gives the same documents in threads and without", async () => {
    const requests = [request("a.md", "# A\n\nOne two. ".repeat(200)), { ...request("b.md"), metadata: { team: "docs" } }];
    expect(await open({ files: 1000 }).cut(requests)).toEqual(await open({ files: 2 }).cut(requests));
  });

  it("takes a large file to a thread though there are few", async () => {
    const cutters = open({ files: 3, limits, entry: hostile });
    const dir = await temporaryFolder();
    await writeFile(join(dir, "a.md"), `Text\n\n${" ".repeat(maxBytesHere)}`);
    const stopped = "skipped: ended its reader";
    expect((await cutters.cut([request("exit small.md")])).map(outcome)).toEqual(["Text of exit small.md."]);
    expect((await cutters.cut([request("exit large.md", `Text${" ".repeat(maxBytesHere)}`)])).map(outcome)).toEqual([stopped]);
    expect((await cutters.cut([{ path: "exit file.md", loader: "markdown", file: join(dir, "a.md") }])).map(outcome)).toEqual([stopped]);
  });

  it("serves calls at the same time", async () => {
    const cutters = open();
    const all = await Promise.all(Array.from({ length: 10 }, (_, i) => cutters.cut([request(`${i}.md`), request(`${i}b.md`)])));
    expect(all.map((results) => results.map(outcome))).toEqual(Array.from({ length: 10 }, (_, i) => [`Text of ${i}.md.`, `Text of ${i}b.md.`]));
  });

  it("reads local files itself, and says of one that cannot be read why", async () => {
    const dir = await temporaryFolder();
    await Promise.all([writeFile(join(dir, "a.md"), "Text"), mkdir(join(dir, "folder.md"))]);
    const local = (name: string): CutRequest => ({ path: name, loader: "markdown", file: join(dir, name) });
    for (const files of [1000, 3]) {
      const results = await open({ files }).cut(["a.md", "gone.md", "folder.md"].map(local));
      expect(results.map(outcome)).toEqual(["Text", "skipped: cannot be read: ENOENT", "skipped: cannot be read: EISDIR"]);
      expect(results[1]).toMatchObject({ skipped: { digest: null } });
    }
  });

  it("takes the digests of local files, and gives none for one that cannot be read", async () => {
    const dir = await temporaryFolder();
    const [there, gone] = [join(dir, "a.md"), join(dir, "gone.md")];
    await writeFile(there, "Text");
    for (const files of [1000, 3]) expect(await open({ files }).digest([there, gone, there])).toEqual([digestOf("Text"), null, digestOf("Text")]);
  });

  it.skipIf(process.getuid?.() === 0)("says of a file without permission that it cannot be read", async () => {
    const file = join(await temporaryFolder(), "a.md");
    await writeFile(file, "Text");
    await chmod(file, 0o000);
    expect((await open({ files: 3 }).cut([{ path: "a.md", loader: "markdown", file }])).map(outcome)).toEqual(["skipped: cannot be read: EACCES"]);
  });
});

describe("a file that stops its reader", () => {
  const others = (...paths: readonly string[]): readonly string[] => paths.map((path) => `Text of ${path}.`);

  it.each([
    ["throws", "throw.md", limits, "skipped: stopped its reader: Maximum call stack size exceeded"],
    ["ends the thread", "exit.md", limits, "skipped: ended its reader"],
    ["never comes to an end", "hang.md", { ...limits, timeoutMs: 5000 }, "skipped: could not be read within 5 s"],
    ["takes all memory", "greedy.md", { ...limits, memoryMb: 64 }, "skipped: needs more than 64 MB of memory to be read"],
    ["takes all memory in buffers", "bloated.md", { timeoutMs: 20_000, memoryMb: 64 }, "skipped: needs more than 64 MB of memory to be read"],
  ])("is skipped with the reason, and the others are read: one that %s", async (_, path, withLimits, reason) => {
    const cutters = open({ limits: withLimits, entry: hostile });
    const [first, second] = await Promise.all([cutters.cut([request("a.md"), request(path), request("b.md")]), cutters.cut([request("c.md")])]);
    expect(first.map(outcome)).toEqual([...others("a.md"), reason, ...others("b.md")]);
    expect(second.map(outcome)).toEqual(others("c.md"));
    // Read again next time: the machine may have been busy.
    expect(first[1]).toMatchObject({ skipped: { path, digest: null, loader: expect.stringMatching(/^markdown@/) as string } });
    expect((await Promise.all([cutters.cut([request("d.md")]), cutters.cut([request("e.md")])])).flat().map(outcome)).toEqual(others("d.md", "e.md"));
  });

  it("is found among many of its kind", async () => {
    const paths = ["a.md", "exit 1.md", "b.md", "throw 2.md", "exit 3.md", "c.md"];
    const results = await open({ limits, entry: hostile }).cut(paths.map((path) => request(path)));
    expect(results.map(outcome)).toEqual([...others("a.md"), "skipped: ended its reader", ...others("b.md"), "skipped: stopped its reader: Maximum call stack size exceeded", "skipped: ended its reader", ...others("c.md")]);
  });

  it("does no harm after its answer either: the run goes on in a new thread", async () => {
    const cutters = open({ limits, entry: hostile });
    for (const path of ["late 1.md", "a.md", "late 2.md", "late 3.md", "b.md", "c.md", "d.md"]) {
      expect((await cutters.cut([request(path)])).map(outcome)).toEqual(others(path));
    }
  });

  it("is really too large for the memory of its reader", async () => {
    const cutters = open({ limits: { ...limits, memoryMb: 48 } });
    const text = "# Heading\n\n- item with words\n- another item\n\n> quote\n\n".repeat(100_000);
    const results = await cutters.cut([request("a.md"), request("large.md", text)]);
    expect(results.map(outcome)).toEqual([...others("a.md"), "skipped: needs more than 48 MB of memory to be read"]);
  });

  it("leaves the digests of files to the main thread", async () => {
    const file = join(await temporaryFolder(), "a.md");
    await writeFile(file, "Text");
    expect(await open({ limits, entry: hostile }).digest([file])).toEqual([digestOf("Text")]);
  });
});

describe("closing", () => {
  it("ends what is under way and starts nothing again", async () => {
    const cutters = open({ limits, entry: hostile });
    const hanging = cutters.cut([request("hang.md"), request("a.md")]);
    await cutters.cut([request("b.md")]);
    await cutters.close();
    expect((await hanging).map(outcome)).toEqual(["skipped: was not read: the run has ended", "skipped: was not read: the run has ended"]);
    expect((await cutters.cut([request("c.md")])).map(outcome)).toEqual(["skipped: was not read: the run has ended"]);
  });

  it("may happen twice, and before anything was read", async () => {
    const cutters = open();
    await cutters.close();
    expect(await cutters.close()).toBeUndefined();
  });
});

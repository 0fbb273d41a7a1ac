import { describe, expect, it } from "vitest";
import type { DocumentSource, SourceFile, SourceSkip } from "../../src/ports/document.ts";

export interface SourceUnderTest {
  readonly source: DocumentSource;
  /** The ledger's path of a document that the source has under this name. */
  readonly pathOf: (name: string) => string;
}

export interface SourceMaker {
  /** A source that offers exactly these documents, text by name. */
  readonly open: (documents: Readonly<Record<string, string>>) => Promise<SourceUnderTest>;
  /** A source that is not there. */
  readonly openMissing: () => Promise<DocumentSource>;
}

const everything = (): boolean => true;

export async function listAll(source: DocumentSource, isWanted: (below: string) => boolean = everything): Promise<{ readonly files: readonly SourceFile[]; readonly skips: readonly SourceSkip[] }> {
  const files: SourceFile[] = [];
  const skips: SourceSkip[] = [];
  for await (const found of source.list(isWanted)) {
    if ("reason" in found) skips.push(found);
    else files.push(found);
  }
  return { files, skips };
}

export async function textOf(file: SourceFile | undefined): Promise<string> {
  return file === undefined ? "no file" : new TextDecoder().decode(await file.read());
}

/** Everything that `src/ports/document.ts` promises of a source. */
export function describeSource(name: string, { open, openMissing }: SourceMaker): void {
  describe(`${name} keeps the promises of a document source`, () => {
    it("offers each document once, with its path and the size of its bytes", async () => {
      const { source, pathOf } = await open({ "a.md": "one", "sub/b.md": "zwölf", "sub/deeper/c.txt": "three" });
      const { files, skips } = await listAll(source);
      expect(new Map(files.map(({ path, sizeBytes }) => [path, sizeBytes]))).toEqual(new Map([[pathOf("a.md"), 3], [pathOf("sub/b.md"), 6], [pathOf("sub/deeper/c.txt"), 5]]));
      expect(files).toHaveLength(3);
      expect(skips).toEqual([]);
    });

    it("gives the bytes anew at each reading", async () => {
      const { source } = await open({ "a.md": "Größe 12, 日本語\n\n\"quoted\"\ttab" });
      const [file] = (await listAll(source)).files;
      (await file?.read())?.fill(0);
      expect(await textOf(file)).toBe("Größe 12, 日本語\n\n\"quoted\"\ttab");
    });

    it("asks for each document by its path below the source, and offers only what is wanted", async () => {
      const { source, pathOf } = await open({ "a.md": "one", "sub/b.md": "two", "sub/c.txt": "three" });
      const asked: string[] = [];
      const { files } = await listAll(source, (below) => asked.push(below) > 0 && below.endsWith(".md"));
      expect(asked.sort()).toEqual(["a.md", "sub/b.md", "sub/c.txt"]);
      expect(files.map(({ path }) => path).sort()).toEqual([pathOf("a.md"), pathOf("sub/b.md")]);
    });

    it("takes names with every printable character", async () => {
      const names = ["a b.md", "a+b.md", "100%.md", "%20.md", "#1.md", "q?x=1&y.md", "ü日本🙂.md", "it's.md", "(1)[2]{3}.md", "comma,semi;.md", "~$!@^=.md", "deep/er name/#.md"];
      const { source, pathOf } = await open(Object.fromEntries(names.map((key) => [key, `text of ${key}`])));
      const { files } = await listAll(source);
      const texts = await Promise.all(files.map(async (file) => [file.path, await textOf(file)] as const));
      expect(new Map(texts)).toEqual(new Map(names.map((key) => [pathOf(key), `text of ${key}`])));
    });

    it("lists more documents than one page or folder read holds", async () => {
      const names = Array.from({ length: 1203 }, (_, i) => `${i % 7}/${i}.md`);
      const { source } = await open(Object.fromEntries(names.map((key) => [key, "x"])));
      expect(new Set((await listAll(source)).files.map(({ path }) => path)).size).toBe(1203);
    });

    it("offers nothing when it is empty", async () => {
      const { source } = await open({});
      expect(await listAll(source)).toEqual({ files: [], skips: [] });
    });

    it("fails with SOURCE_INVALID when it is not there", async () => {
      const source = await openMissing();
      await expect(listAll(source)).rejects.toMatchObject({ code: "SOURCE_INVALID", message: expect.stringContaining("There is no") });
    });

    it("stops with the signal's reason, before and between documents and at a reading", async () => {
      const { source } = await open(Object.fromEntries(Array.from({ length: 300 }, (_, i) => [`${i}.md`, "x"])));
      const reason = new Error("interrupted");
      await expect(source.list(everything, AbortSignal.abort(reason))[Symbol.asyncIterator]().next()).rejects.toBe(reason);
      const controller = new AbortController();
      const listing = (async () => {
        for await (const _ of source.list(everything, controller.signal)) controller.abort(reason);
      })();
      await expect(listing).rejects.toBe(reason);
      const [file] = (await listAll(source)).files;
      await expect(file?.read(AbortSignal.abort(reason))).rejects.toBe(reason);
    });
  });
}

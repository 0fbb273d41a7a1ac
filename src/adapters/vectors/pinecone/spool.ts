import { type FileHandle, mkdir, mkdtemp, open, rm } from "node:fs/promises";
import { join } from "node:path";
import { linesOf } from "../../source/feed/lines.ts";
import type { ChunkTerms } from "../bm25/term.ts";

/** What the words of a chunk are written from, once all chunks are counted. */
export interface Spooled {
  readonly id: string;
  /** As JSON. */
  readonly metadata: string;
  readonly chunk: ChunkTerms;
}

export interface Spool {
  add(spooled: Spooled): Promise<void>;
  /** Everything, in order. */
  read(): AsyncIterable<Spooled>;
  remove(): Promise<void>;
}

const bufferedBytes = 1024 * 1024;

/** Keeps chunks on disk meanwhile: their weights depend on all of them, and memory may not hold all. */
export async function openSpool(dir: string): Promise<Spool> {
  const work = join(dir, ".twelve", "work");
  await mkdir(work, { recursive: true });
  // Named as `twelve index` names its own, so that it also clears away what a killed process left.
  const folder = await mkdtemp(join(work, "index-"));
  const file = join(folder, "words.jsonl");
  const handle: FileHandle = await open(file, "w");
  let lines: string[] = [];
  let sizeBytes = 0;

  async function flush(): Promise<void> {
    await handle.appendFile(lines.join(""));
    lines = [];
    sizeBytes = 0;
  }

  return {
    async add({ id, metadata, chunk: { field, length, counts } }) {
      const line = `${JSON.stringify([id, metadata, field, length, [...counts]])}\n`;
      lines.push(line);
      sizeBytes += line.length;
      if (sizeBytes >= bufferedBytes) await flush();
    },
    async *read() {
      await flush();
      const reading = await open(file);
      for await (const { bytes = new Uint8Array() } of linesOf(reading.createReadStream(), Number.POSITIVE_INFINITY)) {
        const [id, metadata, field, length, counts] = JSON.parse(Buffer.from(bytes).toString("utf8")) as [string, string, string, number, [string, number][]];
        yield { id, metadata, chunk: { field, length, counts: new Map(counts) } };
      }
    },
    async remove() {
      await handle.close();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

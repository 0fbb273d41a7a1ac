import { describe, expect, it } from "vitest";
import type { Origin, OriginFile } from "../../src/ports/origin.ts";

/** What the origin under test must hold. */
export const originFiles: Readonly<Record<string, Buffer>> = {
  "config.json": Buffer.from('{ "a": 1 }'),
  "onnx/model 1+ü.onnx": Buffer.from(Array.from({ length: 3000 }, (_, i) => i % 251)),
  "empty.txt": Buffer.alloc(0),
};

export async function readAll(file: OriginFile | undefined): Promise<Buffer> {
  const pieces: Uint8Array[] = [];
  for await (const piece of file?.bytes ?? []) pieces.push(piece);
  return Buffer.concat(pieces);
}

/** The promise of the origin port; every adapter joins with one call. `open` gives an origin that holds `originFiles`. */
export function describeOrigin(name: string, open: () => Promise<Origin>): void {
  describe(`${name} as an origin`, () => {
    it.each(Object.entries(originFiles))("gives %s with its size", async (path, content) => {
      const file = await (await open()).open(path);
      expect([file?.start, file?.sizeBytes]).toEqual([0, content.length]);
      expect(await readAll(file)).toEqual(content);
    });

    it("has no file where there is none, and no file where there is a folder", async () => {
      const origin = await open();
      expect(await origin.open("onnx/other.onnx")).toBeUndefined();
      expect(await origin.open("onnx")).toBeUndefined();
    });

    it("gives the rest of a file that is the same as before", async () => {
      const origin = await open();
      const content = originFiles["onnx/model 1+ü.onnx"] ?? Buffer.alloc(0);
      const { version = "" } = (await origin.open("onnx/model 1+ü.onnx")) ?? {};
      const file = await origin.open("onnx/model 1+ü.onnx", { resume: { start: 1000, version } });
      expect([file?.start, file?.sizeBytes, file?.version]).toEqual([1000, content.length, version]);
      expect(await readAll(file)).toEqual(content.subarray(1000));
    });

    it("starts from the beginning of a file that is another one", async () => {
      const file = await (await open()).open("config.json", { resume: { start: 3, version: '"another"' } });
      expect(file?.start).toBe(0);
      expect(await readAll(file)).toEqual(originFiles["config.json"]);
    });

    it("does no work for an aborted signal", async () => {
      const origin = await open();
      const reason = new Error("stopped");
      const signal = AbortSignal.abort(reason);
      await expect(origin.open("config.json", { signal }).then(readAll)).rejects.toBe(reason);
    });
  });
}

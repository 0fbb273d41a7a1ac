import { describe, expect, it } from "vitest";
import { TwelveError } from "../../../src/core/errors.ts";
import type { AnswerPart, AnswerRequest, Runtime } from "../../../src/run/schema.ts";
import { type KeptReleases, keepReleases } from "../../../src/run/ui/keep.ts";

const request: AnswerRequest = { agent: "support", messages: [{ role: "user", content: "?" }], variables: {}, isStream: true, traceId: "0".repeat(32) };

/** Opens runtimes that say their number, and writes down what is opened and closed. */
function openingReleases() {
  const log: string[] = [];
  const open = (number: number): Promise<Runtime> => {
    log.push(`open ${number}`);
    return Promise.resolve({
      agents: ["support"],
      indexes: [],
      search: () => Promise.reject(new Error("The page searches nothing by itself")),
      embed: () => Promise.reject(new Error("The page embeds nothing")),
      async *answer() {
        yield { type: "text", text: String(number) };
        yield { type: "text", text: "end" };
      },
      close() {
        log.push(`close ${number}`);
        return Promise.resolve();
      },
    } satisfies Runtime);
  };
  return { log, open };
}

const all = (parts: AsyncIterable<AnswerPart>): Promise<readonly AnswerPart[]> => Array.fromAsync(parts);

/** Begins to answer, and has not come to the end. */
async function answering(kept: KeptReleases, number: number): Promise<AsyncIterator<AnswerPart>> {
  const parts = kept.answer(number, request)[Symbol.asyncIterator]();
  await parts.next();
  return parts;
}

describe("releases beside the one that is served", () => {
  it("are opened once, and closed when others were asked since", async () => {
    const { log, open } = openingReleases();
    const kept = keepReleases(open, { mostIdle: 2, mostOpen: 4 });
    for (const number of [1, 2, 1, 3, 1, 2]) expect(await all(kept.answer(number, request))).toEqual([{ type: "text", text: String(number) }, { type: "text", text: "end" }]);
    expect(log).toEqual(["open 1", "open 2", "open 3", "close 2", "open 2", "close 3"]);
    await kept.close();
    expect(log.slice(6).toSorted()).toEqual(["close 1", "close 2"]);
  });

  it("are not closed while they answer", async () => {
    const { log, open } = openingReleases();
    const kept = keepReleases(open, { mostIdle: 1, mostOpen: 4 });
    const slow = kept.answer(1, request)[Symbol.asyncIterator]();
    await slow.next();
    await all(kept.answer(2, request));
    expect(log).toEqual(["open 1", "open 2", "close 2"]);
    await slow.return?.();
    await all(kept.answer(3, request));
    expect(log).toEqual(["open 1", "open 2", "close 2", "open 3", "close 1"]);
  });

  it("are never more than may be open: the one that was asked longest ago is closed first, and none that answers", async () => {
    const { log, open } = openingReleases();
    const kept = keepReleases(open, { mostIdle: 2, mostOpen: 2 });
    for (const number of [1, 2]) await all(kept.answer(number, request));
    const slow = await answering(kept, 3);
    const slower = await answering(kept, 4);
    expect(log).toEqual(["open 1", "open 2", "close 1", "open 3", "close 2", "open 4"]);
    await expect(all(kept.answer(5, request))).rejects.toMatchObject({ code: "RELEASES_BUSY" });
    expect(await all(kept.answer(4, request))).toHaveLength(2);
    await slow.return?.();
    await all(kept.answer(5, request));
    expect(log.slice(6)).toEqual(["close 3", "open 5"]);
    await slower.return?.();
  });

  it("that cannot be opened say why, and are tried anew at the next request", async () => {
    const { open } = openingReleases();
    let attempts = 0;
    const kept = keepReleases((number) => (++attempts === 1 ? Promise.reject(new TwelveError("INDEX_NOT_FOUND", "The index is gone")) : open(number)));
    await expect(all(kept.answer(1, request))).rejects.toMatchObject({ code: "INDEX_NOT_FOUND" });
    expect(await all(kept.answer(1, request))).toHaveLength(2);
    await kept.close();
  });
});

import { randomBytes } from "node:crypto";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { openVectors } from "../../src/adapters/vectors/lance/adapter.ts";
import type { VectorIndex, VectorRow, VectorService } from "../../src/ports/vectors.ts";
import { temporaryFolder } from "../helpers/context.ts";
import { agreementDimensions, agreementRows, disagreements, shortfall } from "./agreement.ts";
import { describeVectorIndex, dimensions, row, rows, type TextAgreement } from "./vector-index.contract.ts";

export interface VectorServiceOptions {
  /** How its text search stands to the embedded engine's: "equal", or the least mean share of the ten best in common. */
  readonly text: TextAgreement;
  /** For one test; a server that makes an index for each namespace takes its time. */
  readonly timeoutMs?: number;
}

/**
 * The promise of a vector service; every adapter joins with one call. `open` gives a new connection to one and the same
 * place each time. It may hold other things: the suite looks only at namespaces of its own, and drops them at the end.
 */
export function describeVectorService(name: string, open: () => VectorService | Promise<VectorService>, { text, timeoutMs = 30_000 }: VectorServiceOptions): void {
  const run = `t${randomBytes(4).toString("hex")}`;
  const used: string[] = [];
  const published = new Map<unknown, string>();
  let service: VectorService;

  function newName(): string {
    used.push(`${run}-${used.length}`);
    return used.at(-1) ?? "";
  }
  const publish = (namespace: string, batches: readonly (readonly VectorRow[])[]): Promise<void> => service.publish(namespace, { dimensions, rows: streamOf(batches) });

  /** The same group of rows is published once for all the tests that only ask. */
  async function indexOf(batches: readonly (readonly VectorRow[])[]): Promise<VectorIndex> {
    const key = batches.length === 1 ? batches[0] : batches;
    const namespace = published.get(key) ?? newName();
    if (!published.has(key)) await publish(namespace, batches);
    published.set(key, namespace);
    return service.open(namespace);
  }
  const own = async (of: VectorService = service): Promise<readonly string[]> => (await of.namespaces()).filter((each) => each.startsWith(run));

  describe(`${name} as a vector service`, { timeout: timeoutMs }, () => {
    beforeAll(async () => {
      service = await open();
    }, timeoutMs);
    afterAll(async () => {
      for (const namespace of used) await service.drop(namespace);
      await service.close();
    }, timeoutMs);

    describeVectorIndex({ indexOf, text });

    it("says where it is, and that it is there", async () => {
      expect(service.url).toMatch(/^[a-z][a-z0-9+-]*:/);
      const { version } = await service.check();
      expect(version === null || version !== "").toBe(true);
    });

    it("lists a namespace once it is complete, for everybody, in the order of the names", async () => {
      const [first, second] = [newName(), newName()];
      const before = await own();
      await publish(second, [rows.slice(0, 2)]);
      await publish(first, [rows]);
      const other = await open();
      try {
        expect(await own(other)).toEqual([...before, first, second].sort());
        expect(await (await other.open(first)).count()).toBe(5);
        expect([await other.holds(first), await other.holds(newName())]).toEqual([true, false]);
        await service.drop(first);
        expect(await other.holds(first)).toBe(false);
      } finally {
        await other.close();
      }
    });

    it("keeps the rows of namespaces beside each other apart", async () => {
      const [first, second] = [newName(), newName()];
      await publish(first, [rows]);
      await publish(second, [[row("a", "Another text about refunds.", [0, 0, 0, 1]), row("z", "Only here.", [1, 0, 0, 0])]]);
      const [one, two] = [await service.open(first), await service.open(second)];
      const question = { mode: "vector", text: "", vector: Float32Array.of(1, 0, 0, 0), topK: 1 } as const;
      expect((await one.search(question)).map(({ id }) => id)).toEqual(["a"]);
      expect((await two.search(question)).map(({ id }) => id)).toEqual(["z"]);
      expect((await two.search({ ...question, mode: "text", text: "refunds" })).map((hit) => hit.text)).toEqual(["Another text about refunds."]);
      expect([await one.count(), await two.count()]).toEqual([5, 2]);
      await service.drop(second);
      expect(await own()).not.toContain(second);
      expect(await one.count()).toBe(5);
    });

    it("takes vectors of other dimensions into the namespace beside", async () => {
      const namespace = newName();
      await service.publish(namespace, { dimensions: 8, rows: streamOf([[row("wide", "wide", [0, 0, 0, 0, 0, 0, 0, 1])]]) });
      const hits = await (await service.open(namespace)).search({ mode: "vector", text: "", vector: Float32Array.of(0, 0, 0, 0, 0, 0, 1, 1), topK: 1 });
      expect(hits).toMatchObject([{ id: "wide", score: expect.closeTo(Math.SQRT1_2, 5) }]);
    });

    it("lists nothing of a call that its rows interrupted, and begins anew afterwards", async () => {
      const namespace = newName();
      const many = Array.from({ length: 300 }, (_, i) => row(`half${i}`, "half of it", [1, 0, 0, i]));
      await expect(service.publish(namespace, { dimensions, rows: failingAfter([many.slice(0, 100), many.slice(100)]) })).rejects.toThrow(new RangeError("the source went away"));
      expect(await own()).not.toContain(namespace);
      await expect(service.open(namespace)).rejects.toMatchObject({ code: "INDEX_NOT_FOUND", message: expect.stringContaining(namespace) });
      await publish(namespace, [rows.slice(0, 2)]);
      expect(await idsOf(await service.open(namespace))).toEqual(["a", "b"]);
      expect(await own()).toContain(namespace);
    });

    it("replaces everything in a namespace that is published again", async () => {
      const namespace = newName();
      await publish(namespace, [rows]);
      await publish(namespace, [[row("b", "Another b.", [0, 0, 0, 1]), row("n", "New.", [1, 0, 0, 0])]]);
      const index = await service.open(namespace);
      expect(await idsOf(index)).toEqual(["b", "n"]);
      expect((await rowsOf(index)).find(({ id }) => id === "b")?.text).toBe("Another b.");
    });

    it("drops a namespace, also one of which there is only half, and minds none that is not there", async () => {
      const [whole, half] = [newName(), newName()];
      await publish(whole, [rows]);
      await service.publish(half, { dimensions, rows: failingAfter([rows]) }).catch(() => undefined);
      for (const namespace of [whole, half, half, `${run}-never`]) await service.drop(namespace);
      const listed = await own();
      expect(listed).not.toContain(whole);
      expect(listed).not.toContain(half);
      await expect(service.open(whole)).rejects.toMatchObject({ code: "INDEX_NOT_FOUND" });
    });

    it("loads more than a server takes at once, whatever the groups", async () => {
      const namespace = newName();
      const many = Array.from({ length: 2600 }, (_, i) => row(`m${i}`, `Order number ${i} ${"of many words ".repeat(40)}`, [1, i % 7, i % 11, i % 13], { metadata: { page: i } }));
      await publish(namespace, [many.slice(0, 1), [], many.slice(1, 2501), many.slice(2501)]);
      const index = await service.open(namespace);
      expect(await index.count()).toBe(2600);
      expect(new Set(await idsOf(index)).size).toBe(2600);
      const [found] = await index.search({ mode: "vector", text: "", vector: Float32Array.of(1, 6, 10, 12), topK: 1, filter: { page: ["2001"] } });
      expect(found).toMatchObject({ id: "m2001", metadata: { page: 2001 } });
    });

    it("publishes nothing at all, too", async () => {
      const namespace = newName();
      await publish(namespace, []);
      expect(await own()).toContain(namespace);
      expect(await idsOf(await service.open(namespace))).toEqual([]);
    });

    it("takes names of 45 characters", async () => {
      const namespace = `${run}-${"n".repeat(45 - run.length - 1)}`;
      used.push(namespace);
      await publish(namespace, [rows]);
      expect(await own()).toContain(namespace);
      expect(await (await service.open(namespace)).count()).toBe(5);
    });

    describe("asked what the embedded engine is asked", () => {
      let index: VectorIndex;
      beforeAll(async () => {
        const namespace = newName();
        const [some, rest] = [agreementRows.slice(0, 123), agreementRows.slice(123)];
        await service.publish(namespace, { dimensions: agreementDimensions, rows: streamOf([some, rest]) });
        index = await service.open(namespace);
      }, timeoutMs);

      async function openEmbedded(): Promise<VectorIndex> {
        const folder = await temporaryFolder();
        await openVectors().write(folder, { dimensions: agreementDimensions, rows: streamOf([agreementRows]) });
        return openVectors().open(folder);
      }

      it("holds the same rows", async () => {
        expect(await index.count()).toBe(agreementRows.length);
        expect(await rowsOf(index)).toEqual(agreementRows.toSorted(byId));
      });

      it("gives the same ten nearest", async () => {
        expect(await disagreements(await openEmbedded(), index, "vector")).toEqual([]);
      });

      it(`gives the same ten best texts, or as many as it promises (${text})`, async () => {
        const embedded = await openEmbedded();
        expect(await (text === "equal" ? disagreements(embedded, index, "text") : shortfall(embedded, index, text))).toEqual([]);
      });
    });
  });
}

async function idsOf(index: VectorIndex): Promise<readonly string[]> {
  const ids: string[] = [];
  for await (const id of index.ids()) ids.push(id);
  return ids.sort();
}

async function rowsOf(index: VectorIndex): Promise<readonly VectorRow[]> {
  const found: VectorRow[] = [];
  for await (const group of index.rows()) found.push(...group);
  return found.sort(byId);
}

function byId(left: VectorRow, right: VectorRow): number {
  return left.id < right.id ? -1 : 1;
}

async function* streamOf(batches: readonly (readonly VectorRow[])[]): AsyncIterable<readonly VectorRow[]> {
  yield* batches;
}

async function* failingAfter(batches: readonly (readonly VectorRow[])[]): AsyncIterable<readonly VectorRow[]> {
  yield* batches;
  throw new RangeError("the source went away");
}

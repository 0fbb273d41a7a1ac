/** Many writers of one session, at a service that fails here and there; the faults follow from a seed. */
import { describe, expect, it } from "vitest";
import type { Fault, Lost } from "../../helpers/service-server.ts";
import { awsServices, codeOf, contentsOf, entry, key, refusal } from "./aws-services.ts";

const seeds = Number(process.env["SESSION_SEEDS"] ?? 6);
/** After these codes it may have happened, and after no others. */
const mayHaveHappened = new Set(["done", "SERVICE_TIMEOUT", "SERVICE_CUT", "SERVICE_UNAVAILABLE"]);

function randomOf(seed: number): () => number {
  let state = seed * 7919 + 13;
  return () => (state = (state * 1_103_515_245 + 12_345) % 2_147_483_648) / 2_147_483_648;
}

describe.each(awsServices)("many writers at $name", { timeout: 60_000 }, (service) => {
  const faults: readonly (Fault | Lost)[] = [
    refusal(429, service.throttled), refusal(500, service.broken), refusal(400, "ValidationException"), refusal(409, service.name === "bedrock-sessions" ? "ConflictException" : "RetryableConflictException"),
    "reset", "garbage", { instead: "reset" }, { instead: "garbage" }, { instead: refusal(500, service.broken) },
  ];

  it.each(Array.from({ length: seeds }, (_, seed) => [seed]))("lose nothing that was acknowledged, and write nothing twice: seed %i", async (seed) => {
    const random = randomOf(seed);
    let isFaulty = true;
    const { server, end, size } = await service.start({ faultOf: () => (isFaulty && random() < 0.1 ? faults[Math.floor(random() * faults.length)] : undefined) });
    const codes = new Map<string, string>();
    await Promise.all(Array.from({ length: 5 }, async (_, writer) => {
      const store = service.open(server);
      for (let turn = 0; turn < 5; turn += 1) {
        const version = await store.read(key).then((read) => read?.version ?? 0, () => undefined);
        if (random() < 0.1) end?.();
        const content = `${writer}.${turn}`;
        if (version !== undefined) codes.set(content, await codeOf(store.append(key, [{ ...entry, content }, { ...entry, content: `${content} b` }], { expected: version })));
      }
    }));
    isFaulty = false;
    const store = service.open(server);
    const contents = await contentsOf(store);
    // Both entries of an append, one behind the other, and each append once.
    const appended = contents.filter((_, index) => index % 2 === 0);
    expect(contents).toEqual(appended.flatMap((content) => [content, `${content} b`]));
    expect(appended.length).toBe(new Set(appended).size);
    expect([...codes].filter(([content, code]) => code === "done" && !appended.includes(content))).toEqual([]);
    expect(appended.filter((content) => !mayHaveHappened.has(codes.get(content) ?? ""))).toEqual([]);
    expect(appended.length).toBeGreaterThan(0);
    await store.deleteUser("u");
    expect(size()).toBe(0);
  });
});

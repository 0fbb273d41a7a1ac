import { expect, it } from "vitest";
import { TwelveError } from "../../src/core/errors.ts";
import type { Model } from "../../src/ports/model.ts";
import { partChecks } from "../../src/run/health.ts";
import type { StateService } from "../../src/run/state/service.ts";
import { openMemorySessions } from "../helpers/memory-sessions.ts";
import { says, scriptedModel } from "./fixture.ts";

function model(check: Model["check"]): Model {
  return { ...scriptedModel(() => says("x")), check };
}
const there = model(() => Promise.resolve({ version: "2", detail: "warm" }));
const failure = new TwelveError("SERVICE_UNAVAILABLE", "nothing answers");
const away = model(() => Promise.reject(failure));

async function parts(models: Record<string, Model>, chains: readonly (readonly string[])[]) {
  const [, ...found] = await partChecks({ release: "v3", retrievers: [], models: new Map(Object.entries(models)), chains, nowMs: () => 0 })();
  return found;
}

it("takes a model that is away for missing, unless another one of every agent's chain answers in its place", async () => {
  expect(await parts({ "a:1": away, "b:1": there }, [["a:1"], ["b:1"]])).toEqual([
    { name: "model a:1", isReady: false, detail: "nothing answers", failure },
    { name: "model b:1", isReady: true, detail: "answers, version 2, warm" },
  ]);
  expect(await parts({ "a:1": away, "b:1": there }, [["a:1", "b:1"]])).toMatchObject([{ isReady: true, detail: "another model answers in its place: nothing answers" }, { isReady: true }]);
  expect(await parts({ "a:1": away, "b:1": there }, [["a:1", "b:1"], ["a:1"]])).toMatchObject([{ isReady: false }, { isReady: true }]);
  expect(await parts({ "a:1": away, "b:1": away }, [["a:1", "b:1"]])).toMatchObject([{ isReady: false }, { isReady: false }]);
});

it("shows no credentials that a reference carries", async () => {
  const [part] = await parts({ "https://user:secret@host/v1#m": there }, [["https://user:secret@host/v1#m"]]);
  expect(part?.name).toBe("model https://host/v1#m");
});

it("shows the state service where conversations are kept, and asks it again when it could not be opened", async () => {
  let opens = 0;
  let nowMs = 0;
  const service: StateService = { open: () => ((opens += 1) === 1 ? Promise.reject(failure) : Promise.resolve(openMemorySessions())), close: () => Promise.resolve() };
  const look = partChecks({ release: "v3", state: service, retrievers: [], models: new Map(), chains: [], nowMs: () => nowMs });
  expect((await look()).slice(1)).toEqual([{ name: "state", isReady: false, detail: "nothing answers", failure }]);
  nowMs = 2000;
  expect((await look()).slice(1)).toEqual([{ name: "state", isReady: true, detail: "answers" }]);
});

it("is ready without what only some agents need, and says that it is away", async () => {
  const service = { check: () => Promise.reject(failure) };
  const look = partChecks({ release: "v3", retrievers: [], models: new Map(), chains: [], others: [{ name: "tool orders", service, isNeeded: false }, { name: "state", service }], nowMs: () => 0 });
  expect((await look()).slice(1)).toEqual([
    { name: "tool orders", isReady: true, detail: "away, and its agents fail until it is there: nothing answers" },
    { name: "state", isReady: false, detail: "nothing answers", failure },
  ]);
});

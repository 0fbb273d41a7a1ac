import { expect, it } from "vitest";
import { TwelveError } from "../../../src/core/errors.ts";
import type { ServiceCheck } from "../../../src/ports/check.ts";
import { withFirstUse } from "../../../src/run/state/first-use.ts";
import { openMemorySessions } from "../../helpers/memory-sessions.ts";

function starting(limits: { readonly slowMs: number; readonly longestMs?: number }) {
  const noted: string[] = [];
  const made = Promise.withResolvers<ServiceCheck>();
  let checks = 0;
  const store = { ...openMemorySessions(), url: "pglite:.twelve/state", check: () => ((checks += 1), made.promise) };
  const told = withFirstUse(store, { story: { note: (message) => void noted.push(message) }, ...limits });
  return { told, noted, made, checks: () => checks };
}

it("says once that a database is being made, begins it once, and looks again when it is there", async () => {
  const { told, noted, made, checks } = starting({ slowMs: 1 });
  for (let look = 0; look < 2; look++) await expect(told.check()).rejects.toMatchObject({ code: "PROCESS_NOT_READY", message: "pglite:.twelve/state is starting: an embedded database is made at its first use" });
  expect([noted, checks()]).toEqual([["Conversations wait for pglite:.twelve/state to start; an embedded database is made at its first use, which takes a while"], 1]);
  made.resolve({ version: "18" });
  expect(await told.check()).toEqual({ version: "18" });
});

it("says nothing of one that starts soon, and gives the failure of one that cannot", async () => {
  const soon = starting({ slowMs: 10_000 });
  soon.made.resolve({ version: "18" });
  expect([await soon.told.check(), soon.noted]).toEqual([{ version: "18" }, []]);
  const broken = starting({ slowMs: 10_000 });
  broken.made.reject(new TwelveError("SERVICE_UNAVAILABLE", "broken"));
  await expect(broken.told.check()).rejects.toMatchObject({ code: "SERVICE_UNAVAILABLE" });
});

it("no longer takes for a start what never ends", async () => {
  const { told, made } = starting({ slowMs: 20, longestMs: 1 });
  await expect(told.check()).rejects.toMatchObject({ code: "PROCESS_NOT_READY" });
  const late = told.check();
  made.reject(new TwelveError("SERVICE_TIMEOUT", "nothing answers"));
  await expect(late).rejects.toMatchObject({ code: "SERVICE_TIMEOUT" });
});

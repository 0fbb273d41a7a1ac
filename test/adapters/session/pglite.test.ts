import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from "vitest";
import { openSessions } from "../../../src/adapters/registry.ts";
import { openSessions as openPostgres } from "../../../src/adapters/session/postgres/adapter.ts";
import { describeSessions } from "../../ports/session.contract.ts";
import { passInDatabase } from "./pass.ts";

let folder = "";
beforeAll(async () => void (folder = await mkdtemp(join(tmpdir(), "twelve-sessions-"))));
// Its server writes until it sees that its folder is gone.
afterAll(() => rm(folder, { recursive: true, force: true, maxRetries: 10, retryDelay: 200 }));

describeSessions("pglite", async (options) => ({ store: await openPostgres("pglite:state", folder, options), pass: (key, seconds) => passInDatabase("pglite:state", folder, key, seconds) }));

describe("pglite sessions", () => {
  it("are one database for all who open the folder, beside that of the queue", async () => {
    const stores = await Promise.all([1, 2, 3].map(() => openSessions("pglite:state", { dir: folder, env: {} })));
    onTestFinished(async () => void (await Promise.all(stores.map((store) => store.close()))));
    const [one, two, three] = stores;
    const key = { user: "shared", session: "s" };
    const entry = { role: "user", content: "text", at: "2026-11-24T10:00:00.000Z" } as const;
    const version = await one?.append(key, [entry], { expected: 0 });
    expect((await two?.read(key))?.version).toBe(version);
    expect(await three?.deleteUser("shared")).toBe(1);
    expect(one?.url).toBe("pglite:state");
  });

  it("say which folder cannot be used", async () => {
    await expect(openSessions("pglite:/proc/none", { dir: folder, env: {} })).rejects.toMatchObject({ code: "FOLDER_UNUSABLE" });
  });
});

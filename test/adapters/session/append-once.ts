import { openSessions } from "../../../src/adapters/registry.ts";

/** A process of its own, with the authorities that its environment names: `append-once.ts <url>` appends one entry and prints what it then reads, or the failure. */
const [, , url = ""] = process.argv;
const store = await openSessions(url, { dir: process.cwd(), env: process.env });
const key = { user: "u", session: "s" };
try {
  await store.append(key, [{ role: "user", content: "over TLS", at: "2026-11-24T10:00:00.000Z" }], { expected: 0 });
  process.stdout.write(JSON.stringify((await store.read(key))?.entries));
} catch (error) {
  const { code, message, fix, retry } = error as { readonly code: string; readonly message: string; readonly fix: string; readonly retry: unknown };
  process.stdout.write(JSON.stringify({ code, message, fix, retry }));
}
await store.close();

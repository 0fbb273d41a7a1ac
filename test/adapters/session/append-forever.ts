import { openSessions } from "../../../src/adapters/registry.ts";

/** A process of its own, to be killed: `append-forever.ts <url> <session>` appends twenty numbered entries at a time. */
const [, , url = "", session = ""] = process.argv;
const store = await openSessions(url, { dir: process.cwd(), env: process.env });
let [version, count] = [0, 0];
for (;;) {
  const entries = Array.from({ length: 20 }, (_, index) => ({ role: "user", content: String(count + index), at: "2026-11-24T10:00:00.000Z" }) as const);
  version = await store.append({ user: "u", session }, entries, { expected: version });
  count += 20;
  process.stdout.write(".");
}

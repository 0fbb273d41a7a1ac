import { openMemorySessions } from "../../helpers/memory-sessions.ts";
import { describeSessions } from "../../ports/session.contract.ts";

describeSessions("the reference in memory", async (options) => {
  let passedMs = 0;
  const store = openMemorySessions({ ...options, now: () => Date.now() + passedMs });
  return { store, pass: async (_, seconds) => void (passedMs += seconds * 1000) };
});

export { openMemorySessions } from "../../src/adapters/session/memory/adapter.ts";

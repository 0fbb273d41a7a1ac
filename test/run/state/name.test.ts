import { expect, it } from "vitest";
import { checkName } from "../../../src/adapters/session/entry.ts";
import { ownerName } from "../../../src/run/state/name.ts";

const longest = "x".repeat(63);
const users = ["", "/", "ada", "/ada", "a/b", "#", "日本語", "a\nb", "a\0b", "x".repeat(150), "x".repeat(200), "x".repeat(201), `${"x".repeat(200)}y`, "日".repeat(300)];
const owners = [["a", "b"], ["a-b", "c"], ["a", "b-c"], [longest, longest], [longest, `${longest.slice(1)}y`]].map(([app = "", environment = ""]) => ({ app, environment }));

it("names of different kinds, applications, environments and users never meet, and every store takes them", () => {
  const names = (["session", "answer"] as const).flatMap((kind) => owners.flatMap((owner) => users.map((user) => ownerName(kind, owner, user))));
  expect(new Set(names).size).toBe(names.length);
  for (const name of names) expect(() => checkName(name, "user")).not.toThrow();
});

it("can be read by people where they are short", () => {
  expect(ownerName("session", { app: "support", environment: "staging" }, "web/ada")).toBe("session/support/staging/web/ada");
});

it("half a surrogate pair is refused: a hash would not tell two of them apart", () => {
  expect(() => ownerName("session", { app: "a", environment: "b" }, "\ud83d")).toThrow(expect.objectContaining({ code: "SESSION_INVALID" }));
});

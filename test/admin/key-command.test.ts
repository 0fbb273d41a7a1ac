import { expect, it } from "vitest";
import command from "../../src/admin/key-command.ts";
import { hashOfKey, readApiKeys } from "../../src/config/api-key.ts";
import { openKeyRing } from "../../src/run/http/key.ts";
import { scrub } from "../../src/core/scrub.ts";
import { temporaryFolder, testContext } from "../helpers/context.ts";

const made = async (input: object) => command.run(command.input.parse(input), await testContext({ dir: await temporaryFolder() }));

it("makes a random key and the record that lets a server know it", async () => {
  const { key, record } = await made({ name: "ci", scope: ["chat", "search", "chat"], rpm: 60, burst: 10, expires: "2027-01-31" });
  expect(record).toEqual({ name: "ci", sha256: hashOfKey(key).toString("hex"), scopes: ["chat", "search"], requestsPerMinute: 60, burst: 10, expires: "2027-01-31" });
  const ring = openKeyRing(readApiKeys(JSON.stringify([record]), "API_KEYS"), { instances: 1, nowMs: () => 0 });
  expect((await ring.find(key)?.limit?.take())?.remaining).toBe(9);
  expect([ring.find(key)?.name, ring.find(`${key}x`), ring.find(record.sha256)]).toEqual(["ci", undefined, undefined]);
});

it("shows the key once, in a form that the log's filter knows", async () => {
  const answer = await made({ name: "ci" });
  const text = command.render(answer, command.input.parse({ name: "ci" }));
  expect(text.split(answer.key)).toHaveLength(2);
  expect(text).toContain(JSON.stringify({ name: "ci", sha256: answer.record.sha256 }));
  expect(scrub(text)).not.toContain(answer.key);
});

it.each([[{ name: "a b" }], [{ name: "" }], [{ name: "ci", scope: ["everything"] }], [{ name: "ci", rpm: 0 }], [{ name: "ci", expires: "tomorrow" }]])("refuses %j", (input) => {
  expect(command.input.safeParse(input).success).toBe(false);
});

it("refuses a key that has expired already", async () => {
  await expect(made({ name: "ci", expires: "2020-01-31" })).rejects.toMatchObject({ code: "USAGE_INVALID", problems: [{ path: "--expires" }] });
});

it("refuses a burst of no limit, in the command and in a record", async () => {
  await expect(made({ name: "ci", burst: 10 })).rejects.toMatchObject({ code: "USAGE_INVALID", message: expect.stringContaining("--rpm") });
  const { record } = await made({ name: "ci" });
  expect(() => readApiKeys(JSON.stringify([{ ...record, burst: 10 }]), "API_KEYS")).toThrow(expect.objectContaining({ problems: [{ path: "API_KEYS[0].burst", message: expect.stringContaining("requestsPerMinute") }] }));
});

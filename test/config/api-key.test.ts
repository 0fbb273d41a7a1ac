import { describe, expect, it } from "vitest";
import { readApiKeys } from "../../src/config/api-key.ts";
import { TwelveError } from "../../src/core/errors.ts";

const sha256 = "a".repeat(64);
const secretText = "hunter2-is-not-for-messages";

function failureOf(text: string): TwelveError {
  try {
    readApiKeys(text, "API_KEYS");
  } catch (error) {
    if (error instanceof TwelveError) return error;
  }
  throw new Error("It was taken");
}

describe("readApiKeys", () => {
  it("reads a list of records as JSON and as YAML", () => {
    const keys = [{ name: "ci", sha256, scopes: ["chat"], requestsPerMinute: 60, expires: "2027-01-31" }];
    expect(readApiKeys(JSON.stringify(keys), "API_KEYS")).toEqual(keys);
    expect(readApiKeys(`- name: ci\n  sha256: ${sha256}\n  scopes: [chat]\n  requestsPerMinute: 60\n  expires: "2027-01-31"\n`, "API_KEYS")).toEqual(keys);
  });

  it.each([
    ["no list", `{"name": "${secretText}"}`, "API_KEYS", "Expected a list of records, in brackets also where there is one"],
    ["a key where its hash should be", `[{"name": "ci", "sha256": "${secretText}"}]`, "API_KEYS[0].sha256", "64 lower-case hex digits"],
    ["a name of another form", `[{"name": "${secretText} ", "sha256": "${sha256}"}]`, "API_KEYS[0].name", "letters, digits"],
    ["an unknown scope", `[{"name": "ci", "sha256": "${sha256}", "scopes": ["${secretText}"]}]`, "API_KEYS[0].scopes[0]", '"chat"'],
    ["an unknown field", `[{"name": "ci", "sha256": "${sha256}", "${secretText}": 1}]`, "API_KEYS[0]", "Allowed: name, sha256"],
    ["a day that is none", `[{"name": "ci", "sha256": "${sha256}", "expires": "${secretText}"}]`, "API_KEYS[0].expires", "2027-01-31"],
    ["a name that is there twice", `[{"name": "${"x".repeat(8)}", "sha256": "${sha256}"}, {"name": "${"x".repeat(8)}", "sha256": "${"b".repeat(64)}"}]`, "API_KEYS[1].name", "The same as in API_KEYS[0]"],
    ["a hash that is there twice", `[{"name": "one", "sha256": "${sha256}"}, {"name": "two", "sha256": "${sha256}"}]`, "API_KEYS[1].sha256", "The same as in API_KEYS[0]"],
  ])("refuses %s, naming the field and not the value", (_, text, path, message) => {
    const failure = failureOf(text);
    expect(failure).toMatchObject({ code: "CONFIG_INVALID", problems: [{ path, message: expect.stringContaining(message) }] });
    expect(`${failure.message} ${failure.fix} ${JSON.stringify(failure.problems)} ${String(failure.cause)}`).not.toMatch(new RegExp(`${secretText}|aaaa|xxxx`));
  });

  it.each([[`[{"name": "${secretText}"`], [`*${secretText}`], [`- !${secretText} x\n- &a [*a`], [`"${secretText}" : x: y`]])("says of %j only that it cannot be read", (text) => {
    const failure = failureOf(text);
    expect(failure).toMatchObject({ code: "CONFIG_INVALID", message: expect.stringContaining("API_KEYS") });
    expect(`${failure.message} ${JSON.stringify(failure.problems)} ${String(failure.cause)}`).not.toContain(secretText);
  });

  it("refuses an empty list, with which nobody could use the server", () => {
    expect(failureOf("[]").message).toContain("holds no API key");
  });
});

it("says of a missing field that it is required", () => {
  expect(() => readApiKeys('[{"name": "ci"}]', "API_KEYS")).toThrow(expect.objectContaining({ problems: [{ path: "API_KEYS[0].sha256", message: "Required; expected string" }] }));
});

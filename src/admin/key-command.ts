import { z } from "zod";
import { ApiKey, apiKeyOf, hashOfKey, Scope } from "../config/api-key.ts";
import { TwelveError } from "../core/errors.ts";
import { defineCommand } from "../ports/command.ts";

const keyBytes = 32;

export default defineCommand({
  description:
    "Makes a random API key for a server, and the record to put into the secret that `server.keys` in twelve.yaml names: a list of such records, as JSON or YAML. " +
    "The key is shown once and kept nowhere, and the record holds its hash only. Servers read the secret when they start.",
  input: z.strictObject({
    name: ApiKey.shape.name.meta({ description: "Whom the key is for; users of different keys are kept apart by it", valueName: "name" }),
    scope: z.array(Scope).default([]).meta({ description: "What the key may do; everything by default", valueName: "scope" }),
    rpm: ApiKey.shape.requestsPerMinute.meta({ description: "Most requests a minute; no limit by default", valueName: "count" }),
    burst: ApiKey.shape.burst.meta({ description: "With --rpm: most requests at once after a pause; as many as a minute's by default", valueName: "count" }),
    expires: ApiKey.shape.expires.meta({ description: "Day or time from which the key is refused, such as 2027-01-31", valueName: "day" }),
  }),
  output: z.strictObject({
    key: z.string().meta({ description: "The key itself, for whoever uses it" }),
    record: ApiKey.meta({ description: "The record for the server's secret" }),
  }),
  examples: ["twelve admin key --name ci", "twelve admin key --name partner --scope chat --scope search --rpm 60 --burst 10 --expires 2027-01-31"],

  async run({ name, scope, rpm, burst, expires }, { clock }) {
    if (burst !== undefined && rpm === undefined) throw new TwelveError("USAGE_INVALID", "--burst says how much of the limit of --rpm may come at once, and there is no such limit", { fix: "Add `--rpm <count>`, or leave `--burst` out" });
    if (expires !== undefined && new Date(expires) <= clock.now()) {
      throw new TwelveError("USAGE_INVALID", `A key that expires on ${expires} would be refused from the start`, { problems: [{ path: "--expires", message: "Expected a day or time to come" }], fix: "Give a later one, or leave `--expires` out" });
    }
    const key = apiKeyOf(clock.randomHex(keyBytes));
    const scopes = [...new Set(scope)];
    const limits = { ...(scopes.length === 0 ? {} : { scopes }), ...(rpm === undefined ? {} : { requestsPerMinute: rpm }), ...(burst === undefined ? {} : { burst }), ...(expires === undefined ? {} : { expires }) };
    return { key, record: { name, sha256: hashOfKey(key).toString("hex"), ...limits } };
  },

  render: ({ key, record }) => [
    `Key of ${record.name}, shown this once: ${key}`,
    `Record for the list in the secret of \`server.keys\`: ${JSON.stringify(record)}`,
  ].join("\n"),
});

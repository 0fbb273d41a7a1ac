import { z } from "zod";
import { inspectConfig } from "../config/read.ts";
import { withoutCredentials } from "../core/url.ts";
import { readManifest } from "../manifest/read.ts";
import { ConfigKind } from "../manifest/schema.ts";
import { defineCommand } from "../ports/command.ts";
import { readActiveOrNone } from "./read.ts";
import { formatTable, formatValue } from "../core/table.ts";

const Value = z.union([z.string(), z.number(), z.boolean()]);
const Key = z.strictObject({
  key: z.string(),
  kind: ConfigKind,
  isSet: z.boolean(),
  value: Value.nullable().meta({ description: "null for a secret, always, and for a key that nothing sets; an attachment is shown without credentials" }),
  source: z.string().nullable().meta({ description: "--set, environment, dotenv:.env, default; null when nothing sets the key" }),
  frozen: z.strictObject({ value: Value.nullable(), source: z.string() }).nullable().meta({ description: "What the active release has instead; null when it has the same" }),
  problem: z.string().nullable().meta({ description: "Why a release would be refused" }),
  description: z.string().nullable(),
});

export default defineCommand({
  description: "Shows what a release made here and now would freeze, and where the active release differs. A secret's value is never shown.",
  input: z.strictObject({ env: z.string().default("development").meta({ description: "Environment to look at", valueName: "name" }) }),
  output: z.strictObject({
    environment: z.string(),
    source: z.string().nullable().meta({ description: "The environment's configuration sources" }),
    active: z.int().positive().nullable().meta({ description: "Number of the active release" }),
    keys: z.array(Key),
  }),
  examples: ["twelve config list", "twelve config list --env production --json"],

  async run({ env: environment }, context) {
    const manifest = await readManifest(context.dir);
    const { values, problems } = await inspectConfig(context, manifest, { environment });
    const active = await readActiveOrNone(await context.store(), manifest.name, environment);
    const keys = Object.entries(values).map(([key, { kind, value, source }]): z.output<typeof Key> => {
      const frozen = kind === "frozen" ? active?.release.config[key] : undefined;
      return {
        key,
        kind,
        isSet: source !== null,
        value: kind === "attachment" && value !== null ? withoutCredentials(String(value)) : value,
        source,
        frozen: frozen === undefined || frozen.value === value ? null : frozen,
        problem: problems.find((problem) => problem.key === key)?.message ?? null,
        description: manifest.config[key]?.description ?? null,
      };
    });
    return { environment, source: [manifest.environments[environment]?.config ?? []].flat().join(", ") || null, active: active?.number ?? null, keys };
  },

  render({ environment, active, keys }) {
    if (keys.length === 0) return "twelve.yaml declares no configuration. Declare keys under `config:`.";
    const rows = keys.map(({ key, kind, isSet, value, source, frozen, problem }) => [
      key,
      kind,
      !isSet || value !== null ? formatValue(value) : problem === null ? "set" : "(not usable)",
      source ?? "-",
      frozen === null ? "" : `${formatValue(frozen.value)} (${frozen.source})`,
    ]);
    const hasDifference = keys.some(({ frozen }) => frozen !== null);
    const head = ["KEY", "KIND", "VALUE", "FROM", ...(hasDifference ? [`FROZEN IN v${active}`] : [])];
    const wrong = keys.flatMap(({ key, problem }) => (problem === null ? [] : [`${key}: ${problem}`]));
    return [
      formatTable(head, rows),
      ...(wrong.length === 0 ? [] : ["", `A release to ${environment} would be refused:`, ...wrong.map((line) => `  ${line}`)]),
      ...(hasDifference ? ["", `v${active} keeps its frozen values. ${wrong.length === 0 ? "Freeze these" : "Correct what is wrong, then freeze the rest"} with \`twelve release --env ${environment}\`.`] : []),
    ].join("\n");
  },
});

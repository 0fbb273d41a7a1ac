import { awsRegion, readRegion } from "../../aws/region.ts";
import { readOptions, readTimeoutMs, splitQuery, unusable } from "../../http/options.ts";

export interface BedrockTarget {
  /** The reference without options, for messages. */
  readonly name: string;
  /** Model, inference profile or ARN, as Bedrock is asked for it. */
  readonly id: string;
  readonly region: string | undefined;
  /** How long Bedrock may be silent. */
  readonly timeoutMs: number | undefined;
  readonly guardrail: { readonly id: string; readonly version: string; readonly trace: GuardrailTrace | undefined } | undefined;
  readonly latency: Latency | undefined;
  readonly serviceTier: Tier | undefined;
  /** Whether a JSON Schema is sent as one, or written into the instructions. */
  readonly jsonSchema: SchemaMode;
}

const traces = ["enabled", "disabled", "enabled_full"] as const;
const latencies = ["standard", "optimized"] as const;
const tiers = ["default", "flex", "priority", "reserved"] as const;
const schemaModes = ["native", "prompt"] as const;
type GuardrailTrace = (typeof traces)[number];
type Latency = (typeof latencies)[number];
type Tier = (typeof tiers)[number];
type SchemaMode = (typeof schemaModes)[number];

/** Claude has it since 4.5; a model without it refuses the whole request, so the others need `jsonSchema=native`. */
const structured = /(?:^|[./])anthropic\.claude-(?:[a-z]+-)?(?:4-[5-9]|[5-9])(?!\d)/;

/** `bedrock:<model, inference profile or ARN>[?region=…&guardrail=…&guardrailVersion=…]`. Fails with SERVICE_UNSUPPORTED. */
export function readBedrockReference(reference: string): BedrockTarget {
  const [name, query] = splitQuery(reference);
  const id = name.slice("bedrock:".length);
  if (!/^[a-zA-Z0-9][a-zA-Z0-9.:/_-]{0,2047}$/.test(id)) throw unusable(reference, "names no model", "Write bedrock:<model, inference profile or ARN>, such as bedrock:us.anthropic.claude-sonnet-4-5-20250929-v1:0");
  const options = readOptions(query, reference, ["region", "timeoutMs", "guardrail", "guardrailVersion", "guardrailTrace", "latency", "serviceTier", "jsonSchema"]);
  const choice = <Value extends string>(option: string, values: readonly Value[]): Value | undefined => {
    const text = options[option];
    if (text === undefined) return undefined;
    const value = values.find((known) => known === text);
    if (value === undefined) throw unusable(reference, `gives ${option} as "${text}"; expected ${values.join(", ")}`);
    return value;
  };
  const { guardrail, guardrailVersion } = options;
  const trace = choice("guardrailTrace", traces);
  if (guardrail === undefined && (guardrailVersion !== undefined || trace !== undefined)) throw unusable(reference, "describes a guardrail and names none", "Add guardrail=<ID or ARN>");
  return {
    name,
    id,
    region: readRegion(options, reference) ?? awsRegion(id),
    timeoutMs: readTimeoutMs(options, reference),
    guardrail: guardrail === undefined ? undefined : { id: guardrail, version: guardrailVersion ?? "DRAFT", trace },
    latency: choice("latency", latencies),
    serviceTier: choice("serviceTier", tiers),
    jsonSchema: choice("jsonSchema", schemaModes) ?? (structured.test(id) ? "native" : "prompt"),
  };
}

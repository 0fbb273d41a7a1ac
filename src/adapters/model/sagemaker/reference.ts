import { readRegion } from "../../aws/region.ts";
import { readChoice, readOptions, readTimeoutMs, splitQuery, unusable } from "../../http/options.ts";

export interface SagemakerTarget {
  /** The reference without options, for messages. */
  readonly name: string;
  readonly endpoint: string;
  /** What the container is asked in: OpenAI's chat, as vLLM and DJL take it, or TGI's own. */
  readonly format: (typeof formats)[number];
  /** False for a container that cannot stream. */
  readonly isStream: boolean;
  /** The name that a container with several models, or one that insists, wants to read. */
  readonly model: string | undefined;
  readonly component: string | undefined;
  readonly variant: string | undefined;
  readonly region: string | undefined;
  /** How long the endpoint may be silent. */
  readonly timeoutMs: number | undefined;
}

const formats = ["openai", "tgi"] as const;

/** `sagemaker:<endpoint>[?format=openai|tgi&stream=…&model=…&component=…&variant=…]`. Fails with SERVICE_UNSUPPORTED. */
export function readSagemakerReference(reference: string): SagemakerTarget {
  const [name, query] = splitQuery(reference);
  const endpoint = name.slice("sagemaker:".length);
  if (!/^[a-zA-Z0-9](?:-*[a-zA-Z0-9]){0,62}$/.test(endpoint)) throw unusable(reference, "names no endpoint", "Write sagemaker:<endpoint>, with the endpoint's name and not its ARN");
  const options = readOptions(query, reference, ["format", "stream", "model", "component", "variant", "region", "timeoutMs"]);
  const { model, component, variant } = options;
  const format = readChoice(options, "format", { reference, choices: formats }) ?? "openai";
  const isStream = readChoice(options, "stream", { reference, choices: ["true", "false"] }) !== "false";
  return { name, endpoint, format, isStream, model, component, variant, region: readRegion(options, reference), timeoutMs: readTimeoutMs(options, reference) };
}

import { didYouMean } from "../../../core/nearest.ts";
import { awsRegion, readRegion } from "../../aws/region.ts";
import { readCount, readOptions, readTimeoutMs, splitQuery, unusable } from "../../http/options.ts";
import { type TextModel, textModels } from "./model.ts";

export interface BedrockTarget {
  /** The reference without options, for messages. */
  readonly name: string;
  /** Model, inference profile or ARN, as Bedrock is asked for it. */
  readonly id: string;
  /** The model behind it: the vectors are the same through every profile. */
  readonly baseId: string;
  readonly model: TextModel;
  /** Sent only where the reference says so. */
  readonly dimensions: number | undefined;
  readonly region: string | undefined;
  readonly timeoutMs: number | undefined;
}

/** `bedrock:<model, inference profile or ARN>[?dimensions=…&region=…]`. Fails with SERVICE_UNSUPPORTED. */
export function readBedrockReference(reference: string): BedrockTarget {
  const [name, query] = splitQuery(reference);
  const id = name.slice("bedrock:".length);
  const baseId = id.replace(/^arn:[^/]*\//, "").replace(/^(us|us-gov|eu|apac|au|jp|ca|global)\./, "");
  const model = Object.hasOwn(textModels, baseId) ? textModels[baseId] : undefined;
  const known = Object.keys(textModels);
  if (model === undefined) throw unusable(reference, `names no embedding model of Bedrock that is known here.${didYouMean(baseId, known)} Known: ${known.join(", ")}`);
  const options = readOptions(query, reference, ["dimensions", "region", "timeoutMs"]);
  const dimensions = readCount(options, "dimensions", { reference, least: 1, most: 65_536 });
  if (dimensions !== undefined && dimensions !== model.dimensions && !model.choices.includes(dimensions)) {
    throw unusable(reference, `asks for ${dimensions} dimensions; the model gives ${model.choices.length === 0 ? model.dimensions : model.choices.join(", ")}`);
  }
  const region = readRegion(options, reference) ?? awsRegion(id);
  return { name, id, baseId, model, dimensions: model.choices.length === 0 ? undefined : dimensions, region, timeoutMs: readTimeoutMs(options, reference) };
}

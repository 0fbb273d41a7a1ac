import type { RerankCommandInput, RerankCommandOutput } from "@aws-sdk/client-bedrock-agent-runtime";
import { bedrockFailure } from "./bedrock-failure.ts";
import { callOnce } from "./call.ts";
import { type ClientOptions, clientConfig, regionOf } from "./client-config.ts";

const defaultTimeoutMs = 120_000;

const fixes = {
  none: "Set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or AWS_PROFILE after `aws sso login`; reranking takes no bearer token",
  SERVICE_DENIED: "Check that the credentials allow bedrock:Rerank, and bedrock:InvokeModel on this model, and that the account has access to the model in this region",
  SERVICE_NOT_FOUND: "Check the model's ID and the region: not every region has reranking",
} as const;

export interface BedrockRerank {
  readonly region: string;
  /** The first part of this region's ARNs after `arn`, such as aws. */
  readonly partition: string;
  /** One attempt. Fails with the SERVICE_ codes; an aborted signal ends it with the signal's reason. */
  rerank(input: RerankCommandInput, signal: AbortSignal | undefined): Promise<RerankCommandOutput>;
}

/** Fails with SERVICE_UNSUPPORTED where no region is named. */
export async function openBedrockRerank({ env, name, region: wanted, timeoutMs = defaultTimeoutMs }: ClientOptions): Promise<BedrockRerank> {
  const [{ default: sdk }, config] = await Promise.all([import("@aws-sdk/client-bedrock-agent-runtime"), clientConfig(env, { service: "BEDROCK_AGENT_RUNTIME", name, region: wanted })]);
  const client = new sdk.BedrockAgentRuntimeClient(config);
  const region = await regionOf(client, name);
  const url = config.endpoint ?? `https://bedrock-agent-runtime.${region}.amazonaws.com`;
  return {
    region,
    partition: region.startsWith("cn-") ? "aws-cn" : region.startsWith("us-gov-") ? "aws-us-gov" : "aws",
    rerank: (input, signal) => callOnce({ name, timeoutMs, signal, send: (abortSignal) => client.send(new sdk.RerankCommand(input), { abortSignal }), failure: (error) => bedrockFailure(error, { name, url, fixes }) }),
  };
}

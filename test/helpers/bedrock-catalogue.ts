/** GetFoundationModel and GetInferenceProfile of Bedrock's control plane. */
import type { Reply } from "./service-server.ts";

const models: Readonly<Record<string, object>> = {
  "anthropic.claude-test-v1:0": { status: "ACTIVE" },
  "amazon.titan-embed-text-v1": { status: "LEGACY", legacyTime: "2026-06-01T00:00:00Z", endOfLifeTime: "2026-12-24T00:00:00Z" },
  "cohere.rerank-v3-5:0": { status: "LEGACY", legacyTime: "2026-06-01T00:00:00Z" },
  "meta.llama-old-v1:0": { status: "LEGACY", legacyTime: "2026-06-01T00:00:00Z", endOfLifeTime: "2027-01-15T00:00:00Z" },
};

/** Undefined for a path that is not one of its own. */
export function catalogueReply(path: string): Reply | undefined {
  const [, kind, encoded = ""] = /^\/(foundation-models|inference-profiles)\/([^/]+)$/.exec(path) ?? [];
  if (kind === undefined) return undefined;
  const id = decodeURIComponent(encoded).replace(/^arn:[^/]*\//, "");
  const modelId = kind === "inference-profiles" ? id.replace(/^(?:us|eu|global)\./, "") : id;
  const modelArn = `arn:aws:bedrock:us-east-1::foundation-model/${modelId}`;
  const modelLifecycle = models[modelId];
  if (modelLifecycle === undefined) return { status: 404, headers: { "x-amzn-errortype": "ResourceNotFoundException", "x-amzn-requestid": "c4ta" }, body: { message: "The requested resource does not exist." } };
  if (kind === "foundation-models") return { body: { modelDetails: { modelArn, modelId, modelName: "Test", providerName: "Test", responseStreamingSupported: true, modelLifecycle } } };
  return { body: { inferenceProfileName: id, inferenceProfileArn: `arn:aws:bedrock:us-east-1:123456789012:inference-profile/${id}`, inferenceProfileId: id, status: "ACTIVE", type: "SYSTEM_DEFINED", models: [{ modelArn }] } };
}

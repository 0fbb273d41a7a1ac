import type { FoundationModelDetails } from "@aws-sdk/client-bedrock";
import { TwelveError } from "../../core/errors.ts";
import { bedrockFailure } from "./bedrock-failure.ts";
import { callOnce } from "./call.ts";
import { bedrockToken, type ClientOptions, clientConfig, regionOf } from "./client-config.ts";

const timeoutMs = 30_000;

/** What Bedrock tells about a model that can be called. */
export interface Listed {
  /** Such as ACTIVE, LEGACY or InService; undefined where Bedrock tells none. */
  readonly status: string | undefined;
  readonly endOfLife: Date | undefined;
  /** The base model that an inference profile, a deployment or a router leads to. */
  readonly behind: string | undefined;
  /** The permission that is missing for looking up what is behind it. */
  readonly needs?: string;
}

/** Bedrock's control plane: another host than the one that answers, with permissions of its own. */
export interface BedrockCatalogue {
  readonly url: string;
  /** Fails with SERVICE_NOT_FOUND, and with the other SERVICE_ codes. */
  find(id: string, signal?: AbortSignal): Promise<Listed>;
  /** The permission that finding it needs. */
  actionFor(id: string): string;
}

const kinds = ["foundation-model", "inference-profile", "application-inference-profile", "provisioned-model", "imported-model", "custom-model-deployment", "prompt-router", "default-prompt-router"] as const;
type Kind = (typeof kinds)[number];

const actions: Readonly<Record<Kind, string>> = {
  "foundation-model": "bedrock:GetFoundationModel", "inference-profile": "bedrock:GetInferenceProfile", "application-inference-profile": "bedrock:GetInferenceProfile",
  "provisioned-model": "bedrock:GetProvisionedModelThroughput", "imported-model": "bedrock:GetImportedModel", "custom-model-deployment": "bedrock:GetCustomModelDeployment",
  "prompt-router": "bedrock:GetPromptRouter", "default-prompt-router": "bedrock:GetPromptRouter",
};

/** What an ID names. A profile's begins with where it may run; a model's begins with its maker. */
function kindOf(id: string): Kind {
  const named = /^arn:[^/]*:([a-z-]+)\//.exec(id)?.[1];
  return kinds.find((kind) => kind === named) ?? (/^(?:us|us-gov|eu|apac|au|jp|ca|global)\./.test(id) ? "inference-profile" : "foundation-model");
}

export async function openBedrockCatalogue({ env, name, region: wanted, timeoutMs: given = timeoutMs }: ClientOptions): Promise<BedrockCatalogue> {
  const [{ default: sdk }, config] = await Promise.all([import("@aws-sdk/client-bedrock"), clientConfig(env, { service: "BEDROCK", name, region: wanted })]);
  const client = new sdk.BedrockClient({ ...config, ...bedrockToken(env) });
  const own = await regionOf(client, name);
  const url = config.endpoint ?? `https://bedrock.${own}.amazonaws.com`;
  const clientIn = (place: string): typeof client => (place === own ? client : new sdk.BedrockClient({ ...config, ...bedrockToken(env), region: place }));

  const failure = (error: unknown): TwelveError => bedrockFailure(error, { name, url });

  async function look(id: string, abortSignal: AbortSignal): Promise<Listed> {
    switch (kindOf(id)) {
      case "foundation-model": {
        const { modelDetails } = await client.send(new sdk.GetFoundationModelCommand({ modelIdentifier: id }), { abortSignal });
        return listed(modelDetails, undefined);
      }
      case "inference-profile":
      case "application-inference-profile": {
        const { models = [] } = await client.send(new sdk.GetInferenceProfileCommand({ inferenceProfileIdentifier: id }), { abortSignal });
        return lookBehind(models.flatMap(({ modelArn }) => modelArn ?? []), abortSignal);
      }
      case "provisioned-model": {
        const { status, foundationModelArn } = await client.send(new sdk.GetProvisionedModelThroughputCommand({ provisionedModelId: id }), { abortSignal });
        return { status: status ?? "ACTIVE", endOfLife: undefined, behind: foundationModelArn?.replace(/^.*\//, "") };
      }
      case "imported-model": {
        const { modelArchitecture } = await client.send(new sdk.GetImportedModelCommand({ modelIdentifier: id }), { abortSignal });
        return { status: "ACTIVE", endOfLife: undefined, behind: modelArchitecture };
      }
      case "custom-model-deployment": {
        const { status } = await client.send(new sdk.GetCustomModelDeploymentCommand({ customModelDeploymentIdentifier: id }), { abortSignal });
        return { status: status ?? "ACTIVE", endOfLife: undefined, behind: undefined };
      }
      case "prompt-router":
      case "default-prompt-router": {
        const { status } = await client.send(new sdk.GetPromptRouterCommand({ promptRouterArn: id }), { abortSignal });
        return { status: status ?? "AVAILABLE", endOfLife: undefined, behind: undefined };
      }
    }
  }

  /**
   * The model that a profile leads to, as a rule the same one in several regions. A profile outlives its model, so it proves nothing
   * by itself; a model may be gone here and served there.
   */
  async function lookBehind(arns: readonly string[], abortSignal: AbortSignal): Promise<Listed> {
    let missing: TwelveError | undefined;
    for (const { behind, place } of placesOf(arns, own)) {
      try {
        const { modelDetails } = await clientIn(place).send(new sdk.GetFoundationModelCommand({ modelIdentifier: behind }), { abortSignal });
        return listed(modelDetails, behind);
      } catch (error) {
        const failed = failure(error);
        if (failed.code === "SERVICE_DENIED") return { status: undefined, endOfLife: undefined, behind, needs: actions["foundation-model"] };
        if (failed.code !== "SERVICE_NOT_FOUND") throw failed;
        missing ??= new TwelveError(failed.code, `${failed.message}: it leads to ${behind}`, { cause: error, fix: failed.fix });
      }
    }
    if (missing !== undefined) throw missing;
    return { status: undefined, endOfLife: undefined, behind: undefined };
  }

  return {
    url,
    find: (id, signal) => callOnce({ name, timeoutMs: Math.min(given, timeoutMs), signal, send: (abortSignal) => look(id, abortSignal), failure }),
    actionFor: (id) => actions[kindOf(id)],
  };
}

/** Where to look for the models of a profile: first here, where what we may do is known. */
function placesOf(arns: readonly string[], own: string): readonly { readonly behind: string; readonly place: string }[] {
  const found = arns.map((arn) => ({ behind: arn.replace(/^.*\//, ""), place: /^arn:[^:]*:bedrock:([a-z0-9-]+):/.exec(arn)?.[1] ?? own }));
  const all = [...found.map(({ behind }) => ({ behind, place: own })), ...found];
  return [...new Map(all.map((one) => [`${one.place} ${one.behind}`, one])).values()];
}

function listed(details: FoundationModelDetails | undefined, behind: string | undefined): Listed {
  const lifecycle = details?.modelLifecycle;
  return { status: lifecycle?.status, endOfLife: lifecycle?.endOfLifeTime, behind };
}

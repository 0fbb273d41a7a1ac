import { TwelveError } from "../../../core/errors.ts";
import type { ServiceCheck } from "../../../ports/check.ts";
import type { Environment } from "../../../ports/context.ts";
import { type BedrockCatalogue, openBedrockCatalogue } from "../../aws/bedrock-catalogue.ts";
import type { BedrockRuntime } from "../../aws/bedrock-client.ts";
import { lifecycleIn } from "../../aws/bedrock-lifecycle.ts";
import { answers } from "../../aws/reach.ts";
import type { BedrockTarget } from "./reference.ts";

interface CheckOptions {
  readonly env: Environment;
  readonly signal: AbortSignal | undefined;
}

/** Looks the model up, which costs nothing. What cannot be looked up is not down for that: calls need other permissions, and another address. */
export async function checkModel(runtime: BedrockRuntime, target: BedrockTarget, { env, signal }: CheckOptions): Promise<ServiceCheck> {
  const { name, id, timeoutMs } = target;
  const catalogue = await openBedrockCatalogue({ env, name, region: runtime.region, timeoutMs });
  try {
    return await describe(catalogue, id, signal);
  } catch (error) {
    if (!(error instanceof TwelveError)) throw error;
    if (error.code === "SERVICE_DENIED") return { version: null, detail: `Bedrock answers; whether the model can be used is unknown, because looking it up is not allowed (${catalogue.actionFor(id)})`, isModelUnknown: true };
    const isLimited = error.code === "SERVICE_LIMITED";
    const isOutOfReach = error.code === "SERVICE_UNAVAILABLE" || error.code === "SERVICE_TIMEOUT" || isLimited;
    if (!isOutOfReach || runtime.url === catalogue.url || !(await answers(runtime.url, signal))) throw error;
    return { version: null, detail: `${new URL(runtime.url).host} answers; whether the model can be used is unknown, because ${new URL(catalogue.url).host}, where it is looked up, ${isLimited ? "is asked too often" : "does not"}`, isModelUnknown: true };
  }
}

async function describe(catalogue: BedrockCatalogue, id: string, signal: AbortSignal | undefined): Promise<ServiceCheck> {
  const found = await catalogue.find(id, signal);
  const lifecycle = lifecycleIn(found);
  const end = lifecycle?.endOfLife == null ? undefined : `end of life ${lifecycle.endOfLife}`;
  const detail = [found.status?.toLowerCase(), end, found.behind === undefined ? undefined : `for ${found.behind}`].filter((part) => part !== undefined).join(", ");
  if (found.needs !== undefined) return { version: null, detail: `${detail}; whether that model can be used is unknown, because looking it up is not allowed (${found.needs})`, isModelUnknown: true };
  return { version: null, ...(detail === "" ? {} : { detail }), ...(lifecycle === undefined ? {} : { lifecycle }) };
}

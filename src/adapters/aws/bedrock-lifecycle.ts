import { TwelveError } from "../../core/errors.ts";
import type { ModelLifecycle } from "../../ports/check.ts";
import { type Listed, openBedrockCatalogue } from "./bedrock-catalogue.ts";
import type { ClientOptions } from "./client-config.ts";

const longestMs = 5000;

/** Undefined for what has no lifecycle of its own there, such as capacity that was bought, and for what may not be looked up. */
export function lifecycleIn({ status, endOfLife }: Listed): ModelLifecycle | undefined {
  if (status !== "ACTIVE" && status !== "LEGACY") return undefined;
  return { state: status === "LEGACY" ? "legacy" : "active", endOfLife: endOfLife?.toISOString().slice(0, 10) ?? null };
}

/** For models that are checked by a call, which needs other permissions and another address than the catalogue. */
export async function findLifecycle(id: string, options: Omit<ClientOptions, "timeoutMs">, signal?: AbortSignal): Promise<ModelLifecycle | undefined> {
  try {
    const catalogue = await openBedrockCatalogue({ ...options, timeoutMs: longestMs });
    return lifecycleIn(await catalogue.find(id, signal));
  } catch (error) {
    if (error instanceof TwelveError) return undefined;
    throw error;
  }
}

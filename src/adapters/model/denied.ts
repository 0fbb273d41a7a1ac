import { TwelveError } from "../../core/errors.ts";
import type { ServiceCheck } from "../../ports/check.ts";

/** What a check says where a key may not look a model up: it may well use it, as a key with no more rights than it needs. Any other failure is thrown. */
export function unlessDenied(error: unknown, version: string | null): ServiceCheck {
  if (!(error instanceof TwelveError) || error.code !== "SERVICE_DENIED") throw error;
  return { version, detail: `the server answers; whether the model can be used is unknown, because the key may not look it up (${error.message})`, isModelUnknown: true };
}

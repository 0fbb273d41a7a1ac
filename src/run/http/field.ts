import { z } from "zod";
import type { Json } from "../../core/canonical-json.ts";

/** A field that other servers know and this one does not: only values that change nothing are let through. */
export function unsupported(isHarmless: (value: unknown) => boolean, message: string): z.ZodType {
  return z.unknown().refine((value) => value === undefined || value === null || isHarmless(value), message).meta({ description: `Refused: ${message}` }).optional();
}

export const isEmpty = (value: unknown): boolean => typeof value === "object" && value !== null && Object.keys(value).length === 0;
export const isZero = (value: unknown): boolean => value === 0;
export const never = (): boolean => false;

/** Fields that tell the provider about the caller and leave the answer as it is. */
export const ignored = z.unknown().meta({ description: "Taken, and changes nothing" }).optional();

/** What of a request says how the words are chosen, in every API alike. */
export const sampling = {
  temperature: z.number().min(0).max(2).nullish(),
  top_p: z.number().min(0).max(1).nullish(),
};

/** Of chat completions and responses. */
export const bystanders = {
  metadata: ignored,
  store: ignored,
  service_tier: ignored,
  safety_identifier: ignored,
  prompt_cache_key: ignored,
  prompt_cache_options: ignored,
  prompt_cache_retention: ignored,
};

export const User = z.string().nullish().meta({ description: "Whose request it is: a user of the caller's, whose sessions nobody else meets" });
/** Nobody is named by an empty name. */
export function userOf(user: string | null | undefined): { readonly user?: string } {
  return user == null || user === "" ? {} : { user };
}

export const longestName = 200;
export const SessionName = z.string().min(1).max(longestName);

/** Deeper than anybody writes, and far from where reading it would end the stack. */
const deepest = 100;

/** An object that came out of JSON.parse; what is in it is not looked at again. */
export const JsonObject = z
  .looseObject({})
  .refine((value) => !isDeeper(value, deepest), `Nested more than ${deepest} levels deep`)
  .transform((value) => value as Readonly<Record<string, Json>>);

function isDeeper(value: unknown, levels: number): boolean {
  if (typeof value !== "object" || value === null) return false;
  return levels === 0 || Object.values(value).some((inner) => isDeeper(inner, levels - 1));
}

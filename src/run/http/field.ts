import { z } from "zod";
import type { Json } from "../../core/canonical-json.ts";
import { efforts, type ModelRequest } from "../../ports/model.ts";

/** A field that other servers know and this one does not: only values that change nothing are let through. */
export function unsupported(isHarmless: (value: unknown) => boolean, message: string): z.ZodType {
  return z.unknown().refine((value) => value === undefined || value === null || isHarmless(value), message).meta({ description: `Refused: ${message}` }).optional();
}

export const isEmpty = (value: unknown): boolean => typeof value === "object" && value !== null && Object.keys(value).length === 0;
export const isZero = (value: unknown): boolean => value === 0;
export const never = (): boolean => false;

/** Fields that tell the provider about the caller and leave the answer as it is. */
export const ignored = z.unknown().meta({ description: "Taken, and changes nothing" }).optional();

/** What of a request says how the words are chosen and which tools are called, in every API alike. */
export const choosing = {
  temperature: z.number().min(0).max(2).nullish(),
  top_p: z.number().min(0).max(1).nullish(),
  parallel_tool_calls: z.boolean().nullish().meta({ description: "false: at most one call in an answer, by models whose API can be told so" }),
};
type Choosing = z.infer<z.ZodObject<typeof choosing>>;
/** How hard the model thinks first; models whose API has no word for it refuse. */
export const Effort = z.enum(efforts, { error: `Expected ${efforts.join(", ")}` }).nullish();

/** The same, as the runtime takes it; what is left out or null is left to the release. */
export function choosingOf({ temperature, top_p: topP, parallel_tool_calls: isParallel }: Choosing, { effort, maxTokens }: { readonly effort: z.infer<typeof Effort>; readonly maxTokens: number | null | undefined }): Pick<ModelRequest, "temperature" | "topP" | "maxTokens" | "effort" | "isSingleCall"> {
  return {
    ...(temperature == null ? {} : { temperature }),
    ...(topP == null ? {} : { topP }),
    ...(maxTokens == null ? {} : { maxTokens }),
    ...(effort == null ? {} : { effort }),
    ...(isParallel === false ? { isSingleCall: true } : {}),
  };
}

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

/** What OpenAI takes; nothing that could pass for a sign of a chat format. */
export const ParticipantName = z.string().regex(/^[^\s<|\\/>]{1,64}$/, "Expected a name of 1 to 64 signs, without white space and without < | \\ / >").nullish().meta({ description: "Which of several participants speaks" });

/** What OpenAI takes of messages. A longer list is refused before its entries are looked at: a megabyte of wrong ones would hold up everybody else. */
export const mostEntries = 2048;

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

import { hash } from "node:crypto";
import { z } from "zod";
import { type Problem, TwelveError } from "../core/errors.ts";
import { formatPath } from "../core/problems.ts";
import { parseYaml } from "../core/yaml.ts";

/** What a key may be limited to, by groups of routes. */
export const Scope = z.enum(["chat", "search", "embeddings", "runs", "approvals", "sessions", "metrics", "rerank", "ui"]);
export type Scope = z.infer<typeof Scope>;

/** What is kept of an API key: its hash, and what it may do. */
export const ApiKey = z.strictObject({
  name: z.string().regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/, "Expected up to 64 letters, digits, dots, hyphens and underscores").meta({ description: "Whom the key was given to; users of different keys are kept apart by it" }),
  sha256: z.string().regex(/^[0-9a-f]{64}$/, "Expected 64 lower-case hex digits, the SHA-256 of the key").meta({ description: "SHA-256 of the key, in hex" }),
  scopes: z.array(Scope).min(1).optional().meta({ description: "What the key may do; everything by default" }),
  requestsPerMinute: z.int().min(1).max(1_000_000).optional().meta({ description: "Most requests a minute; no limit by default" }),
  burst: z.int().min(1).max(1_000_000).optional().meta({ description: "Most requests at once after a pause; requestsPerMinute by default" }),
  expires: z.union([z.iso.date(), z.iso.datetime({ offset: true })], { error: "Expected a day such as 2027-01-31, or a time such as 2027-01-31T12:00:00Z" }).optional().meta({ description: "Refused from then on; a day begins at 0:00 UTC" }),
}).refine(({ burst, requestsPerMinute }) => burst === undefined || requestsPerMinute !== undefined, { path: ["burst"], message: "Expected with requestsPerMinute only, which fills it up again" });
export type ApiKey = z.infer<typeof ApiKey>;

/** A random key of 32 bytes in hex. The prefix lets secret scanners, and our own log filter, know one when they see it. */
export function apiKeyOf(hex: string): string {
  return `tw_${Buffer.from(hex, "hex").toString("base64url")}`;
}

/** A fast hash is enough: a key is random, and as long as the hash. */
export function hashOfKey(key: string): Buffer {
  return hash("sha256", key, "buffer");
}

const fix = "Put a list of records there as JSON or YAML; `twelve admin key` makes one";

/** The keys in the secret of that name. Fails with CONFIG_INVALID, which names the field and never shows a value. */
export function readApiKeys(text: string, secret: string): readonly ApiKey[] {
  const yaml = parseYaml(text, secret);
  // What a parser complains of may quote the text.
  if ("problems" in yaml) throw new TwelveError("CONFIG_INVALID", `${secret} is neither JSON nor YAML, from line ${yaml.problems[0]?.line ?? 1} on`, { fix });
  const result = z.array(ApiKey, { error: "Expected a list of records, in brackets also where there is one" }).safeParse(yaml.source.value);
  if (!result.success) throw new TwelveError("CONFIG_INVALID", `${secret} does not hold a list of API keys`, { problems: result.error.issues.map((issue) => problemOf(issue, secret)), fix });
  const keys = result.data;
  if (keys.length === 0) throw new TwelveError("CONFIG_INVALID", `${secret} holds no API key, so that nobody could use the server`, { fix: `${fix}. To have no keys, unset it` });
  const repeated = (["name", "sha256"] as const).flatMap((field) => keys.flatMap((key, index): readonly Problem[] => {
    const first = keys.findIndex((other) => other[field] === key[field]);
    return first === index ? [] : [{ path: `${secret}[${index}].${field}`, message: `The same as in ${secret}[${first}]` }];
  }));
  if (repeated.length > 0) throw new TwelveError("CONFIG_INVALID", `${secret} holds an API key twice`, { problems: repeated, fix: "Give each key a name and a hash of its own" });
  return keys;
}

function problemOf(issue: z.core.$ZodIssue, secret: string): Problem {
  const path = `${secret}${issue.path.length > 0 && typeof issue.path[0] !== "number" ? "." : ""}${formatPath(issue.path)}`;
  // Not even the field's name: somebody may have written the key itself there.
  return { path, message: issue.code === "unrecognized_keys" ? `Unknown field. Allowed: ${Object.keys(ApiKey.shape).join(", ")}` : wordingOf(issue) };
}

function wordingOf(issue: z.core.$ZodIssue): string {
  if (issue.code !== "invalid_type" || !issue.message.startsWith("Invalid input")) return issue.message;
  return `${issue.message.endsWith("received undefined") ? "Required; expected" : "Expected"} ${issue.expected}`;
}

import { TwelveError } from "../../../core/errors.ts";
import { keyName, type Reference } from "./reference.ts";
import { apiVersion } from "./schema.ts";

/** Pinecone says by 403 that a quota is reached, and by 429 that the month's units are used up, which waiting does not help. */
export function pineconeFailure(error: unknown, name: string): unknown {
  if (!(error instanceof TwelveError)) return error;
  const { code, message } = error;
  const isUsedUp = (code === "SERVICE_LIMITED" && /current month|upgrade your plan/i.test(message)) || (code === "SERVICE_DENIED" && /quota/i.test(message));
  if (isUsedUp) return new TwelveError("SERVICE_QUOTA", message, { cause: error, fix: "Raise the quota or the plan at Pinecone, then run the command again; `twelve admin gc` drops what is no longer used" });
  if (code === "SERVICE_DENIED") return new TwelveError(code, message, { cause: error, fix: `Check that the key in ${keyName} may read the project's indexes, and read and write records of ${name}` });
  if (code === "SERVICE_NOT_FOUND") return new TwelveError(code, message, { cause: error, fix: `Check at Pinecone that ${name} is still there; an index that was made anew is found when the process starts again` });
  if (code === "SERVICE_REJECTED") return new TwelveError(code, message, { cause: error, fix: "Correct what Pinecone names above" });
  return error;
}

/** How to make the index, which costs money and so is left to a person: for vectors with so many dimensions, or for words. */
export function createCommand({ base }: Pick<Reference, "base">, name: string, dimensions: number | "words"): string {
  const kind = dimensions === "words" ? { vector_type: "sparse", metric: "dotproduct" } : { dimension: dimensions, metric: "cosine" };
  const body = JSON.stringify({ name, ...kind, spec: { serverless: { cloud: "aws", region: "us-east-1" } } });
  return `curl ${base}/indexes -H "Api-Key: $${keyName}" -H "X-Pinecone-Api-Version: ${apiVersion}" -H "Content-Type: application/json" -d '${body}'`;
}

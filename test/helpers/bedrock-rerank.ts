/** Rerank of Bedrock's agent runtime, on pages of forty. */
import type { Reply } from "./service-server.ts";

interface Body {
  readonly queries?: readonly { readonly type?: string; readonly textQuery?: { readonly text?: string } }[];
  readonly sources?: readonly { readonly type?: string; readonly inlineDocumentSource?: { readonly type?: string; readonly textDocument?: { readonly text?: string } } }[];
  readonly rerankingConfiguration?: { readonly type?: string; readonly bedrockRerankingConfiguration?: { readonly numberOfResults?: number; readonly modelConfiguration?: { readonly modelArn?: string } } };
  readonly nextToken?: string;
}

const pageSize = 40;

export async function rerankReply(body: unknown, vectorsOf: (texts: readonly string[], dimensions: number) => Promise<readonly Float32Array[]>): Promise<Reply> {
  const { queries = [], sources = [], rerankingConfiguration, nextToken } = (body ?? {}) as Body;
  const { numberOfResults: most = sources.length, modelConfiguration } = rerankingConfiguration?.bedrockRerankingConfiguration ?? {};
  const arn = modelConfiguration?.modelArn ?? "";
  const texts = sources.map((source) => source.inlineDocumentSource?.textDocument?.text ?? "");
  if (!/^arn:aws:bedrock:[a-z0-9-]+::foundation-model\/(?:cohere|amazon)\.rerank-/.test(arn)) return invalid("The provided model identifier is invalid.");
  if (queries.length !== 1 || queries[0]?.type !== "TEXT" || rerankingConfiguration?.type !== "BEDROCK_RERANKING_MODEL") return invalid("Malformed request");
  if (texts.length === 0 || texts.length > 1000 || texts.some((text) => text.trim() === "" || text.length > 32_000)) return invalid("1 validation error detected: sources");
  const [question = new Float32Array(), ...vectors] = await vectorsOf([queries[0].textQuery?.text ?? "", ...texts], 256);
  const scored = vectors.map((vector, index) => ({ index, relevanceScore: 1 / (1 + Math.exp(-4 * vector.reduce((sum, value, i) => sum + value * (question[i] ?? 0), 0))) }));
  const best = scored.sort((left, right) => right.relevanceScore - left.relevanceScore).slice(0, most);
  const start = Number(nextToken ?? 0);
  const end = start + pageSize;
  return { body: { results: best.slice(start, end), ...(end < best.length ? { nextToken: String(end) } : {}) } };
}

function invalid(message: string): Reply {
  return { status: 400, headers: { "x-amzn-errortype": "ValidationException", "x-amzn-requestid": "re4a" }, body: { message } };
}

import type { RerankResult } from "@aws-sdk/client-bedrock-agent-runtime";
import type { Environment } from "../../../ports/context.ts";
import type { Reranker } from "../../../ports/rerank.ts";
import { findLifecycle } from "../../aws/bedrock-lifecycle.ts";
import { type BedrockRerank, openBedrockRerank } from "../../aws/bedrock-rerank.ts";
import { once } from "../../aws/once.ts";
import { awsRegion, readRegion } from "../../aws/region.ts";
import { cutTo, sendable } from "../../embedding/text.ts";
import { readOptions, readTimeoutMs, splitQuery, unusable } from "../../http/options.ts";
import { scoreTexts } from "../scores.ts";

const maxTexts = 1000;
const longestText = 32_000;

/** `bedrock:<model or ARN>[?region=…]`. Opened without a request, and without the SDK. */
export function openReranker(reference: string, env: Environment): Reranker {
  const [name, query] = splitQuery(reference);
  const id = name.slice("bedrock:".length);
  if (!/^[a-zA-Z0-9][a-zA-Z0-9.:/_-]{0,2047}$/.test(id)) throw unusable(reference, "names no model", "Write bedrock:cohere.rerank-v3-5:0, for example");
  const options = readOptions(query, reference, ["region", "timeoutMs"]);
  const region = readRegion(options, reference) ?? awsRegion(id);
  const timeoutMs = readTimeoutMs(options, reference);
  const bedrock = once(() => openBedrockRerank({ env, name, region, timeoutMs }));
  const reranker: Omit<Reranker, "check"> = {
    name,
    rerank: (question, texts, signal) => scoreTexts(texts, { name, maxTexts, signal }, async (sent) => {
      const results = await allResults(await bedrock(), { id, question, texts: sent, signal });
      return results.map(({ index, relevanceScore }) => ({ index, score: relevanceScore }));
    }),
  };
  return {
    ...reranker,
    // Bedrock has no free way to ask whether a model reranks here.
    isCheckPaid: true,
    async check(signal) {
      await reranker.rerank("ready", ["ready"], signal);
      return { version: null };
    },
    lifecycle: (signal) => findLifecycle(id, { env, name, region }, signal),
  };
}

interface Wanted {
  readonly id: string;
  readonly question: string;
  readonly texts: readonly string[];
  readonly signal: AbortSignal | undefined;
}

/** As many results as texts, which may come on several pages. */
async function allResults(bedrock: BedrockRerank, { id, question, texts, signal }: Wanted): Promise<readonly RerankResult[]> {
  const { region, partition } = bedrock;
  const modelArn = id.startsWith("arn:") ? id : `arn:${partition}:bedrock:${region}::foundation-model/${id}`;
  const input = {
    queries: [{ type: "TEXT" as const, textQuery: { text: cutTo(sendable(question), longestText) } }],
    sources: texts.map((text) => ({ type: "INLINE" as const, inlineDocumentSource: { type: "TEXT" as const, textDocument: { text: cutTo(sendable(text), longestText) } } })),
    rerankingConfiguration: { type: "BEDROCK_RERANKING_MODEL" as const, bedrockRerankingConfiguration: { numberOfResults: texts.length, modelConfiguration: { modelArn } } },
  };
  const found: RerankResult[] = [];
  for (let nextToken: string | undefined; ; ) {
    const page = await bedrock.rerank({ ...input, ...(nextToken === undefined ? {} : { nextToken }) }, signal);
    found.push(...(page.results ?? []));
    nextToken = page.nextToken;
    // A page that is empty, or one too many, would go on for ever.
    if (nextToken === undefined || found.length >= texts.length || (page.results ?? []).length === 0) return found;
  }
}

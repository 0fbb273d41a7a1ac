import { TwelveError } from "../../../core/errors.ts";
import type { Environment } from "../../../ports/context.ts";
import type { Reranker } from "../../../ports/rerank.ts";
import { requestJson } from "../../http/client.ts";
import { readOptions, readTimeoutMs, splitQuery, unusable } from "../../http/options.ts";
import { type HttpService, readBase, readKey, requireKey } from "../../http/service.ts";
import { scoreTexts } from "../scores.ts";

/** A provider whose rerank API has Cohere's shape. */
interface Provider {
  readonly scheme: string;
  readonly example: string;
  readonly keyName: string;
  /** Puts another place in the provider's own, such as a gateway or a test's server. */
  readonly baseName: string;
  readonly base: string;
  readonly path: string;
  /** How many texts one request may carry. */
  readonly maxTexts: number;
  /** Describes a model without spending anything; null where the provider has nothing like it, and one text is reranked instead. */
  readonly modelPath: string | null;
  /** Sent with every request. */
  readonly fields: Readonly<Record<string, unknown>>;
}

const cohere: Provider = { scheme: "cohere", example: "cohere:rerank-v3.5", keyName: "COHERE_API_KEY", baseName: "COHERE_BASE_URL", base: "https://api.cohere.com", path: "/v2/rerank", modelPath: "/v1/models/", maxTexts: 1000, fields: {} };
const jina: Provider = { scheme: "jina", example: "jina:jina-reranker-v2-base-multilingual", keyName: "JINA_API_KEY", baseName: "JINA_BASE_URL", base: "https://api.jina.ai", path: "/v1/rerank", modelPath: null, maxTexts: 1000, fields: { return_documents: false } };

/** `cohere:<model>` */
export function openCohere(reference: string, env: Environment): Reranker {
  return open(reference, env, cohere);
}

/** `jina:<model>` */
export function openJina(reference: string, env: Environment): Reranker {
  return open(reference, env, jina);
}

function open(reference: string, env: Environment, provider: Provider): Reranker {
  const [name, query] = splitQuery(reference);
  const model = name.slice(provider.scheme.length + 1);
  if (model === "" || /\s/.test(model)) throw unusable(reference, "names no model", `Write ${provider.example}, for example`);
  const timeoutMs = readTimeoutMs(readOptions(query, reference, ["timeoutMs"]), reference);
  const base = readBase(env, provider.baseName, { reference, own: provider.base }).replace(/\/+$/, "");
  const service: HttpService = { name, keyName: provider.keyName, key: readKey(env, provider.keyName) };
  const isProvidersOwn = base === provider.base;
  const reranker: Omit<Reranker, "check"> = {
    name,
    rerank: (question, texts, signal) => scoreTexts(texts, { name, maxTexts: provider.maxTexts, signal }, async (sent) => {
      if (isProvidersOwn) requireKey(service);
      const body = { model, query: question.toWellFormed(), documents: sent.map((text) => text.toWellFormed()), top_n: sent.length, ...provider.fields };
      return resultsIn(await requestJson({ service, url: `${base}${provider.path}`, body, timeoutMs, signal }));
    }),
  };
  async function describesModel(url: string, signal: AbortSignal | undefined): Promise<boolean> {
    if (service.key === undefined && isProvidersOwn) return false;
    try {
      await requestJson({ service, url, timeoutMs, signal });
      return true;
    } catch (error) {
      // What stands in the provider's place need know no more than how to rerank.
      if (isProvidersOwn || signal?.aborted === true || (error instanceof TwelveError && error.retry !== undefined)) throw error;
      return false;
    }
  }

  return {
    ...reranker,
    // What stands in the provider's place may have no free way either.
    ...(provider.modelPath === null || !isProvidersOwn ? { isCheckPaid: true } : {}),
    async check(signal) {
      if (provider.modelPath === null || !(await describesModel(`${base}${provider.modelPath}${encodeURIComponent(model)}`, signal))) await reranker.rerank("ready", ["ready"], signal);
      return { version: null };
    },
  };
}

/** `{results:[{index, relevance_score}]}`; what is anything else is refused by whoever reads the scores. */
function resultsIn(answer: unknown): unknown {
  const results = typeof answer === "object" && answer !== null && "results" in answer ? answer.results : undefined;
  if (!Array.isArray(results)) return results;
  return results.map((result: unknown) => (typeof result === "object" && result !== null && "relevance_score" in result ? { ...result, score: result.relevance_score } : result));
}

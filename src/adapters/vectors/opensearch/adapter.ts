import { z } from "zod";
import { TwelveError } from "../../../core/errors.ts";
import type { Environment } from "../../../ports/context.ts";
import type { VectorService } from "../../../ports/vectors.ts";
import { openConnection } from "./connection.ts";
import { findGenerations, readWeighing } from "./layout.ts";
import { dropNamespace, publishNamespace } from "./publish.ts";
import { openNamespace } from "./search.ts";

const About = z.looseObject({ version: z.looseObject({ number: z.string(), distribution: z.string().optional() }) });
const Plugins = z.array(z.looseObject({ component: z.string() }));

/** The version that has everything that is used here. */
const oldest = "2.10";

/**
 * OpenSearch with its k-NN plugin: `opensearch://user:password@host:9200`. Vectors are compared exactly unless `?index=hnsw` asks for a
 * graph, words by BM25 over the engine's terms.
 */
export async function openService(reference: string, env: Environment): Promise<VectorService> {
  const connection = openConnection(reference, env);
  const { url } = connection;

  async function namespaces(signal?: AbortSignal): Promise<readonly string[]> {
    const complete = (await findGenerations(connection, undefined, signal)).filter(({ form }) => form !== undefined);
    return [...new Set(complete.map(({ namespace }) => namespace))].sort();
  }

  return {
    url,
    namespaces: () => namespaces(),
    holds: async (namespace) => (await findGenerations(connection, namespace)).some(({ form }) => form !== undefined),
    publish: (namespace, index) => publishNamespace(connection, namespace, index),
    async open(namespace) {
      const found = (await findGenerations(connection, namespace)).find(({ form }) => form !== undefined);
      if (found?.form === undefined) throw new TwelveError("INDEX_NOT_FOUND", `${url} holds no index ${namespace}`, { fix: "Publish the index there again" });
      return openNamespace(connection, found.index, { ...found.form, ...(await readWeighing(connection, found.index)) });
    },
    drop: (namespace) => dropNamespace(connection, namespace),
    async check(signal) {
      const { version } = await connection.ask({ method: "GET", path: "/", answer: About, signal });
      refuseOthers(url, version);
      await checkPlugins(signal);
      const count = (await namespaces(signal)).length;
      return { version: version.number, detail: `OpenSearch, ${count} published ${count === 1 ? "index" : "indexes"}` };
    },
    close: () => Promise.resolve(connection.close()),
  };

  /** Where the list may not be seen, the first index that is published tells. */
  async function checkPlugins(signal: AbortSignal | undefined): Promise<void> {
    const plugins = await connection.ask({ method: "GET", path: "/_cat/plugins", query: { format: "json", h: "component" }, answer: Plugins, signal }).catch((error: unknown) => {
      if (error instanceof TwelveError && error.code === "SERVICE_DENIED") return undefined;
      throw error;
    });
    if (plugins === undefined || plugins.some(({ component }) => component === "opensearch-knn")) return;
    throw new TwelveError("SERVICE_REJECTED", `${url} does not have the k-NN plugin`, { fix: "Install the plugin opensearch-knn on every node; all standard distributions have it" });
  }
}

/** Elasticsearch names no distribution. A cluster may be set to call itself 7.10.2, for old clients. */
function refuseOthers(url: string, { number, distribution }: z.infer<typeof About>["version"]): void {
  if (distribution !== "opensearch") throw new TwelveError("SERVICE_REJECTED", `${url} is ${distribution ?? "Elasticsearch or the like"} ${number}, and not OpenSearch`, { fix: "Give the URL of an OpenSearch cluster" });
  if (number !== "7.10.2" && number.localeCompare(oldest, undefined, { numeric: true }) < 0) throw new TwelveError("SERVICE_REJECTED", `${url} is OpenSearch ${number}, which is too old`, { fix: `Use OpenSearch ${oldest} or newer` });
}

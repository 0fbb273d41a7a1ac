import { unlessAborted } from "../../../core/abort.ts";
import { TwelveError } from "../../../core/errors.ts";
import type { VectorService } from "../../../ports/vectors.ts";
import { openConnection } from "./connection.ts";
import { findExtension, findNamespace, hasTables, layoutVersion, namespacesTable, prepare } from "./layout.ts";
import { dropNamespace, publishNamespace } from "./publish.ts";
import { openNamespace } from "./search.ts";

/** PostgreSQL with pgvector: `postgres://user:password@host/database`, or the embedded one, `pglite:<folder>`. Vectors are compared exactly unless `?index=hnsw` asks for a graph, words by BM25 over the engine's terms. */
export async function openService(reference: string, dir: string): Promise<VectorService> {
  const connection = openConnection(reference, dir);
  const { url, query } = connection;

  async function extensionOf(): Promise<NonNullable<Awaited<ReturnType<typeof findExtension>>>> {
    const found = await findExtension(query);
    if (found === null) throw new TwelveError("SERVICE_REJECTED", `The database ${url} does not have the extension \`vector\``, { fix: "Run `CREATE EXTENSION vector` in this database as its owner or a superuser" });
    return found;
  }

  async function namespaces(): Promise<readonly string[]> {
    if (!(await hasTables(query))) return [];
    return (await query<{ name: string }>(`SELECT name FROM ${namespacesTable} WHERE layout = $1 ORDER BY name`, [layoutVersion])).map(({ name }) => name);
  }

  return {
    url,
    namespaces,
    holds: async (namespace) => (await findNamespace(query, namespace)) !== undefined,
    async publish(namespace, index) {
      await connection.transaction((inside) => prepare(inside, url));
      const extension = await extensionOf();
      await connection.transaction((inside) => publishNamespace(inside, extension, { namespace, hnsw: connection.hnsw, ...index }));
    },
    async open(namespace) {
      const found = await findNamespace(query, namespace);
      if (found === undefined) throw new TwelveError("INDEX_NOT_FOUND", `${url} holds no index ${namespace}`, { fix: "Publish the index there again" });
      return openNamespace(connection, await extensionOf(), namespace, found);
    },
    async drop(namespace) {
      if (await hasTables(query)) await connection.transaction((inside) => dropNamespace(inside, namespace));
    },
    check: (signal) =>
      unlessAborted(async () => {
        if (!(await connection.isMade())) return { version: null, detail: "made at first use" };
        const [server] = await query<{ version: string }>("SELECT current_setting('server_version') AS version");
        const version = server?.version ?? null;
        if (connection.isEmbedded && (await findExtension(query)) === null) return { version, detail: "nothing is published yet" };
        const extension = await extensionOf();
        const count = (await namespaces()).length;
        return { version, detail: `pgvector ${extension.version}, ${count} published ${count === 1 ? "index" : "indexes"}` };
      }, signal),
    close: () => connection.end(),
  };
}

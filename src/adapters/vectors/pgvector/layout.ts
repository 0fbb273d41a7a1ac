import { TwelveError } from "../../../core/errors.ts";
import { type Query } from "./connection.ts";

/** Everything of ours stands in this schema; statements name it, and so do not depend on the search path. */
export const schema = "twelve_vectors";
export const namespacesTable = `${schema}.namespaces`;
/** Raised whenever the tables are laid out differently: an older namespace is then published anew. */
export const layoutVersion = 1;
/** What pgvector's `vector` can hold. */
export const maxDimensions = 16_000;
/** What its graph can hold. */
export const maxGraphDimensions = 2000;

export interface Tables {
  readonly chunks: string;
  readonly terms: string;
}

/** Names of letters, digits and hyphens need no more than the quotes. */
export function tablesOf(namespace: string, generation: string): Tables {
  if (!/^[a-z][a-z0-9-]{0,44}$/.test(namespace) || !/^[0-9a-f]{8}$/.test(generation)) throw new TypeError(`${namespace} is no name of a namespace`);
  return { chunks: `${schema}."${namespace}.${generation}.chunks"`, terms: `${schema}."${namespace}.${generation}.terms"` };
}

/** Makes the schema and its table of namespaces where they are missing. Fails with SERVICE_UNSUPPORTED without the extension. */
export async function prepare(query: Query, url: string): Promise<void> {
  // Two processes that make the same thing at once would disturb each other.
  await query("SELECT pg_advisory_xact_lock(hashtext('twelve vectors'))");
  if ((await findExtension(query)) === null) {
    const [offered] = await query<{ version: string }>("SELECT default_version AS version FROM pg_available_extensions WHERE name = 'vector'");
    if (offered === undefined) throw new TwelveError("SERVICE_REJECTED", `The server of ${url} does not have pgvector`, { fix: "Install the package of the pgvector extension on the server, then publish again" });
    await query("CREATE EXTENSION IF NOT EXISTS vector").catch((cause: unknown) => {
      throw new TwelveError("SERVICE_DENIED", `The database ${url} does not have the extension \`vector\`, and this user may not create it`, { cause, fix: "Run `CREATE EXTENSION vector` in this database as its owner or a superuser, then publish again" });
    });
  }
  await query(`CREATE SCHEMA IF NOT EXISTS ${schema}`);
  await query(`CREATE TABLE IF NOT EXISTS ${namespacesTable} (name text COLLATE "C" PRIMARY KEY, layout int NOT NULL, generation text NOT NULL, dimensions int NOT NULL, fields text[] NOT NULL, hnsw boolean NOT NULL, published_at timestamptz NOT NULL DEFAULT now())`);
}

export interface Extension {
  readonly version: string;
  /** Quoted. It need not be on the search path. */
  readonly schema: string;
}

export async function findExtension(query: Query): Promise<Extension | null> {
  const [found] = await query<Extension>("SELECT extversion AS version, quote_ident(nspname) AS schema FROM pg_extension JOIN pg_namespace ON pg_namespace.oid = extnamespace WHERE extname = 'vector'");
  return found ?? null;
}

export interface Namespace {
  readonly generation: string;
  readonly dimensions: number;
  readonly fields: readonly string[];
  /** Whether there is a graph to find the nearest vectors by. */
  readonly hnsw: boolean;
}

export async function hasTables(query: Query): Promise<boolean> {
  const [found] = await query<{ found: boolean }>("SELECT to_regclass($1) IS NOT NULL AS found", [namespacesTable]);
  return found?.found === true;
}

export async function findNamespace(query: Query, name: string): Promise<Namespace | undefined> {
  if (!(await hasTables(query))) return undefined;
  const [found] = await query<Namespace>(`SELECT generation, dimensions, fields, hnsw FROM ${namespacesTable} WHERE name = $1 AND layout = $2`, [name, layoutVersion]);
  return found;
}

import type { z } from "zod";
import { type Answer, type Indexes, type RemoteIndex, unlessMissing } from "./connection.ts";
import { filterable, type Sparse } from "./convert.ts";
import { FetchedMarkers, Listed, type Marker, Nothing, parseMarker, Space, Spaces, Upserted } from "./schema.ts";
import { type Patience, untilVisible } from "./visible.ts";

/** Raised whenever records are laid out differently: an older namespace is then published anew. */
const layoutVersion = 1;
const markerVector: Sparse = { indices: [0], values: [1] };
const pageSize = 100;

/** Pinecone's namespace for one loading of a published one. */
export function spaceOf(namespace: string, generation: string): string {
  if (!/^[a-z][a-z0-9-]{0,44}$/.test(namespace) || !/^[0-9a-f]{8}$/.test(generation)) throw new TypeError(`${namespace} is no name of a namespace`);
  return `${namespace}.${generation}`;
}

/** All record IDs of a namespace, or those that begin with the prefix, in groups. */
export async function* listIds(index: RemoteIndex, space: string, { prefix, signal }: { readonly prefix?: string; readonly signal?: AbortSignal | undefined } = {}): AsyncGenerator<readonly string[]> {
  const query = { namespace: space, ...(prefix === undefined ? {} : { prefix }) };
  for await (const { vectors } of pagesOf(index, Listed, { path: "/vectors/list", query, signal })) yield vectors.map(({ id }) => id);
}

interface Listing {
  readonly path: string;
  readonly query: Readonly<Record<string, string>>;
  readonly signal?: AbortSignal | undefined;
}

/** Page after page; none of a namespace that is not there. */
async function* pagesOf<Page extends { readonly pagination?: { readonly next: string } | null | undefined }>(index: RemoteIndex, schema: z.ZodType<Page>, { path, query, signal }: Listing): AsyncGenerator<Page> {
  for (let token: string | undefined = ""; token !== undefined; ) {
    const asked = new URLSearchParams({ ...query, limit: String(pageSize), ...(token === "" ? {} : { paginationToken: token }) });
    const answer: Answer<Page> | undefined = await unlessMissing<Answer<Page> | undefined>(index.ask(schema, { path, query: asked, signal }), undefined);
    if (answer === undefined) return;
    yield answer.value;
    token = answer.value.pagination?.next || undefined;
  }
}

function markerId(namespace: string): string {
  return `${layoutVersion}.${namespace}`;
}

/** The published namespaces. */
export async function listMarked({ words, markers }: Indexes, signal?: AbortSignal): Promise<readonly string[]> {
  const prefix = markerId("");
  const names: string[] = [];
  for await (const ids of listIds(words, markers, { prefix, signal })) names.push(...ids.map((id) => id.slice(prefix.length)));
  return names.sort();
}

export async function readMarker({ words, markers }: Indexes, namespace: string): Promise<Marker | undefined> {
  const id = markerId(namespace);
  const query = new URLSearchParams({ namespace: markers, ids: id });
  const { vectors } = await unlessMissing(words.ask(FetchedMarkers, { path: "/vectors/fetch", query }).then(({ value }) => value), { vectors: {} });
  const text = vectors[id]?.metadata.marker;
  return text === undefined ? undefined : parseMarker(text);
}

/** From here on it is published. */
export async function mark(indexes: Indexes, namespace: string, marker: Marker, patience: Patience): Promise<void> {
  const vectors = [{ id: markerId(namespace), sparseValues: markerVector, metadata: { marker: JSON.stringify(marker) } }];
  await indexes.words.ask(Upserted, { path: "/vectors/upsert", body: { namespace: indexes.markers, vectors } });
  await untilVisible(`that ${namespace} is complete`, async () => (await readMarker(indexes, namespace))?.generation === marker.generation && (await isListed(indexes, namespace)), patience);
}

async function isListed({ words, markers }: Indexes, namespace: string): Promise<boolean> {
  for await (const ids of listIds(words, markers, { prefix: markerId(namespace) })) if (ids.includes(markerId(namespace))) return true;
  return false;
}

/** Whatever there is of it: first it is no longer published, and then its loadings go, also those that were interrupted. */
export async function removeNamespace(indexes: Indexes, namespace: string, patience: Patience): Promise<void> {
  const isMarked = async (): Promise<boolean> => (await readMarker(indexes, namespace)) !== undefined || (await isListed(indexes, namespace));
  // Also where there seems to be no mark: one that was written last may not be shown yet.
  await unlessMissing(indexes.words.ask(Nothing, { path: "/vectors/delete", body: { namespace: indexes.markers, ids: [markerId(namespace)] } }), undefined);
  await untilVisible(`that ${namespace} is dropped`, async () => !(await isMarked()), patience);
  for (const index of [indexes.vectors, indexes.words]) {
    for (const space of await loadingsOf(index, namespace)) await unlessMissing(index.ask(Nothing, { path: `/namespaces/${encodeURIComponent(space)}`, method: "DELETE" }), undefined);
  }
}

async function loadingsOf(index: RemoteIndex, namespace: string): Promise<readonly string[]> {
  const found: string[] = [];
  for await (const { namespaces } of pagesOf(index, Spaces, { path: "/namespaces", query: { prefix: `${namespace}.` } })) found.push(...namespaces.map(({ name }) => name));
  return found.filter((space) => /^[0-9a-f]{8}$/.test(space.slice(namespace.length + 1)) && space.startsWith(`${namespace}.`));
}

/** Makes a namespace that indexes no metadata but what is filtered by, or Pinecone would index whole texts. */
export async function makeSpace(index: RemoteIndex, space: string): Promise<void> {
  const fields = Object.fromEntries(filterable.map((name) => [name, { filterable: true }]));
  await index.ask(Nothing, { path: "/namespaces", body: { name: space, schema: { fields } } });
}

/** How many records a namespace has; undefined where there is none. */
export async function countRecords(index: RemoteIndex, space: string): Promise<number | undefined> {
  return unlessMissing(index.ask(Space, { path: `/namespaces/${encodeURIComponent(space)}` }).then(({ value }) => value.record_count), undefined);
}

/** What one serverless index of Pinecone holds and answers, with the limits that its documentation gives. */

export interface PineconeRecord {
  readonly id: string;
  readonly values?: readonly number[];
  readonly sparseValues?: { readonly indices: readonly number[]; readonly values: readonly number[] };
  readonly metadata?: Readonly<Record<string, unknown>>;
}

export interface PineconeKind {
  readonly dimension?: number;
  readonly metric: string;
  readonly vector_type: "dense" | "sparse";
}

/** An answer that is an error, as the data plane writes it. */
export class Refused extends Error {
  readonly status: number;
  readonly code: number;
  constructor(status: number, code: number, message: string) {
    super(message);
    this.status = status;
    this.code = code;
  }
}

interface Space {
  /** Fields that are indexed; all where nothing is said. */
  readonly filterable: ReadonlySet<string> | undefined;
  readonly records: Map<string, PineconeRecord>;
  /** Writes that no answer knows yet, with the number of answers until one does. */
  waiting: { left: number; readonly lsn: number; readonly adds: number; readonly apply: () => void }[];
  lsn: number;
  indexedLsn: number;
}

type Query = { readonly topK?: number; readonly vector?: readonly number[]; readonly sparseVector?: PineconeRecord["sparseValues"]; readonly filter?: Readonly<Record<string, unknown>>; readonly includeMetadata?: boolean; readonly includeValues?: boolean };

export type PineconeIndex = ReturnType<typeof pineconeIndex>;

export interface Freshness {
  /** How many answers of a namespace do not know a write yet; Infinity never shows it. */
  readonly staleReads?: number;
  /** Whether records are counted before they are found. */
  readonly countsEarly?: boolean;
}

export function pineconeIndex(kind: PineconeKind, { staleReads = 0, countsEarly = false }: Freshness = {}) {
  const spaces = new Map<string, Space>();

  function made(name: string, filterable?: ReadonlySet<string>): Space {
    const space: Space = spaces.get(name) ?? { filterable, records: new Map(), waiting: [], lsn: 0, indexedLsn: 0 };
    spaces.set(name, space);
    return space;
  }

  function write(space: Space, apply: () => void, adds = 0): number {
    space.lsn += 1;
    space.waiting.push({ left: staleReads, lsn: space.lsn, adds, apply });
    if (staleReads === 0) settle(space);
    return space.lsn;
  }

  function settle(space: Space): void {
    for (let [first] = space.waiting; first !== undefined && first.left <= 0; [first] = space.waiting) {
      space.waiting.shift();
      first.apply();
      space.indexedLsn = first.lsn;
    }
  }

  /** Each answer brings what waits a step nearer. */
  function seen(name: string): Space | undefined {
    const space = spaces.get(name);
    if (space === undefined) return undefined;
    settle(space);
    for (const write of space.waiting) write.left -= 1;
    return space;
  }

  return {
    kind,
    spaces,

    upsert(name: string, vectors: readonly PineconeRecord[]) {
      if (vectors.length === 0 || vectors.length > 1000) throw new Refused(400, 3, `Request must contain between 1 and 1000 vectors, found ${vectors.length}`);
      for (const record of vectors) check(record, kind);
      const space = made(name);
      const lsn = write(space, () => {
        for (const record of vectors) space.records.set(record.id, { ...record, ...(record.values === undefined ? {} : { values: record.values.map(Math.fround) }) });
      }, vectors.length);
      return { lsn, body: { upsertedCount: vectors.length } };
    },

    query(name: string, { topK = 0, vector, sparseVector, filter, includeMetadata = false, includeValues = false }: Query) {
      if (!Number.isInteger(topK) || topK < 1 || topK > 10_000) throw new Refused(400, 3, "top_k must be between 1 and 10000");
      if (kind.vector_type === "dense" && vector?.length !== kind.dimension) throw new Refused(400, 3, `Vector dimension ${vector?.length ?? 0} does not match the dimension of the index ${kind.dimension}`);
      if (kind.vector_type === "dense" && vector?.every((value) => value === 0)) throw new Refused(400, 3, "Dense vectors must contain at least one non-zero value.");
      if (kind.vector_type === "sparse") checkSparse(sparseVector);
      const space = seen(name);
      const scored = [...(space?.records.values() ?? [])].toReversed().filter((record) => passes(record, filter, space?.filterable)).map((record) => ({ record, score: scoreOf(record, vector, sparseVector) }));
      // In a sparse index, what shares no term is no match. Equal scores come against the order of writing.
      const matches = scored.filter(({ score }) => kind.vector_type === "dense" || score > 0).sort((left, right) => right.score - left.score).slice(0, topK).map(({ record, score }) => ({
        id: record.id, score, values: includeValues ? (record.values ?? []) : [], ...(includeMetadata && record.metadata !== undefined ? { metadata: record.metadata } : {}),
      }));
      const body = { matches, namespace: name, usage: { readUnits: 1 } };
      if (JSON.stringify(body).length > 4 * 1024 * 1024) throw new Refused(400, 3, "Query response size exceeds the limit of 4MB");
      return { lsn: space?.indexedLsn, body };
    },

    fetch(name: string, ids: readonly string[]) {
      if (ids.length === 0 || ids.length > 1000) throw new Refused(400, 3, "Request must contain between 1 and 1000 ids");
      const found = ids.flatMap((id) => seen(name)?.records.get(id) ?? []);
      return { vectors: Object.fromEntries(found.map((record) => [record.id, { ...record, values: record.values ?? [] }])), namespace: name, usage: { readUnits: 1 } };
    },

    list(name: string, { prefix = "", limit = 100, from = "" }: { readonly prefix?: string; readonly limit?: number; readonly from?: string }) {
      if (limit < 1 || limit > 100) throw new Refused(400, 3, "limit must be between 1 and 100");
      const ids = [...(seen(name)?.records.keys() ?? [])].filter((id) => id.startsWith(prefix) && id > from).sort();
      const page = ids.slice(0, limit);
      return { vectors: page.map((id) => ({ id })), ...next(ids, page), namespace: name, usage: { readUnits: 1 } };
    },

    delete(name: string, { ids, deleteAll = false }: { readonly ids?: readonly string[]; readonly deleteAll?: boolean }) {
      const space = spaces.get(name);
      if (space === undefined) throw new Refused(404, 5, "Namespace not found");
      return { lsn: write(space, () => {
        for (const id of deleteAll ? [...space.records.keys()] : (ids ?? [])) space.records.delete(id);
      }), body: {} };
    },

    stats() {
      const namespaces = Object.fromEntries([...spaces.keys()].map((name) => [name, { vectorCount: seen(name)?.records.size ?? 0 }]));
      return { namespaces, indexFullness: 0, totalVectorCount: Object.values(namespaces).reduce((sum, { vectorCount }) => sum + vectorCount, 0), ...(kind.dimension === undefined ? {} : { dimension: kind.dimension }), metric: kind.metric, vectorType: kind.vector_type, memory_fullness: 0, storage_fullness: 0 };
    },

    createSpace(name: string, schema: { readonly fields: Readonly<Record<string, { readonly filterable?: boolean }>> } | undefined) {
      if (spaces.has(name)) throw new Refused(409, 6, "Namespace already exists");
      made(name, schema && new Set(Object.keys(schema.fields)));
      return this.describeSpace(name);
    },

    describeSpace(name: string) {
      const space = seen(name);
      if (space === undefined) throw new Refused(404, 5, "Namespace not found");
      const { filterable } = space;
      const count = space.records.size + (countsEarly ? space.waiting.reduce((sum, { adds }) => sum + adds, 0) : 0);
      // Protobuf writes 64-bit numbers as texts.
      return { name, record_count: String(count), ...(filterable === undefined ? {} : { schema: { fields: Object.fromEntries([...filterable].map((field) => [field, { filterable: true }])) } }) };
    },

    deleteSpace(name: string) {
      if (!spaces.delete(name)) throw new Refused(404, 5, "Namespace not found");
      return {};
    },

    listSpaces({ prefix = "", limit = 100, from = "" }: { readonly prefix?: string; readonly limit?: number; readonly from?: string }) {
      const names = [...spaces.keys()].filter((name) => name.startsWith(prefix) && name > from).sort();
      const page = names.slice(0, limit);
      return { namespaces: page.map((name) => this.describeSpace(name)), ...next(names, page), total_count: names.length };
    },
  };
}

function next(all: readonly string[], page: readonly string[]): { readonly pagination?: { readonly next: string } } {
  return all.length > page.length ? { pagination: { next: Buffer.from(page.at(-1) ?? "").toString("base64") } } : {};
}

function check({ id, values = [], sparseValues, metadata = {} }: PineconeRecord, { vector_type: type, dimension }: PineconeKind): void {
  if (id === "" || id.length > 512) throw new Refused(400, 3, "Vector ID must be between 1 and 512 characters");
  if (type === "dense" && values.length !== dimension) throw new Refused(400, 3, `Vector dimension ${values.length} does not match the dimension of the index ${dimension}`);
  if (type === "dense" && values.every((value) => value === 0)) throw new Refused(400, 3, `Dense vectors must contain at least one non-zero value. Vector ID '${id}' contains only zeros`);
  if (type === "sparse") checkSparse(sparseValues);
  for (const [key, value] of Object.entries(metadata)) {
    const isList = Array.isArray(value) && value.every((item) => typeof item === "string");
    if (!isList && !["string", "number", "boolean"].includes(typeof value)) throw new Refused(400, 3, `Metadata value must be a string, number, boolean or list of strings, got '${JSON.stringify(value)}' for field '${key}'`);
  }
  const sizeBytes = Buffer.byteLength(JSON.stringify(metadata));
  if (sizeBytes > 40_960) throw new Refused(400, 3, `Metadata size is ${sizeBytes} bytes, which exceeds the limit of 40960 bytes per vector`);
}

function checkSparse(sparse: PineconeRecord["sparseValues"]): void {
  if (sparse === undefined || sparse.indices.length === 0) throw new Refused(400, 3, "Sparse vector must contain at least one value");
  if (sparse.indices.length !== sparse.values.length) throw new Refused(400, 3, "Sparse indices and values must have the same length");
  if (sparse.indices.length > 2048) throw new Refused(400, 3, `Sparse vector size ${sparse.indices.length} exceeds the limit of 2048`);
  if (new Set(sparse.indices).size < sparse.indices.length) throw new Refused(400, 3, "Sparse vector contains duplicate indices");
  if (sparse.indices.some((index) => !Number.isInteger(index) || index < 0 || index > 0xffff_ffff)) throw new Refused(400, 3, "Sparse indices must be unsigned 32-bit integers");
}

function scoreOf({ values = [], sparseValues }: PineconeRecord, vector: readonly number[] = [], sparse?: PineconeRecord["sparseValues"]): number {
  if (sparse !== undefined) {
    const weights = new Map(sparseValues?.indices.map((index, i) => [index, sparseValues.values[i] ?? 0]));
    return Math.fround(sparse.indices.reduce((sum, index, i) => sum + (weights.get(index) ?? 0) * (sparse.values[i] ?? 0), 0));
  }
  const dot = values.reduce((sum, value, i) => sum + value * (vector[i] ?? 0), 0);
  return Math.fround(dot / (Math.hypot(...values) * Math.hypot(...vector)));
}

/** Pinecone's filter language, as far as anybody here speaks it. A field that is not indexed matches nothing. */
function passes(record: PineconeRecord, filter: Readonly<Record<string, unknown>> | undefined, filterable: ReadonlySet<string> | undefined): boolean {
  return Object.entries(filter ?? {}).every(([key, condition]) => {
    if (key === "$and") return (condition as Readonly<Record<string, unknown>>[]).every((each) => passes(record, each, filterable));
    if (key === "$or") return (condition as Readonly<Record<string, unknown>>[]).some((each) => passes(record, each, filterable));
    const values = filterable?.has(key) === false ? [] : [record.metadata?.[key]].flat();
    const operators = typeof condition === "object" && condition !== null ? Object.entries(condition) : [["$eq", condition] as const];
    return operators.every(([operator, wanted]) => {
      if (operator === "$eq") return values.includes(wanted);
      if (operator === "$in" && Array.isArray(wanted) && wanted.length <= 10_000) return wanted.some((each) => values.includes(each));
      throw new Refused(400, 3, `Invalid filter: ${operator} of '${key}'`);
    });
  });
}

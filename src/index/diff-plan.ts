import type { Index, IndexedDocument, Ledger } from "./schema.ts";

export interface ChangedDocument {
  readonly path: string;
  /** `content`: other bytes; `chunks`: the same bytes read or cut in another way. */
  readonly what: "content" | "chunks";
  /** Chunks that only the second index has, only the first has, and both have. */
  readonly chunks: { readonly added: number; readonly removed: number; readonly kept: number };
}

export interface SettingChange {
  /** Such as `embedder.dimensions`. */
  readonly setting: string;
  readonly from: string;
  readonly to: string;
}

export interface IndexDifference {
  readonly settings: readonly SettingChange[];
  readonly added: readonly string[];
  readonly removed: readonly string[];
  readonly changed: readonly ChangedDocument[];
  readonly unchanged: number;
}

/** What the second index has that the first has not, and the other way round. Lists are sorted by path, as ledgers are. */
export function planDifference(first: { readonly index: Index; readonly ledger: Ledger }, second: { readonly index: Index; readonly ledger: Ledger }): IndexDifference {
  const before = new Map(first.ledger.documents.map((document) => [document.path, document]));
  const after = new Map(second.ledger.documents.map((document) => [document.path, document]));
  const both = [...after].flatMap(([path, document]) => {
    const older = before.get(path);
    return older === undefined ? [] : [[older, document] as const];
  });
  const changed = both.flatMap(([older, newer]) => changeOf(older, newer) ?? []);
  return {
    settings: [...settingChanges("embedder", first.index.embedder, second.index.embedder), ...settingChanges("chunker", first.index.chunker, second.index.chunker)],
    added: [...after.keys()].filter((path) => !before.has(path)),
    removed: [...before.keys()].filter((path) => !after.has(path)),
    changed,
    unchanged: both.length - changed.length,
  };
}

function changeOf(older: IndexedDocument, newer: IndexedDocument): ChangedDocument | undefined {
  const [before, after] = [older, newer].map(({ chunks }) => new Set(chunks.map(({ id }) => id))) as [Set<string>, Set<string>];
  const kept = [...after].filter((id) => before.has(id)).length;
  const chunks = { added: after.size - kept, removed: before.size - kept, kept };
  if (older.digest !== newer.digest) return { path: newer.path, what: "content", chunks };
  return chunks.added === 0 && chunks.removed === 0 && older.loader === newer.loader ? undefined : { path: newer.path, what: "chunks", chunks };
}

type Settings = Readonly<Record<string, string | number | boolean | null>>;

function shown(value: Settings[string] | undefined): string {
  return String(value ?? "none");
}

function settingChanges(group: string, from: Settings, to: Settings): readonly SettingChange[] {
  const keys = [...new Set([...Object.keys(from), ...Object.keys(to)])];
  return keys.filter((key) => from[key] !== to[key]).map((key) => ({ setting: `${group}.${key}`, from: shown(from[key]), to: shown(to[key]) }));
}

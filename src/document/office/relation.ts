import { type Archive, resolvePart } from "../archive.ts";
import { childrenOf, parseXml } from "../xml.ts";

export interface Relation {
  /** The last word of its type, such as `slide` or `notesSlide`. */
  readonly type: string;
  /** The part of the archive that it leads to. */
  readonly target: string;
}

/** What a part of an office file refers to, by the IDs that it uses for it. */
export async function readRelations(archive: Archive, part: string): Promise<ReadonlyMap<string, Relation>> {
  const folder = part.slice(0, part.lastIndexOf("/") + 1);
  const file = `${folder}_rels/${part.slice(folder.length)}.rels`;
  const bytes = archive.read(file);
  if (bytes === undefined) return new Map();
  const root = await parseXml(bytes, file);
  return new Map(childrenOf(root, "Relationship").map(({ attributes }) => [
    attributes["Id"] ?? "",
    { type: (attributes["Type"] ?? "").replace(/^.*\//, ""), target: resolvePart(folder, attributes["Target"] ?? "") },
  ]));
}

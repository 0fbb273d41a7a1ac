import { type Archive, openArchive } from "../archive.ts";
import { readProperties } from "../office/properties.ts";
import { readRelations } from "../office/relation.ts";
import { diagramBlocks, placeholderOf, shapeBlocks, shapesOf, shapeText } from "../office/slide.ts";
import { type Block, type LoadedDocument, proseBlock } from "../schema.ts";
import { withTitle } from "../title.ts";
import { childrenOf, find, parseXml, type XmlElement } from "../xml.ts";

/** Slides in the order of the presentation, each with its title as heading and its notes at the end. */
export async function loadPptx(bytes: Uint8Array): Promise<LoadedDocument> {
  const archive = openArchive(bytes);
  const presentation = await parseXml(archive.read("ppt/presentation.xml"), "ppt/presentation.xml");
  const relations = await readRelations(archive, "ppt/presentation.xml");
  const blocks: Block[] = [];
  let page = 0;
  for (const { attributes } of childrenOf(find(presentation, "sldIdLst"), "sldId")) {
    // `id` is a number of the slide's own; the relation's has the prefix of its namespace, whatever that is.
    const [, relation = ""] = Object.entries(attributes).find(([name]) => name.endsWith(":id")) ?? [];
    const part = relations.get(relation)?.target;
    page++;
    if (part !== undefined) blocks.push(...(await slideBlocks(archive, part, page)));
  }
  const metadata = await readProperties(archive);
  return { blocks: withTitle(blocks, metadata["title"]), metadata };
}

async function slideBlocks(archive: Archive, part: string, page: number): Promise<readonly Block[]> {
  const slide = await parseXml(archive.read(part), part);
  const shapes = shapesOf(find(slide, "cSld", "spTree"));
  const title = shapes.find((shape) => /^(?:title|ctrTitle)$/.test(placeholderOf(shape) ?? ""));
  const text = title === undefined ? "" : shapeText(title).replaceAll(/\s+/g, " ").trim();
  const relations = [...(await readRelations(archive, part)).values()];
  const partsOf = (type: string): Promise<readonly XmlElement[]> => readParts(archive, relations.filter((relation) => relation.type === type).map(({ target }) => target));
  const body = [...shapes.filter((shape) => shape !== title).flatMap(shapeBlocks), ...(await partsOf("diagramData")).flatMap(diagramBlocks)];
  const notes = (await partsOf("notesSlide")).map(notesText).join("\n");
  if (text === "" && body.length === 0 && notes === "") return [];
  const heading: Block = { kind: "heading", depth: 2, text: text === "" ? `Slide ${page}` : text, page };
  return [heading, ...body.map((block) => ({ ...block, page })), ...(notes === "" ? [] : [{ ...proseBlock(`Speaker notes: ${notes}`), page }])];
}

async function readParts(archive: Archive, names: readonly string[]): Promise<readonly XmlElement[]> {
  const parts: XmlElement[] = [];
  for (const name of names) {
    const bytes = archive.read(name);
    // The slide is worth reading without them.
    if (bytes !== undefined) parts.push(await parseXml(bytes, name));
  }
  return parts;
}

function notesText(notes: XmlElement): string {
  return shapesOf(find(notes, "cSld", "spTree")).filter((shape) => placeholderOf(shape) === "body").map(shapeText).join("\n").trim();
}

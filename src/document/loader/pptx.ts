import { type Archive, openArchive } from "../archive.ts";
import { readProperties } from "../office/properties.ts";
import { readRelations } from "../office/relation.ts";
import { placeholderOf, shapeBlocks, shapesOf, shapeText } from "../office/slide.ts";
import { type Block, type LoadedDocument, proseBlock } from "../schema.ts";
import { withTitle } from "../title.ts";
import { childrenOf, find, parseXml } from "../xml.ts";

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
  const body = shapes.filter((shape) => shape !== title).flatMap(shapeBlocks);
  const notes = await notesOf(archive, part);
  if (text === "" && body.length === 0 && notes === "") return [];
  const heading: Block = { kind: "heading", depth: 2, text: text === "" ? `Slide ${page}` : text, page };
  return [heading, ...body.map((block) => ({ ...block, page })), ...(notes === "" ? [] : [{ ...proseBlock(`Speaker notes: ${notes}`), page }])];
}

async function notesOf(archive: Archive, slide: string): Promise<string> {
  const relation = [...(await readRelations(archive, slide)).values()].find(({ type }) => type === "notesSlide");
  const bytes = relation === undefined ? undefined : archive.read(relation.target);
  if (relation === undefined || bytes === undefined) return "";
  const notes = await parseXml(bytes, relation.target);
  return shapesOf(find(notes, "cSld", "spTree")).filter((shape) => placeholderOf(shape) === "body").map(shapeText).join("\n").trim();
}

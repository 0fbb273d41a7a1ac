import { type Archive, openArchive, resolvePart } from "../archive.ts";
import { parseHtml } from "../html/dom.ts";
import { readElement } from "../html/read.ts";
import { decodeHtml } from "../html/source.ts";
import { flattenMetadata } from "../metadata.ts";
import type { Block, LoadedDocument, Unreadable } from "../schema.ts";
import { lowerHeadings, withTitle } from "../title.ts";
import { childrenOf, find, findAll, parseXml, textOf, type XmlElement } from "../xml.ts";

/** The chapters of a book in reading order, below its title; the table of contents repeats their headings and is left out. */
export async function loadEpub(bytes: Uint8Array): Promise<LoadedDocument | Unreadable> {
  const archive = openArchive(bytes);
  if (await isProtected(archive)) return { reason: "is protected against copying (DRM)" };
  const container = await parseXml(archive.read("META-INF/container.xml"), "META-INF/container.xml");
  const [rootfile] = findAll(container, "rootfile");
  const file = rootfile?.attributes["full-path"] ?? "";
  const book = await parseXml(archive.read(file), file === "" ? "list of contents" : file);
  const folder = file.slice(0, file.lastIndexOf("/") + 1);
  const chapters: Block[] = [];
  for (const href of spineOf(book)) chapters.push(...(await chapterBlocks(archive, resolvePart(folder, href))));
  const metadata = flattenMetadata(bookMetadata(find(book, "metadata")));
  const hasTitle = metadata["title"] !== undefined;
  return { blocks: hasTitle ? withTitle(lowerHeadings(chapters), metadata["title"]) : chapters, metadata };
}

function spineOf(book: XmlElement): readonly string[] {
  const items = new Map(childrenOf(find(book, "manifest"), "item").map(({ attributes }) => [attributes["id"] ?? "", attributes]));
  return childrenOf(find(book, "spine"), "itemref").flatMap(({ attributes }) => {
    const item = items.get(attributes["idref"] ?? "");
    const isText = /html/.test(item?.["media-type"] ?? "") && !/\bnav\b/.test(item?.["properties"] ?? "");
    return isText && item?.["href"] !== undefined ? [decodePath(item["href"])] : [];
  });
}

function decodePath(href: string): string {
  try {
    return decodeURIComponent(href.replace(/#.*$/, ""));
  } catch {
    return href;
  }
}

async function chapterBlocks(archive: Archive, part: string): Promise<readonly Block[]> {
  const bytes = archive.read(part);
  const decoded = bytes === undefined ? undefined : decodeHtml(bytes);
  if (decoded === undefined || "reason" in decoded) return [];
  const document = await parseHtml(decoded.text);
  return readElement(document.body);
}

function bookMetadata(metadata: XmlElement | undefined): Readonly<Record<string, unknown>> {
  const all = (name: string): readonly string[] => childrenOf(metadata, name).map((child) => textOf(child).trim()).filter((text) => text !== "");
  const one = (names: readonly string[]): unknown => (names.length > 1 ? names : names[0]);
  return { title: all("title")[0], author: one(all("creator")), language: all("language")[0], publisher: all("publisher")[0], published: all("date")[0], subject: one(all("subject")), description: all("description")[0]?.replaceAll(/<[^>]*>/g, " ") };
}

/** Fonts are often scrambled, which says nothing about the text. */
async function isProtected(archive: Archive): Promise<boolean> {
  const bytes = archive.read("META-INF/encryption.xml");
  if (bytes === undefined) return archive.names.includes("META-INF/rights.xml");
  const encryption = await parseXml(bytes, "META-INF/encryption.xml");
  return findAll(encryption, "CipherReference").some(({ attributes }) => /\.x?html?$/i.test(attributes["URI"] ?? ""));
}

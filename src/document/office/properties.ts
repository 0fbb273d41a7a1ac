import type { Metadata } from "../../ports/document.ts";
import type { Archive } from "../archive.ts";
import { flattenMetadata } from "../metadata.ts";
import { isTitle } from "../title.ts";
import { childrenOf, parseXml, textOf } from "../xml.ts";

/** The properties that help to find a document. Who saved it last, with which program and how often, does not. */
const names: Readonly<Record<string, string>> = { title: "title", subject: "subject", creator: "author", keywords: "keywords", description: "description", language: "language", category: "category" };

/** Nothing where they are missing or broken: the document is still worth reading. */
export async function readProperties(archive: Archive): Promise<Metadata> {
  try {
    const root = await parseXml(archive.read("docProps/core.xml"), "docProps/core.xml");
    const found = childrenOf(root).flatMap((child) => (names[child.name] === undefined ? [] : [[names[child.name] ?? "", textOf(child).trim()] as const]));
    return flattenMetadata(Object.fromEntries(found.filter(([name, text]) => name !== "title" || isTitle(text))));
  } catch {
    return {};
  }
}

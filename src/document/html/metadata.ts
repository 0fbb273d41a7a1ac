import type { Metadata } from "../../ports/document.ts";
import { flattenMetadata } from "../metadata.ts";
import type { DomDocument } from "./dom.ts";

/** What the head of a page says about it, under plain names. */
const names: Readonly<Record<string, string>> = {
  description: "description", "og:description": "description", author: "author", "article:author": "author", keywords: "keywords", "article:published_time": "published", "article:modified_time": "modified",
  date: "published", "dc.title": "title", "dc.creator": "author", "dc.date": "published", "dc.language": "language",
};

export function pageMetadata(document: DomDocument): Metadata {
  const found: Record<string, string> = {};
  const add = (name: string, value: string | null | undefined): void => {
    const text = (value ?? "").replaceAll(/\s+/g, " ").trim();
    if (text !== "" && found[name] === undefined) found[name] = text;
  };
  add("title", document.querySelector("title")?.textContent);
  add("language", document.documentElement.getAttribute("lang") ?? document.documentElement.getAttribute("xml:lang"));
  for (const meta of document.querySelectorAll("meta[content]")) {
    const name = names[(meta.getAttribute("name") ?? meta.getAttribute("property") ?? "").toLowerCase()];
    if (name !== undefined) add(name, meta.getAttribute("content"));
  }
  return flattenMetadata(found);
}

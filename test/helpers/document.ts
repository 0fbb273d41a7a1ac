import { endingOf, loadDocument, loaderFor } from "../../src/document/read.ts";
import type { Block, LoadedDocument } from "../../src/document/schema.ts";

export function bytesOf(content: string | Uint8Array): Uint8Array {
  return typeof content === "string" ? new TextEncoder().encode(content) : content;
}

/** The document that a file of this name and content is; fails with the reason where it is none. */
export async function documentOf(path: string, content: string | Uint8Array): Promise<LoadedDocument> {
  const document = await load(path, content);
  if ("reason" in document) throw new Error(`${path} ${document.reason}`);
  return document;
}

/** Why a file of this name and content is no document. */
export async function reasonOf(path: string, content: string | Uint8Array): Promise<string> {
  const document = await load(path, content);
  if ("reason" in document) return document.reason;
  throw new Error(`${path} was read: ${JSON.stringify(document).slice(0, 500)}`);
}

/** One line a block, with its page where it has one: `# heading`, `kind: text`. */
export function outlineOf({ blocks }: Pick<LoadedDocument, "blocks">): readonly string[] {
  return blocks.map((block) => `${block.page === undefined ? "" : `${block.page} `}${nameOf(block)}`);
}

function nameOf(block: Block): string {
  return block.kind === "heading" ? `${"#".repeat(block.depth)} ${block.text}` : `${block.kind}: ${block.text}`;
}

async function load(path: string, content: string | Uint8Array): ReturnType<typeof loadDocument> {
  const loader = loaderFor(path);
  if (loader === undefined) throw new Error(`No loader reads ${endingOf(path)}`);
  return loadDocument(bytesOf(content), { path, loader });
}

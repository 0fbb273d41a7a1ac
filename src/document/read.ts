import { decodeText } from "./decode.ts";
import type { LoaderRow } from "./loader.ts";
import { type LoaderName, registry } from "./registry.ts";
import type { Block, LoadedDocument, Unreadable } from "./schema.ts";

export { decodeText } from "./decode.ts";
export type { LoaderName } from "./registry.ts";

/** The largest file that is read, of whatever format. */
export const maxDocumentBytes = 50 * 1024 * 1024;

/** The most text that a file may hold: what is left of a PDF without its images, and all of a text file. */
const maxTextLength = 20 * 1024 * 1024;

const loaderOf: ReadonlyMap<string, LoaderName> = new Map(loaderNames().flatMap((name) => registry[name].endings.map((ending) => [ending, name] as const)));

export const knownEndings: readonly string[] = [...loaderOf.keys()];

/** For messages; the endings are too many to list. */
export const knownFormats = "markdown, MDX, text, HTML, PDF, docx, pptx, xlsx, EPUB, CSV, JSON, notebooks and source code";

/** The ending that decides about a file, lower-cased; empty for a name without one. */
export function endingOf(path: string): string {
  return /[^/](\.[^./]+)$/.exec(path)?.[1]?.toLowerCase() ?? "";
}

/** By ending; a README without one is text, and code that a tool has packed for machines is none to read. */
export function loaderFor(path: string): LoaderName | undefined {
  const ending = endingOf(path);
  if (ending === "" && /(^|\/)readme$/i.test(path)) return "text";
  return /\.min\.(?:js|css|mjs|cjs)$/i.test(path) ? undefined : loaderOf.get(ending);
}

/**
 * What is in a file: its text as blocks, and what it says about itself. The same bytes give the same document on every
 * machine. Never fails because of what is in the file: that is a reason, and the caller goes on with the next one.
 */
export async function loadDocument(bytes: Uint8Array, { path, loader }: { readonly path: string; readonly loader: LoaderName }): Promise<LoadedDocument | Unreadable> {
  if (bytes.length === 0) return { reason: "is empty" };
  const reader = await readerOf(loader);
  const read = async (): Promise<LoadedDocument | Unreadable> => ("bytes" in reader ? reader.bytes(bytes, path) : readText(bytes, (text) => reader.text(text, path)));
  const document = await read().catch(reasonOf);
  if ("reason" in document) return document;
  const length = document.blocks.reduce((sum, block) => sum + block.text.length, 0);
  if (length > maxTextLength) return tooLong(length);
  return document.blocks.some(isFilled) ? document : { reason: "holds no text" };
}

/** Name and version of what the loader makes, as the ledger keeps it: another version means that the file is loaded again. */
export function loaderIdentity(loader: LoaderName): string {
  return `${loader}@${registry[loader].version}`;
}

/** Kept, as asking for a module again takes as long as reading a small file. */
const readers = new Map<LoaderName, Awaited<ReturnType<LoaderRow["reader"]>>>();

async function readerOf(loader: LoaderName): Promise<Awaited<ReturnType<LoaderRow["reader"]>>> {
  const known = readers.get(loader);
  if (known !== undefined) return known;
  const reader = await registry[loader].reader();
  readers.set(loader, reader);
  return reader;
}

async function readText(bytes: Uint8Array, load: (text: string) => Promise<LoadedDocument | Unreadable> | LoadedDocument | Unreadable): Promise<LoadedDocument | Unreadable> {
  if (bytes.length > maxTextLength) return tooLong(bytes.length);
  const decoded = decodeText(bytes);
  if ("reason" in decoded) return decoded;
  // The same blocks for CRLF and LF.
  return load(decoded.text.includes("\r") ? decoded.text.replaceAll(/\r\n?/g, "\n") : decoded.text);
}

function isFilled({ text }: Block): boolean {
  return /\S/.test(text);
}

function tooLong(length: number): Unreadable {
  return { reason: `has ${(length / 1024 / 1024).toFixed(1)} MB of text; at most ${maxTextLength / 1024 / 1024} MB are read` };
}

/** Parsers throw whatever they like. Their first line says what is wrong; anything after it is about the parser. */
function reasonOf(error: unknown): Unreadable {
  if (error instanceof RangeError) return { reason: /alloc|length/i.test(error.message) ? "needs more memory to be read than there is" : "is nested too deeply to be read" };
  const [line = ""] = (error instanceof Error ? error.message : String(error)).split("\n");
  const message = line.replaceAll(/(?<=^|[\s"'`(])(?:file:\/\/)?(?:[A-Za-z]:)?(?:[\\/][\w.@+-]+){2,}/g, "a file").slice(0, 200).replace(/[.\s]+$/, "");
  return { reason: `cannot be read: ${message === "" ? "its parser gave up" : message}` };
}

function loaderNames(): readonly LoaderName[] {
  return Object.keys(registry) as LoaderName[];
}

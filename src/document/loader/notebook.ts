import { stripVTControlCharacters } from "node:util";
import { fencedBlock } from "../fence.ts";
import type { Block, LoadedDocument, Unreadable } from "../schema.ts";
import { withTitle } from "../title.ts";
import { loadMarkdown } from "./markdown.ts";

const maxOutputLines = 20;
const maxOutputLength = 1000;

/** The parts of a notebook that are read. Anything may be missing: notebooks come from many programs. */
interface Notebook {
  readonly cells?: readonly Cell[];
  /** Where notebooks of before 2015 keep their cells. */
  readonly worksheets?: readonly { readonly cells?: readonly Cell[] }[];
  readonly metadata?: { readonly title?: unknown; readonly language_info?: { readonly name?: unknown }; readonly kernelspec?: { readonly language?: unknown } };
}

interface Cell {
  readonly cell_type?: string;
  readonly source?: Lines;
  readonly input?: Lines;
  readonly level?: number;
  readonly outputs?: readonly Output[];
}

type Lines = string | readonly string[];

interface Output {
  readonly output_type?: string;
  readonly text?: Lines;
  readonly data?: Readonly<Record<string, unknown>>;
  readonly ename?: string;
  readonly evalue?: string;
}

/** Text and code in the order of the notebook, with the beginning of what the code printed; no pictures. */
export async function loadNotebook(text: string): Promise<LoadedDocument | Unreadable> {
  const notebook = parse(text);
  const cells = notebook?.cells ?? notebook?.worksheets?.flatMap((sheet) => sheet.cells ?? []);
  if (!Array.isArray(cells)) return { reason: "is no notebook: it has no cells" };
  const { metadata } = notebook ?? {};
  const language = metadata?.language_info?.name ?? metadata?.kernelspec?.language;
  const blocks: Block[] = [];
  for (const cell of cells as readonly Cell[]) blocks.push(...(await cellBlocks(cell, typeof language === "string" ? language : "")));
  const title = typeof metadata?.title === "string" ? { title: metadata.title } : {};
  return { blocks: withTitle(blocks, metadata?.title), metadata: title };
}

function parse(text: string): Notebook | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null ? value : undefined;
  } catch {
    return undefined;
  }
}

async function cellBlocks(cell: Cell, language: string): Promise<readonly Block[]> {
  const source = joined(cell.source ?? cell.input);
  if (cell.cell_type === "heading") return [{ kind: "heading", depth: cell.level ?? 1, text: source.trim() }];
  if (cell.cell_type === "markdown") return (await loadMarkdown(source)).blocks;
  if (source.trim() === "") return [];
  if (cell.cell_type !== "code") return [fencedBlock(source.trim())];
  const outputs = (cell.outputs ?? []).map(outputText).map((text) => text.trim()).filter((text) => text !== "");
  const output = shorten(outputs.join("\n"));
  return [fencedBlock(source.trimEnd(), language), ...(output === "" ? [] : [fencedBlock(`Output:\n${output}`)])];
}

function outputText({ output_type: type, text, data, ename, evalue }: Output): string {
  if (type === "error" || type === "pyerr") return `${ename ?? "Error"}: ${evalue ?? ""}`;
  // What stands beside a picture only names it.
  if (data !== undefined && Object.keys(data).some((kind) => kind.startsWith("image/"))) return "";
  return joined(text ?? (data?.["text/markdown"] as Lines | undefined) ?? (data?.["text/plain"] as Lines | undefined));
}

function joined(lines: Lines | undefined): string {
  if (typeof lines === "string") return lines;
  return Array.isArray(lines) ? lines.filter((line) => typeof line === "string").join("") : "";
}

/** Colours of a terminal say nothing here, and long listings are for the eye. */
function shorten(text: string): string {
  const plain = stripVTControlCharacters(text).trim();
  const lines = plain.split("\n");
  const start = lines.slice(0, maxOutputLines).join("\n").slice(0, maxOutputLength);
  return start.length < plain.length ? `${start}\n…` : plain;
}

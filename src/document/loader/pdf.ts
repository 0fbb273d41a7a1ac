import { flattenMetadata } from "../metadata.ts";
import { pageBlocks, printOf } from "../pdf/block.ts";
import { type Line, linesOf, type TextItem } from "../pdf/line.ts";
import { withoutRunningLines } from "../pdf/page.ts";
import type { LoadedDocument, Unreadable } from "../schema.ts";
import { isTitle, withTitle } from "../title.ts";

/** The text of a PDF with the page of each block. A file without a text layer holds nothing to index, and says so. */
export async function loadPdf(bytes: Uint8Array): Promise<LoadedDocument | Unreadable> {
  const { getDocumentProxy } = await import("unpdf");
  let document;
  try {
    // The parser keeps the bytes for itself, and would tell the terminal what it thinks of them.
    document = await getDocumentProxy(new Uint8Array(bytes), { verbosity: 0, isEvalSupported: false });
  } catch (error) {
    return refusal(error);
  }
  try {
    const pages: (readonly Line[])[] = [];
    for (let number = 1; number <= document.numPages; number++) {
      const page = await document.getPage(number);
      const { items } = await page.getTextContent();
      pages.push(linesOf(items.filter((item): item is typeof item & TextItem => "str" in item)));
      page.cleanup();
    }
    if (pages.every((lines) => lines.length === 0)) return { reason: withoutText(pages.length) };
    const { info } = await document.getMetadata().catch(() => ({ info: {} }));
    const metadata = flattenMetadata(properties(info as Readonly<Record<string, unknown>>));
    const texts = withoutRunningLines(pages);
    const print = printOf(texts);
    return { blocks: withTitle(texts.flatMap((lines, i) => pageBlocks(lines, i + 1, print)), metadata["title"]), metadata };
  } catch (error) {
    return refusal(error);
  } finally {
    await document.cleanup();
    await document.loadingTask.destroy();
  }
}

/** Nearly always a scan, but what the page shows is not looked at. */
function withoutText(pages: number): string {
  return `has no text layer; if its ${pages === 1 ? "page is an image" : `${pages} pages are images`}, run OCR on it first`;
}

/** What the parser says is about the inner life of PDFs, and of no use to who has the file. */
function refusal(error: unknown): Unreadable {
  const isEncrypted = error instanceof Error && error.name === "PasswordException";
  return { reason: isEncrypted ? "is encrypted; save it without its password first" : "is no readable PDF: it is cut off or broken" };
}

function properties(info: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> {
  const text = (name: string): string | undefined => {
    const value = info[name];
    return typeof value === "string" && isTitle(value) ? value : undefined;
  };
  return { title: text("Title"), author: text("Author"), subject: text("Subject"), keywords: text("Keywords"), language: text("Language") };
}

import { maxTreeBytes, openArchive, withoutDetail } from "../archive.ts";
import { parseHtml } from "../html/dom.ts";
import { inlineText } from "../html/inline.ts";
import { readElement } from "../html/read.ts";
import { readProperties } from "../office/properties.ts";
import { repackXml } from "../repack.ts";
import type { LoadedDocument } from "../schema.ts";
import { lowerHeadings, withTitle } from "../title.ts";

const styles = ["p[style-name='Title'] => h1.title:fresh", "p[style-name='Subtitle'] => p:fresh", "p[style-name='Code'] => pre:separator('\\n')", "p[style-name='HTML Preformatted'] => pre:separator('\\n')"];

/** The text of a Word document with its headings, lists and tables; images, comments and deleted text are left out. */
export async function loadDocx(bytes: Uint8Array): Promise<LoadedDocument> {
  const archive = openArchive(bytes);
  // The converter unpacks without any limit whatever the file tells it to.
  const buffer = repackXml(archive, { maxBytes: maxTreeBytes });
  const { default: mammoth } = await import("mammoth");
  const { value } = await mammoth.convertToHtml({ buffer }, {
    styleMap: styles,
    convertImage: mammoth.images.imgElement(async () => ({ src: "" })),
    ignoreEmptyParagraphs: true,
  }).catch(withoutDetail("it holds no readable Word document"));
  const metadata = await readProperties(archive);
  const document = await parseHtml(value);
  const [title, ...others] = document.querySelectorAll("h1.title");
  if (title === undefined || others.length > 0) return { blocks: withTitle(readElement(document.body), metadata["title"]), metadata };
  const text = inlineText(title, true);
  title.remove();
  return { blocks: withTitle(lowerHeadings(readElement(document.body)), text), metadata };
}

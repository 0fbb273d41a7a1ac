import { strToU8, zipSync } from "fflate";
import { describe, expect, it } from "vitest";
import { documentOf, outlineOf, reasonOf } from "../../helpers/document.ts";

function chapter(body: string): string {
  return `<?xml version="1.0" encoding="utf-8"?><!DOCTYPE html><html xmlns="http://www.w3.org/1999/xhtml"><head><title/><script src="x.js"/></head><body>${body}</body></html>`;
}

function epub(more: Readonly<Record<string, string>> = {}): Uint8Array {
  const parts = {
    "mimetype": "application/epub+zip",
    "META-INF/container.xml": '<container xmlns="urn:oasis:names:tc:opendocument:xmlns:container"><rootfiles><rootfile full-path="OEBPS/book.opf"/></rootfiles></container>',
    "OEBPS/book.opf": `<package xmlns="http://www.idpf.org/2007/opf"><metadata xmlns:dc="http://purl.org/dc/elements/1.1/"><dc:title>The lamp &amp; the moth</dc:title><dc:creator>Ada</dc:creator><dc:creator>Ben</dc:creator><dc:language>en-GB</dc:language><dc:date>2024-05-01</dc:date></metadata>
<manifest><item id="toc" href="nav.xhtml" media-type="application/xhtml+xml" properties="nav"/><item id="two" href="text/ch%202.xhtml" media-type="application/xhtml+xml"/><item id="one" href="text/ch1.xhtml" media-type="application/xhtml+xml"/><item id="pic" href="cover.png" media-type="image/png"/></manifest>
<spine><itemref idref="toc"/><itemref idref="one"/><itemref idref="two"/><itemref idref="gone"/></spine></package>`,
    "OEBPS/nav.xhtml": chapter("<nav><ol><li>One</li></ol></nav>"),
    "OEBPS/text/ch1.xhtml": chapter('<h1>One</h1><p><a id="p1"/>It was <i>dark</i>.</p>'),
    "OEBPS/text/ch 2.xhtml": chapter("<h1>Two</h1><p>It was light.</p>"),
    ...more,
  };
  return zipSync(Object.fromEntries(Object.entries(parts).map(([name, text]) => [name, strToU8(text)])));
}

describe("a book", () => {
  it("has its chapters in reading order below its title", async () => {
    const document = await documentOf("a.epub", epub());
    expect(document.metadata).toEqual({ title: "The lamp & the moth", author: ["Ada", "Ben"], language: "en-GB", published: "2024-05-01" });
    expect(outlineOf(document)).toEqual(["# The lamp & the moth", "## One", "prose: It was dark.", "## Two", "prose: It was light."]);
  });

  it("says that it is protected, but not where only its fonts are", async () => {
    const encryption = (uri: string): Readonly<Record<string, string>> => ({ "META-INF/encryption.xml": `<encryption><EncryptedData><CipherData><CipherReference URI="${uri}"/></CipherData></EncryptedData></encryption>` });
    expect(await reasonOf("a.epub", epub(encryption("OEBPS/text/ch1.xhtml")))).toBe("is protected against copying (DRM)");
    expect(outlineOf(await documentOf("a.epub", epub(encryption("OEBPS/font.otf"))))).toHaveLength(5);
  });

  it("says what it lacks", async () => {
    expect(await reasonOf("a.epub", zipSync({ mimetype: strToU8("application/epub+zip") }))).toBe("cannot be read: it has no META-INF/container.xml");
  });
});

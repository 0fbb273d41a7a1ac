import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { documentOf, outlineOf } from "../../helpers/document.ts";

const fixtures = join(import.meta.dirname, "../../../fixtures/document/page");

async function outline(html: string): Promise<readonly string[]> {
  return outlineOf(await documentOf("a.html", html));
}

describe("a page", () => {
  it("is what it is about, without menus, and says about itself what its head says", async () => {
    const document = await documentOf("article.html", await readFile(join(fixtures, "article.html")));
    expect(document.metadata).toEqual({
      title: "How refunds work | Lantern Shop Help", language: "en-GB", description: "When a refund is paid, and how long it takes.", keywords: "refund, return, payment", author: "Lantern support",
    });
    expect(outlineOf(document)).toEqual([
      "# How refunds work",
      "prose: A refund is paid to the card that the order was paid with, within five working days after the lamp has come back to us. Nobody has to ask for it twice, and no form is needed.",
      "## When a refund is given",
      "prose: Lamps may come back for fourteen days, as long as they were not screwed to a ceiling. Write to [the help desk](mailto:help@lantern.example) or look at the [terms of sale](https://lantern.example/terms) first; see also shipping.",
      "list: 3. Pack the lamp in its box.\n4. Put the slip in:\n   - signed\n   - with the order number",
      "## What it costs",
      "prose: Cost of sending a lamp back",
      "table: | Size | Inside the country | Abroad |\n| --- | --- | --- |\n| Small | free | 4 EUR |\n| Large | 3 EUR | 9 \\| 12 EUR |\n| Large | by agreement |  |",
      "## For programs",
      "prose: The state of a refund is told by `GET /refunds/{id}`:",
      "code: ```bash\ncurl https://api.lantern.example/refunds/17\n# not a heading\n```",
      "prose: > Money first, questions later.",
      "list: - pending: The lamp is on its way.\n- paid: The money has left us.",
    ]);
  });

  it("has tables and code in parts below what repeats", async () => {
    const { blocks } = await documentOf("a.html", "<table><tr><th>a<th>b<tr><td>1<td>2<tr><td>3<td>4</table><pre>x\ny</pre>");
    expect(blocks).toMatchObject([
      { kind: "table", head: "| a | b |\n| --- | --- |\n", parts: ["| 1 | 2 |", "| 3 | 4 |"] },
      { kind: "code", head: "```\n", tail: "\n```", parts: ["x", "y"] },
    ]);
  });

  it("is read in the encoding that it declares", async () => {
    expect(outlineOf(await documentOf("sjis.html", await readFile(join(fixtures, "sjis.html"))))).toEqual(["# 返金", "prose: 返金は五日以内に行われます。"]);
  });

  it("that is no article loses only what is around it", async () => {
    const rows = Array.from({ length: 30 }, (_, i) => `<li><a href="/${i}">Part ${i}</a></li>`).join("");
    expect(await outline(`<title>Parts | Shop</title><nav>Menu</nav><header>Top</header><ul>${rows}</ul><footer>Bottom</footer>`)).toEqual(["# Parts", `list: ${Array.from({ length: 30 }, (_, i) => `- Part ${i}`).join("\n")}`]);
  });

  it("may lack every tag but its own", async () => {
    expect(await outline("<title>T</title>Just <b>words</b><br>and more")).toEqual(["# T", "prose: Just words\nand more"]);
    expect(await outline("no tags at all")).toEqual(["prose: no tags at all"]);
    expect(await outline("<html><p>unclosed<p>paragraphs")).toEqual(["prose: unclosed", "prose: paragraphs"]);
  });

  it("loses scripts, hidden words, and tables that only arrange it", async () => {
    expect(await outline("<body><script>x</script><p style='display: none'>y</p><table><tr><td><h2>In a cell</h2><p>words</p></td></tr></table><svg><text>z</text></svg><p>&lt;b&gt; &amp; <code>&lt;br&gt;</code></p>")).toEqual([
      "## In a cell", "prose: words", "prose: <b> & `<br>`",
    ]);
  });

  it("keeps the notes inside an article and drops those beside it", async () => {
    const words = "<p>Some words of the article, with commas, as articles have, and so on for a while.</p>".repeat(5);
    const lines = await outline(`<body><aside>Ten percent off</aside><main><article><h1>T</h1>${words}<aside class="note"><p>Mind the heat of the lamp, it is dangerous.</p></aside>${words}</article></main></body>`);
    expect(lines).toContain("prose: Mind the heat of the lamp, it is dangerous.");
    expect(lines.join("\n")).not.toContain("Ten percent");
  });

  it("has headings without the marks that link to them, and with those of their own", async () => {
    expect(await outline('<h1>C#</h1><h2>Use<a class="headerlink" href="#use">¶</a></h2><h3><a href="#x">#</a> F#</h3>')).toEqual(["# C#", "## Use", "### F#"]);
  });

  it("keeps formulas as they were written", async () => {
    expect(await outline("<p>So <math><semantics><mi>x</mi><annotation encoding='application/x-tex'>x^2</annotation></semantics></math> grows</p>")).toEqual(["prose: So $x^2$ grows"]);
  });

  it.each([["div", 100_000], ["ul><li", 20_000], ["blockquote", 20_000], ["table><tr><td", 5_000], ["b", 50_000], ["span", 1000]])("nested in %s %d deep is read for its words", async (tag, depth) => {
    expect((await outline(`${`<${tag}>`.repeat(depth)}deep words`)).join("")).toContain("deep words");
  });
});

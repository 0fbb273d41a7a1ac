import { createHash } from "node:crypto";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Browser, Page, SerializedAXNode } from "puppeteer-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Look, openPage, startChromium, textsOf, withoutChromium } from "../../helpers/browser.ts";
import { makeTwoReleases, servePage } from "./fixture.ts";

const shots = process.env["TWELVE_SCREENSHOTS"];

async function keepShot(page: Page, name: string): Promise<void> {
  const png = await page.screenshot();
  expect(Buffer.from(png.subarray(1, 4)).toString()).toBe("PNG");
  if (shots === undefined) return;
  await mkdir(shots, { recursive: true });
  await writeFile(join(shots, `${name}.png`), png);
}

async function ask(page: Page, question: string): Promise<void> {
  await page.type("#question", question);
  await page.keyboard.press("Enter");
}

/** Until no answer is coming any more. */
const settled = (page: Page): Promise<unknown> => page.waitForFunction('document.querySelector("#stop").hidden && document.querySelector(".answer") !== null');
const focused = (page: Page, what: string): Promise<unknown> => page.evaluate(`document.activeElement.${what}`);

async function pressUntil(page: Page, key: "Tab" | "Shift+Tab", isThere: () => Promise<boolean>): Promise<void> {
  for (let presses = 0; presses < 60; presses++) {
    if (await isThere()) return;
    if (key === "Shift+Tab") await page.keyboard.down("Shift");
    await page.keyboard.press("Tab");
    if (key === "Shift+Tab") await page.keyboard.up("Shift");
  }
  throw new Error(`${key} never leads there`);
}

function unnamed(node: SerializedAXNode): readonly string[] {
  const needsName = ["button", "textbox", "combobox", "link", "region", "form", "article"].includes(node.role);
  return [...(needsName && (node.name ?? "") === "" ? [JSON.stringify({ role: node.role, value: node.value })] : []), ...(node.children ?? []).flatMap(unnamed)];
}

function rolesOf({ role, name = "", children = [] }: SerializedAXNode): readonly string[] {
  return [`${role} ${name}`, ...children.flatMap(rolesOf)];
}

describe.skipIf(withoutChromium)(`the page${withoutChromium ? " (skipped: no chromium on the PATH)" : ""}`, () => {
  let browser: Browser;
  beforeAll(async () => {
    browser = await startChromium();
  });
  afterAll(() => browser.close());

  const open = async (look?: Look) => {
    const served = await servePage(await makeTwoReleases());
    return { ...served, page: await openPage(browser, served.url, look) };
  };

  it("asks the release and shows its answer with citations, chunks with every score, and figures", async () => {
    const { page, lines } = await open();
    expect(await textsOf(page, ".identity")).toEqual([expect.stringMatching(/^handbook staging v2 [0-9a-f]{12}$/)]);
    await ask(page, "How large may the body of a request be?");
    await settled(page);
    expect(await textsOf(page, ".asked")).toEqual([expect.stringContaining("How large may the body of a request be?")]);
    expect(await textsOf(page, ".text > p")).toEqual(["The limit is 1 MiB. 1", "The number [9] names nothing."]);
    expect(await textsOf(page, ".text strong")).toEqual(["1 MiB"]);
    expect(await page.$$eval(".chunk .path", (paths) => paths.map((path) => path.lastChild?.textContent))).toEqual(["docs/limits.md", "docs/ports.md"]);
    expect(await textsOf(page, ".chunk .foot")).toEqual([expect.stringMatching(/^cited vector 0\.\d+ #1 text \d\.\d+ #1 fused 0\.\d+$/), expect.stringMatching(/^vector -?\d\S* #2 (?:text \S+ #2 )?fused 0\.\d+$/)]);
    expect(await textsOf(page, ".figures div")).toEqual([
      expect.stringMatching(/^First token \d/), expect.stringMatching(/^Whole answer \d/), expect.stringMatching(/^Input tokens \d+$/), "of them cached 0", expect.stringMatching(/^Output tokens \d+$/),
      "Cost $0", "Answer 11 words", "Model mock:script:mocks/support.yaml", "Prompt answer", "Ended with stop",
    ]);
    const [trace] = await textsOf(page, ".trace code");
    expect(JSON.parse(lines.at(-1) ?? "{}")).toMatchObject({ event: "model-call-finished", trace_id: trace, "twelve.release.number": 2, "gen_ai.request.stream": true });

    await page.click(".mark");
    expect(await focused(page, "className")).toBe("chunk cited shown");
    expect(await focused(page, 'querySelector(".number").textContent')).toBe("1");
    await page.click(".chunk.shown > button");
    expect(await focused(page, "className")).toBe("mark");
  });

  it("goes on with the conversation, and begins a new one", async () => {
    const { page, lines } = await open();
    await ask(page, "How large may it be?");
    await settled(page);
    const tokens = (): number => (JSON.parse(lines.at(-1) ?? "{}") as { "gen_ai.usage.input_tokens": number })["gen_ai.usage.input_tokens"];
    const first = tokens();
    await ask(page, "Tell me again");
    await settled(page);
    expect(await textsOf(page, ".text")).toEqual([expect.stringContaining("The limit is"), "You have asked before."]);
    expect(tokens()).toBeGreaterThan(first);
    await page.click("#restart");
    expect(await page.$$(".turn")).toHaveLength(0);
    expect(await focused(page, "id")).toBe("question");
  });

  it("shows an answer while it comes, and stops it with Escape", async () => {
    const { page, lines } = await open();
    await ask(page, "Say it slowly");
    await page.waitForFunction('document.querySelector(".text")?.innerText.startsWith("Slowly but surely and on")');
    expect(await textsOf(page, ".state")).toEqual(["working"]);
    expect(await textsOf(page, ".chunk")).toHaveLength(2);
    expect(await focused(page, "id")).toBe("question");
    await page.keyboard.press("Escape");
    await settled(page);
    expect(await textsOf(page, ".state")).toEqual(["stopped"]);
    await expect.poll(() => JSON.parse(lines.at(-1) ?? "{}") as unknown).toMatchObject({ event: "model-call-finished", "twelve.aborted": true });
  });

  it("shows a failure with its code, its message and the trace, below what was said", async () => {
    const { page } = await open();
    await ask(page, "Is it broken?");
    await settled(page);
    expect(await textsOf(page, ".complaint")).toEqual([expect.stringMatching(/The model is overloaded.*Code SERVICE_UNAVAILABLE$/)]);
    expect(await textsOf(page, ".trace code")).toEqual([expect.stringMatching(/^[0-9a-f]{32}$/)]);
    expect(await textsOf(page, ".text")).toEqual([expect.stringMatching(/^This much/)]);
  });

  it("draws what a model writes as text: HTML, pictures and scripts of links stay words", async () => {
    const { page } = await open();
    await ask(page, "Give me markup");
    await settled(page);
    expect(await textsOf(page, ".text > p")).toEqual(['It says <script>window.isHacked = true</script> and <img src="x" onerror="window.isHacked = true">.']);
    expect(await textsOf(page, ".text > ol > li")).toEqual(["bold and code", "a link, a trap (javascript:alert(1)) and ![a picture](https://example.com/x.png)"]);
    expect(await page.$$eval(".text a", (links) => links.map((link) => [link.getAttribute("href"), link.getAttribute("rel")]))).toEqual([["https://example.com/", "noopener noreferrer"]]);
    expect(await page.evaluate("window.isHacked")).toBeUndefined();
    expect(await page.$$(".text script, .text img")).toHaveLength(0);
  });

  it("lays the answer of an earlier release beside it, with what the two have otherwise", async () => {
    const { page, lines } = await open();
    expect((await textsOf(page, "#other option"))[1]).toMatch(/^v1 · 1 Jan 2026, /);
    await page.select("#other", "1");
    await page.waitForSelector("#changes table");
    expect(await textsOf(page, "#changes tbody tr")).toEqual(["agent support retrieve.topK 2 1", "configuration TOP_K 2 1"]);
    await ask(page, "How large may the body of a request be?");
    await settled(page);
    expect(await textsOf(page, ".said h3")).toEqual(["Answer of v2", "Answer of v1"]);
    expect(await page.$$eval(".answer", (answers) => answers.map((answer) => answer.querySelectorAll(".chunk").length))).toEqual([2, 1]);
    expect(await textsOf(page, ".tag.own")).toEqual(["only in v2"]);
    const rows = await textsOf(page, ".figures-pair tr");
    expect(rows[0]).toBe("v2 v1 Difference");
    expect(rows).toContainEqual(expect.stringMatching(/^Input tokens \d+ \d+ \+\d+$/));
    expect(rows).toContainEqual("Answer 11 words 11 words same");
    const numbers = lines.map((line) => JSON.parse(line) as Record<string, unknown>).filter(({ event }) => event === "model-call-finished").map((event) => event["twelve.release.number"]);
    expect(new Set(numbers)).toEqual(new Set([1, 2]));
  });

  it("says in plain words why another release cannot be opened, beside the answer of the one that can", async () => {
    const { url } = await servePage(await makeTwoReleases(), { env: { TOP_K: "2" } });
    const page = await openPage(browser, url);
    await page.select("#other", "1");
    await page.waitForSelector("#changes table");
    await ask(page, "How large may it be?");
    await settled(page);
    expect(await textsOf(page, ".state")).toEqual(["", "failed"]);
    expect(await textsOf(page, ".complaint")).toEqual([expect.stringMatching(/^The process environment has a value that release v1 has frozen otherwise: TOP_K.*unset TOP_K.*Code CONFIG_DRIFTED$/)]);
  });

  it("can be used with the keyboard alone", async () => {
    const { page } = await open();
    expect(await focused(page, "id")).toBe("question");
    await page.keyboard.type("How large");
    await page.keyboard.down("Shift");
    await page.keyboard.press("Enter");
    await page.keyboard.up("Shift");
    await page.keyboard.type("may it be?");
    expect(await focused(page, "value")).toBe("How large\nmay it be?");
    await page.keyboard.press("Enter");
    await settled(page);
    await pressUntil(page, "Shift+Tab", async () => (await focused(page, "className")) === "mark");
    await page.keyboard.press("Enter");
    expect(await focused(page, "className")).toContain("chunk");
    await pressUntil(page, "Tab", async () => (await focused(page, "textContent")) === "Back to the answer");
    await page.keyboard.press("Enter");
    expect(await focused(page, "className")).toBe("mark");
    await pressUntil(page, "Shift+Tab", async () => (await focused(page, "id")) === "other");
    await page.keyboard.press("ArrowDown");
    await page.waitForSelector("#changes table");
    await pressUntil(page, "Shift+Tab", async () => (await focused(page, "className")) === "skip");
    await page.keyboard.press("Enter");
    expect(await focused(page, "id")).toBe("question");
  });

  it("tells screen readers what everything is, and an answer in pieces that make sense", async () => {
    const { page } = await open();
    await ask(page, "How large may it be?");
    await settled(page);
    const tree = await page.accessibility.snapshot();
    expect(tree && unnamed(tree)).toEqual([]);
    const whole = await page.accessibility.snapshot({ interestingOnly: false });
    const told = whole === null ? [] : rolesOf(whole);
    const wanted = ["banner ", "main ", "region Conversation", "article You asked: How large may it be?", "region Answer of v2", "button Source 1: docs/limits.md, Limits", "region Retrieved passages", "form Ask", "textbox Question", "combobox Agent", "combobox Compare with", "button Copy the trace ID"];
    expect(wanted.filter((each) => !told.includes(each))).toEqual([]);
    expect(await page.$$eval("#live p", (told) => told.map(({ textContent }) => textContent))).toEqual(["Asking v2", "2 passages retrieved", "The limit is 1 MiB. source 1", "The number [9] names nothing."]);
    expect(await page.$$eval("#live", ([live]) => live?.getAttribute("aria-live"))).toBe("polite");
  });

  it("asks for an API key where the server wants one, until it is the right one, and sends it from then on", async () => {
    const keys = JSON.stringify([{ name: "me", sha256: createHash("sha256").update("tw_right").digest("hex"), scopes: ["ui"] }, { name: "shop", sha256: createHash("sha256").update("tw_chat").digest("hex"), scopes: ["chat"] }]);
    const { url } = await servePage(await makeTwoReleases(), { env: { API_KEY: keys } });
    expect((await fetch(`${url}ui/releases`)).status).toBe(401);
    const page = await browser.newPage();
    await page.goto(url);
    for (const [reason, key] of [["An API key is needed", "tw_wrong"], ["not one of this server's", "tw_chat"], ["it needs the scope ui", "tw_right"]] as const) {
      await page.waitForFunction(`document.querySelector("#locked").open && document.querySelector("#locked-reason").innerText.includes(${JSON.stringify(reason)})`);
      await page.type("#key", key);
      await page.keyboard.press("Enter");
    }
    await page.waitForSelector("#agent option");
    await ask(page, "How large may it be?");
    await settled(page);
    expect(await textsOf(page, ".mark")).toEqual(["1"]);
    await page.close();
  });

  it("turns numbers into citations when the passages come after the text", async () => {
    const { page } = await open();
    const chunk = { number: 1, id: "c-1", document: "docs/late.md", headings: "", text: "Late.", score: 1, scores: {} };
    const answer = { finishReason: "stop", usage: { inputTokens: 1200, outputTokens: 3, cachedInputTokens: 1000 }, model: "m-2026", reference: "openai:m", cited: [1], latencyMs: 20, timeToFirstTokenMs: null, costUsd: null, toolCalls: [], calls: [] };
    const events = [{ type: "text", text: "It is so. [1]" }, { type: "retrieved", chunks: [chunk], retrievalMs: null }, { type: "end", answer }];
    await page.setRequestInterception(true);
    page.on("request", (request) => void (request.url().endsWith("/ui/answer") ? request.respond({ contentType: "text/event-stream", body: events.map((event) => `data: ${JSON.stringify(event)}\n\n`).join("") }) : request.continue()));
    await ask(page, "Is it so?");
    await settled(page);
    expect(await textsOf(page, ".mark")).toEqual(["1"]);
    expect(await textsOf(page, ".chunk.cited .path")).toEqual([expect.stringContaining("docs/late.md")]);
    expect(await textsOf(page, ".figures div")).toEqual(["First token unknown", "Whole answer 20 ms", "Input tokens 1,200", "of them cached 1,000", "Output tokens 3", "Cost unknown", "Answer 4 words", "Model openai:m (m-2026)", "Prompt answer", "Ended with stop"]);
  });

  const looks = [360, 768, 1440].flatMap((width) => (["light", "dark"] as const).map((scheme) => ({ width, scheme })));
  it.each(looks)("fits into $width pixels in $scheme colours", async ({ width, scheme }) => {
    const { page } = await open({ width, scheme, height: 800 });
    await keepShot(page, `${scheme}-${width}-welcome`);
    await ask(page, "How large may the body of a request be?");
    await settled(page);
    await keepShot(page, `${scheme}-${width}-answer`);
    await page.select("#other", "1");
    await page.waitForSelector("#changes table");
    await ask(page, "Is it broken?");
    await settled(page);
    await keepShot(page, `${scheme}-${width}-compared`);
    expect(await page.evaluate("document.documentElement.scrollWidth")).toBeLessThanOrEqual(width);
    const [ground] = await page.$$eval("body", (bodies) => bodies.map((body) => (globalThis as unknown as { getComputedStyle(of: unknown): { backgroundColor: string } }).getComputedStyle(body).backgroundColor));
    expect(ground).toBe(scheme === "light" ? "rgb(247, 248, 247)" : "rgb(16, 20, 19)");
  });
});

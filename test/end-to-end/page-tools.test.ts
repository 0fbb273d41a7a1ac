import { createHash } from "node:crypto";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Browser, Page } from "puppeteer-core";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { type Server, startServer, twelveJson } from "../helpers/binary.ts";
import { openPage, startChromium, textsOf, withoutChromium } from "../helpers/browser.ts";
import { gitApp } from "../helpers/git-app.ts";

const root = join(import.meta.dirname, "../..");
const shots = process.env["TWELVE_SCREENSHOTS"];

/** fixtures/shop as two releases: `order` may be called twice, `refund` not, and a person decides on it. */
async function makeApp(): Promise<string> {
  const paths = ["twelve.yaml", "mocks/support.yaml", "prompts/chat.prompt", "tools/order.js", "tools/refund.js"];
  const cwd = await gitApp(Object.fromEntries(await Promise.all(paths.map(async (path) => [path, await readFile(join(root, "fixtures/shop", path), "utf8")] as const))));
  for (const args of [["build"], ["release", "--env", "development"], ["release", "--env", "development"]]) await twelveJson(args, { cwd });
  return cwd;
}

const recordOf = (name: string, scopes: readonly string[]): object => ({ name, sha256: createHash("sha256").update(`tw_${name}`).digest("hex"), scopes });

/** The page's server, once its embedded database is there: on a busy machine that takes longer than an answer waits. */
async function serve(env: Readonly<Record<string, string>> = {}, app?: string): Promise<Server> {
  const server = await startServer(["web", "--env", "development", "--ui"], { cwd: app ?? (await makeApp()), env });
  const runs = `${server.url}/v1/agents/support/runs`;
  const headers = { "content-type": "application/json", authorization: "Bearer tw_runner" };
  await vi.waitFor(async () => expect((await fetch(runs, { method: "POST", headers, body: JSON.stringify({ id: "first", input: "Hello" }) })).status).toBe(202), { timeout: 50_000, interval: 200 });
  await vi.waitFor(async () => expect(await (await fetch(`${runs}/first`, { headers })).json()).toMatchObject({ status: "completed" }), { timeout: 50_000, interval: 200 });
  return server;
}

async function askForRefund(page: Page): Promise<void> {
  await page.type("#question", "My order 7 is broken");
  await page.keyboard.press("Enter");
  await page.waitForSelector(".approval:not([hidden]) button");
}

const settled = (page: Page): Promise<unknown> => page.waitForFunction('document.querySelector("#stop").hidden && document.querySelector(".answer") !== null');
const callsOf = (page: Page): Promise<readonly string[]> => page.$$eval(".call summary", (found) => found.map((each) => ["code", ".state"].map((part) => each.querySelector(part)?.textContent).join(" ")));
const statesOf = (page: Page): Promise<readonly string[]> => textsOf(page, ".said > header .state");

async function keepShot(page: Page, name: string): Promise<void> {
  if (shots === undefined) return;
  await mkdir(shots, { recursive: true });
  await writeFile(join(shots, `${name}.png`), await page.screenshot());
}

async function tabBackTo(page: Page, text: string): Promise<void> {
  for (let presses = 0; presses < 30; presses++) {
    if ((await page.evaluate("document.activeElement.innerText"))?.toString().startsWith(text) === true) return;
    await page.keyboard.down("Shift");
    await page.keyboard.press("Tab");
    await page.keyboard.up("Shift");
  }
  throw new Error(`Tab never leads to ${text}`);
}

describe.skipIf(withoutChromium)(`an agent with tools on the page${withoutChromium ? " (skipped: no chromium on the PATH)" : ""}`, { timeout: 180_000 }, () => {
  let browser: Browser;
  beforeAll(async () => {
    browser = await startChromium();
  });
  afterAll(() => browser.close());

  it("shows what is called, waits for a person, and goes on to the answer", async () => {
    const server = await serve();
    for (const look of [{ width: 400, scheme: "dark" }, { width: 1280, scheme: "dark" }, { width: 1280, scheme: "light" }] as const) {
      const page = await openPage(browser, `${server.url}/`, look);
      await askForRefund(page);
      expect(await callsOf(page)).toEqual(["order done", "refund waits for approval"]);
      await expect.poll(() => statesOf(page)).toEqual(["waits for approval"]);
      // What is decided on can be read without unfolding it.
      expect(await textsOf(page, ".call:has(.approval:not([hidden])) details[open] > pre")).toEqual(['{ "order": 7, "eur": 5 }']);
      await keepShot(page, `tools-${look.scheme}-${look.width}-waiting`);
      await tabBackTo(page, "Approve");
      await page.keyboard.press("Enter");
      await settled(page);
      expect(await page.evaluate("document.activeElement.tagName")).toBe("SUMMARY");
      expect(await callsOf(page)).toEqual(["order done", "refund done"]);
      expect(await textsOf(page, ".text")).toEqual(["You get 5 EUR back."]);
      expect(await page.$$eval(".call pre", (found) => found.at(-1)?.textContent)).toMatch(/^Paid 5 EUR for order 7 back/);
      expect(await textsOf(page, ".figures div")).toContainEqual(expect.stringMatching(/^Output tokens \d+$/));
      expect(await page.$$eval("#live p", (told) => told.map(({ textContent }) => textContent))).toEqual(expect.arrayContaining(["v2: refund waits for your approval", "v2: refund is done", "You get 5 EUR back."]));
      expect(await page.evaluate("document.documentElement.scrollWidth")).toBeLessThanOrEqual(look.width);
      await keepShot(page, `tools-${look.scheme}-${look.width}-done`);
    }

    const page = await openPage(browser, `${server.url}/`);
    await askForRefund(page);
    await page.click(".approval:not([hidden]) .stop");
    await settled(page);
    expect(await callsOf(page)).toEqual(["order done", "refund refused"]);
    await page.click("#restart");
    await askForRefund(page);
    await page.keyboard.press("Escape");
    await settled(page);
    expect([await statesOf(page), await page.$$(".approval:not([hidden])")]).toEqual([["stopped"], []]);
    await expect.poll(async () => ((await (await fetch(`${server.url}/v1/agents/support/runs`)).json()) as { data: { status: string }[] }).data.map(({ status }) => status)).toContain("cancelled");
    expect(await server.stop()).toBe(0);
  });

  it("goes on with a run that waits when its server is started again", async () => {
    const cwd = await makeApp();
    const server = await serve({}, cwd);
    // Chromium complains of every question that nobody answers meanwhile.
    const page = await browser.newPage();
    await page.setViewport({ width: 1280, height: 900 });
    await page.emulateMediaFeatures([{ name: "prefers-reduced-motion", value: "reduce" }]);
    await page.goto(`${server.url}/`);
    await page.waitForSelector("#agent option");
    await askForRefund(page);
    expect(await server.stop()).toBe(0);
    await expect.poll(() => statesOf(page)).toEqual(["waits for approval"]);
    const again = await startServer(["web", "--env", "development", "--ui", "--port", new URL(server.url).port], { cwd });
    await vi.waitFor(async () => expect((await fetch(`${again.url}/readyz`)).status).toBe(200), { timeout: 50_000, interval: 200 });
    await page.click(".approval:not([hidden]) .send");
    await settled(page);
    expect([await callsOf(page), await statesOf(page), await textsOf(page, ".text")]).toEqual([["order done", "refund done"], [""], ["You get 5 EUR back."]]);
    await page.close();
    expect(await again.stop()).toBe(0);
  });

  it("calls the tools of two releases only after somebody has agreed", async () => {
    const server = await serve();
    const page = await openPage(browser, `${server.url}/`);
    await page.select("#other", "1");
    await page.waitForSelector("#twice input");
    expect(await textsOf(page, "#twice")).toEqual(["Both releases call their tools: what refund does may be done twice. Ask both all the same"]);
    await page.type("#question", "My order 7 is broken");
    await page.keyboard.press("Enter");
    expect([await page.evaluate("document.activeElement.type"), await page.$$(".turn")]).toEqual(["checkbox", []]);
    await page.keyboard.press("Space");
    await keepShot(page, "tools-light-1280-twice");
    await page.click("#send");
    await page.waitForSelector(".approval:not([hidden]) button");
    await page.waitForSelector(".state.failed");
    // The other release's run ends with its answer, so nobody can approve anything there.
    expect(await textsOf(page, ".complaint")).toEqual([expect.stringContaining("nobody can give it here")]);
    await page.click(".approval:not([hidden]) .send");
    await settled(page);
    expect(await textsOf(page, ".text")).toEqual(["You get 5 EUR back.", ""]);
    await keepShot(page, "tools-light-1280-compared");
    const tools = server.lines.map((line) => JSON.parse(line) as Record<string, unknown>).filter(({ event }) => event === "tool-call-finished");
    expect(tools.map((event) => `${event["twelve.release.number"] as number} ${event["gen_ai.tool.name"] as string}`).toSorted()).toEqual(["1 order", "2 order", "2 refund"]);
    await page.select("#other", "");
    expect(await page.$$("#twice:not([hidden])")).toHaveLength(0);
    expect(await server.stop()).toBe(0);
  });

  it("says why a key may not decide, and leaves the question open", async () => {
    const server = await serve({ API_KEYS: JSON.stringify([recordOf("maker", ["ui"]), recordOf("runner", ["runs"])]) });
    const page = await browser.newPage();
    await page.setViewport({ width: 1280, height: 900 });
    await page.emulateMediaFeatures([{ name: "prefers-reduced-motion", value: "reduce" }]);
    await page.goto(server.url);
    await page.waitForSelector("#locked[open]");
    await page.type("#key", "tw_maker");
    await page.keyboard.press("Enter");
    await page.waitForSelector("#agent option");
    await askForRefund(page);
    await page.click(".approval:not([hidden]) .send");
    await page.waitForFunction('document.querySelector(".approval [role=alert]").textContent !== ""');
    expect(await textsOf(page, ".approval [role=alert]")).toEqual(["The API key maker may not do this: it needs the scope approvals"]);
    expect(await page.$eval(".approval .send", (button) => (button as unknown as { disabled: boolean }).disabled)).toBe(false);
    await page.close();
    expect(await server.stop()).toBe(0);
  });
});

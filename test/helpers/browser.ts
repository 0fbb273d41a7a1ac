import { type Browser, launch, type Page } from "puppeteer-core";
import { expect, onTestFinished } from "vitest";
import { findProgram } from "./program.ts";

const program = findProgram("chromium");

/** Why tests that need a real browser are skipped; with TWELVE_REQUIRE_SERVICES=1 they fail instead. */
export const withoutChromium = program === undefined && process.env["TWELVE_REQUIRE_SERVICES"] !== "1";

/** A headless browser of the test file's own. */
export function startChromium(): Promise<Browser> {
  if (program === undefined) throw new Error("There is no chromium on the PATH");
  // Chromium refuses its sandbox to root, who runs the tests in containers.
  return launch({ executablePath: program, args: process.getuid?.() === 0 ? ["--no-sandbox"] : [] });
}

export interface Look {
  readonly width?: number;
  readonly height?: number;
  readonly scheme?: "light" | "dark";
}

/** A page at that address that must ask nobody else and complain of nothing; both are looked at when the test ends. */
export async function openPage(browser: Browser, url: string, { width = 1280, height = 900, scheme = "light" }: Look = {}): Promise<Page> {
  const page = await browser.newPage();
  const complaints: string[] = [];
  const foreign: string[] = [];
  page.on("pageerror", (error) => complaints.push(String(error)));
  page.on("console", (message) => {
    if (["error", "warn"].includes(message.type())) complaints.push(message.text());
  });
  page.on("request", (request) => {
    if (!request.url().startsWith(url) && !request.url().startsWith("data:")) foreign.push(request.url());
  });
  onTestFinished(async () => {
    await page.close();
    expect({ complaints, foreign }).toEqual({ complaints: [], foreign: [] });
  });
  await page.setViewport({ width, height });
  await page.emulateMediaFeatures([{ name: "prefers-color-scheme", value: scheme }, { name: "prefers-reduced-motion", value: "reduce" }]);
  await page.goto(url);
  await page.waitForSelector("#agent option");
  return page;
}

/** The text of every element that fits, as a person sees it. */
export function textsOf(page: Page, selector: string): Promise<readonly string[]> {
  return page.$$eval(selector, (found) => found.map((each) => (each as { readonly innerText: string }).innerText.replaceAll(/\s+/g, " ").trim()));
}

import { execFileSync } from "node:child_process";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Browser } from "puppeteer-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { cleanEnv, startServer, twelveJson } from "../helpers/binary.ts";
import { openPage, startChromium, textsOf, withoutChromium } from "../helpers/browser.ts";
import { temporaryFolder } from "../helpers/context.ts";

const prompt = `---
description: Speaks in a tone
input:
  schema:
    question: string
    tone: string, how it speaks
    length?: integer, how many words
---
{{role "system"}}
Speak in a {{tone}} tone{{#if length}}, in {{length}} words{{/if}}.
{{role "user"}}
{{question}}
`;

/** The template with a second agent, whose prompt takes variables, released. */
async function makeApp(): Promise<string> {
  const { folder: cwd } = await twelveJson<{ folder: string }>(["init", "app", "--template", "rag"], { cwd: await temporaryFolder() });
  await writeFile(join(cwd, "prompts/speak.prompt"), prompt);
  const manifest = await readFile(join(cwd, "twelve.yaml"), "utf8");
  await writeFile(join(cwd, "twelve.yaml"), manifest.replace("agents:\n", 'agents:\n  speaker: { prompt: speak, model: "mock:echo" }\n').replace("serve: [support]", "serve: [support, speaker]"));
  execFileSync("git", ["add", "--all"], { cwd, env: cleanEnv() });
  execFileSync("git", ["commit", "--quiet", "--message", "A speaker"], { cwd, env: cleanEnv() });
  for (const args of [["build"], ["index"], ["release", "--env", "staging"]]) await twelveJson(args, { cwd });
  return cwd;
}

describe.skipIf(withoutChromium)(`the page of the built program${withoutChromium ? " (skipped: no chromium on the PATH)" : ""}`, () => {
  let browser: Browser;
  beforeAll(async () => {
    browser = await startChromium();
  });
  afterAll(() => browser.close());

  it("asks a release, and an agent whose prompt takes variables only with those that it needs", async () => {
    const server = await startServer(["--env", "staging", "--ui"], { cwd: await makeApp() });
    const page = await openPage(browser, `${server.url}/`);
    await page.type("#question", "How many days do I have to return a sensor?");
    await page.keyboard.press("Enter");
    await page.waitForSelector(".figures");
    expect(await textsOf(page, ".text")).toEqual([expect.stringMatching(/within 45 days.* 1$/)]);

    await page.select("#agent", "speaker");
    expect(await textsOf(page, "#variables label")).toEqual(["tone", "length (optional)"]);
    await page.type("#question", "Say that the tide is high");
    await page.keyboard.press("Enter");
    expect(await page.evaluate("document.activeElement.id")).toBe("variable-tone");
    await page.type("#variable-tone", "calm");
    await page.type("#variable-length", "seven");
    await page.click("#send");
    expect(await page.evaluate("document.activeElement.id")).toBe("variable-length");
    await page.$eval("#variable-length", (field) => ((field as unknown as { value: string }).value = "7"));
    await page.click("#send");
    await page.waitForFunction('document.querySelectorAll(".figures").length === 2');
    expect((await textsOf(page, ".text")).at(-1)).toContain("the tide is high");
    expect(await server.stop()).toBe(0);
  });
});

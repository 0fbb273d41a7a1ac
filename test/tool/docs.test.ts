import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it, onTestFinished } from "vitest";
import { listening } from "../helpers/listen.ts";
import { shopHttp } from "../helpers/mcp-server.ts";
import { isInstalled } from "../helpers/program.ts";
import { startServer } from "../helpers/service-server.ts";
import { callOptions, openedTools } from "../helpers/tools.ts";

const page = readFileSync(join(import.meta.dirname, "../../docs/tools.md"), "utf8");
const block = (language: string): string => new RegExp(`\`\`\`${language}\\n(.*?)\`\`\``, "s").exec(page)?.[1] ?? "";

it.skipIf(!isInstalled("python3"))("every example of docs/tools.md does what the page says (skipped where python3 is not installed)", async () => {
  const shop = await startServer(() => ({ body: { paid: true } }));
  onTestFinished(() => shop.close());
  const calendar = `http://127.0.0.1:${await listening(shopHttp().server)}/mcp`;
  const [, config = "", tools = ""] = /\n(config:.*?)\nagents:.*?\ntools:\n(.*)$/s.exec(block("yaml")) ?? [];
  const opened = await openedTools(tools.replaceAll(/^ {2}/gm, ""), {
    config, values: { SHOP_URL: shop.url, CALENDAR_URL: calendar, SHOP_KEY: "s3cret-value" },
    files: { "tools/order.ts": block("ts"), "tools/stock.py": block("python"), "tools/notes.js": `import ${JSON.stringify(join(import.meta.dirname, "../helpers/mcp-stdio.ts"))};` },
  });
  const call = (name: string, given: Readonly<Record<string, string | number>>) => opened.of(["order", "stock", "refund", "calendar", "notes"]).find((tool) => tool.name === name)?.call(given, callOptions);
  const says = (content: string, isError = false) => {
    expect(page).toContain(`\`${content}\``);
    return { content, isError };
  };
  expect(await call("order", { id: "A-1" })).toEqual(says('{"id":"A-1","total":12,"currency":"EUR","user":"ann"}'));
  expect(await call("order", { id: "B-2" })).toEqual(says("There is no order B-2", true));
  expect(await call("stock", { article: "pen" })).toEqual(says('{"pieces": 7}'));
  expect(await call("stock", { article: "cup" })).toEqual(says("The command ended with exit code 1: There is no article cup", true));
  expect(await call("refund", { id: "A 1", amount: 5 })).toEqual({ content: '{"paid":true}', isError: false });
  expect(shop.requests).toMatchObject([{ method: "POST", path: "/orders/A%201/refunds", body: { amount: 5 }, headers: { authorization: "Bearer s3cret-value" } }]);
  expect(opened.of(["refund"])).toMatchObject([{ isIdempotent: false, needsApproval: true }]);
  expect(opened.of(["calendar"]).map(({ name }) => name)).toEqual([says("calendar_find").content]);
  expect(await call("notes_find", { id: "7" })).toEqual({ content: '{"id":"7","total":12}', isError: false });
});

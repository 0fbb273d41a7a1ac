import { expect, it } from "vitest";
import { openOrigin } from "../../../src/adapters/origin/http/adapter.ts";
import { serveFiles } from "../../models/file-server.ts";
import { describeOrigin, originFiles, readAll } from "../../ports/origin.contract.ts";

describeOrigin("http", async () => openOrigin((await serveFiles(originFiles)).url));

it("sends the URL's query with every file", async () => {
  const server = await serveFiles(originFiles);
  let query = "";
  server.answer = (_, __, { url = "" }) => {
    query = url;
    return false;
  };
  const origin = openOrigin(`${server.url}/?revision=2&sig=s3cret`);
  expect(await readAll(await origin.open("config.json"))).toEqual(originFiles["config.json"]);
  expect(query).toBe("/base/config.json?revision=2&sig=s3cret");
  expect(origin.url).not.toContain("s3cret");
});

it("starts from the beginning where a server refuses the range", async () => {
  const server = await serveFiles(originFiles);
  server.answer = (_, response, { headers }) => headers["range"] !== undefined && Boolean(response.writeHead(416).end());
  const file = await openOrigin(server.url).open("config.json", { resume: { start: 5000, version: '"long"' } });
  expect(file?.start).toBe(0);
  expect(await readAll(file)).toEqual(originFiles["config.json"]);
});

it("follows redirects, and keeps the password for the host it is for", async () => {
  const store = await serveFiles(originFiles);
  const server = await serveFiles({});
  server.answer = (path, response) => Boolean(response.writeHead(302, { location: path === "config.json" ? "/base/moved.json" : `${store.url}/config.json` }).end());
  const origin = openOrigin(server.url.replace("//", "//reader:s3cret@"));
  expect(await readAll(await origin.open("config.json"))).toEqual(originFiles["config.json"]);
  expect([...server.requests, ...store.requests].map(({ path, authorization }) => [path, authorization !== undefined])).toEqual([
    ["config.json", true], ["moved.json", true], ["config.json", false],
  ]);
});

it("refuses a redirect that leaves encryption, or the web, or never ends", async () => {
  const server = await serveFiles({});
  const redirectTo = async (location: string): Promise<unknown> => {
    server.answer = (_, response) => Boolean(response.writeHead(302, { location }).end());
    return openOrigin(server.url).open("config.json");
  };
  await expect(redirectTo("http://models.example.com/x")).rejects.toMatchObject({ code: "SERVICE_FAILED", message: expect.stringContaining("not https:"), retry: undefined });
  await expect(redirectTo("file:///etc/passwd")).rejects.toMatchObject({ code: "SERVICE_FAILED", message: expect.stringContaining("not https:") });
  await expect(redirectTo("/base/again")).rejects.toMatchObject({ code: "SERVICE_FAILED", message: expect.stringContaining("more than 5 redirects") });
});

it.each([
  [401, "SERVICE_UNAUTHENTICATED", undefined],
  [403, "SERVICE_DENIED", undefined],
  [429, "SERVICE_LIMITED", { afterMs: 7000 }],
  [503, "SERVICE_UNAVAILABLE", { afterMs: 7000 }],
  [400, "SERVICE_REJECTED", undefined],
])("tells what a server means by %i", async (status, code, retry) => {
  const server = await serveFiles({});
  server.answer = (_, response) => Boolean(response.writeHead(status, { "retry-after": "7" }).end());
  await expect(openOrigin(server.url).open("config.json")).rejects.toMatchObject({ code, retry, message: `${server.url} answered ${status} for config.json` });
});

it("says why a server cannot be reached, and that trying again may help", async () => {
  await expect(openOrigin("http://127.0.0.1:1/models").open("config.json")).rejects.toMatchObject({
    code: "SERVICE_UNAVAILABLE", message: expect.stringMatching(/^config\.json cannot be fetched from http:\/\/127\.0\.0\.1:1\/models: \S/), retry: { afterMs: null },
  });
});

it.each(["https:", "https://", "http://models.example.com/x", "http://127.0.0.1.example.com"])("refuses %s", (reference) => {
  expect(() => openOrigin(reference)).toThrow(expect.objectContaining({ code: "SERVICE_UNSUPPORTED" }));
});

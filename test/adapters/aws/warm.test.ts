import { createServer, type Server } from "node:http";
import { setImmediate } from "node:timers/promises";
import { expect, it } from "vitest";
import { openModel } from "../../../src/adapters/registry.ts";
import { startBedrockServer } from "../../helpers/bedrock-server.ts";
import { contentFrames, endFrames, sendFrames } from "../../helpers/converse-frames.ts";
import { listening } from "../../helpers/listen.ts";
import { ask } from "../../ports/model-ask.ts";

const keys = { AWS_ACCESS_KEY_ID: "AKIDEXAMPLE", AWS_SECRET_ACCESS_KEY: "wJalrXUtnFEMI0123456789", AWS_REGION: "us-east-1" };
const claude = "anthropic.claude-test-v1:0";

/** Bedrock's place for questions, which is another one than its catalogue. */
async function startRuntime(): Promise<{ readonly url: string; readonly server: Server; readonly asked: string[]; readonly connections: () => number }> {
  let connections = 0;
  const asked: string[] = [];
  const server = createServer((request, response) => {
    asked.push(`${request.method} ${request.headers.authorization === undefined ? "unsigned" : "signed"}`);
    request.resume();
    if (request.method === "POST") return sendFrames([...contentFrames({ says: ["Yes."] }), ...endFrames({ says: ["Yes."] })], { requestId: "r-1" })(response);
    return response.writeHead(404).end();
  }).on("connection", () => connections++);
  return { url: `http://127.0.0.1:${await listening(server)}`, server, asked, connections: () => connections };
}

it("the first question to Bedrock goes over a connection that the look at the model has opened, without asking for anything", async () => {
  const catalogue = await startBedrockServer({ converse: () => ({}) });
  const runtime = await startRuntime();
  const model = await openModel(`bedrock:${claude}`, { dir: "/", env: { ...keys, AWS_ENDPOINT_URL: catalogue.url, AWS_ENDPOINT_URL_BEDROCK_RUNTIME: runtime.url } });
  await model.check();
  await model.warm?.();
  await model.check();
  await model.warm?.();
  expect(runtime.asked).toEqual(["GET unsigned"]);
  await setImmediate();
  expect((await ask(model)).text).toBe("Yes.");
  expect([runtime.asked, runtime.connections()]).toEqual([["GET unsigned", "POST signed"], 1]);
  await catalogue.close();
});

it("a look does not fail because the place for questions does not answer", async () => {
  const catalogue = await startBedrockServer({ converse: () => ({}) });
  const model = await openModel(`bedrock:${claude}`, { dir: "/", env: { ...keys, AWS_ENDPOINT_URL: catalogue.url, AWS_ENDPOINT_URL_BEDROCK_RUNTIME: "http://127.0.0.1:9" } });
  expect(await model.check()).toMatchObject({ version: null });
  await catalogue.close();
});

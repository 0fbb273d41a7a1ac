import { createServer } from "node:http";
import { setImmediate } from "node:timers/promises";
import { expect, it } from "vitest";
import { openModel } from "../../../../src/adapters/registry.ts";
import { listening } from "../../../helpers/listen.ts";
import { ask } from "../../../ports/model-ask.ts";

it("the first question goes over the connection that the look at the model has opened", async () => {
  let connections = 0;
  const server = createServer((request, response) => {
    if (request.method === "GET") return response.setHeader("content-type", "application/json").end('{"data":[{"id":"m"}]}');
    response.setHeader("content-type", "text/event-stream");
    return response.end('data: {"choices":[{"delta":{"content":"Yes"},"finish_reason":"stop"}]}\n\ndata: [DONE]\n\n');
  }).on("connection", () => connections++);
  const url = `http://127.0.0.1:${await listening(server)}`;
  const model = await openModel(`${url}/v1#m`, { dir: "/", env: {} });
  await model.check();
  // The client gives a connection back a turn after its answer was read.
  await setImmediate();
  expect((await ask(model)).text).toBe("Yes");
  expect(connections).toBe(1);
});

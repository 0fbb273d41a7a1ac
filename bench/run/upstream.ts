/**
 * A mock model behind OpenAI's API as a process of its own: `node bench/run/upstream.ts [ms between two parts] [parts]`. Prints
 * `{"url":"http://127.0.0.1:…"}` when it listens, and ends on SIGTERM. Its answers are made beforehand: what is measured stands before it.
 */
import { createServer, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

const [betweenMs = 0, words = 8] = process.argv.slice(2).map(Number);
const frame = { id: "chatcmpl-mock", created: 1_780_000_000, model: "mock" };
const usage = { prompt_tokens: 24, completion_tokens: words, total_tokens: 24 + words };
const texts = Array.from({ length: words }, (_, index) => `${index === 0 ? "" : " "}word${index}`);

const whole = Buffer.from(JSON.stringify({ ...frame, object: "chat.completion", choices: [{ index: 0, message: { role: "assistant", content: texts.join("") }, finish_reason: "stop" }], usage }));
const part = (delta: object, finish_reason: string | null): string => event({ ...frame, object: "chat.completion.chunk", choices: [{ index: 0, delta, finish_reason }] });
const event = (value: object): string => `data: ${JSON.stringify(value)}\n\n`;
const parts = [
  part({ role: "assistant", content: "" }, null) + part({ content: texts[0] }, null),
  ...texts.slice(1).map((content) => part({ content }, null)),
  `${part({}, "stop")}${event({ ...frame, object: "chat.completion.chunk", choices: [], usage })}data: [DONE]\n\n`,
].map((text) => Buffer.from(text));
const streamed = Buffer.concat(parts);

// A connection that rests between two rounds is not closed under whoever is about to use it.
const server = createServer({ keepAliveTimeout: 600_000 }, (request, response) => {
  let body = "";
  request.setEncoding("latin1").on("data", (piece: string) => (body += piece));
  request.on("end", () => {
    if (!body.includes('"stream":true')) return response.writeHead(200, { "content-type": "application/json", "content-length": whole.length }).end(whole);
    response.writeHead(200, { "content-type": "text/event-stream; charset=utf-8" });
    if (betweenMs === 0) return response.end(streamed);
    return drip(response);
  });
});
server.listen(0, "127.0.0.1", 4096, () => {
  process.stdout.write(`${JSON.stringify({ url: `http://127.0.0.1:${(server.address() as AddressInfo).port}` })}\n`);
});

function drip(response: ServerResponse): void {
  let next = 0;
  const send = (): void => {
    response.write(parts[next++]);
    if (next < parts.length) return;
    clearInterval(timer);
    response.end();
  };
  const timer = setInterval(send, betweenMs);
  response.on("close", () => clearInterval(timer));
  send();
}

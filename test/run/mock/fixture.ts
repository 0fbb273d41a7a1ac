import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import OpenAI from "openai";
import { onTestFinished } from "vitest";
import command from "../../../src/run/mock-command.ts";
import { fixedClock, temporaryFolder, testContext } from "../../helpers/context.ts";

export const answers = `
passages:
  - { document: docs/returns.md, headings: Returns, text: A sensor can be returned within 30 days. }
  - { document: docs/ports.md, text: The port is 3000. }
replies:
  - when: { contains: refund, tool: look_up }
    say: It was refunded. [1]
  - when: { contains: refund }
    callTools: [{ name: look_up, arguments: { order: 7 } }]
  - when: { contains: limited }
    say: Now it works.
    fail: { status: 429, errorCode: rate_limit_exceeded, message: Too fast, retryAfterMs: 20, times: 1 }
  - when: { contains: broken }
    fail: { status: 501, message: Not here }
  - when: { contains: two orders }
    callTools:
      - { name: look_up, arguments: { order: 7, of: Ann } }
      - { name: look_up, chunks: ['{"order"', { text: ": 8}", afterMs: 1 }] }
  - when: { contains: half a call }
    say: Let me
    callTools: [{ name: look_up, chunks: ['{"or', 'der": 7}'] }]
    fail: { status: 529, message: Overloaded, afterChunks: 4 }
  - when: { contains: reset }
    say: One two three four.
    fail: { reset: true, afterChunks: 2 }
  - when: { contains: overloaded }
    say: One two three four.
    fail: { status: 529, message: Overloaded, afterChunks: 2 }
  - when: { contains: json }
    json: { bytes: 1048576 }
  - when: { equals: Hello }
    chunks: [Hel, { text: lo, afterMs: 1 }, "!"]
    usage: { inputTokens: 900, outputTokens: 3 }
  - when: { turn: 2, contains: again }
    say: As I said.
`;

/** By the clock of the process. */
export const startedAt = new Date("2030-05-06T07:08:09Z");

interface MockServer {
  readonly url: string;
  readonly client: OpenAI;
  readonly ready: Readonly<Record<string, unknown>>;
  readonly ask: (path: string, body?: object, headers?: Readonly<Record<string, string>>) => Promise<Response>;
  readonly requests: () => Promise<readonly Readonly<Record<string, unknown>>[]>;
  /** How many requests it took. */
  readonly stop: () => Promise<number>;
}

/** `twelve mock` on a free port, in this process. */
export async function startMock(yaml: string | undefined = answers, input: object = {}): Promise<MockServer> {
  const controller = new AbortController();
  const dir = await temporaryFolder();
  await writeFile(join(dir, "answers.yaml"), yaml);
  const { promise: isReady, resolve } = Promise.withResolvers<string>();
  const context = { ...(await testContext({ dir, signal: controller.signal, clock: { ...fixedClock(), now: () => startedAt } })), writeLine: (line: string) => resolve(line) };
  const ended = command.run(command.input.parse({ port: 0, answers: "answers.yaml", ...input }), context);
  onTestFinished(() => {
    controller.abort();
    return ended.then(() => {}, () => {});
  });
  const ready = JSON.parse(await Promise.race([isReady, ended.then(String)])) as { readonly url: string };
  const { url } = ready;
  return {
    url,
    ready,
    client: new OpenAI({ baseURL: `${url}/v1`, apiKey: "sk-1234567890abcdefghij", maxRetries: 0 }),
    ask: (path, body, headers = {}) => fetch(`${url}${path}`, body === undefined ? {} : { method: "POST", headers: { "content-type": "application/json", ...headers }, body: JSON.stringify(body) }),
    requests: async () => ((await (await fetch(`${url}/mock/requests`)).json()) as { readonly data: readonly Readonly<Record<string, unknown>>[] }).data,
    stop: async () => {
      controller.abort();
      return (await ended).requests;
    },
  };
}

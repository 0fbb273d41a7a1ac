import { afterEach, describe, expect, it, vi } from "vitest";
import { openRelay } from "../../src/cli/relay.ts";

afterEach(() => void vi.restoreAllMocks());

const line = { instance: "web.1", type: 0, width: 8, text: '{"event":"x"}' } as const;

/** What is written to each stream, of which some are terminals. */
function written(terminals: readonly ("stdout" | "stderr")[], flags: Parameters<typeof openRelay>[0] = {}, env: Record<string, string> = {}, said?: string): Record<string, string> {
  const relay = openRelay(flags, env);
  return Object.fromEntries((["stdout", "stderr"] as const).map((stream) => {
    let text = "";
    vi.spyOn(process[stream], "write").mockImplementation((chunk) => ((text += String(chunk)), true));
    const before = Object.getOwnPropertyDescriptor(process[stream], "isTTY");
    Object.defineProperty(process[stream], "isTTY", { value: terminals.includes(stream), configurable: true });
    relay({ ...line, ...(said === undefined ? {} : { text: said }), stream });
    if (before === undefined) delete (process[stream] as { isTTY?: boolean }).isTTY;
    else Object.defineProperty(process[stream], "isTTY", before);
    vi.restoreAllMocks();
    return [stream, text];
  }));
}

describe("a line of another process", () => {
  const plain = 'web.1    | {"event":"x"}\n';
  const colored = '\u001b[36mweb.1    |\u001b[39m {"event":"x"}\n';
  const bare = '{"event":"x"}\n';

  it.each([
    ["has its name and colour on a terminal", ["stdout", "stderr"], {}, {}, { stdout: colored, stderr: colored }],
    ["stays as it is where a program reads it, and what people read has its name", [], {}, {}, { stdout: bare, stderr: plain }],
    ["has its name where only one of them is a terminal", ["stderr"], {}, {}, { stdout: bare, stderr: colored }],
    ["has no colour with --no-color", ["stdout", "stderr"], { color: false }, {}, { stdout: plain, stderr: plain }],
    ["has no colour with NO_COLOR", ["stdout", "stderr"], {}, { NO_COLOR: "1" }, { stdout: plain, stderr: plain }],
    ["has no colour on a dumb terminal", ["stdout", "stderr"], {}, { TERM: "dumb" }, { stdout: plain, stderr: plain }],
    ["stays as it is with --json, on both", ["stdout", "stderr"], { json: true }, {}, { stdout: bare, stderr: bare }],
  ] as const)("%s", (_, terminals, flags, env, expected) => {
    expect(written(terminals, flags, env)).toEqual(expected);
  });

  it("tells an event in words where a person reads it, with the name before each of its lines, and leaves it as it is elsewhere", () => {
    const event = JSON.stringify({ event: "request-failed", time: "2026-11-25T18:44:12.345Z", "twelve.environment": "staging", "twelve.instance": "web.1", "error.type": "TypeError", "exception.stacktrace": "TypeError: x" });
    expect(written(["stdout"], { color: false }, {}, event)["stdout"]).toBe("web.1    | 18:44:12  request-failed  TypeError\nweb.1    |     TypeError: x\n");
    expect(written(["stdout"], {}, {}, event)["stdout"]).toContain("\u001b[31mrequest-failed\u001b[39m");
    expect(written([], {}, {}, event)["stdout"]).toBe(`${event}\n`);
    expect(written(["stdout"], { json: true }, {}, event)["stdout"]).toBe(`${event}\n`);
  });
});

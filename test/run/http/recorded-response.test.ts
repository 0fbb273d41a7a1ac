import { createServer, type ServerResponse } from "node:http";
import { describe, expect, it } from "vitest";
import { type Recorded, recordResponse } from "../../../src/run/http/recorded-response.ts";
import { listening } from "../../helpers/listen.ts";

interface Made {
  readonly text: string;
  readonly recorded: readonly Recorded[];
}

/** What a client gets of a response that a handler writes, and what is recorded of it. */
async function respond(handle: (response: ServerResponse) => void, { mostBytes = 1000, instead }: { readonly mostBytes?: number; readonly instead?: string } = {}): Promise<Made> {
  const recorded: Recorded[] = [];
  const server = createServer((_request, response) => {
    recordResponse(response, { mostBytes, isEnd: (text) => text.includes("END"), isComplete: (end) => end.includes("!"), onEnd: (each) => Promise.resolve(void recorded.push(each)).then(() => instead) });
    handle(response);
  });
  const text = await (await fetch(`http://127.0.0.1:${await listening(server)}`)).text();
  return { text, recorded };
}

describe("a recorded response", () => {
  it("is sent as it was written, and recorded with status and headers", async () => {
    const { text, recorded } = await respond((response) => {
      response.setHeader("x-early", "1");
      response.writeHead(201, { "content-type": "text/plain" });
      response.write("a");
      response.write(Buffer.from("é"));
      response.write("END\n");
      response.write("usage");
      response.end("!");
    });
    expect(text).toBe("aéEND\nusage!");
    expect(recorded).toEqual([{ status: 201, headers: expect.objectContaining({ "x-early": "1", "content-type": "text/plain" }), body: "aéEND\nusage!", isComplete: true }]);
  });

  it("is not complete without its end, and ends all the same", async () => {
    const { text, recorded } = await respond((response) => {
      response.write("half");
      response.end();
    });
    expect([text, recorded]).toMatchObject(["half", [{ body: "half", isComplete: false }]]);
  });

  it("is not complete when its end says something else", async () => {
    const { text, recorded } = await respond((response) => {
      response.write("a");
      response.write("END");
      response.end("failed");
    });
    expect([text, recorded]).toMatchObject(["aENDfailed", [{ isComplete: false }]]);
  });

  it("says something else at its end where that must not be said", async () => {
    const { text } = await respond((response) => {
      response.write("a");
      response.end("END!");
    }, { instead: "failed" });
    expect(text).toBe("afailed");
  });

  it("is sent whole where it is too large to be kept", async () => {
    const { text, recorded } = await respond((response) => {
      for (const part of ["x".repeat(600), "y".repeat(600), "END!"]) response.write(part);
      response.end();
    });
    expect(text).toBe(`${"x".repeat(600)}${"y".repeat(600)}END!`);
    expect(recorded).toMatchObject([{ body: undefined, isComplete: true }]);
  });
});

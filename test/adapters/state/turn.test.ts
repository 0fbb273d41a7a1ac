import { describe, expect, it } from "vitest";
import { openTurnReader, queryMessage, stateAfter, syncMessage } from "../../../src/adapters/state/turn.ts";
import { message, opening, ready, start } from "./messages.ts";

const query = message("Q", "select 1\0");
const parse = message("P", "\0select $1\0\0\0");
const [bind, describeIt, execute, sync, flush, end] = ["B", "D", "E", "S", "H", "X"].map((type) => message(type, type === "S" || type === "X" ? "" : "x")) as [Buffer, Buffer, Buffer, Buffer, Buffer, Buffer];
const batch = [parse, bind, describeIt, execute];

describe("the turn reader", () => {
  it("gives a query at once and a batch up to its Sync", () => {
    const turns = openTurnReader().read(Buffer.concat([start, query, ...batch, sync, query]));
    expect(turns.map(({ kind }) => kind)).toEqual(["start", "work", "work", "work"]);
    expect(turns.map(({ bytes }) => bytes)).toEqual([start, query, Buffer.concat([...batch, sync]), query]);
  });

  it("holds a batch back until all of it is there", () => {
    const reader = openTurnReader();
    reader.read(start);
    expect(reader.read(Buffer.concat(batch))).toEqual([]);
    expect(reader.read(sync)).toEqual([{ kind: "work", bytes: Buffer.concat([...batch, sync]) }]);
  });

  it("ends a turn at a Flush, whose sender waits too", () => {
    const turns = openTurnReader().read(Buffer.concat([start, ...batch, flush, sync]));
    expect(turns.slice(1).map(({ bytes }) => bytes)).toEqual([Buffer.concat([...batch, flush]), sync]);
  });

  it("gives the same turns for the same bytes in pieces of one", () => {
    const bytes = Buffer.concat([opening(80877103), start, query, ...batch, sync, end]);
    const reader = openTurnReader();
    const turns = [...bytes].flatMap((byte) => reader.read(Buffer.of(byte)));
    expect(turns).toEqual(openTurnReader().read(bytes));
    expect(turns.map(({ kind }) => kind)).toEqual(["encryption", "start", "work", "work", "end"]);
  });

  it("knows who only asks to cancel", () => {
    expect(openTurnReader().read(opening(80877102, "12345678"))[0]?.kind).toBe("cancel");
  });

  it.each([
    ["another protocol", [Buffer.from("GET / HTTP/1.1\r\n\r\n")]],
    ["an unknown version", [opening(131072)]],
    ["an unknown message", [start, message("d", "copied")]],
    ["a message of impossible size", [start, Buffer.from([0x51, 0xff, 0xff, 0xff, 0xff])]],
    ["a message that is too large", [start, Buffer.from([0x51, 0x7f, 0xff, 0xff, 0xff])]],
  ])("refuses %s", (_, parts) => {
    expect(() => openTurnReader().read(Buffer.concat(parts))).toThrow(RangeError);
  });
});

describe("an answer", () => {
  it.each([
    ["idle", Buffer.concat([message("C", "SELECT 1\0"), ready("I")])],
    ["transaction", ready("T")],
    ["transaction", ready("E")],
    ["batch", message("1")],
    ["batch", Buffer.alloc(0)],
  ])("leaves the backend %s", (state, answer) => {
    expect(stateAfter(answer)).toBe(state);
  });

  it("is asked for as clients ask", () => {
    expect(queryMessage("select 1")).toEqual(query);
    expect(syncMessage).toEqual(sync);
  });
});

import { once } from "node:events";
import { type AddressInfo, type Socket, connect, createServer } from "node:net";
import { describe, expect, it, onTestFinished, vi } from "vitest";
import { type Backend, type SharedBackend, shareBackend } from "../../../src/adapters/state/share.ts";
import { message, ready, start } from "./messages.ts";

const query = (text: string): Buffer => message("Q", `${text}\0`);

interface Stage {
  readonly shared: SharedBackend;
  /** What the backend was given, in order, as readable text. */
  readonly given: readonly string[];
  readonly failures: readonly unknown[];
  readonly join: () => Promise<Socket>;
}

/** A backend that answers like Postgres to `begin` and `commit`, or that fails at `crash`. */
async function openStage(patienceMs = 60_000): Promise<Stage> {
  const given: string[] = [];
  const failures: unknown[] = [];
  let isInTransaction = false;
  const backend: Backend = async (bytes) => {
    const text = Buffer.from(bytes).toString("latin1").replace(/[^a-zA-Z ]+/g, "");
    given.push(text);
    await Promise.resolve();
    if (text.includes("crash")) throw new Error("out of memory");
    if (/begin/.test(text)) isInTransaction = true;
    if (/commit|ROLLBACK/.test(text)) isInTransaction = false;
    return text.endsWith("H") ? message("1") : ready(isInTransaction ? "T" : "I");
  };
  const shared = shareBackend(backend, { patienceMs, onFailure: (error) => failures.push(error) });
  const server = createServer((socket) => shared.serve(socket)).listen(0, "127.0.0.1");
  await once(server, "listening");
  onTestFinished(() => void server.close());
  const join = async (): Promise<Socket> => {
    const socket = connect((server.address() as AddressInfo).port, "127.0.0.1");
    onTestFinished(() => void socket.destroy());
    socket.on("error", () => {});
    await once(socket, "connect");
    socket.write(start);
    await once(socket, "data");
    return socket;
  };
  return { shared, given, failures, join };
}

async function ask(client: Socket, ...messages: readonly Buffer[]): Promise<void> {
  client.write(Buffer.concat(messages));
  await once(client, "data");
}

describe("a shared backend", () => {
  it("serves one client alone from begin to commit", async () => {
    const { given, join } = await openStage();
    const [first, second] = [await join(), await join()];
    await ask(first, query("begin"));
    const later = ask(second, query("second"));
    await ask(first, query("first"));
    await ask(first, query("commit"));
    await later;
    expect(given.slice(2)).toEqual(["Qbegin", "Qfirst", "Qcommit", "Qsecond"]);
  });

  it("never mixes the batches of two clients", async () => {
    const { given, join } = await openStage();
    const [first, second] = [await join(), await join()];
    first.write(message("P", "one"));
    second.write(Buffer.concat([message("P", "two"), message("S")]));
    await once(second, "data");
    await ask(first, message("E", "one"), message("S"));
    expect(given.slice(2)).toEqual(["PtwoS", "PoneEoneS"]);
  });

  it("keeps others out of a batch whose sender has asked for a part of the answer", async () => {
    const { given, join } = await openStage();
    const [first, second] = [await join(), await join()];
    await ask(first, message("P", "one"), message("H"));
    const later = ask(second, query("second"));
    await ask(first, message("S"));
    await later;
    expect(given.slice(2)).toEqual(["PoneH", "S", "Qsecond"]);
  });

  it("undoes the transaction of a client that is gone", async () => {
    const { given, join } = await openStage();
    const [first, second] = [await join(), await join()];
    await ask(first, query("begin"));
    const later = ask(second, query("second"));
    first.destroy();
    await later;
    expect(given.slice(2)).toEqual(["Qbegin", "QROLLBACK", "Qsecond"]);
  });

  it("cuts off a client that keeps all others waiting in silence", async () => {
    const { given, join } = await openStage(50);
    const [first, second] = [await join(), await join()];
    await ask(first, query("begin"));
    await ask(second, query("second"));
    expect(given.slice(2)).toEqual(["Qbegin", "QROLLBACK", "Qsecond"]);
    await vi.waitFor(() => expect(first.closed).toBe(true));
  });

  it("drops who speaks another language, and serves the others", async () => {
    const { shared, given, join } = await openStage();
    const [first, second] = [await join(), await join()];
    first.write(message("?", "what"));
    await once(first, "close");
    await ask(second, query("second"));
    expect(given.slice(2)).toEqual(["Qsecond"]);
    second.end(message("X"));
    await vi.waitFor(() => expect(shared.clients()).toBe(0));
  });

  it("says when the backend is broken", async () => {
    const { failures, join } = await openStage();
    (await join()).write(query("crash"));
    await vi.waitFor(() => expect(failures).toEqual([new Error("out of memory")]));
  });
});

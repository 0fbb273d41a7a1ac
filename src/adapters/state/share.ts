import type { Socket } from "node:net";
import { openTurnReader, queryMessage, stateAfter, syncMessage } from "./turn.ts";

/** The one backend: takes the messages of a turn and gives all that it answers. */
export type Backend = (messages: Uint8Array) => Promise<Uint8Array>;

export interface SharedBackend {
  /** Serves one client until its connection ends. */
  serve(socket: Socket): void;
  /** How many clients there are. */
  readonly clients: () => number;
}

interface ShareOptions {
  /** A client that keeps a transaction open for so long without a word is cut off: all others wait for it. */
  readonly patienceMs: number;
  /** The backend broke off; nothing can be served any more. */
  readonly onFailure: (error: unknown) => void;
}

/**
 * Lets many connections use one backend, a turn at a time. A client that has begun a transaction, or a batch, is served
 * alone until it is through. (The package `pglite-socket` takes turns by message: batches of two clients get mixed, and
 * one failure stops it for good.) What belongs to a session, such as SET, LISTEN or advisory locks, is shared by all.
 */
export function shareBackend(backend: Backend, { patienceMs, onFailure }: ShareOptions): SharedBackend {
  const clients = new Set<Socket>();
  const waiting: { readonly client: Socket; readonly bytes: Uint8Array }[] = [];
  let holder: { readonly client: Socket; readonly state: "transaction" | "batch" } | undefined;
  let isBusy = false;
  let patience: NodeJS.Timeout | undefined;

  async function pump(): Promise<void> {
    if (isBusy) return;
    isBusy = true;
    clearTimeout(patience);
    try {
      for (;;) {
        if (holder !== undefined && !clients.has(holder.client)) await release(holder.state);
        const index = holder === undefined ? 0 : waiting.findIndex(({ client }) => client === holder?.client);
        const [next] = index < 0 ? [] : waiting.splice(index, 1);
        if (next === undefined) break;
        const answer = await backend(next.bytes);
        const state = stateAfter(answer);
        holder = state === "idle" ? undefined : { client: next.client, state };
        if (next.client.writable) next.client.write(answer);
      }
    } finally {
      isBusy = false;
    }
    const silent = holder?.client;
    if (silent !== undefined) patience = setTimeout(() => silent.destroy(), patienceMs).unref();
  }

  /** The holder is gone: its batch is closed and its transaction undone. */
  async function release(state: "transaction" | "batch"): Promise<void> {
    if (state === "batch") await backend(syncMessage);
    await backend(queryMessage("ROLLBACK"));
    holder = undefined;
  }

  function serve(socket: Socket): void {
    const reader = openTurnReader();
    clients.add(socket);
    socket.setNoDelay(true);
    socket.on("error", () => socket.destroy());
    socket.on("close", () => {
      clients.delete(socket);
      const kept = waiting.filter(({ client }) => client !== socket);
      waiting.splice(0, waiting.length, ...kept);
      pump().catch(onFailure);
    });
    socket.on("data", (bytes) => {
      try {
        for (const turn of reader.read(bytes)) {
          if (turn.kind === "encryption") socket.write("N");
          // There is no second process that could be interrupted.
          else if (turn.kind === "cancel" || turn.kind === "end") socket.end();
          else waiting.push({ client: socket, bytes: turn.bytes });
        }
      } catch {
        socket.destroy();
      }
      pump().catch(onFailure);
    });
  }

  return { serve, clients: () => clients.size };
}

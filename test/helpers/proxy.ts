import { once } from "node:events";
import { createServer, type IncomingMessage, request as ask, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { limitTo } from "../../src/adapters/store/limit.ts";

export interface Proxy {
  readonly url: string;
  /** Takes a request over where it gives true; everything else is passed on. */
  fault: ((request: IncomingMessage, response: ServerResponse) => boolean) | undefined;
  close(): void;
}

/** A server in front of another one, for failing in a test's own ways, or for one that cannot take many requests at once. */
export async function startProxy(target: string, { atOnce = Infinity }: { readonly atOnce?: number } = {}): Promise<Proxy> {
  const limit = limitTo(atOnce);
  const passOn = async (incoming: IncomingMessage, response: ServerResponse): Promise<void> => {
    if (response.closed) return;
    const answered = once(response, "close");
    const passed = ask(new URL(incoming.url ?? "/", target), { method: incoming.method, headers: incoming.headers }, (answer) => {
      response.writeHead(answer.statusCode ?? 500, answer.headers);
      answer.pipe(response);
    });
    passed.once("error", () => response.destroy());
    incoming.pipe(passed);
    await answered;
  };
  const server = createServer((incoming, response) => {
    if (proxy.fault?.(incoming, response) !== true) void limit(() => passOn(incoming, response));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const close = (): void => {
    server.closeAllConnections();
    server.close();
  };
  const proxy: Proxy = { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, fault: undefined, close };
  return proxy;
}

import type { AddressInfo } from "node:net";
import type { FastifyInstance } from "fastify";
import { TwelveError } from "../../core/errors.ts";
import type { Traffic } from "./traffic.ts";

export interface Address {
  readonly host: string;
  /** 0 takes any free port. */
  readonly port: number;
  /** Whether other processes of this program listen there too. */
  readonly isShared?: boolean;
}

/**
 * Where the kernel can, it hands each connection to one of the processes that share a port, and resets what a process that is
 * killed had not taken yet: its client can ask again. Elsewhere node:cluster shares it, whose parent process would let such a client wait.
 */
const canKernelShare = process.platform === "linux" || process.platform === "freebsd";

export function sharing({ isShared = false }: Address): { readonly reusePort?: true } {
  return isShared && canKernelShare ? { reusePort: true } : {};
}

/** Listens and gives the server's URL. Fails with PORT_TAKEN, and with USAGE_INVALID for an address that cannot be listened on. */
export async function listen(app: FastifyInstance, address: Address): Promise<string> {
  const { host, port } = address;
  try {
    await app.listen({ host, port, ...sharing(address) });
  } catch (cause) {
    throw listenFailure(cause, { host, port });
  }
  const { port: taken } = app.server.address() as AddressInfo;
  return urlOf(host, taken);
}

export function urlOf(host: string, port: number): string {
  return `http://${host.includes(":") ? `[${host}]` : host}:${port}`;
}

export function listenFailure(cause: unknown, { host, port }: Address): unknown {
  const code = cause instanceof Error && "code" in cause ? cause.code : undefined;
  if (code === "EADDRINUSE") return new TwelveError("PORT_TAKEN", `Port ${port} on ${host} is in use`, { cause });
  if (code === "EACCES") return new TwelveError("USAGE_INVALID", `Port ${port} needs privileges that this process does not have`, { cause, fix: "Choose a port above 1023 with `--port` or PORT" });
  if (code === "EADDRNOTAVAIL" || code === "ENOTFOUND" || code === "EAI_AGAIN") {
    return new TwelveError("USAGE_INVALID", `This machine has no address ${host} to listen on`, { cause, fix: "Use `--host 127.0.0.1`, or `--host 0.0.0.0` for every address" });
  }
  return cause;
}

/**
 * Stops in good order: takes no new connections, waits for the requests under way, cuts those that take longer than
 * `drainMs`, and closes what is left.
 */
export async function stopServer(app: FastifyInstance, traffic: Traffic, drainMs: number): Promise<void> {
  const drained = traffic.drain(drainMs);
  // Stops listening at once, and resolves when every connection is closed.
  const closed = app.close();
  await drained;
  app.server.closeAllConnections();
  await closed;
}

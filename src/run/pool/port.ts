import { once } from "node:events";
import { type AddressInfo, createServer } from "node:net";
import { listenFailure } from "../http/listen.ts";
import type { ProcessType } from "./type-plan.ts";

/**
 * Makes sure of every port before any process is started: each of them would only find that others listen there, and could not
 * tell its own kind from a stranger. Any free port becomes a certain one, since processes that start again must find it. Fails with PORT_TAKEN.
 */
export async function settlePorts(types: readonly ProcessType[], host: string): Promise<readonly ProcessType[]> {
  return Promise.all(types.map(async (type) => ({ ...type, port: await freePort(host, type.port) })));
}

async function freePort(host: string, wanted: number): Promise<number> {
  const server = createServer();
  try {
    await once(server.listen(wanted, host), "listening");
  } catch (cause) {
    throw listenFailure(cause, { host, port: wanted });
  }
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, "close");
  return port;
}

import { once } from "node:events";
import { type AddressInfo, createServer } from "node:net";
import { listenFailure } from "../http/listen.ts";
import type { ProcessType } from "./type-plan.ts";

/** Any free port becomes a certain one: processes that start again must find the port that those before them had. */
export async function settlePorts(types: readonly ProcessType[], host: string): Promise<readonly ProcessType[]> {
  return Promise.all(types.map(async (type) => (type.port === 0 ? { ...type, port: await freePort(host) } : type)));
}

async function freePort(host: string): Promise<number> {
  const server = createServer();
  try {
    await once(server.listen(0, host), "listening");
  } catch (cause) {
    throw listenFailure(cause, { host, port: 0 });
  }
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, "close");
  return port;
}

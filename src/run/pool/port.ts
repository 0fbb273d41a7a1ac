import { once } from "node:events";
import { type AddressInfo, createServer } from "node:net";
import { TwelveError } from "../../core/errors.ts";
import { listenFailure } from "../http/listen.ts";
import { portStep, type ProcessType } from "./type-plan.ts";

/**
 * Makes sure of every port before any process is started: each of them would only find that others listen there, and could not
 * tell its own kind from a stranger. Any free port becomes a certain one, since processes that start again must find it. Fails with PORT_TAKEN.
 */
export async function settlePorts(types: readonly ProcessType[], host: string): Promise<readonly ProcessType[]> {
  return Promise.all(types.map(async (type) => ({ ...type, port: await freePort(host, type, types) })));
}

async function freePort(host: string, { name, port: wanted }: ProcessType, types: readonly ProcessType[]): Promise<number> {
  const server = createServer();
  try {
    await once(server.listen(wanted, host), "listening");
  } catch (cause) {
    const failure = listenFailure(cause, { host, port: wanted });
    const [first] = types;
    if (first === undefined || types.length === 1 || !(failure instanceof TwelveError) || failure.code !== "PORT_TAKEN") throw failure;
    throw new TwelveError("PORT_TAKEN", `${failure.message}: it is the port of the type ${name}`, { cause, fix: `End what listens there, or move the ports of all types with \`--port\` or PORT: it is ${first.port} now, the port of ${first.name}, and each further type has one ${portStep} above the one before` });
  }
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, "close");
  return port;
}

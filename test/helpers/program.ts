import { accessSync, constants } from "node:fs";
import { createServer, type AddressInfo } from "node:net";
import { delimiter, join } from "node:path";

/** Whether a program of that name is on the PATH. */
export function isInstalled(command: string): boolean {
  return findProgram(command) !== undefined;
}

/** The file of the program that is on the PATH under that name. */
export function findProgram(command: string): string | undefined {
  return (process.env["PATH"] ?? "").split(delimiter).map((folder) => join(folder, command)).find(isExecutable);
}

/** A port of loopback for a program that cannot choose one itself. */
export async function freePort(): Promise<number> {
  const { promise: isListening, resolve, reject } = Promise.withResolvers<void>();
  const server = createServer().once("error", reject).listen(0, "127.0.0.1", resolve);
  await isListening;
  const { port } = server.address() as AddressInfo;
  await new Promise((closed) => server.close(closed));
  return port;
}

function isExecutable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

import { TwelveError } from "../core/errors.ts";
import type { Address } from "./http/listen.ts";

/** Where a server listens when nobody says. */
export const usualAddress: Address = { host: "127.0.0.1", port: 3000 };
/** Where AgentCore looks for a container. */
export const agentCoreAddress: Address = { host: "0.0.0.0", port: 8080 };

interface Flags {
  readonly host: string | undefined;
  readonly port: number | undefined;
  readonly agentcore: boolean;
}

/** A flag wins over the variable PORT. Fails with USAGE_INVALID. */
export function planAddress({ host, port, agentcore }: Flags, variable: string | undefined): Address {
  const usual = agentcore ? agentCoreAddress : usualAddress;
  return { host: host ?? usual.host, port: port ?? portFrom(variable) ?? usual.port };
}

function portFrom(text: string | undefined): number | undefined {
  if (text === undefined || text === "") return undefined;
  const port = /^\d{1,5}$/.test(text) ? Number(text) : Number.NaN;
  if (port <= 65_535) return port;
  throw new TwelveError("USAGE_INVALID", `PORT is ${JSON.stringify(text)}; expected a number from 0 to 65535`, { fix: "Correct the variable PORT, or use `--port`" });
}

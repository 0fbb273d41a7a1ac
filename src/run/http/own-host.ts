import { BlockList, isIP } from "node:net";

const loopback = new BlockList();
loopback.addSubnet("127.0.0.0", 8);
loopback.addAddress("::1", "ipv6");

/** Whether only programs of this machine can reach the address. */
export function isLoopback(host: string): boolean {
  if (host.toLowerCase() === "localhost") return true;
  const family = isIP(host);
  return family !== 0 && loopback.check(host, family === 6 ? "ipv6" : "ipv4");
}

/**
 * Whether a Host header names this machine. A page whose own name was made to point here (DNS rebinding) is the same origin to its
 * browser, but it cannot hide its name.
 */
export function isOwnHost(header: string): boolean {
  if (header === lastOwn) return true;
  const name = header.replace(/:\d*$/, "").toLowerCase();
  const isOwn = isLoopback(/^\[(.*)\]$/.exec(name)?.[1] ?? name) || name.endsWith(".localhost");
  if (isOwn) lastOwn = header;
  return isOwn;
}

/** One request after the other names the same host. */
let lastOwn: string | undefined;

/** A page of this server itself, as its own Host header tells. */
export function isOwnOrigin(origin: string, host: string | undefined): boolean {
  return host !== undefined && (origin === `http://${host}` || origin === `https://${host}`);
}

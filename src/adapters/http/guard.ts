import dns from "node:dns";
import { BlockList, isIP, type LookupFunction } from "node:net";
import type { buildConnector } from "undici";
import { TwelveError } from "../../core/errors.ts";

/** What a cloud tells, and gives, to whoever asks from one of its machines, and the neighbours of a machine that no name should lead to. */
const ranges4: readonly (readonly [address: string, bits: number])[] = [
  ["0.0.0.0", 8],
  ["169.254.0.0", 16], // link-local; metadata of AWS, Google, Azure, Oracle and others
  ["168.63.129.16", 32], // Azure
  ["100.100.100.200", 32], // Alibaba
  ["192.0.0.192", 32], // Oracle, formerly
];
const ranges6: readonly (readonly [address: string, bits: number])[] = [
  ["::", 128],
  ["fe80::", 10],
  ["fec0::", 10], // what was meant for a site, and is no part of any network now
  ["64:ff9b:1::", 48], // NAT64 of a network of its own, which may put the IPv4 address anywhere behind it
  ["fd00:ec2::", 32], // AWS
  ["fd20:ce::", 32], // Google
];
/** IPv6 addresses that stand for an IPv4 address: NAT64, SIIT, and what is written as one, `::a.b.c.d`. The list knows `::ffff:a.b.c.d` by itself. */
const prefixes = ["64:ff9b::", "::ffff:0:", "::"];

const refused = makeList();

function makeList(): BlockList {
  const list = new BlockList();
  for (const [address, bits] of ranges4) list.addSubnet(address, bits, "ipv4");
  for (const [address, bits] of ranges6) list.addSubnet(address, bits, "ipv6");
  // ::1 is loopback, and no form of 0.0.0.1.
  for (const prefix of prefixes) for (const [address, bits] of ranges4.slice(1)) list.addSubnet(prefix + address, 96 + bits, "ipv6");
  // 6to4 has the IPv4 address behind its first two bytes.
  for (const [address, bits] of ranges4) list.addSubnet(`2002:${hexOf(address)}::`, 16 + bits, "ipv6");
  return list;
}

function hexOf(address: string): string {
  const [a = 0, b = 0, c = 0, d = 0] = address.split(".").map(Number);
  return `${(a * 256 + b).toString(16)}:${(c * 256 + d).toString(16)}`;
}

/** Whether a request that somebody else had a say in, such as a model, must not go there. Loopback and private networks are where services of one's own are. */
export function isRefused(address: string): boolean {
  const [plain = ""] = address.split("%");
  return refused.check(plain, isIP(plain) === 6 ? "ipv6" : "ipv4");
}

/** Resolves a name as the system does, and refuses it where one of its addresses is refused. What was looked at is what is connected to: no second answer of the name server comes between. */
const guardedLookup: LookupFunction = (hostname, options, callback) => {
  dns.lookup(hostname, { ...options, all: true }, (error, addresses) => {
    if (error !== null) return callback(error, "");
    const wrong = addresses.find(({ address }) => isRefused(address));
    if (wrong !== undefined) return callback(refusal(`${hostname} is ${wrong.address}`), "");
    if (options.all === true) return callback(null, addresses);
    const [first] = addresses;
    return callback(null, first?.address ?? "", first?.family);
  });
};

/** Connects as undici does, but nowhere that is refused, and whatever leads there: an address, a name, or a redirect. */
export async function guardedConnector(timeout: number): Promise<buildConnector.connector> {
  const { default: build } = await import("undici/lib/core/connect.js");
  const connect = build({ timeout, lookup: guardedLookup });
  return (options, callback) => {
    const { hostname } = options;
    // Of an address nothing is looked up.
    if (isIP(hostname) !== 0 && isRefused(hostname)) return callback(refusal(hostname), null);
    return connect(options, callback);
  };
}

function refusal(what: string): TwelveError {
  return new TwelveError("ADDRESS_REFUSED", `${what}, an address that tools may not reach: it is link-local, or a cloud's metadata service`);
}

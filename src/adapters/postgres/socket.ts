import { Socket } from "node:net";

/** No message that a server begins with is longer: a login's question, or an error. */
const longestBytes = 65_536;
/** A handshake or an alert of TLS, where TLS begins at once (`sslnegotiation=direct`). */
const tls = new Set([0x15, 0x16]);

/**
 * A connection that is given up when what answers is no Postgres server: the driver would wait for the rest of a long message, and take
 * the end of a page for a connection that broke. The first bytes are told in
 * https://www.postgresql.org/docs/current/protocol-flow.html#PROTOCOL-FLOW-START-UP.
 */
export function openSocket(): Socket {
  const socket = new Socket();
  return socket.once("data", (bytes: Buffer) => {
    if (!isPostgres(bytes)) socket.destroy(new Error("what answers does not speak the protocol of Postgres"));
  });
}

function isPostgres(bytes: Buffer): boolean {
  const first = bytes[0] ?? 0;
  // One letter answers the question for TLS; else a letter is followed by a length.
  if (tls.has(first) || (bytes.length === 1 && "SN".includes(String.fromCharCode(first)))) return true;
  return "REv".includes(String.fromCharCode(first)) && (bytes.length < 5 || bytes.readUInt32BE(1) <= longestBytes);
}

/** Loaded with `--import` into a child process: whatever it does over a network ends the process with exit code 99. */
import dgram from "node:dgram";
import dns from "node:dns";
import net from "node:net";

function deny(what: string): () => never {
  return () => {
    process.stderr.write(`NETWORK: ${what}\n`);
    process.exit(99);
  };
}

net.Socket.prototype.connect = deny("connect");
net.Server.prototype.listen = deny("listen");
dgram.Socket.prototype.send = deny("send");
dns.lookup = deny("lookup") as unknown as typeof dns.lookup;
dns.promises.lookup = deny("lookup");

#!/usr/bin/env node
// Default import and plain syntax: an older Node must reach the message below, not a link error.
import module from "node:module";

const [major, minor] = process.versions.node.split(".").map(Number);
if (major < 22 || (major === 22 && minor < 18)) {
  process.stderr.write(`twelve needs Node 22.18 or newer; this is ${process.version}. Install a newer Node and try again.\n`);
  process.exit(2);
}
module.enableCompileCache?.();
await import("../dist/main.js");

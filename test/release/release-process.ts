import { openStore } from "../../src/adapters/registry.ts";
import { systemClock } from "../../src/adapters/system/clock.ts";
import { digestOf } from "../../src/core/descriptor.ts";
import type { Store } from "../../src/ports/store.ts";
import { appendActivation, recordRelease } from "../../src/release/apply.ts";
import type { Release } from "../../src/release/schema.ts";

/**
 * One process that records and activates a release in a `file:` store, for tests that start several of them.
 * Arguments: the folder, the release's TOP_K, and after how many writes the process kills itself; -1 for never.
 */
const [folder = "", topK = "0", survivedWrites = "-1"] = process.argv.slice(2);
const store = dying(await openStore("file:store", { dir: folder, env: {} }), Number(survivedWrites));

const build = { mediaType: "test", digest: digestOf("build"), size: 1 };
const release: Release = { version: 1, app: "a", build, indexes: {}, config: { TOP_K: { value: Number(topK), source: "--set" } }, attachments: [], secrets: {}, models: [], agents: {}, processes: {} };
const services = { store, clock: systemClock };
const { number, releaseDescriptor } = await recordRelease(services, release);
await appendActivation(services, { app: "a", environment: "staging", number, release: releaseDescriptor, attachments: {}, secrets: {}, reason: "release" });
process.stdout.write(`${number}\n`);

/** The store, which kills the process with SIGKILL as it begins the write after `survived` others. */
function dying(opened: Store, survived: number): Store {
  let writes = 0;
  const count = (): void => {
    if (writes++ === survived) process.kill(process.pid, "SIGKILL");
  };
  return {
    url: opened.url,
    blobs: { ...opened.blobs, write: (bytes, mediaType) => (count(), opened.blobs.write(bytes, mediaType)) },
    refs: {
      ...opened.refs,
      create: (name, value) => (count(), opened.refs.create(name, value)),
      replace: (name, value, tag) => (count(), opened.refs.replace(name, value, tag)),
    },
  };
}

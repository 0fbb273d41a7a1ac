import fs, { writeSync } from "node:fs";
import { syncBuiltinESMExports } from "node:module";
import { openStore } from "../../../../src/adapters/store/fs/adapter.ts";
import { writeScript } from "./script.ts";

/** A process that works through the script of writes and is killed, as by `kill -9`, right before its n-th change of the disk. */
const [, , url = "", folder = "", deadly = "0"] = process.argv;
let steps = 0;

type Step = (...given: unknown[]) => Promise<unknown>;

/** The step fails to happen; writing a file happens by half. */
function mortal(step: Step, half?: Step): Step {
  return async function (this: unknown, ...given) {
    steps += 1;
    if (steps === Number(deadly)) {
      await half?.apply(this, given);
      process.kill(process.pid, "SIGKILL");
    }
    return step.apply(this, given);
  };
}

// Only steps that change something count: to die before a look at the disk is to die before the change that follows.
const promises = fs.promises as unknown as Record<string, Step>;
const handle = await fs.promises.open(import.meta.filename);
const prototype = Object.getPrototypeOf(handle) as Record<string, Step>;
await handle.close();
for (const name of ["mkdir", "rename", "link", "rm", "copyFile"]) promises[name] = mortal(promises[name] as Step);
const open = promises["open"] as Step;
const openNew = mortal(open);
promises["open"] = (path, flags, mode) => (flags === "r" ? open : openNew)(path, flags, mode);
prototype["chmod"] = mortal(prototype["chmod"] as Step);
const writeFile = prototype["writeFile"] as Step;
prototype["writeFile"] = mortal(writeFile, function (this: unknown, content) {
  return writeFile.call(this, (content as Uint8Array | string).slice(0, 5));
});
syncBuiltinESMExports();

// Written at once, so that what is done is known to be done.
await writeScript(openStore(url, "/"), folder, (done) => void writeSync(1, `${done}\n`));
writeSync(1, "finished\n");

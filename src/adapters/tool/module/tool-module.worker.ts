import { parentPort, workerData } from "node:worker_threads";
import { serveTool } from "./serve.ts";

// The log of the process is on stdout; what a module writes there is none of it.
process.stdout.write = process.stderr.write.bind(process.stderr);
if (parentPort !== null) await serveTool((workerData as { readonly file: string }).file, parentPort);

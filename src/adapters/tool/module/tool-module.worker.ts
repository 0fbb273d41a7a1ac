import { parentPort, workerData } from "node:worker_threads";
import { serveTool } from "./serve.ts";

if (parentPort !== null) await serveTool((workerData as { readonly file: string }).file, parentPort);

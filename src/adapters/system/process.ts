import { execFile } from "node:child_process";
import type { Processes } from "../../ports/process.ts";

const maxOutputBytes = 256 * 1024 * 1024;

export const systemProcesses: Processes = {
  run: (file, args, { cwd, env }) =>
    new Promise((resolve) => {
      const options = { cwd, env: env ?? process.env, encoding: "buffer", maxBuffer: maxOutputBytes } as const;
      execFile(file, args, options, (error, stdout, stderr) => {
        const exitCode = error === null ? 0 : typeof error.code === "number" ? error.code : undefined;
        resolve({ exitCode, stdout, stderr: stderr.toString("utf8") });
      });
    }),
};

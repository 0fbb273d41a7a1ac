import { spawn, spawnSync } from "node:child_process";

/** Why tests against moto's S3 are skipped; a build server that promises every service has TWELVE_REQUIRE_SERVICES. */
export const withoutMoto: string | undefined =
  process.env["TWELVE_REQUIRE_SERVICES"] || spawnSync("moto_server", ["--help"]).status === 0 ? undefined : "skipped: moto_server is not installed";

/** A server of its own on a free port. */
export async function startMoto(): Promise<{ readonly url: string; stop(): void }> {
  const child = spawn("moto_server", ["-H", "127.0.0.1", "-p", "0"], { stdio: ["ignore", "pipe", "pipe"] });
  const url = await new Promise<string>((resolve, reject) => {
    let text = "";
    const read = (piece: Buffer): void => {
      text += piece.toString();
      const found = /Running on (http:\/\/\S+)/.exec(text)?.[1];
      if (found !== undefined) resolve(found);
    };
    child.stdout.on("data", read);
    child.stderr.on("data", read);
    child.once("error", reject);
    child.once("exit", () => reject(new Error(`moto_server ended: ${text}`)));
  });
  return { url, stop: () => void child.kill() };
}

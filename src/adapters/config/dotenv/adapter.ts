import { readFile } from "node:fs/promises";
import { resolve } from "node:path";
import { parseEnv } from "node:util";
import { TwelveError } from "../../../core/errors.ts";
import type { ConfigProvider } from "../../../ports/config.ts";

/** `dotenv:<file>`: a file of KEY=VALUE lines, relative to the application's folder. */
export async function openConfig(reference: string, dir: string): Promise<ConfigProvider> {
  const file = reference.slice("dotenv:".length);
  if (file === "") throw new TwelveError("CONFIG_INVALID", "`dotenv:` names no file", { fix: "Write a file after the colon, such as dotenv:.env" });
  return {
    reference,
    async read() {
      const values = await readValues(resolve(dir, file), file);
      return { values: Object.fromEntries(Object.entries(values).map(([key, text]) => [key, { text, source: reference }])), ignored: [] };
    },
  };
}

async function readValues(path: string, file: string): Promise<Readonly<Record<string, string>>> {
  let bytes: Buffer;
  try {
    bytes = await readFile(path);
  } catch (cause) {
    const code = cause instanceof Error && "code" in cause ? cause.code : undefined;
    if (code === "ENOENT" || code === "ENOTDIR") return {};
    // The system's message names the file; its content appears in no message, for it may be a secret.
    throw new TwelveError("CONFIG_INVALID", `${file} cannot be read: ${cause instanceof Error ? cause.message : String(cause)}`, { cause, fix: `Make ${file} a readable file of KEY=VALUE lines` });
  }
  let text: string;
  try {
    text = new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    throw new TwelveError("CONFIG_INVALID", `${file} is not UTF-8`, { fix: `Save ${file} as UTF-8` });
  }
  return Object.fromEntries(Object.entries(parseEnv(text)).map(([key, value]) => [key, value ?? ""]));
}

import { TwelveError } from "../../../core/errors.ts";
import type { Environment } from "../../../ports/context.ts";

const name = "ANTHROPIC_CUSTOM_HEADERS";

/** Headers for a gateway, one `Name: value` a line, as Anthropic's own clients read them. Fails with CONFIG_INVALID. */
export function readHeaders(env: Environment): Readonly<Record<string, string>> {
  const lines = (env[name] ?? "").split(/\r?\n/).map((line) => line.trim()).filter((line) => line !== "");
  return Object.fromEntries(lines.map((line, i) => {
    const [, header, value] = /^([!#$%&'*+.^_`|~0-9A-Za-z-]+):\s*([\x20-\x7e]*)$/.exec(line) ?? [];
    // The line itself may hold a key.
    if (header === undefined || value === undefined) throw new TwelveError("CONFIG_INVALID", `Line ${i + 1} of ${name} is not \`Name: value\``, { fix: `Correct ${name}, or unset it` });
    return [header.toLowerCase(), value];
  }));
}

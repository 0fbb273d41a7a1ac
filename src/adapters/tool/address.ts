import type { HttpService } from "../http/service.ts";

/** An address without the user and the password in it, which are sent as a header. */
export interface ToolAddress {
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
}

/** Given names in any case; the address's own login gives way to a header that says another. */
export function readAddress(written: string, headers: Readonly<Record<string, string>>): ToolAddress {
  const named = Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]));
  const [, scheme = "", login] = /^(https?:\/\/)(?:([^/?#]*)@)?/i.exec(written) ?? [];
  if (login === undefined) return { url: written, headers: named };
  const basic = Buffer.from(decodeURIComponent(login)).toString("base64");
  return { url: scheme + written.slice(scheme.length + login.length + 1), headers: { authorization: `Basic ${basic}`, ...named } };
}

/** As messages name it. What opens it is in its headers. */
export function toolService(name: string): HttpService {
  return { name: `tool ${name}`, keyName: `headers of the tool ${name}`, key: undefined };
}

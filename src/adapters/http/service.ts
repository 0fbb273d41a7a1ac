import { TwelveError } from "../../core/errors.ts";
import type { Environment } from "../../ports/context.ts";
import { unusable } from "./options.ts";

/** Whom a request goes to, as messages name it. */
export interface HttpService {
  /** The reference without credentials, such as `openai:text-embedding-3-small`. */
  readonly name: string;
  /** Where its key is looked up, such as OPENAI_API_KEY. */
  readonly keyName: string;
  /** Sent as a bearer token; a server of one's own may need none. */
  readonly key: string | undefined;
  /** The header that the key is sent in, where it is no bearer token. */
  readonly keyHeader?: string;
}

/** The key of that name; an empty one means none, as compose files and CI systems pass it on. Fails with SERVICE_UNAUTHENTICATED for one that no header can carry. */
export function readKey(env: Environment, name: string): string | undefined {
  // A key that was read from a file ends in a newline more often than not.
  const key = env[name]?.trim() ?? "";
  if (key === "") return undefined;
  if (/^[\x21-\x7e]+$/.test(key)) return key;
  throw new TwelveError("SERVICE_UNAUTHENTICATED", `${name} holds a space, a line break or a sign that no key has`, { fix: `Set ${name} to the key and nothing else` });
}

/** Before a provider is asked that answers nothing without a key. Fails with SERVICE_UNAUTHENTICATED. */
export function requireKey({ name, key, keyName }: HttpService): void {
  if (key !== undefined) return;
  throw new TwelveError("SERVICE_UNAUTHENTICATED", `${name} needs a key, and ${keyName} is not set`, {
    fix: `Set ${keyName} in the process environment, or declare it in twelve.yaml as \`${keyName}: { kind: secret }\` and put it into the environment's configuration source`,
  });
}

/** A provider's own address, or what the variable of that name puts in its place, such as a gateway. Fails with SERVICE_UNSUPPORTED for what is no http(s) URL. */
export function readBase(env: Environment, name: string, { reference, own }: { readonly reference: string; readonly own: string }): string {
  const base = env[name]?.trim() || own;
  if (/^https?:\/\/./.test(base) && URL.canParse(base)) return base;
  throw unusable(reference, `cannot be reached: ${name} is not an http(s) URL`, `Set ${name} to a URL such as ${own}, or unset it`);
}

/** What a service said, on one line, short, and without the key should it repeat it. */
export function quoteService(text: string, { key }: Pick<HttpService, "key">): string {
  const line = text.replaceAll(/[\s\p{Cc}]+/gu, " ").trim();
  const hidden = key === undefined ? line : line.replaceAll(key, "[key]");
  // Providers repeat a wrong key with stars in its middle.
  const masked = hidden.replaceAll(/\b(?:sk|pk|hf|jina|pa)[-_][\w*-]{4,}/g, "[key]").replaceAll(/[\w-]*\*{3,}[\w-]*/g, "[key]");
  return masked.length <= 300 ? masked : `${masked.slice(0, 299)}…`;
}

import type { TwelveError } from "../../core/errors.ts";
import { callOnce } from "./call.ts";
import { once } from "./once.ts";

interface Lazy<Sdk, Client> {
  /** The reference without options, for messages. */
  readonly name: string;
  readonly timeoutMs: number;
  readonly open: () => Promise<{ readonly sdk: Sdk; readonly client: Client }>;
  /** An error of the SDK in our words; `action` is the permission that was needed. */
  readonly failure: (error: unknown, action: string) => TwelveError;
}

/** A client of AWS's that is opened by the first call. */
export interface LazyClient<Sdk, Client> {
  /** One attempt, named by the permission that it needs. */
  readonly call: <Answer>(action: string, send: (opened: { readonly sdk: Sdk; readonly client: Client }, abortSignal: AbortSignal) => Promise<Answer>, signal?: AbortSignal) => Promise<Answer>;
  readonly close: () => void;
}

export function lazyClient<Sdk, Client extends { destroy(): void }>({ name, timeoutMs, open, failure }: Lazy<Sdk, Client>): LazyClient<Sdk, Client> {
  let client: Client | undefined;
  const opened = once(async () => {
    const both = await open();
    client = both.client;
    return both;
  });
  return {
    call: (action, send, signal) => callOnce({ name, timeoutMs, signal, send: async (abortSignal) => send(await opened(), abortSignal), failure: (error) => failure(error, action) }),
    close: () => client?.destroy(),
  };
}

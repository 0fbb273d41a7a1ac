import { TwelveError } from "../../core/errors.ts";
import { isLoopback } from "../http/own-host.ts";

/** A reranker asks for no keys. Fails with HOST_UNGUARDED where others than this machine can reach it and nobody said that they may. */
export function refuseUnguarded({ host, isInsecure }: { readonly host: string; readonly isInsecure: boolean }): void {
  if (isLoopback(host) || isInsecure) return;
  throw new TwelveError("HOST_UNGUARDED", `Everyone who can reach ${host} could use the reranker: it asks for no keys`, { fix: "Listen on 127.0.0.1, or add `--insecure` where only your own programs can reach it" });
}

import type { FromInstance, Instance } from "../../ports/instance.ts";
import { openBucket, type TokenBucket } from "../http/rate.ts";

/** Counts a request where one of a limited key is told. */
export type CountRequest = (message: FromInstance, asker: Instance) => void;

/** Counts the requests of limited API keys for all processes of one `twelve run`: each of them alone would know neither the others' nor those of the process before it. */
export function openLimits(nowMs: () => number): CountRequest {
  const buckets = new Map<string, TokenBucket>();
  return (message, asker) => {
    if (message.kind !== "limit-asked") return;
    const { id, key, perMinute, burst } = message;
    const name = JSON.stringify([key, perMinute, burst]);
    const bucket = buckets.get(name) ?? openBucket({ perMinute, burst, nowMs });
    buckets.set(name, bucket);
    asker.send({ kind: "limit-told", id, taken: bucket.take() });
  };
}

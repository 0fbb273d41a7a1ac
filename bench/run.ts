/**
 * `twelve run` under load: how much of a bare proxy's throughput it keeps and what a request costs it, what it adds to an answer's time,
 * how many streams one process carries, how soon it answers, and how much memory it takes.
 */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Row } from "./row.ts";
import { benchReady } from "./run/ready.ts";
import { benchTraffic } from "./run/traffic.ts";

export async function benchRun(): Promise<readonly Row[]> {
  const parent = await mkdtemp(join(tmpdir(), "twelve-bench-run-"));
  try {
    return [...(await benchTraffic(parent)), ...(await benchReady(parent))];
  } finally {
    await rm(parent, { recursive: true, force: true });
  }
}

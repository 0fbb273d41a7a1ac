import { describe, expect, it } from "vitest";
import { exposition, withProcessMetrics } from "../../../src/run/metrics/exposition.ts";
import { counter, gauge, histogram } from "../../../src/run/metrics/family.ts";

function families(requests: number, depth: number) {
  const counted = counter({ name: "requests_total", help: "All of them", labels: ["route", "status"] });
  counted.at("/a", "200").value += requests;
  counted.at("/a", "500").value++;
  const seen = gauge({ name: "queue_depth", help: "Waiting", aggregator: "max" });
  seen.at().value = depth;
  const times = histogram({ name: "seconds", help: "How long", labels: ["route"] }, [0.1, 1]);
  for (const time of [0.1, 0.5, 3]) times.at("/a").observe(time);
  return [counted.family(), seen.family(), times.family()];
}

describe("the exposition", () => {
  it("is what Prometheus reads: names, help, types, labels and cumulative buckets", async () => {
    expect(await exposition([families(2, 5)])).toBe(`# HELP requests_total All of them
# TYPE requests_total counter
requests_total{route="/a",status="200"} 2
requests_total{route="/a",status="500"} 1

# HELP queue_depth Waiting
# TYPE queue_depth gauge
queue_depth 5

# HELP seconds How long
# TYPE seconds histogram
seconds_bucket{le="0.1",route="/a"} 1
seconds_bucket{le="1",route="/a"} 2
seconds_bucket{le="+Inf",route="/a"} 3
seconds_sum{route="/a"} 3.6
seconds_count{route="/a"} 3
`);
  });

  it("of several processes is their sum, and the largest where all look at the same thing", async () => {
    const text = await exposition([families(2, 5), families(40, 3)]);
    expect(text).toContain('requests_total{route="/a",status="200"} 42');
    expect(text).toContain("queue_depth 5");
    expect(text).toContain('seconds_bucket{le="+Inf",route="/a"} 6');
  });

  it("has the process's own numbers, and leaves out of a sum what is none, such as when a process started", async () => {
    const own = await withProcessMetrics([]);
    expect(await exposition([own])).toMatch(/^process_resident_memory_bytes [1-9]\d+$/m);
    expect(await exposition([own])).toMatch(/^process_start_time_seconds \d+$/m);
    expect(await exposition([own, own])).not.toContain("process_start_time_seconds");
  });

  it("survives the way from one process to another", async () => {
    const sent = JSON.parse(JSON.stringify(await withProcessMetrics(families(1, 1)))) as ReturnType<typeof families>;
    expect(await exposition([families(1, 1), sent])).toContain('requests_total{route="/a",status="200"} 2');
  });
});

/** What the system counts of a process. */
import { execFileSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";

/** Where the figures of Linux are; other systems have none. */
export const hasProcessFiles: boolean = existsSync("/proc/self/stat");

/** Of user and system, since its start; whole clock ticks of 10 ms. */
export function cpuMs(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
  // The name of the program, in parentheses, may hold spaces.
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  return (Number(fields[11]) + Number(fields[12])) * 10;
}

/** The most memory that it has had so far. */
export function peakMb(pid: number): number {
  return Number(/VmHWM:\s*(\d+)/.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1]) / 1024;
}

/** On any Unix. */
export function residentMb(pid: number): number {
  return Number(execFileSync("ps", ["-o", "rss=", "-p", String(pid)], { encoding: "utf8" })) / 1024;
}

import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { onTestFinished } from "vitest";

const mount = (...args: readonly string[]): boolean => spawnSync("mount", args, { stdio: "ignore" }).status === 0;

/** Whether this process may mount: most often only root on Linux may. Tests that need it are skipped elsewhere. */
export const canMount: boolean = (() => {
  const folder = mkdtempSync(join(tmpdir(), "twelve-mount-"));
  const isMounted = mount("-t", "tmpfs", "-o", "size=64k", "tmpfs", folder);
  if (isMounted) spawnSync("umount", [folder]);
  rmSync(folder, { recursive: true });
  return isMounted;
})();

/** A small filesystem of its own, gone when the test ends. */
export function mountSmall(size: string): string {
  const folder = mkdtempSync(join(tmpdir(), "twelve-mount-"));
  if (!mount("-t", "tmpfs", "-o", `size=${size}`, "tmpfs", folder)) throw new Error(`Could not mount ${folder}`);
  onTestFinished(() => {
    spawnSync("umount", ["-l", folder]);
    rmSync(folder, { recursive: true });
  });
  return folder;
}

export function makeReadOnly(folder: string): void {
  if (!mount("-o", "remount,ro", folder)) throw new Error(`Could not remount ${folder}`);
}

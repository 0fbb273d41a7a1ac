import { realpath } from "node:fs/promises";
import { dirname, relative, sep } from "node:path";
import { codeOf } from "../local.ts";

/**
 * Why a link is not read. Links are not followed: what they point to inside the source is read under its own path, and
 * what lies outside is not part of the source. `nameOf` gives the ledger's name of a path below the root.
 */
export async function linkReason(link: string, realRoot: string, nameOf: (below: string) => string): Promise<string> {
  let target: string;
  try {
    target = await realpath(link);
  } catch (error) {
    return codeOf(error) === "ELOOP" ? "is a symbolic link to itself" : `is a symbolic link to nothing (${codeOf(error)})`;
  }
  if (target !== realRoot && !target.startsWith(realRoot + sep)) return "is a symbolic link out of the source";
  const isLoop = `${await realpath(dirname(link))}${sep}`.startsWith(`${target}${sep}`);
  return isLoop ? "is a symbolic link to a folder that it is in" : `is a symbolic link; its target is read as ${nameOf(relative(realRoot, target).split(sep).join("/"))}`;
}

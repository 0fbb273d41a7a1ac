import { link, readdir, readFile, rm, stat } from "node:fs/promises";
import { dirname, join } from "node:path";
import { checkRefName, checkRefPrefix, checkRefValue } from "../../../core/ref-name.ts";
import type { RefStore } from "../../../ports/store.ts";
import type { Area } from "./area.ts";
import { errorCode } from "./failure.ts";

/**
 * The values that a ref had are files beside each other, `latest@1`, `latest@2`, and so on; the last is its value and
 * its number the tag. A value is complete before link() gives it its name, and link() never takes a name that is in
 * use: that decides between processes, without locks, and a process that dies anywhere leaves nothing to repair.
 *
 * Old values are kept on purpose. If `latest@2` were removed, a process that read the first value long ago could take
 * the free name, and would believe that it moved the ref. They are small, and refs move only as often as people release.
 */
export function fileRefs(area: Area): RefStore {
  const file = (name: string, generation: number): string => `${join(area.folder, ...name.split("/").map(encode))}@${generation}`;
  const exists = async (name: string, generation: number): Promise<boolean> => {
    try {
      await stat(file(name, generation));
      return true;
    } catch (error) {
      if (errorCode(error) === "ENOENT") return false;
      throw error;
    }
  };
  /**
   * The last generation; 0 when there is none. They have no gaps, so doubling steps and then halves find it. It is
   * seen to exist, and its successor to be missing, so it was the last at some moment in between.
   */
  const newest = async (name: string): Promise<number> => {
    let found = 0;
    let step = 1;
    for (; await exists(name, found + step); step *= 2) found += step;
    for (let missing = found + step; missing - found > 1; ) {
      const middle = Math.floor((found + missing) / 2);
      if (await exists(name, middle)) found = middle;
      else missing = middle;
    }
    return found;
  };
  const add = async (name: string, generation: number, value: string): Promise<boolean> => {
    // Only saves the work: whether the name is free is decided by link().
    if (await exists(name, generation)) return false;
    const target = file(name, generation);
    await area.prepare(dirname(target));
    const temporary = await area.writeTemporary(value);
    try {
      await link(temporary, target);
    } catch (error) {
      if (errorCode(error) === "EEXIST") return false;
      throw error;
    } finally {
      await rm(temporary, { force: true });
    }
    await area.sync(dirname(target));
    return true;
  };

  return {
    async read(name) {
      checkRefName(name);
      const generation = await newest(name);
      return generation === 0 ? undefined : { value: await readFile(file(name, generation), "utf8"), tag: String(generation) };
    },
    async create(name, value) {
      checkRefName(name);
      checkRefValue(name, value);
      return add(name, 1, value);
    },
    async replace(name, value, tag) {
      checkRefName(name);
      checkRefValue(name, value);
      if (!/^[1-9][0-9]{0,9}$/.test(tag)) return false;
      const generation = Number(tag);
      // A tag that no read gave must not leave a gap.
      return (await exists(name, generation)) && (await add(name, generation + 1, value));
    },
    async list(prefix) {
      checkRefPrefix(prefix);
      const folder = join(area.folder, ...prefix.split("/").map(encode));
      return (await namesIn(folder, prefix)).sort();
    },
  };
}

async function namesIn(folder: string, prefix: string): Promise<string[]> {
  const entries = await readdir(folder, { withFileTypes: true }).catch((error: unknown) => {
    if (errorCode(error) === "ENOENT") return [];
    throw error;
  });
  const names = entries.map(async (entry) => {
    // A name that `encode` does not give is not ours: `.tmp`, or what a file manager leaves behind.
    const segment = /^((?:\+[a-z]|[a-z0-9_-])(?:\+[a-z]|[a-z0-9._-])*)(?:@1)?$/.exec(entry.name)?.[1];
    if (segment === undefined) return [];
    const name = `${prefix}${decode(segment)}`;
    if (entry.isDirectory()) return entry.name === segment ? namesIn(join(folder, segment), `${name}/`) : [];
    return entry.name === segment ? [] : [name];
  });
  return (await Promise.all(names)).flat();
}

/** Capitals are written as `+` and the small letter, so that `A` and `a` are two refs on every filesystem. */
function encode(segment: string): string {
  return segment.replaceAll(/[A-Z]/g, (letter) => `+${letter.toLowerCase()}`);
}

function decode(segment: string): string {
  return segment.replaceAll(/\+([a-z])/g, (_, letter: string) => letter.toUpperCase());
}

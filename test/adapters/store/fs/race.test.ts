import { expect, it } from "vitest";
import { openStore } from "../../../../src/adapters/store/fs/adapter.ts";
import { temporaryFolder } from "../../../helpers/context.ts";
import { startActor } from "./actors.ts";

const processes = 20;
const rounds = 25;

it("lets exactly one of 20 processes create a ref, exactly one of 20 move it, and all of them write one blob, in every round", async () => {
  const store = openStore("file:store", await temporaryFolder());
  const actors = await Promise.all(Array.from({ length: processes }, () => startActor(store.url)));
  for (let round = 1; round <= rounds; round += 1) {
    const name = `releases/${round}`;
    const created = await Promise.all(actors.map((actor, index) => actor.ask("create", name, `created by ${index}`)));
    expect(created.filter((answer) => answer === true)).toHaveLength(1);
    expect(created.filter((answer) => answer === false)).toHaveLength(processes - 1);
    const ref = await store.refs.read(name);
    expect(ref?.value).toBe(`created by ${created.indexOf(true)}`);

    const moved = await Promise.all(actors.map((actor, index) => actor.ask("replace", name, `moved by ${index}`, ref?.tag ?? "")));
    expect(moved.filter((answer) => answer === true)).toHaveLength(1);
    expect(moved.filter((answer) => answer === false)).toHaveLength(processes - 1);
    expect((await store.refs.read(name))?.value).toBe(`moved by ${moved.indexOf(true)}`);

    const content = `${round} `.repeat(10_000);
    const blobs = await Promise.all(actors.map((actor) => actor.ask("write", content)));
    const blob = await store.blobs.write(Buffer.from(content), "text/plain");
    expect(blobs).toEqual(Array.from({ length: processes }, () => blob));
    expect((await store.blobs.read(blob)).toString()).toBe(content);
  }
});

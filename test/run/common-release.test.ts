import { describe, expect, it } from "vitest";
import type { FromInstance, Parent, ToInstance } from "../../src/ports/instance.ts";
import { agreeOnRelease, type AttachedRelease, commonReleaseOf, releaseVariable } from "../../src/run/common-release.ts";
import { findRelease } from "../../src/run/find.ts";
import { temporaryFolder, type TestContext, testContext } from "../helpers/context.ts";
import { makeRelease, manifest } from "./release.ts";

async function releasedTwice(): Promise<{ readonly app: TestContext; readonly first: AttachedRelease; readonly second: AttachedRelease }> {
  const app = await testContext({ dir: await temporaryFolder() });
  const active = (): Promise<AttachedRelease> => findRelease(app, { environment: "staging", wanted: undefined, process: undefined });
  await makeRelease(app, manifest);
  const first = await active();
  await makeRelease(app, `${manifest}server: { requestSeconds: 30 }\n`);
  const second = await active();
  expect([first.release.number, second.release.number]).toEqual([1, 2]);
  return { app, first, second };
}

const facts = ({ release: { number, releaseDescriptor, release, activation }, attachments }: AttachedRelease): object => ({ number, releaseDescriptor, release, secrets: activation?.secrets, attachments });

/** A parent that answers as a test says. */
function parentWith(answer: (message: FromInstance) => ToInstance | undefined): Parent {
  const listeners: ((message: ToInstance) => void)[] = [];
  return {
    name: "web.1",
    send(message) {
      const told = answer(message);
      if (told !== undefined) listeners.forEach((listener) => listener(told));
      return Promise.resolve();
    },
    onMessage: (listener) => void listeners.push(listener),
    onStopAsked: () => {}, onLost: () => {},
  };
}

describe("the processes of one twelve run", () => {
  it("run the release that they were told, whatever is active by now", async () => {
    const { app, first } = await releasedTwice();
    const env = { [releaseVariable]: JSON.stringify(commonReleaseOf(first)) };
    const context = { ...app, env, parent: parentWith(() => undefined) };
    const found = await findRelease(context, { environment: "staging", wanted: undefined, process: undefined });
    expect(facts(found)).toEqual(facts(first));
    // One to compare with is another matter.
    expect((await findRelease(context, { environment: "staging", wanted: "v2", process: undefined, isApart: true })).release.number).toBe(2);
  });

  it("run what the first of them found, where they were told none", async () => {
    const { app, first, second } = await releasedTwice();
    const proposed: FromInstance[] = [];
    const parent = parentWith((message) => {
      proposed.push(message);
      return { kind: "release-kept", release: commonReleaseOf(first) };
    });
    const found = await agreeOnRelease({ ...app, parent }, () => Promise.resolve(second));
    expect(proposed).toEqual([{ kind: "release-found", release: commonReleaseOf(second) }]);
    expect(facts(found)).toEqual(facts(first));
  });

  it("are told nothing by a variable that came from elsewhere", async () => {
    const { app, first } = await releasedTwice();
    const env = { [releaseVariable]: JSON.stringify(commonReleaseOf(first)) };
    expect((await findRelease({ ...app, env }, { environment: "staging", wanted: undefined, process: undefined })).release.number).toBe(2);
  });
});

import type { FromInstance, Instance, InstanceEnd, ToInstance } from "../../../src/ports/instance.ts";

export interface FakeInstance extends Instance {
  readonly name: string;
  readonly heard: readonly ToInstance[];
  readonly stops: number;
  readonly isKilled: boolean;
  say(message: FromInstance): void;
  end(exitCode: number | null, signal?: string): Promise<void>;
  /** It could not be started. */
  fail(failure: string): Promise<void>;
}

/** Instances that do what a test says; `started` has them all in the order of their start. */
export function fakeInstances(): { readonly started: FakeInstance[]; readonly start: (name: string, onMessage: (message: FromInstance) => void) => Instance } {
  const started: FakeInstance[] = [];
  return {
    started,
    start(name, onMessage) {
      const { promise, resolve } = Promise.withResolvers<InstanceEnd>();
      const heard: ToInstance[] = [];
      let stops = 0;
      let isKilled = false;
      const instance: FakeInstance = {
        name, pid: 1000 + started.length, ended: promise, heard,
        get stops() {
          return stops;
        },
        get isKilled() {
          return isKilled;
        },
        send: (message) => void heard.push(message),
        stop: () => void (stops += 1),
        kill: () => void (isKilled = true),
        say: onMessage,
        async end(exitCode, signal) {
          resolve({ exitCode, signal: signal ?? null });
          await promise;
        },
        async fail(failure) {
          resolve({ exitCode: null, signal: null, failure });
          await promise;
        },
      };
      started.push(instance);
      return instance;
    },
  };
}

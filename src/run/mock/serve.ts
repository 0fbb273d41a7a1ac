import { untilAborted } from "../../core/abort.ts";
import { TwelveError } from "../../core/errors.ts";
import type { Context } from "../../ports/context.ts";
import type { Access } from "../http/access.ts";
import { type Address, listen, stopServer } from "../http/listen.ts";
import { isLoopback } from "../http/own-host.ts";
import { openServer } from "../http/server.ts";
import { trackTraffic } from "../http/traffic.ts";
import { readAnswers } from "./answers.ts";
import { mockApi } from "./api.ts";
import { madeAt, stillClock } from "./clock.ts";
import { openMockRuntime } from "./runtime.ts";

interface MockOptions extends Address {
  /** Undefined repeats what was asked. */
  readonly file: string | undefined;
  readonly agents: readonly string[] | undefined;
  readonly isRealTime: boolean;
}

const bodyBytes = 32 * 1024 * 1024;
/** A rule may let an answer hang for as long as it likes. */
const answerMs = 2 ** 31 - 1;

/** Serves a mock until it is asked to stop, which it does at once. Gives how many requests it took. */
export async function serveMock(context: Context, { file, agents, isRealTime, host, port }: MockOptions): Promise<number> {
  const { story, signal } = context;
  const answers = await readAnswers(context, file);
  const still = isRealTime ? undefined : stillClock(context.clock);
  const clock = still ?? context.clock;
  const engine = await context.openRuns(isRealTime ? "memory:" : `memory:${madeAt.toISOString()}`);
  // What a run takes is part of its view.
  const runs = { engine, clock: isRealTime ? clock : { ...clock, monotonicMs: () => 0 } };
  const runtime = await openMockRuntime(context, { answers, agents, runs });
  const reset = (): void => {
    answers.reset();
    engine.forget?.();
    still?.reset();
  };
  const traffic = trackTraffic();
  // Whoever reaches it learns nothing but what was asked; elsewhere than on this machine, it goes by any name.
  const access: Access = { keys: null, origins: [], isHostChecked: isLoopback(host), bodyBytes, answerMs };
  const write = (event: string, fields: object): void => context.writeLine(JSON.stringify({ event, time: context.clock.now().toISOString(), "twelve.mock": true, ...fields }));
  const app = await openServer({
    runtime, traffic, clock, write, access: () => access, isExposed: false, fingerprint: () => "twelve-mock", mock: mockApi({ reset }),
    notReady: () => new TwelveError("PROCESS_NOT_READY", "The mock is starting"),
  });
  const url = await listen(app, { host, port });
  write("server-ready", { url, agents: runtime.agents, answers: answers.title });
  story.note(`Ready: ${url}  a mock: the answers are ${answers.title}`);
  await untilAborted(signal);
  await stopServer(app, traffic, 0);
  await runtime.close();
  write("server-stopped", { url, requests: traffic.taken });
  return traffic.taken;
}

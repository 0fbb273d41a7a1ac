import type { Clock } from "../../ports/clock.ts";
import type { ConfigProvider } from "../../ports/config.ts";
import type { Context } from "../../ports/context.ts";
import type { Patience } from "../fallback.ts";
import type { RuntimePart } from "../health.ts";
import { readAnswers } from "./answers.ts";
import { type MockApi, mockApi } from "./api.ts";
import { stillClock } from "./clock.ts";
import { mockPart } from "./runtime.ts";

/** What a release is served with in the place of its models. */
export interface StandIn {
  readonly title: string;
  readonly api: MockApi;
  /** Of the answers. */
  readonly clock: Clock;
  /** Of readiness. */
  readonly part: RuntimePart;
  /** A failure that is played is played once: it is for the caller to ask again. */
  readonly patience: Patience;
  /** Every model is the mock, conversations are kept in this process, and no source of configuration is read. */
  replace<Given extends Context>(context: Given): Given;
}

/** Answers by the script in `file`; without one, by repeating what was asked. Fails with SCRIPT_INVALID. */
export async function openStandIn(context: Context, file: string | undefined): Promise<StandIn> {
  const [answers, sessions] = await Promise.all([readAnswers(context, file), context.openSessions("memory:")]);
  const nothing: ConfigProvider = { reference: "nothing", read: () => Promise.resolve({ values: {}, ignored: [] }) };
  return {
    title: answers.title,
    api: mockApi(answers),
    clock: stillClock(context.clock),
    part: mockPart(answers),
    patience: { attempts: 1, totalMs: 0 },
    replace: (given) => ({ ...given, openModel: () => Promise.resolve(answers.model), openSessions: () => Promise.resolve(sessions), openConfig: () => Promise.resolve(nothing) }),
  };
}

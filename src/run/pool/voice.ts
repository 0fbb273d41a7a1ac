import type { Context } from "../../ports/context.ts";
import type { ProcessType } from "./type-plan.ts";

/** How the process that looks after the others speaks of them: to people on stderr, to programs in events on stdout. */
export interface Voice {
  /** Of the longest name that a line begins with. */
  readonly width: number;
  readonly note: (message: string, speaker?: string) => void;
  readonly warn: (message: string) => void;
  readonly write: (event: string, fields: object) => void;
}

/** Of the process that looks after the others, before each line of its own. */
const ownName = "twelve";

export function openVoice(context: Context, types: readonly ProcessType[], environment: string): Voice {
  const { story, clock } = context;
  const width = Math.max(ownName.length, ...types.map(({ name, scale: { max } }) => `${name}.${max}`.length));
  return {
    width,
    note: (message, speaker = ownName) => story.note(message, speaker.padEnd(width)),
    warn: (message) => story.warn(message, ownName.padEnd(width)),
    write: (event, fields) => context.relay({ stream: "stdout", instance: ownName, type: types.length, width, text: JSON.stringify({ event, time: clock.now().toISOString(), "twelve.environment": environment, ...fields }) }),
  };
}

import { TwelveError } from "../../core/errors.ts";
import type { OngoingRun } from "../../ports/runs.ts";

/** A run that ends with the process, for whoever measures an agent and can ask again. Nobody is there who could approve. */
export function passingRun(id: string, signal: AbortSignal): OngoingRun {
  return {
    id,
    group: "",
    step: (_name, _begun, work) => work({ number: 1, signal }),
    tell: () => Promise.resolve(),
    wait: (asked) => Promise.reject(new TwelveError("APPROVAL_NEEDED", `The call ${Object.keys(asked).join(", ")} needs a person's approval, and nobody can give it here`)),
    postpone: () => Promise.resolve(),
  };
}

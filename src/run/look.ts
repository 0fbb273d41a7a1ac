import { inTime } from "../core/deadline.ts";

type Looked = { readonly detail: string } | { readonly failure: unknown };
export type Look = () => Promise<Looked>;

interface Remembering {
  readonly who: string;
  readonly nowMs: () => number;
  /** Set where a look costs money. */
  readonly paid?: Paid | undefined;
}

interface Paid {
  /** How many real requests have failed so far: each one more makes what is known doubtful. */
  readonly failures: () => number;
}

/** What was there a moment ago is taken to be there; what was away may be back already. */
const freshMs = { detail: 5000, failure: 1000 } as const;
/** A probe each second would pay for thousands of looks a day; whether the service works shows in the requests meanwhile. */
const paidFreshMs = { detail: 600_000, failure: 5000 } as const;
const limitMs = 5000;
/** Orchestrators wait about a second for a probe: one that takes longer is told what is known, and the next one the news. */
const patienceMs = 700;

/** Looks at a service seldom, however often it is asked about it; whoever asks at the same time shares one look. */
export function rememberLook(look: (signal: AbortSignal) => Promise<string>, { who, nowMs, paid }: Remembering): Look {
  let known: { readonly looked: Looked; readonly atMs: number; readonly failures: number } | undefined;
  let looking: Promise<Looked> | undefined;

  async function lookAnew(): Promise<Looked> {
    const failures = paid?.failures() ?? 0;
    const looked: Looked = await inTime(look, { limitMs, who }).then((detail) => ({ detail }), (failure: unknown) => ({ failure }));
    known = { looked, atMs: nowMs(), failures };
    looking = undefined;
    return looked;
  }

  function freshForMs({ looked, failures }: NonNullable<typeof known>): number {
    if (paid === undefined) return "detail" in looked ? freshMs.detail : freshMs.failure;
    if ("failure" in looked) return paidFreshMs.failure;
    return paid.failures() === failures ? paidFreshMs.detail : freshMs.detail;
  }

  return async () => {
    if (known !== undefined && nowMs() - known.atMs < freshForMs(known)) return known.looked;
    looking ??= lookAnew();
    return known === undefined ? looking : firstOf(looking, known.looked);
  };
}

async function firstOf(looking: Promise<Looked>, known: Looked): Promise<Looked> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<Looked>((resolve) => (timer = setTimeout(() => resolve(known), patienceMs)));
  return Promise.race([looking, late]).finally(() => clearTimeout(timer));
}

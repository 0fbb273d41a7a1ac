import { inTime } from "../core/deadline.ts";

type Looked = { readonly detail: string } | { readonly failure: unknown };
export type Look = () => Promise<Looked>;

interface Remembering {
  readonly who: string;
  readonly nowMs: () => number;
}

/** What was there a moment ago is taken to be there; what was away may be back already. */
const freshMs = { detail: 5000, failure: 1000 } as const;
const limitMs = 5000;
/** Orchestrators wait about a second for a probe: one that takes longer is told what is known, and the next one the news. */
const patienceMs = 700;

/** Looks at a service seldom, however often it is asked about it; whoever asks at the same time shares one look. */
export function rememberLook(look: (signal: AbortSignal) => Promise<string>, { who, nowMs }: Remembering): Look {
  let known: { readonly looked: Looked; readonly atMs: number } | undefined;
  let looking: Promise<Looked> | undefined;

  async function lookAnew(): Promise<Looked> {
    const looked: Looked = await inTime(look, { limitMs, who }).then((detail) => ({ detail }), (failure: unknown) => ({ failure }));
    known = { looked, atMs: nowMs() };
    looking = undefined;
    return looked;
  }

  return async () => {
    if (known !== undefined && nowMs() - known.atMs < ("detail" in known.looked ? freshMs.detail : freshMs.failure)) return known.looked;
    looking ??= lookAnew();
    return known === undefined ? looking : firstOf(looking, known.looked);
  };
}

async function firstOf(looking: Promise<Looked>, known: Looked): Promise<Looked> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<Looked>((resolve) => (timer = setTimeout(() => resolve(known), patienceMs)));
  return Promise.race([looking, late]).finally(() => clearTimeout(timer));
}

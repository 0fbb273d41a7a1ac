import { unlessAborted } from "../../core/abort.ts";
import type { Ask, AskEvent, Complaint, Overview, ReleaseView } from "../ui/schema.ts";
import type { RunTold } from "./calls.ts";
import { eventsIn } from "./event-stream.ts";
import { followEvents } from "./follow.ts";

export type Outcome<Value> = { readonly value: Value } | { readonly refusal: Complaint };

export interface Api {
  overview(): Promise<Outcome<Overview>>;
  release(number: number): Promise<Outcome<ReleaseView>>;
  /** Ends with `end` or `error`, whatever happens, unless the signal is aborted: then it rejects. */
  ask(body: Ask, told: { readonly signal: AbortSignal; readonly onTrace: (traceId: string) => void }): AsyncGenerator<AskEvent>;
  /** What a run tells, up to its end, whatever process tells it; it rejects where the run cannot be followed, or the signal is aborted. */
  follow(run: RunName, signal: AbortSignal): AsyncGenerator<RunTold>;
  /** Gives why it could not be done. */
  decide(run: RunName, callId: string, approve: boolean): Promise<string | undefined>;
  cancel(run: RunName): Promise<void>;
}

export interface RunName {
  readonly agent: string;
  readonly id: string;
}

interface Sent extends Omit<RequestInit, "headers"> {
  readonly headers?: Readonly<Record<string, string>>;
}

const place = "twelve-key";
const away: Complaint = { code: "unreachable", message: "The server does not answer", fix: "See whether `twelve run` still runs" };
const cut: Complaint = { code: "cut", message: "The server broke off the answer", fix: "See the server's log, and ask again" };

/** `unlock` asks the person for an API key, where the server wants one. */
export function openApi(unlock: (reason: string) => Promise<string>): Api {
  async function call(path: string, { headers = {}, ...init }: Sent = {}): Promise<Response | undefined> {
    for (;;) {
      const key = sessionStorage.getItem(place);
      const response = await fetch(path, { ...init, headers: key === null ? headers : { ...headers, authorization: `Bearer ${key}` } }).catch((error: unknown) => {
        if (init.signal?.aborted === true) throw error;
        return undefined;
      });
      if (response === undefined || !isLocked(path, response)) return response;
      const { message } = await complaintIn(response);
      sessionStorage.setItem(place, await unlock(message));
    }
  }

  async function get<Value>(path: string): Promise<Outcome<Value>> {
    const response = await call(path);
    if (response === undefined) return { refusal: away };
    return response.ok ? { value: (await response.json()) as Value } : { refusal: await complaintIn(response) };
  }

  return {
    overview: () => get("/ui/releases"),
    release: (number) => get(`/ui/releases/${number}`),
    async *ask(body, { signal, onTrace }) {
      const response = await call("/ui/answer", { method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify(body), signal });
      if (response === undefined) return yield { type: "error", ...away };
      onTrace(response.headers.get("x-trace-id") ?? "");
      if (!response.ok || response.body === null) return yield { type: "error", ...(await complaintIn(response)) };
      for await (const { data } of eventsIn(response.body, signal)) {
        const event = JSON.parse(data) as AskEvent;
        yield event;
        if (event.type === "end" || event.type === "error") return;
      }
      yield { type: "error", ...cut };
    },
    follow: (run, signal) => followEvents({ signal, ask: (headers) => call(`${pathOf(run)}/events`, { headers, signal }), wait: (ms) => unlessAborted(() => new Promise<void>((resolve) => setTimeout(resolve, ms)), signal) }),
    async decide(run, callId, approve) {
      const response = await call(`${pathOf(run)}/approvals`, { method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify({ call_id: callId, approve }) });
      if (response?.ok === true) return undefined;
      return (response === undefined ? away : await complaintIn(response)).message;
    },
    async cancel(run) {
      await call(`${pathOf(run)}/cancel`, { method: "POST" });
    },
  };
}

/** Another key may open it. One that may use the page and not decide on a call is the right one for the page. */
function isLocked(path: string, { status }: Response): boolean {
  return status === 401 || (status === 403 && path.startsWith("/ui/"));
}

function pathOf({ agent, id }: RunName): string {
  return `/v1/agents/${encodeURIComponent(agent)}/runs/${encodeURIComponent(id)}`;
}

async function complaintIn(response: Response): Promise<Complaint> {
  const { error } = (await response.json().catch(() => ({}))) as { readonly error?: { readonly code?: string | null; readonly message?: string } };
  return { code: error?.code ?? String(response.status), message: error?.message ?? `The server answered with status ${response.status}`, fix: null };
}

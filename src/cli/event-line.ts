import { counted, grouped } from "../core/counted.ts";

/** `aside` is for what went otherwise than meant and is not the server's fault. */
export type Tone = "good" | "aside" | "bad" | "faint";
export type Paint = (tone: Tone, text: string) => string;

type Event = Readonly<Record<string, unknown>>;
type Scalar = string | number | true;
/** What a field says to a person; undefined where another one says it already. */
type Wording = (value: Scalar, event: Event) => string | undefined;

/** In the order in which they stand in a line; what may be long is last. */
const wordings: Readonly<Record<string, Wording>> = {
  "http.request.method": String,
  "http.route": String,
  "http.response.status_code": String,
  "gen_ai.agent.name": String,
  "gen_ai.tool.name": String,
  "gen_ai.request.model": (model, event) => textOf(event["gen_ai.response.model"]) ?? String(model),
  "twelve.fallback.used": () => "(fallback)",
  "gen_ai.response.finish_reasons": (reason, event) => (isFailed(event) || event["twelve.aborted"] === true ? undefined : String(reason)),
  "twelve.aborted": () => "the client went away",
  "twelve.duration_ms": (value) => duration(Number(value)),
  "gen_ai.usage.input_tokens": (tokens, event) => {
    const output = event["gen_ai.usage.output_tokens"];
    return typeof output === "number" ? `${grouped(Number(tokens))} → ${counted(output, "token")}` : counted(Number(tokens), "token");
  },
  "twelve.cost.amount": (amount) => `$${Number(Number(amount).toPrecision(2))}`,
  "twelve.index.name": (name) => `index ${name}`,
  "twelve.retrieval.hits": (hits) => counted(Number(hits), "hit"),
  "twelve.key.name": (name) => `key ${name}`,
  trace_id: (trace) => `trace ${String(trace).slice(0, 8)}`,
  "error.type": (type, event) => (event["twelve.aborted"] === true ? undefined : String(type)),
  "error.message": (message, event) => (event["twelve.aborted"] === true ? undefined : String(message)),
  "twelve.response.text": (text) => JSON.stringify(text),
};

/** The same for each event of a process, or of use to a program alone. */
const unsaid = /^(?:event|time|span_id|process\.pid|exception\.stacktrace|twelve\.(?:app|environment|release\..*|cost\..*|index\.ref|response\.digest|retrieval_ms|usage\..*)|gen_ai\..*)$/;
/** Of the fields that nothing is known about. */
const mostOthers = 6;
const longestValue = 240;

/**
 * One event as a person reads it on a terminal: when, what, the fields that say how it went, with the beginning of the trace. One that
 * is new here is its name and its first fields. The trace of a bug's calls follows it. What is no event of ours stays as it is.
 */
export function formatEvent(text: string, { paint, speaker }: { readonly paint: Paint; readonly speaker?: string | undefined }): string {
  const event = readEvent(text);
  if (event === undefined) return text;
  const facts = [...othersOf(event, speaker), ...Object.entries(wordings).map(([key, word]) => worded(event, key, word))].filter((fact) => fact !== undefined);
  const line = [
    paint("faint", inOneLine(String(event["time"])).slice(11, 19)),
    paint(toneOf(event), inOneLine(String(event["event"]))),
    ...facts.map(inOneLine),
  ].join("  ");
  const stack = textOf(event["exception.stacktrace"])?.split("\n") ?? [];
  return [line, ...stack.map((each) => paint("faint", `    ${inOneLine(each)}`))].join("\n");
}

/** A program of the application may write JSON, too. */
function readEvent(text: string): Event | undefined {
  if (!text.startsWith('{"event":"')) return undefined;
  try {
    const event = JSON.parse(text) as Event;
    return textOf(event["time"]) !== undefined && Object.keys(event).some((key) => key.startsWith("twelve.")) ? event : undefined;
  } catch {
    return undefined;
  }
}

function worded(event: Event, key: string, word: Wording): string | undefined {
  const value = scalarOf(event[key]);
  return value === undefined ? undefined : word(value, event);
}

function othersOf(event: Event, speaker: string | undefined): readonly string[] {
  const others = Object.entries(event).flatMap(([key, value]) => {
    const shown = Array.isArray(value) ? undefined : scalarOf(value);
    const isSaid = Object.hasOwn(wordings, key) || unsaid.test(key) || (key === "twelve.instance" && value === speaker);
    return shown === undefined || shown === 0 || isSaid ? [] : [`${key.replace(/^twelve\./, "")}=${shown}`];
  });
  return others.slice(0, mostOthers);
}

function toneOf(event: Event): Tone {
  const name = String(event["event"]);
  const status = event["http.response.status_code"];
  if (event["twelve.aborted"] === true || /-(?:refused|exited|not-ready|stopped)$/.test(name) || (typeof status === "number" && status >= 400 && status < 500)) return "aside";
  return isFailed(event) || name.endsWith("-failed") ? "bad" : "good";
}

function isFailed(event: Event): boolean {
  return textOf(event["error.type"]) !== undefined;
}

/** undefined for what says nothing, too. The only list that is shown has one entry. */
function scalarOf(value: unknown): Scalar | undefined {
  if (Array.isArray(value)) return value.length === 0 ? undefined : value.join(", ");
  return typeof value === "number" || value === true ? value : textOf(value);
}

function textOf(value: unknown): string | undefined {
  return typeof value === "string" && value !== "" ? value : undefined;
}

/** What a service said must not steer the terminal. */
function inOneLine(text: string): string {
  const line = text.replaceAll(/[\s\p{Cc}\p{Cf}]+/gu, " ").trim();
  return line.length <= longestValue ? line : `${line.slice(0, longestValue)}…`;
}

function duration(ms: number): string {
  return ms < 1000 ? `${Math.round(ms)} ms` : `${(ms / 1000).toFixed(1)} s`;
}

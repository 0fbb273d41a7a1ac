import { failures } from "./failures.ts";

export type FailureCode = keyof typeof failures;

/** Where in the user's material something is wrong. Lines and columns count from 1. */
export interface Location {
  readonly file?: string;
  readonly line?: number;
  readonly column?: number;
}

/** One thing that is wrong, where it is, and (inside `message`) with the values in hand. */
export interface Problem extends Location {
  /** Field path inside the file, such as `agents.support.temperature`. */
  readonly path?: string;
  readonly message: string;
}

export interface FailureDetails {
  readonly cause?: unknown;
  /** Replaces the catalogue's fix where the caller knows a better one, ideally a command to paste. */
  readonly fix?: string;
  readonly problems?: readonly Problem[];
  /** Given by an adapter where the same call may succeed later. */
  readonly retry?: Retry;
  /** Given by an adapter where nothing of a request was sent, so that nothing can have come of it. */
  readonly isUnsent?: boolean;
}

export interface Retry {
  /** What the service asked to wait (`Retry-After`); null where it did not say. */
  readonly afterMs: number | null;
}

/**
 * A failure that the user can act on. The catalogue in `failures.ts` gives each code its exit code and fix;
 * anything else that is thrown counts as a bug of twelve.
 */
export class TwelveError extends Error {
  readonly code: FailureCode;
  readonly fix: string;
  readonly problems: readonly Problem[];
  readonly retry: Retry | undefined;
  readonly isUnsent: boolean;

  constructor(code: FailureCode, message: string, details: FailureDetails = {}) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause });
    this.name = "TwelveError";
    this.code = code;
    this.fix = details.fix ?? failures[code].fix;
    this.problems = details.problems ?? [];
    this.retry = details.retry;
    this.isUnsent = details.isUnsent ?? false;
  }

  get exit(): number {
    return failures[this.code].exit;
  }
}

/** `file:line:column`, as editors and terminals link it. */
export function formatLocation({ file, line, column }: Location): string {
  return [file, line, line === undefined ? undefined : column].filter((part) => part !== undefined).join(":");
}

const problemsInLine = 20;

/** A failure on one line: what happened, and each problem with its field or place. */
export function summaryOf({ message, problems }: Pick<TwelveError, "message" | "problems">): string {
  const lines = problems.slice(0, problemsInLine).map((problem) => [problem.path ?? formatLocation(problem), problem.message].filter((part) => part !== "").join(": "));
  const more = problems.length - lines.length;
  return [message, ...lines, ...(more > 0 ? [`and ${more} more`] : [])].join("; ");
}

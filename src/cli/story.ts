import type { Progress, Story } from "../ports/story.ts";

interface StoryOptions {
  readonly isJson: boolean;
  readonly isQuiet: boolean;
  readonly isColorWanted: boolean;
  readonly env: Readonly<Record<string, string | undefined>>;
}

/** Elsewhere than on a terminal, long work says how far it is this often. */
const plainIntervalMs = 5000;

/**
 * The story on stderr. With `--json` a warning is one JSON line and notes are silent, so that stderr can be parsed too.
 * Colour and a moving line appear only where stderr is a terminal that can show them.
 */
export async function openStory({ isJson, isQuiet, isColorWanted, env }: StoryOptions): Promise<Story & { close(): void }> {
  // A terminal of no width, as some build machines offer, can show no moving line: it would be wrapped without end.
  const isTerminal = process.stderr.isTTY && env["TERM"] !== "dumb" && process.stderr.columns > 0;
  const isMoving = isTerminal && !isJson && !isQuiet && !env["CI"];
  const isColored = isTerminal && !isJson && isColorWanted && !env["NO_COLOR"];
  const yellow = isColored ? await loadYellow() : (text: string): string => text;
  const write = (text: string): void => void process.stderr.write(`${text}\n`);
  const note: Story["note"] = (message, speaker) => {
    if (!isJson && !isQuiet) write(`${begin(speaker)}${message}`);
  };
  const moving = isMoving ? (await import("ora")).default : undefined;
  const running = new Set<Progress>();

  return {
    note,
    warn: (message, speaker) => write(isJson ? JSON.stringify({ warning: message }) : `${begin(speaker)}${yellow("Warning:")} ${message}`),
    progress(label) {
      const progress = moving === undefined ? plainProgress(label, note) : movingProgress(label, moving(spinnerOptions(isColored)), note);
      running.add(progress);
      return progress;
    },
    close() {
      for (const progress of running) progress.stop();
    },
  };
}

/** As the lines of other processes begin that are passed on. */
function begin(speaker: string | undefined): string {
  return speaker === undefined ? "" : `${speaker} | `;
}

async function loadYellow(): Promise<(text: string) => string> {
  const { Chalk } = await import("chalk");
  return new Chalk({ level: 1 }).yellow;
}

/** Standard input is left alone: the spinner would put it into raw mode, in which Ctrl-C is a character and no signal. */
function spinnerOptions(isColored: boolean): { readonly stream: NodeJS.WriteStream; readonly discardStdin: false; readonly color?: false } {
  return { stream: process.stderr, discardStdin: false, ...(isColored ? {} : { color: false }) };
}

interface Spinner {
  text: string;
  readonly isSpinning: boolean;
  start(): unknown;
  stop(): unknown;
}

function movingProgress(label: string, spinner: Spinner, note: (message: string) => void): Progress {
  const startedMs = performance.now();
  spinner.text = label;
  spinner.start();
  const stop = (): void => void (spinner.isSpinning && spinner.stop());
  return {
    update: (done, total) => {
      spinner.text = formatProgress(label, done, total, performance.now() - startedMs);
    },
    done(message) {
      stop();
      note(message);
    },
    stop,
  };
}

function plainProgress(label: string, note: (message: string) => void): Progress {
  const startedMs = performance.now();
  let toldMs = startedMs;
  return {
    update(done, total) {
      const nowMs = performance.now();
      if (nowMs - toldMs < plainIntervalMs) return;
      toldMs = nowMs;
      note(formatProgress(label, done, total, nowMs - startedMs));
    },
    done: (message) => note(message),
    stop: () => {},
  };
}

/** `Embedding  1,200/5,000  400/s  10 s left` */
export function formatProgress(label: string, done: number, total: number | undefined, elapsedMs: number): string {
  const count = total === undefined ? done.toLocaleString("en-US") : `${done.toLocaleString("en-US")}/${total.toLocaleString("en-US")}`;
  const perSecond = elapsedMs < 200 ? 0 : (done * 1000) / elapsedMs;
  const rate = perSecond === 0 ? [] : [`${perSecond < 1 ? perSecond.toFixed(1) : Math.round(perSecond).toLocaleString("en-US")}/s`];
  const left = total === undefined || perSecond === 0 || done >= total ? [] : [`${Math.ceil((total - done) / perSecond)} s left`];
  return [label, count, ...rate, ...left].join("  ");
}

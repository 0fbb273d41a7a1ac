/** What a person reads while a command works. It goes to stderr; a command's answer does not pass through here. */
export interface Story {
  /** One line that something happened. Hidden by `--quiet`. A speaker is named at its begin where several processes tell theirs. */
  note(message: string, speaker?: string): void;
  /** One line that the user should act on. Shown even with `--quiet`. */
  warn(message: string, speaker?: string): void;
  /** Long work with a known or growing total: a moving line on a terminal, a plain line at the end elsewhere. */
  progress(label: string): Progress;
}

export interface Progress {
  update(done: number, total?: number): void;
  /** Ends the progress with a last line. */
  done(message: string): void;
  /** Takes the line away after a failure; does nothing when it is done already. */
  stop(): void;
}

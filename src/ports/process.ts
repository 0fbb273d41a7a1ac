/** Runs a program to its end. */
export interface Processes {
  /**
   * Gives the program's standard output. A program that is missing or exits with another code than 0 is an answer,
   * not an exception: the caller knows what it means.
   */
  run(file: string, args: readonly string[], options: ProcessOptions): Promise<ProcessResult>;
}

export interface ProcessOptions {
  readonly cwd: string;
  /** The whole environment of the program; that of this process by default. */
  readonly env?: Readonly<Record<string, string | undefined>>;
}

export interface ProcessResult {
  /** undefined when the program could not be started. */
  readonly exitCode: number | undefined;
  readonly stdout: Buffer;
  readonly stderr: string;
}

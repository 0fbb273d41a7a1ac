/** Runs a program to its end. */
export interface Processes {
  /**
   * Gives the program's standard output. A program that is missing or exits with another code than 0 is an answer,
   * not an exception: the caller knows what it means.
   */
  run(file: string, args: readonly string[], options: { readonly cwd: string }): Promise<ProcessResult>;
}

export interface ProcessResult {
  /** undefined when the program could not be started. */
  readonly exitCode: number | undefined;
  readonly stdout: Buffer;
  readonly stderr: string;
}

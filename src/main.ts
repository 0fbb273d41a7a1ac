import { version } from "./cli/version.ts";

/** A disk that is full behind a redirected answer, say: the command is done, and nobody will ever know what it said. */
const answerLost = 6;

// A reader that has gone away (`twelve releases | head -1`, `twelve index 2>&1 | head`) has all it wants, and that is no
// failure. Nor is it a reason to stop: what a command does and the exit code it ends with do not depend on who reads.
for (const stream of [process.stdout, process.stderr]) {
  stream.on("error", ({ code }: NodeJS.ErrnoException) => {
    if (code !== "EPIPE" && code !== "ERR_STREAM_DESTROYED") process.exit(answerLost);
  });
}
const exitCode = await run(process.argv.slice(2));
// Ends even if a native engine keeps a thread alive; what was written is flushed first, and an error of it is heard.
process.stdout.write("", () => process.stderr.write("", () => setImmediate(() => {process.exit(exitCode);})));

async function run(args: readonly string[]): Promise<number> {
  const [only, ...others] = args;
  if (others.length === 0 && (only === "--version" || only === "-V")) {
    // Scripts ask for the version all the time: it does not wait for the command-line parser.
    process.stdout.write(`${version}\n`);
    return 0;
  }
  const { runProgram } = await import("./cli/program.ts");
  return runProgram(args);
}

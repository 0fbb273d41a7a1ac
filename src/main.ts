import { version } from "./cli/version.ts";

// A reader that has gone away (`twelve releases | head -1`) has all it wants: no error, no stack trace.
for (const stream of [process.stdout, process.stderr]) {
  stream.on("error", (error: NodeJS.ErrnoException) => process.exit(error.code === "EPIPE" ? 0 : 1));
}
const exitCode = await run(process.argv.slice(2));
// Ends even if a native engine keeps a thread alive; what was written is flushed first.
process.stdout.write("", () => process.stderr.write("", () => process.exit(exitCode)));

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

import { runProgram } from "./cli/program.ts";

// A reader that has gone away (`twelve releases | head -1`) has all it wants: no error, no stack trace.
for (const stream of [process.stdout, process.stderr]) {
  stream.on("error", (error: NodeJS.ErrnoException) => process.exit(error.code === "EPIPE" ? 0 : 1));
}
const exitCode = await runProgram(process.argv.slice(2));
// Ends even if a native engine keeps a thread alive; what was written is flushed first.
process.stdout.write("", () => process.stderr.write("", () => process.exit(exitCode)));

import { Command as Program, CommanderError } from "commander";
import { type CommandEntry, commands, groups } from "./commands.ts";
import { printFailure } from "./output.ts";
import { version } from "./version.ts";

/** Flags that every command takes. */
export interface GlobalFlags {
  readonly json?: boolean;
  readonly dir?: string;
  readonly quiet?: boolean;
  /** Commander's form of `--no-color`. */
  readonly color?: boolean;
}

export const globalFlags = [
  ["--json", "Print exactly one JSON document, and failures as JSON on stderr"],
  ["--dir <folder>", "The application's folder; the current one by default"],
  ["-q, --quiet", "Say nothing but the answer, warnings and failures"],
  ["--no-color", "Use no colour; NO_COLOR does the same"],
] as const;

/** Runs one command line and gives its exit code. Never throws. */
export async function runProgram(args: readonly string[]): Promise<number> {
  let exitCode = 0;
  const program = createProgram(async (entry, leaf) => {
    const { runCommand } = await import("./execute.ts");
    exitCode = await runCommand(await entry.load(), leaf);
  });
  try {
    await program.parseAsync(withoutHelpCommand(args), { from: "user" });
    return exitCode;
  } catch (error) {
    // Commander has printed its own text; help and version end this way too.
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2;
    return printFailure(error, { isJson: args.includes("--json"), version });
  }
}

type RunEntry = (entry: CommandEntry, leaf: Program) => Promise<void>;

/** The command tree with summaries only. A command's module is loaded when its name has been read, then adds its flags. */
export function createProgram(run: RunEntry): Program {
  const program = prepare(new Program("twelve"))
    .description("Build, index, release, run and evaluate applications that call language models.")
    .version(version, "-V, --version", "Print the version")
    .addHelpText("after", "\nStart with:  twelve init my-app --template rag\n");
  for (const [flags, description] of globalFlags) program.option(flags, description);

  const parents = new Map<string, Program>();
  const entries = new Map<Program, CommandEntry>();
  for (const [name, entry] of Object.entries(commands)) {
    const [first = name, second] = name.split(" ");
    const parent = second === undefined ? program : (parents.get(first) ?? prepare(program.command(first)).description(groups[first] ?? ""));
    if (second !== undefined) parents.set(first, parent);
    const leaf = prepare(parent.command(second ?? first)).description(entry.summary);
    leaf.action(() => run(entry, leaf));
    entries.set(leaf, entry);
  }
  for (const parent of [program, ...parents.values()]) {
    parent.hook("preSubcommand", async (_, leaf) => {
      const entry = entries.get(leaf);
      if (entry === undefined) return;
      const [{ addFlags }, module] = await Promise.all([import("./options.ts"), entry.load()]);
      addFlags(leaf, module.default);
    });
  }
  return program;
}

function prepare(command: Program): Program {
  return command
    .exitOverride()
    .helpOption("-h, --help", "Show help")
    .helpCommand(false)
    .configureHelp({ showGlobalOptions: true, sortSubcommands: false })
    .configureOutput({ outputError: (text, write) => write(`${text.trimEnd()}\nRun \`twelve --help\` to see what there is.\n`) });
}

/** `help X` is read as `X --help`: commander's own help command would not load X and so show no flags. */
function withoutHelpCommand(args: readonly string[]): readonly string[] {
  const first = args.findIndex((arg) => !arg.startsWith("-"));
  if (args.length === 0) return ["--help"];
  if (args[first] !== "help") return args;
  return [...args.slice(0, first), ...args.slice(first + 1), "--help"];
}

import { Command as Program, CommanderError } from "commander";
import { TwelveError } from "../core/errors.ts";
import { type CommandEntry, commands, groups } from "./commands.ts";
import { globalFlags } from "./global-flags.ts";
import { printFailure } from "./output.ts";
import { version } from "./version.ts";

/** A service that has stopped waits so long for whoever reads its log: a reader that is stuck must not keep it alive. The answer of any other command is never cut. */
const unreadMs = 2000;

/** Runs one command line and gives its exit code. Never throws. */
export async function runProgram(args: readonly string[]): Promise<number> {
  let exitCode = 0;
  let command: string | undefined;
  const run: RunEntry = async (entry, leaf) => {
    const { runCommand } = await import("./execute.ts");
    const module = await entry.load();
    exitCode = await runCommand(module, leaf);
    if (module.default.isService === true) endWithin(unreadMs, exitCode);
  };
  const program = createProgram(run, (leaf) => (command = pathOf(leaf)));
  try {
    await program.parseAsync(withoutHelpCommand(args), { from: "user" });
    return exitCode;
  } catch (error) {
    return endOf(error, { isJson: args.includes("--json"), version }, command);
  }
}

function endWithin(limitMs: number, exitCode: number): void {
  setTimeout(() => process.exit(exitCode), limitMs).unref();
}

/** Commander ends help and version by throwing too; what it complains about is a usage error of ours. */
function endOf(error: unknown, how: { readonly isJson: boolean; readonly version: string }, command: string | undefined): number {
  if (!(error instanceof CommanderError)) return printFailure(error, how);
  if (error.exitCode === 0) return 0;
  if (error.code === "commander.help") return 2;
  const message = error.message.replace(/^error: /, "").replace(/\s*\n\s*/g, " ");
  return printFailure(new TwelveError("USAGE_INVALID", `${message.charAt(0).toUpperCase()}${message.slice(1)}`, command === undefined ? {} : { fix: `Run \`${command} --help\`` }), how);
}

type RunEntry = (entry: CommandEntry, leaf: Program) => Promise<void>;

/** The command tree with summaries only. A command's module is loaded when its name has been read, then adds its flags. */
function createProgram(run: RunEntry, onCommand: (leaf: Program) => void): Program {
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
    const leaf = prepare(parent.command(second ?? first)).description(entry.summary);
    parents.set(first, second === undefined ? leaf : parent);
    leaf.action(() => {
      refuseFlagsBefore(leaf);
      return run(entry, leaf);
    });
    entries.set(leaf, entry);
  }
  for (const parent of [program, ...parents.values()]) {
    parent.hook("preSubcommand", async ({ args: [, next] }, leaf) => {
      const entry = entries.get(leaf);
      // A command may have subcommands beside its own flags; what follows the name of one of them is all the subcommand's.
      if (entry === undefined || leaf.commands.some((command) => command.name() === next)) return;
      onCommand(leaf);
      const [{ addFlags }, module] = await Promise.all([import("./options.ts"), entry.load()]);
      addFlags(leaf, module.default);
    });
  }
  return program;
}

/** `index --env staging status` would look at another environment than it says. */
function refuseFlagsBefore(leaf: Program): void {
  const { parent } = leaf;
  if (parent?.parent == null) return;
  const flag = parent.options.find((option) => parent.getOptionValue(option.attributeName()) !== undefined);
  if (flag === undefined) return;
  throw new TwelveError("USAGE_INVALID", `${flag.long} stands before the name of the command`, { fix: `Put it behind \`${pathOf(leaf)}\`` });
}

/** As one types it: `twelve index status`. */
function pathOf(command: Program): string {
  return command.parent === null ? command.name() : `${pathOf(command.parent)} ${command.name()}`;
}

function prepare(command: Program): Program {
  return command
    .exitOverride()
    .helpOption("-h, --help", "Show help")
    .helpCommand(false)
    .configureHelp({ showGlobalOptions: true, sortSubcommands: false })
    .configureOutput({ outputError: () => {} });
}

/**
 * `help X` is read as `X --help`: commander's own help command would not load X and so show no flags. An unknown word
 * loses its --help: commander would answer with the help of the whole program, and call that success.
 */
function withoutHelpCommand(given: readonly string[]): readonly string[] {
  if (given.length === 0) return ["--help"];
  const first = given.findIndex((arg) => !arg.startsWith("-"));
  const args = given[first] === "help" ? [...given.toSpliced(first, 1), "--help"] : given;
  const word = args[first] ?? "-";
  const isKnown = word.startsWith("-") || Object.hasOwn(commands, word) || Object.hasOwn(groups, word);
  return first > 0 || isKnown ? args : args.filter((arg) => arg !== "--help" && arg !== "-h");
}

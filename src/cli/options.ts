import { type Command as Program, Option } from "commander";
import { z } from "zod";
import { TwelveError } from "../core/errors.ts";
import { flagOf, kebab } from "../core/flag.ts";
import { didYouMean } from "../core/nearest.ts";
import { formatPath, valueAt } from "../core/problems.ts";
import type { Command } from "../ports/command.ts";

/** One field of a command's input, as its JSON Schema describes it. */
interface Field {
  readonly type?: string | readonly string[];
  readonly description?: string;
  readonly default?: unknown;
  readonly enum?: readonly unknown[];
  readonly positional?: boolean;
  readonly valueName?: string;
  readonly short?: string;
}

/** What an input field is on the command line. */
export interface Flag {
  readonly key: string;
  readonly kind: "boolean" | "number" | "string" | "list";
  readonly description: string;
  readonly isPositional: boolean;
  readonly isRequired: boolean;
  /** `--dry-run`, `-m, --message <text>`, or `folder` for an argument. */
  readonly form: string;
}

/** Reads the flags off the command's input schema; the schema is the only place that declares them. */
export function flagsOf(command: Command): readonly Flag[] {
  const schema = z.toJSONSchema(command.input, { io: "input" });
  return Object.entries(schema.properties ?? {}).map(([key, value]) => {
    const field = value as Field;
    const kind = field.type === "boolean" ? "boolean" : field.type === "array" ? "list" : field.type === "number" || field.type === "integer" ? "number" : "string";
    const isPositional = field.positional === true;
    return {
      key,
      kind,
      description: describe(field),
      isPositional,
      isRequired: schema.required?.includes(key) ?? false,
      form: isPositional ? kebab(key) : flagForm(key, field, kind),
    };
  });
}

/** Declares the command's arguments, flags and examples to commander, once. */
export function addFlags(program: Program, command: Command): void {
  if (program.options.length > 0 || program.registeredArguments.length > 0) return;
  for (const flag of flagsOf(command)) {
    if (flag.isPositional) {
      const name = flag.kind === "list" ? `${flag.form}...` : flag.form;
      program.argument(flag.isRequired ? `<${name}>` : `[${name}]`, flag.description);
      continue;
    }
    const option = new Option(flag.form, flag.description);
    if (flag.kind === "list") option.argParser((value: string, earlier: readonly string[] | undefined) => [...(earlier ?? []), value]);
    if (flag.isRequired) option.makeOptionMandatory();
    program.addOption(option);
  }
  if (command.description !== undefined) program.description(`${program.description()}\n\n${command.description}`);
  program.addHelpText("after", `\nExamples:\n${command.examples.map((example) => `  ${example}`).join("\n")}\n`);
}

/** Turns what commander read into the command's input. Fails with USAGE_INVALID, naming flag and value. */
export function readInput(program: Program, command: Command): z.output<Command["input"]> {
  const flags = flagsOf(command);
  const options = program.opts<Record<string, unknown>>();
  const positionals = flags.filter(({ isPositional }) => isPositional).map(({ key }) => key);
  const given = flags.map(({ key, kind, isPositional }) => {
    const value = isPositional ? program.processedArgs[positionals.indexOf(key)] : options[key];
    return [key, kind === "number" && typeof value === "string" && value.trim() !== "" && !Number.isNaN(Number(value)) ? Number(value) : value];
  });
  const result = command.input.safeParse(Object.fromEntries(given.filter(([, value]) => value !== undefined)));
  if (result.success) return result.data;
  const problems = result.error.issues.map((issue) => {
    const { path, message } = issue;
    const flag = flags.find(({ key }) => key === path[0]);
    const typed = valueAt(Object.fromEntries(given), path);
    const hint = issue.code === "invalid_value" && typeof typed === "string" ? didYouMean(typed, issue.values.map(String)) : "";
    const said = issue.code === "invalid_type" ? `Expected ${issue.expected}, found ${JSON.stringify(typed)}` : issue.code === "invalid_value" ? `${JSON.stringify(typed)} is not allowed. Allowed: ${issue.values.map(String).join(", ")}` : message;
    return { path: flag?.isPositional === false ? flagOf(flag.key) : formatPath(path), message: hint === "" ? said : `${said}.${hint}` };
  });
  throw new TwelveError("USAGE_INVALID", `The command line of \`twelve ${commandName(program)}\` is not right`, {
    problems,
    fix: `Run \`twelve ${commandName(program)} --help\``,
  });
}

function commandName(program: Program): string {
  const parent = program.parent;
  return parent?.parent ? `${parent.name()} ${program.name()}` : program.name();
}

function flagForm(key: string, field: Field, kind: Flag["kind"]): string {
  const short = field.short === undefined ? "" : `-${field.short}, `;
  const name = kebab(key);
  if (kind === "boolean") return `${short}--${name}`;
  return `${short}--${name} <${field.valueName ?? (kind === "number" ? "number" : "value")}>`;
}

function describe({ description = "", enum: choices, default: fallback, type }: Field): string {
  const notes = [
    ...(choices === undefined ? [] : [`one of ${choices.join(", ")}`]),
    ...(type === "array" ? ["may be repeated"] : []),
    ...(fallback === undefined || fallback === false || (Array.isArray(fallback) && fallback.length === 0) ? [] : [`default: ${typeof fallback === "string" ? fallback : JSON.stringify(fallback)}`]),
  ];
  return notes.length === 0 ? description : `${description} (${notes.join("; ")})`;
}

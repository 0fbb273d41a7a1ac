import { canonicalJson } from "../core/canonical-json.ts";
import { byCodeUnit } from "../core/compare.ts";
import { digestOf } from "../core/descriptor.ts";
import { formatLocation, type Problem } from "../core/errors.ts";
import { checkTemplate, type ParsedPartial } from "./check.ts";
import { noFrontMatter, readFrontMatter, type ReadFrontMatter } from "./front-matter.ts";
import type { CompiledPrompt } from "./schema.ts";
import { splitSource } from "./source.ts";
import { parseTemplate, type TemplateOrigin } from "./template.ts";

/** A prompt file. `name` is its path below the folder that the manifest lists: `support/answer.strict.prompt`. */
export interface PromptFile {
  /** Where it is, for messages and provenance. */
  readonly path: string;
  readonly name: string;
  readonly text: string;
}

export interface Compilation {
  /** Sorted by name and variant; empty when there is any problem. */
  readonly prompts: readonly CompiledPrompt[];
  readonly problems: readonly Problem[];
  readonly warnings: readonly Problem[];
}

/** A file taken apart and parsed. */
interface ParsedPrompt {
  readonly file: PromptFile;
  readonly frontMatter: ReadFrontMatter;
  readonly template: string;
  readonly parsed: ParsedPartial;
}

/**
 * Compiles the prompts of one build and proves what can be proved without a model. Pure: equal files give equal prompts,
 * whatever order they come in. Partials belong to these files alone.
 */
export function compilePrompts(files: readonly PromptFile[]): Compilation {
  const sorted = [...files].sort((left, right) => byCodeUnit(left.name, right.name) || byCodeUnit(left.path, right.path));
  const problems: Problem[] = [];
  const warnings: Problem[] = [];
  const parsed = sorted.flatMap((file) => {
    const result = parsePrompt(file);
    if ("problems" in result) problems.push(...result.problems);
    else return [result];
    return [];
  });
  const twins = duplicates(parsed);
  problems.push(...twins);
  // Partials that do not parse exist all the same: what is wrong with them is said once, where it is wrong.
  const broken = new Set(sorted.filter((file) => isPartial(file.name) && !parsed.some((prompt) => prompt.file === file)).map(({ name }) => partialName(name)));
  const partials = new Map(parsed.filter(({ file }) => isPartial(file.name)).map((partial) => [partialName(partial.file.name), partial]));
  const programs = new Map([...partials].map(([name, { parsed }]) => [name, parsed]));
  for (const name of broken) programs.set(name, emptyPartial);

  const prompts = parsed.filter(({ file }) => !isPartial(file.name)).map((prompt) => {
    const { frontMatter, parsed: { program, origin } } = prompt;
    const check = checkTemplate(program, frontMatter.inputSchema ?? undefined, origin, programs);
    problems.push(...check.problems);
    warnings.push(...check.warnings, ...promptWarnings(prompt));
    return assemble(prompt, Object.fromEntries([...check.partials].sort().flatMap((name) => (partials.has(name) ? [[name, partials.get(name)?.template ?? ""]] : []))));
  });
  return { prompts: problems.length > 0 ? [] : prompts, problems: unique(problems), warnings: unique(warnings) };
}

const emptyPartial: ParsedPartial = { program: { type: "Program", body: [] } as unknown as ParsedPartial["program"], origin: { file: "", line: 1, column: 1 } };

function parsePrompt(file: PromptFile): ParsedPrompt | { readonly problems: readonly Problem[] } {
  if (!/^(?:.*\/)?(?!_?\.)[^/.]+(?:\.[^/.]+)?\.prompt$/.test(file.name)) {
    return { problems: [{ file: file.path, line: 1, column: 1, message: "The file's name must be name.prompt or name.variant.prompt" }] };
  }
  const split = splitSource(file.text, file.path);
  if ("problem" in split) return { problems: [split.problem] };
  if (isPartial(file.name) && split.frontMatter !== null) {
    const line = split.frontMatter.line - 1;
    return { problems: [{ file: file.path, line, column: 1, message: "A partial takes no front matter: it is part of the prompts that include it, and uses their variables" }] };
  }
  const read = split.frontMatter === null ? { value: noFrontMatter } : readFrontMatter(split.frontMatter.text, file.path, split.frontMatter.line);
  const origin: TemplateOrigin = { file: file.path, line: split.line, column: split.column };
  const dialect = dialectProblem(split.template, origin);
  const template = parseTemplate(split.template, origin);
  const problems = [...("problems" in read ? read.problems : []), ...(dialect === undefined ? [] : [dialect]), ...("problem" in template ? [template.problem] : [])];
  if (problems.length > 0 || "problems" in read || "problem" in template) return { problems };
  return { file, frontMatter: read.value, template: split.template, parsed: { program: template.program, origin } };
}

/** LiteLLM uses the same ending for another format, whose roles are lines such as `System:`. */
function dialectProblem(template: string, origin: TemplateOrigin): Problem | undefined {
  if (/\{\{~?\s*role\b/.test(template) || !/^User:/m.test(template)) return undefined;
  const line = template.split("\n").findIndex((text) => text.startsWith("System:"));
  if (line === -1) return undefined;
  return { file: origin.file, line: origin.line + line, column: 1, message: '"System:" and "User:" lines are LiteLLM\'s dialect of .prompt files; here they would be plain text. Write {{role "system"}} and {{role "user"}}' };
}

function assemble({ file, frontMatter, template }: ParsedPrompt, partials: Readonly<Record<string, string>>): CompiledPrompt {
  const { model, config, inputSchema, inputDefault, format, outputSchema, metadata } = frontMatter;
  const { name, variant } = promptName(file.name);
  const content = {
    name,
    variant,
    model,
    config: { ...config },
    input: { schema: inputSchema, default: { ...inputDefault } },
    output: { format, schema: outputSchema },
    template,
    partials: { ...partials },
    metadata: { ...metadata },
  } as Omit<CompiledPrompt, "path" | "digest">;
  return { ...content, path: file.path, digest: digestOf(canonicalJson(content)) };
}

function promptWarnings({ file, frontMatter, parsed: { program } }: ParsedPrompt): readonly Problem[] {
  const { name } = promptName(file.name);
  const isUsingVariables = program.body.some(({ type }) => type !== "ContentStatement" && type !== "CommentStatement");
  return [
    ...(frontMatter.inputSchema === null && isUsingVariables ? [{ file: file.path, message: "declares no input.schema, so its variables cannot be checked before they are used" }] : []),
    ...(frontMatter.name !== undefined && frontMatter.name !== name.split("/").at(-1) && frontMatter.name !== name ? [{ file: file.path, path: "name", message: `The file's own name wins: this prompt is "${name}", not "${frontMatter.name}"` }] : []),
    ...("tools" in frontMatter.metadata ? [{ file: file.path, path: "tools", message: "This version offers no tools to the model; the key is kept and has no effect" }] : []),
  ];
}

function duplicates(prompts: readonly ParsedPrompt[]): readonly Problem[] {
  return prompts.flatMap(({ file }, index) => {
    const first = prompts.slice(0, index).find((other) => other.file.name === file.name)?.file;
    return first === undefined ? [] : [{ file: file.path, message: `${first.path} has the same name. Rename one of them` }];
  });
}

/** `support/answer.strict.prompt` is the variant `strict` of `support/answer`. */
function promptName(file: string): { readonly name: string; readonly variant: string | null } {
  const [, folder = "", base = "", variant = null] = /^(.*\/)?([^/.]*)(?:\.([^/]*))?\.prompt$/.exec(file) ?? [];
  return { name: `${folder}${base}`, variant };
}

function isPartial(file: string): boolean {
  return /(?:^|\/)_[^/]*\.prompt$/.test(file);
}

/** `support/_style.prompt` is used as {{> support/style}}. */
function partialName(file: string): string {
  return file.replace(/(^|\/)_([^/]*)\.prompt$/, "$1$2");
}

function unique(problems: readonly Problem[]): readonly Problem[] {
  return [...new Map(problems.map((problem) => [`${formatLocation(problem)} ${problem.path ?? ""} ${problem.message}`, problem])).values()];
}

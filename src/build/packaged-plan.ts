import { didYouMean } from "../core/nearest.ts";

/** What is wrong with a file that the manifest names and no build would package; undefined where one would. */
export function missingFile(written: string, packaged: readonly string[]): string | undefined {
  const path = written.replace(/^(?:\.\/)+/, "");
  if (packaged.includes(path)) return undefined;
  return `A build would package no ${path}, and a release has only what its build packaged.${didYouMean(path, packaged)} Write the file and run \`git add ${path}\`; \`code:\` must not leave it out`;
}

/** The same for the file that a command line starts. Undefined also where it cannot be told which one that is. */
export function missingProgram(line: string, packaged: readonly string[]): string | undefined {
  const file = startedFile(line);
  return file === undefined ? undefined : missingFile(file, packaged);
}

const interpreter = /^(?:node|bun|deno|tsx|ts-node|python[\d.]*|ruby|perl|php|lua|Rscript|bash|sh|zsh)$/;
const script = /\.(?:[cm]?[jt]sx?|py|rb|pl|php|lua|R|sh)$/;
/** Behind these stands code, or the name of a module. */
const inline = /^(?:-[cemp]|--eval|--print)$/;
/** Nothing that a shell would make something else of, and nothing outside of the code's folder. */
const plain = /^[\w.@+-][\w.@+/-]*$/;

/** Only what is plain to see is told: a shell may do anything. */
function startedFile(line: string): string | undefined {
  const words = (line.split(/[|&;<>()\n]/)[0] ?? "").split(/\s+/).filter((word) => word !== "" && !/^\w+=/.test(word));
  const [program = "", ...args] = words;
  if (!interpreter.test(program)) return program.includes("/") && plain.test(program) ? program : undefined;
  const until = args.findIndex((word) => inline.test(word));
  const file = args.slice(0, until < 0 ? args.length : until).find((word) => script.test(word) && !word.startsWith("-"));
  return file !== undefined && plain.test(file) ? file : undefined;
}

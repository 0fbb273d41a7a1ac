import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";

/** A small document of two sections, of which no two numbers share a text. */
export function manyDocument(number: number, edition = "first"): string {
  const words = Array.from({ length: 40 }, (_, i) => `word${(number * 7 + i * 17) % 997}`).join(" ");
  return `# Document ${number}\n\nThis is the ${edition} edition of ${number}: ${words}\n\n## Section of ${number}\n\nMore about ${number}: ${words}\n`;
}

export const documentName = (number: number): string => `docs/${number % 7}/d${String(number).padStart(4, "0")}.md`;

interface Options {
  /** Further settings of the index, such as `, embedding: { requestsAtOnce: 1 }`. */
  readonly settings?: string;
  readonly environments?: readonly string[];
}

/** An application named `many` in `dir`, with so many documents. */
export async function manyDocuments(dir: string, count: number, { settings = "", environments = ["staging"] }: Options = {}): Promise<string> {
  const manifest = [
    "name: many",
    "config:",
    '  EMBEDDER: { default: "hash:256" }',
    '  STATE_URL: { kind: attachment, default: "pglite:.twelve/state" }',
    "indexes:",
    `  docs: { source: [docs], embedder: "\${EMBEDDER}"${settings} }`,
    "processes:",
    "  worker: { work: [index] }",
    `environments: { ${environments.map((name) => `${name}: {}`).join(", ")} }`,
    "",
  ];
  for (let folder = 0; folder < 7; folder++) await mkdir(join(dir, `docs/${folder}`), { recursive: true });
  await writeFile(join(dir, "twelve.yaml"), manifest.join("\n"));
  await Promise.all(Array.from({ length: count }, (_, number) => writeFile(join(dir, documentName(number)), manyDocument(number))));
  return dir;
}

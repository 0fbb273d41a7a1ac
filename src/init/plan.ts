/** One text file, by its path below the application folder, with forward slashes. */
export interface TextFile {
  readonly path: string;
  readonly text: string;
}

/** The word that stands for the application's name in a template. It is a valid name, so that templates are valid applications. */
const placeholder = "twelve-app";

/** npm leaves files called .gitignore out of a package, so templates carry them without the dot. */
const renamed: Readonly<Record<string, string>> = { gitignore: ".gitignore" };

const schemaFile = ".twelve/twelve.schema.json";

/** Every file of the new application, sorted by path: the template's with the name filled in, and the manifest's JSON Schema. */
export function planInit(template: readonly TextFile[], app: string, manifestSchema: string): readonly TextFile[] {
  const files = template.map(({ path, text }) => {
    const filled = text.replaceAll(placeholder, app);
    return { path: finalPath(path), text: path === "twelve.yaml" ? `# yaml-language-server: $schema=./${schemaFile}\n${filled}` : filled };
  });
  return [...files, { path: schemaFile, text: manifestSchema }].sort((left, right) => (left.path < right.path ? -1 : 1));
}

function finalPath(path: string): string {
  const folders = path.split("/");
  const file = folders.pop() ?? "";
  return [...folders, renamed[file] ?? file].join("/");
}

/** A name that the manifest accepts, from any folder name: `Kundendienst (Köln)` gives `kundendienst-koln`. */
export function appNameFrom(folder: string): string {
  const words = folder.normalize("NFKD").toLowerCase().replaceAll(/\p{M}/gu, "").replaceAll(/[^a-z0-9]+/g, "-");
  return words.replace(/^-+/, "").slice(0, 63).replace(/-+$/, "") || "app";
}

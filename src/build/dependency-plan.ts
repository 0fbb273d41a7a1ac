import { type DeclaredPackage, packagesOf } from "./dependency-file.ts";
import type { Finding } from "./schema.ts";

const factor = "II. Dependencies";

/** How each kind of file that declares dependencies is pinned, by file name; an empty list means that it pins itself. */
const lockfilesOf: Readonly<Record<string, readonly string[]>> = {
  "package.json": ["package-lock.json", "npm-shrinkwrap.json", "yarn.lock", "pnpm-lock.yaml", "bun.lock", "bun.lockb"],
  "pyproject.toml": ["uv.lock", "poetry.lock", "pdm.lock", "pylock.toml", "requirements.txt"],
  "requirements.txt": ["uv.lock", "poetry.lock", "pdm.lock", "pylock.toml"],
  Pipfile: ["Pipfile.lock"],
  Gemfile: ["Gemfile.lock"],
  "go.mod": ["go.sum"],
  "Cargo.toml": ["Cargo.lock"],
  "composer.json": ["composer.lock"],
  "mix.exs": ["mix.lock"],
  "deno.json": ["deno.lock"],
};
const lockfiles = new Set(Object.values(lockfilesOf).flat().filter((name) => name !== "requirements.txt"));

/** Packages that call a model provider: an update of one of these changes answers without any change of ours. */
const providerSdk =
  /^(openai|anthropic|@anthropic-ai\/.+|@openai\/.+|@aws-sdk\/client-(bedrock|sagemaker).*|@google\/(genai|generative-ai)|@google-cloud\/(vertexai|aiplatform)|google-(genai|generativeai|cloud-aiplatform)|@azure\/openai|@mistralai\/.+|mistralai|cohere(-ai)?|groq(-sdk)?|together(-ai)?|replicate|ollama|boto3|botocore|litellm|ai|@ai-sdk\/.+|langchain.*|@langchain\/.+|llama-?index.*|@llamaindex\/.+|@huggingface\/inference|huggingface-hub|voyageai|async-openai|aws-sdk-bedrockruntime|ruby-openai)$/;

export function isLockfile(path: string): boolean {
  return lockfiles.has(path.slice(path.lastIndexOf("/") + 1));
}

/** Whether a file's text is needed to tell what it declares. */
export function declaresDependencies(path: string): boolean {
  return kindOf(path) !== undefined;
}

export interface DependencyTexts {
  /** Every tracked path. */
  readonly paths: readonly string[];
  /** Texts of the files that `declaresDependencies` names, and of the lockfiles. */
  readonly texts: ReadonlyMap<string, string>;
}

/** Dependencies that a later installation might resolve differently. */
export function findDependencies({ paths, texts }: DependencyTexts): readonly Finding[] {
  const existing = new Set(paths);
  return paths.flatMap((path) => {
    const kind = kindOf(path);
    const text = texts.get(path);
    if (kind === undefined || text === undefined) return [];
    const declared = packagesOf(kind, text);
    if (declared.length === 0) return [];
    const lockfile = lockfileFor(path, kind, existing);
    const lockText = lockfile === undefined ? "" : (texts.get(lockfile) ?? "");
    const sdks = declared.filter(({ name }) => providerSdk.test(name)).flatMap((sdk) => sdkFinding(path, sdk, lockfile, lockText));
    return [...lockFinding(path, kind, declared, lockfile), ...sdks];
  });
}

function kindOf(path: string): string | undefined {
  const name = path.slice(path.lastIndexOf("/") + 1);
  const isRequirements = name.startsWith("requirements") && /^requirements([-_.].+)?\.txt$/.test(name);
  const kind = isRequirements ? "requirements.txt" : Object.hasOwn(lockfilesOf, name) ? name : undefined;
  // Packages that are committed with the code have dependency files of their own; they are not the application's.
  return kind === undefined || /(^|\/)node_modules\//.test(path) ? undefined : kind;
}

/** In the same folder or in one above it, as workspaces have it. */
function lockfileFor(path: string, kind: string, existing: ReadonlySet<string>): string | undefined {
  const segments = path.split("/").slice(0, -1);
  for (let depth = segments.length; depth >= 0; depth--) {
    const folder = segments.slice(0, depth).map((segment) => `${segment}/`).join("");
    const found = (lockfilesOf[kind] ?? []).map((name) => folder + name).find((candidate) => candidate !== path && existing.has(candidate));
    if (found !== undefined) return found;
  }
  return undefined;
}

function lockFinding(path: string, kind: string, declared: readonly DeclaredPackage[], lockfile: string | undefined): readonly Finding[] {
  if (lockfile !== undefined) return [];
  if (kind !== "requirements.txt") {
    const [first, ...others] = (lockfilesOf[kind] ?? []).filter((name) => name !== "requirements.txt");
    const alternatives = others.length === 0 ? "" : ` (or ${others.join(", ")})`;
    return [{ factor, file: path, message: `No lockfile is tracked for its ${declared.length} ${declared.length === 1 ? "dependency" : "dependencies"}: commit ${first}${alternatives}` }];
  }
  const loose = declared.filter(({ pin }) => pin !== "exact");
  if (loose.length === 0) return [];
  const names = loose.slice(0, 5).map(({ name }) => name).join(", ");
  return [{ factor, file: path, message: `${loose.length} of ${declared.length} requirements are not pinned with ==: ${names}${loose.length > 5 ? ", …" : ""}` }];
}

function sdkFinding(path: string, { name, range, pin }: DeclaredPackage, lockfile: string | undefined, lockText: string): readonly Finding[] {
  const isLocked = new RegExp(`(^|["'/\\s])${name.replaceAll(".", String.raw`\.`)}(["'@\\s=:,]|$)`, "m").test(lockText);
  const shown = range === "" ? "any version" : range;
  const at = (message: string): readonly Finding[] => [{ factor, file: path, message }];
  if (pin === "moving") return at(`The model-provider SDK ${name} is declared as ${shown}, which names no version: a new one can change answers. Declare an exact version`);
  if (pin === "exact" || isLocked) return [];
  const what = lockfile === undefined ? "no lockfile pins it" : `${lockfile} does not pin it`;
  return at(`The model-provider SDK ${name} is declared as ${shown} and ${what}: a new version can change answers. Declare an exact version, or commit the lockfile`);
}

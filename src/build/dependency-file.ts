/** A package that a file declares to depend on. */
export interface DeclaredPackage {
  readonly name: string;
  /** As it stands in the file; empty where any version will do. */
  readonly range: string;
  /** exact: one version; range: several; moving: whatever is newest, or a place such as a git branch. */
  readonly pin: "exact" | "range" | "moving";
}

/** What a dependency file declares. Files that cannot be parsed declare nothing here: their own tools complain about them. */
export function packagesOf(kind: string, text: string): readonly DeclaredPackage[] {
  switch (kind) {
    case "package.json":
    case "composer.json":
    case "deno.json":
      return jsonPackages(text);
    case "requirements.txt":
      return text.split(/\r?\n/).flatMap((line) => requirement(line.replace(/(^|\s)#.*$/, "").replace(/\s--.*$/, "").trim()));
    case "pyproject.toml":
      return tomlRequirements(text);
    case "Cargo.toml":
      return tomlTable(text, /^(.+\.)?(dependencies|dev-dependencies|build-dependencies)$/);
    case "Pipfile":
      return tomlTable(text, /^(packages|dev-packages)$/);
    default:
      return linePackages(kind, text);
  }
}

function jsonPackages(text: string): readonly DeclaredPackage[] {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return [];
  }
  if (typeof value !== "object" || value === null) return [];
  const fields = new Set(["dependencies", "devDependencies", "optionalDependencies", "require", "require-dev", "imports"]);
  const tables = Object.entries(value).filter(([key, table]) => fields.has(key) && typeof table === "object" && table !== null);
  const entries = tables.flatMap(([, table]) => Object.entries(table as Record<string, unknown>));
  // PHP itself and its extensions are listed like packages.
  return entries.filter(([name]) => name !== "php" && !name.startsWith("ext-")).map(([name, range]) => ({ name, range: String(range), pin: npmPin(String(range)) }));
}

function npmPin(range: string): DeclaredPackage["pin"] {
  // `npm:other@1.2.3` is another name; workspaces, folders and tarballs of the repository are pinned by its commit.
  const version = range.replace(/^npm:.*@/, "").trim();
  if (/^(workspace:|file:|link:|portal:)/.test(version)) return "exact";
  if (/^v?=?\s*\d+\.\d+\.\d+([-+][\w.+-]+)?$/.test(version)) return "exact";
  if (/^[\d^~<>=]/.test(version) && /\d/.test(version) && !version.includes("/")) return "range";
  if (/(^git|:\/\/|\/)/.test(version)) return /#[0-9a-f]{40}$/.test(version) ? "exact" : "moving";
  return "moving";
}

/** One requirement of PEP 508, such as `openai[aiohttp]>=1.2; python_version > "3.9"`. */
function requirement(line: string): readonly DeclaredPackage[] {
  const match = /^([A-Za-z0-9][A-Za-z0-9._-]*)\s*(?:\[[^\]]*\])?\s*(.*)$/.exec(line);
  if (match === null || line.startsWith("-")) return [];
  const [, name = "", rest = ""] = match;
  const range = (rest.split(";")[0] ?? "").replace(/^\((.*)\)$/, "$1").trim();
  return [{ name: name.toLowerCase().replaceAll(/[._-]+/g, "-"), range, pin: pythonPin(range) }];
}

function pythonPin(range: string): DeclaredPackage["pin"] {
  if (/^===?\s*[^*,\s]+$/.test(range)) return "exact";
  if (range.startsWith("@")) return /@[0-9a-f]{40}/.test(range) || /#sha256=/.test(range) ? "exact" : "moving";
  return range === "" || range === "*" ? "moving" : "range";
}

/** `[project]` lists strings; Poetry has a table. TOML is read only as far as these need. */
function tomlRequirements(text: string): readonly DeclaredPackage[] {
  const lists = [...text.matchAll(/^\s*(?:dependencies|[\w-]+)\s*=\s*\[((?:\s*(?:"[^"\n]*"|'[^'\n]*'|#[^\n]*)\s*,?\s*)*)\]/gm)].filter(({ 0: whole, index }) => {
    const table = [...text.slice(0, index).matchAll(/^\s*\[([^\]]+)\]\s*$/gm)].at(-1)?.[1] ?? "";
    return (table === "project" && /^\s*dependencies\b/.test(whole)) || table === "project.optional-dependencies" || table === "dependency-groups";
  });
  const listed = lists.flatMap(([, body = ""]) => [...body.replaceAll(/#[^\n]*/g, "").matchAll(/"([^"]*)"|'([^']*)'/g)].flatMap(([, double, single]) => requirement(double ?? single ?? "")));
  return [...listed, ...tomlTable(text, /^tool\.poetry\.(group\.[\w-]+\.)?(dependencies|dev-dependencies)$/).filter(({ name }) => name !== "python")];
}

/** `name = "range"` and `name = { version = "range", git = "..." }` in the tables that `wanted` names. */
function tomlTable(text: string, wanted: RegExp): readonly DeclaredPackage[] {
  let isWanted = false;
  return text.split(/\r?\n/).flatMap((line): readonly DeclaredPackage[] => {
    const table = /^\s*\[+([^\]]+)\]+\s*(#.*)?$/.exec(line)?.[1]?.trim();
    if (table !== undefined) isWanted = wanted.test(table);
    const match = /^\s*"?([A-Za-z0-9][\w.-]*)"?\s*=\s*(.+)$/.exec(line);
    if (!isWanted || match === null) return [];
    const [, name = "", value = ""] = match;
    if (/\bpath\s*=/.test(value)) return [];
    const isGit = /\b(git|url)\s*=/.test(value) && !/\brev\s*=\s*"[0-9a-f]{40}"/.test(value);
    const range = (/^["']([^"']*)["']/.exec(value)?.[1] ?? /version\s*=\s*["']([^"']*)["']/.exec(value)?.[1] ?? "").trim();
    if (isGit) return [{ name, range: "a git repository or URL", pin: "moving" }];
    return [{ name, range, pin: range === "" || range === "*" ? "moving" : /^={1,3}\s*\d[\w.]*$/.test(range) || /^\d+\.\d+\.\d+$/.test(range) ? "exact" : "range" }];
  });
}

/** Ruby, Go and Elixir: enough to see that something is declared. Go names exact versions by its own rules. */
function linePackages(kind: string, text: string): readonly DeclaredPackage[] {
  const patterns: Readonly<Record<string, RegExp>> = {
    Gemfile: /^\s*gem\s+["']([\w-]+)["'](?:\s*,\s*["']([^"']*)["'])?/gm,
    "go.mod": /^\s*(?:require\s+)?([\w.-]+\.[\w.-]+\/\S+)\s+(v\S+)/gm,
    "mix.exs": /\{:(\w+),\s*"([^"]*)"/gm,
  };
  const pattern = patterns[kind];
  if (pattern === undefined) return [];
  return [...text.matchAll(pattern)].map(([, name = "", range = ""]) => {
    const pin = kind === "go.mod" || /^(==?\s*)?\d+\.\d+\.\d+$/.test(range) ? "exact" : range === "" ? "moving" : "range";
    return { name, range, pin };
  });
}

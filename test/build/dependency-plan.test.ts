import { describe, expect, it } from "vitest";
import { findDependencies } from "../../src/build/dependency-plan.ts";

type Files = Readonly<Record<string, string>>;
function messages(files: Files): readonly string[] {
  const found = findDependencies({ paths: Object.keys(files), texts: new Map(Object.entries(files)) });
  expect(found.every(({ factor }) => factor === "II. Dependencies")).toBe(true);
  return found.map(({ file, message }) => `${file}: ${message}`);
}
const npm = (dependencies: Files): string => JSON.stringify({ dependencies });
const missing = (file: string, count: string, names: string): string => `${file}: No lockfile is tracked for its ${count}: commit ${names}`;
const loose = (file: string, name: string, range: string, what: string): string => `${file}: The model-provider SDK ${name} is declared as ${range} and ${what}: a new version can change answers. Declare an exact version, or commit the lockfile`;
const moving = (file: string, name: string, range: string): string => `${file}: The model-provider SDK ${name} is declared as ${range}, which names no version: a new one can change answers. Declare an exact version`;
const npmLocks = "package-lock.json (or npm-shrinkwrap.json, yarn.lock, pnpm-lock.yaml, bun.lock, bun.lockb)";
const pythonLocks = "uv.lock (or poetry.lock, pdm.lock, pylock.toml)";

const cases: readonly (readonly [string, Files, readonly string[]])[] = [
  ["npm without a lockfile", { "package.json": npm({ left: "1.0.0" }) }, [missing("package.json", "1 dependency", npmLocks)]],
  ["npm with a lockfile", { "package.json": npm({ left: "^1.0.0" }), "package-lock.json": "{}" }, []],
  ["npm with the lockfile of the workspace above", { "packages/a/package.json": npm({ left: "^1.0.0" }), "pnpm-lock.yaml": "" }, []],
  ["npm with a lockfile elsewhere", { "a/package.json": npm({ left: "1.0.0" }), "b/yarn.lock": "" }, [missing("a/package.json", "1 dependency", npmLocks)]],
  ["a package.json without dependencies", { "package.json": '{"type":"module"}' }, []],
  ["a package.json that is no JSON", { "package.json": "{" }, []],
  ["committed packages", { "node_modules/x/package.json": npm({ openai: "latest" }) }, []],
  ["an SDK in a range, locked", { "package.json": npm({ openai: "^4.0.0" }), "package-lock.json": '{"packages":{"node_modules/openai":{"version":"4.1.0"}}}' }, []],
  ["an SDK in a range that the lockfile lacks", { "package.json": npm({ openai: "^4.0.0" }), "package-lock.json": '{"node_modules/ruby-openai2":{}}' }, [loose("package.json", "openai", "^4.0.0", "package-lock.json does not pin it")]],
  ["an SDK in a range without a lockfile", { "package.json": npm({ "@anthropic-ai/sdk": "~0.30" }) }, [missing("package.json", "1 dependency", npmLocks), loose("package.json", "@anthropic-ai/sdk", "~0.30", "no lockfile pins it")]],
  ["an SDK at its exact version", { "package.json": npm({ openai: "4.1.0" }), "yarn.lock": "" }, []],
  ["the latest SDK, even when locked", { "package.json": npm({ openai: "latest" }), "yarn.lock": "openai@latest:\n" }, [moving("package.json", "openai", "latest")]],
  ["an SDK from a git branch", { "package.json": npm({ litellm: "github:x/litellm#main" }), "yarn.lock": "" }, [moving("package.json", "litellm", "github:x/litellm#main")]],
  ["pinned requirements", { "requirements.txt": "openai==1.2.3\n# comment\n-r other.txt\nrequests == 2.0 ; python_version > '3'\n" }, []],
  ["loose requirements", { "requirements.txt": "openai>=1.0\nrequests\nflask==3.0.0\n" }, ["requirements.txt: 2 of 3 requirements are not pinned with ==: openai, requests", loose("requirements.txt", "openai", ">=1.0", "no lockfile pins it")]],
  ["an SDK without any version", { "requirements-dev.txt": "boto3\n" }, ["requirements-dev.txt: 1 of 1 requirements are not pinned with ==: boto3", moving("requirements-dev.txt", "boto3", "any version")]],
  ["pyproject.toml without a lockfile", { "pyproject.toml": '[project]\nname = "x"\ndependencies = [\n  "anthropic[bedrock]>=0.30", # models\n  "flask",\n]\n' }, [missing("pyproject.toml", "2 dependencies", pythonLocks), loose("pyproject.toml", "anthropic", ">=0.30", "no lockfile pins it")]],
  ["pyproject.toml with a lockfile", { "pyproject.toml": '[project]\ndependencies = ["anthropic>=0.30"]\n', "uv.lock": 'name = "anthropic"\n' }, []],
  ["Poetry without a lockfile", { "pyproject.toml": '[tool.poetry.dependencies]\npython = "^3.12"\nlangchain-openai = "^0.2"\n[build-system]\nrequires = ["x"]\n' }, [missing("pyproject.toml", "1 dependency", pythonLocks), loose("pyproject.toml", "langchain-openai", "^0.2", "no lockfile pins it")]],
  ["a pyproject.toml of tool settings only", { "pyproject.toml": "[tool.ruff]\nselect = [\"E\"]\n" }, []],
  ["Go", { "go.mod": "module x\n\nrequire github.com/a/b v1.2.3\n" }, [missing("go.mod", "1 dependency", "go.sum")]],
  ["Rust", { "Cargo.toml": '[dependencies]\nserde = "1"\n' }, [missing("Cargo.toml", "1 dependency", "Cargo.lock")]],
  ["Ruby", { Gemfile: 'gem "rails", "~> 7"\n', "Gemfile.lock": "" }, []],
];

describe("findings about dependencies", () => {
  it.each(cases)("%s", (_, files, expected) => {
    expect(messages(files)).toEqual(expected);
  });
});

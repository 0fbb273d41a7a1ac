import { z } from "zod";
import { CodeFile } from "../code/schema.ts";
import { type Descriptor, Digest, shortDigest } from "../core/descriptor.ts";
import { formatLocation, TwelveError } from "../core/errors.ts";
import type { Story } from "../ports/story.ts";
import { type Build, Finding } from "./schema.ts";

/** The answer of `twelve build`. */
export const BuildReport = z
  .strictObject({
    app: z.string(),
    digest: Digest.meta({ description: "Digest that names the build" }),
    isStored: z.boolean().meta({ description: "false with --dry-run" }),
    isNew: z.boolean().meta({ description: "Whether this differs from the latest build before it" }),
    commit: z.string().nullable().meta({ description: "Git commit; null before the first one" }),
    dirty: z.boolean().meta({ description: "Whether packaged files differ from the commit" }),
    code: z.strictObject({
      digest: Digest.meta({ description: "Digest of the code tree" }),
      files: z.int(),
      sizeBytes: z.int(),
      storedBytes: z.int().meta({ description: "Bytes of archives that this build added to the store" }),
    }),
    prompts: z.array(z.strictObject({ name: z.string(), variant: z.string().nullable(), digest: Digest })),
    promptPackages: z.array(z.strictObject({ name: z.string(), version: z.string(), digest: Digest })),
    lockfiles: z.array(z.string()),
    models: z.array(z.string()).meta({ description: "Declared models and embedders, `${KEY}` in place" }),
    indexes: z.array(z.string()).meta({ description: "Indexes that the manifest declares" }),
    unmade: z.array(z.string()).meta({ description: "Those of them that `twelve index` has not made yet; none with --dry-run" }),
    findings: z.array(Finding),
    warnings: z.array(z.string()),
    files: z.array(CodeFile).optional().meta({ description: "With --dry-run: every file that would be packaged" }),
  })
  .meta({ title: "BuildReport", description: "A build, and what was noticed while it was made" });
export type BuildReport = z.infer<typeof BuildReport>;

export interface ReportParts {
  readonly build: Build;
  readonly descriptor: Descriptor;
  readonly files: readonly CodeFile[];
  readonly storedBytes: number;
  readonly isStored: boolean;
  readonly isNew: boolean;
  /** Declared indexes of which the store has none yet. */
  readonly unmade: readonly string[];
  readonly findings: readonly Finding[];
  readonly warnings: readonly string[];
}

export function reportBuild({ build, descriptor, files, storedBytes, isStored, isNew, unmade, findings, warnings }: ReportParts): BuildReport {
  return {
    app: build.app,
    digest: descriptor.digest,
    isStored,
    isNew,
    commit: build.source.commit,
    dirty: build.source.dirty,
    code: { digest: build.code.digest, files: files.length, sizeBytes: files.reduce((sum, { size }) => sum + size, 0), storedBytes },
    prompts: build.prompts.map(({ name, variant, digest }) => ({ name, variant, digest })),
    promptPackages: build.promptPackages,
    lockfiles: build.lockfiles.map(({ path }) => path),
    models: build.models,
    indexes: Object.keys(build.manifest.indexes),
    unmade: [...unmade],
    findings: [...findings],
    warnings: [...warnings],
    ...(isStored ? {} : { files: [...files] }),
  };
}

export function renderBuild({ app, digest, isStored, isNew, commit, dirty, code, prompts, promptPackages, unmade, findings, files }: BuildReport): string {
  const from = commit === null ? "no commit yet" : `commit ${commit.slice(0, 12)}${dirty ? ", with uncommitted changes" : ""}`;
  const names = prompts.map(({ name, variant }) => (variant === null ? name : `${name} (${variant})`));
  const lines = [
    `${isStored ? "Build" : "Would make build"} ${shortDigest(digest)} of ${app} from ${from}${isStored && !isNew ? "; nothing changed since the latest build" : ""}`,
    `  code     ${code.files} ${code.files === 1 ? "file" : "files"}, ${formatBytes(code.sizeBytes)}`,
    `  prompts  ${names.join(", ") || "none"}`,
    ...promptPackages.map(({ name, version }) => `  package  ${name}@${version}`),
    ...(findings.length === 0 ? [] : [`  findings ${findings.length}, listed above; \`--strict\` refuses them`]),
    ...(files ?? []).map(({ path, size, mode }) => `  ${formatBytes(size).padStart(10)}  ${path}${mode === "file" ? "" : ` (${mode})`}`),
  ];
  const next = unmade.length > 0 ? "twelve index" : "twelve release --env development";
  return [...lines, "", isStored ? `Next: ${next}` : "Nothing was written. Run it without --dry-run to make the build"].join("\n");
}

/** Findings and warnings as the user reads them while the build goes on. */
export function tellFindings(story: Story, findings: readonly Finding[], warnings: readonly string[]): void {
  for (const warning of warnings) story.warn(warning);
  for (const { factor, file, message } of findings) story.warn(`${formatLocation({ file })}: ${message} (${factor})`);
}

/** Fails with CHECK_FAILED when there are findings. */
export function assertNoFindings(findings: readonly Finding[]): void {
  if (findings.length === 0) return;
  throw new TwelveError("CHECK_FAILED", `${findings.length === 1 ? "A finding stands" : `${findings.length} findings stand`} against the build`, {
    problems: findings.map(({ factor, file, message }) => ({ file, message: `${message} (${factor})` })),
  });
}

function formatBytes(bytes: number): string {
  if (bytes < 1000) return `${bytes} B`;
  const units = ["kB", "MB", "GB", "TB"];
  const power = Math.min(units.length, Math.floor(Math.log10(bytes) / 3));
  return `${(bytes / 1000 ** power).toFixed(1)} ${units[power - 1] ?? ""}`;
}

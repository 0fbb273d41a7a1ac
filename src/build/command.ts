import { z } from "zod";
import { describeDocument } from "../artifact/document.ts";
import { refs } from "../artifact/refs.ts";
import { packCode, type PackedCode, readCode } from "../code/apply.ts";
import { readCache, writeCache } from "../code/cache.ts";
import { openGit } from "../code/git.ts";
import type { ReadOptions } from "../code/pack.ts";
import { encodeTree } from "../code/tree.ts";
import { assertUnchanged, nextCache } from "../code/unchanged.ts";
import type { Descriptor } from "../core/descriptor.ts";
import { TwelveError } from "../core/errors.ts";
import type { Manifest } from "../manifest/schema.ts";
import { defineCommand } from "../ports/command.ts";
import type { Context } from "../ports/context.ts";
import { isStoreAway, type Store } from "../ports/store.ts";
import type { Story } from "../ports/story.ts";
import { applyBuild } from "./apply.ts";
import { askForEnding } from "./ending.ts";
import { refreshEditorSchema } from "./editor-schema.ts";
import { inspectCode } from "./inspect-code.ts";
import { planBuild } from "./plan.ts";
import { type FoundBuild, readBuild } from "./read.ts";
import { assertNoFindings, BuildReport, renderBuild, reportBuild, tellFindings } from "./report.ts";
import { buildKind } from "./schema.ts";
import { validateApplication, type ValidApplication } from "./validate.ts";

export default defineCommand({
  input: z.strictObject({
    dryRun: z.boolean().default(false).meta({ description: "Print what would be packaged and write nothing" }),
    strict: z.boolean().default(false).meta({ description: "Refuse to build when there are findings" }),
  }),
  output: BuildReport,
  description: "Takes the files that git tracks, compiles and checks the prompts, and stores both as one artifact. No model is called. Equal input gives an equal digest on any machine.",
  examples: ["twelve build", "twelve build --strict", "twelve build --dry-run --json"],
  async run({ dryRun, strict }, context) {
    const { dir, story } = context;
    const application = await validateApplication(context);
    const { manifest, repository, selection, prompts, promptPackages } = application;

    const store = dryRun ? undefined : await context.store();
    const previous = store && (await findPrevious(store, manifest.name));
    const [code, ending] = await Promise.all([takeCode(context, application, store, previous?.build.code), askForEnding(context, manifest)]);
    const warnings = [...application.warnings, ...ending];
    const findings = await inspectCode(dir, repository, code.facts);
    tellFindings(story, findings, warnings);
    if (strict) assertNoFindings(findings);

    const source = { commit: repository.commit, dirty: selection.isDirty };
    const build = planBuild({ manifest, source, code: code.descriptor, tree: code.tree, prompts, promptPackages });
    const descriptor = store === undefined ? describeDocument(buildKind, build) : await applyBuild(build, store);
    if (store !== undefined) await refreshEditorSchema(dir, context.clock.randomHex(4)).catch((error: unknown) => story.note(`The editor's schema was not refreshed: ${String(error)}`));
    const isNew = previous?.buildDescriptor.digest !== descriptor.digest;
    const unmade = store === undefined ? [] : await indexesToMake(store, manifest);
    return reportBuild({ build, descriptor, files: code.tree.files, storedBytes: code.storedBytes, isStored: !dryRun, isNew, unmade, findings, warnings });
  },
  render: (output) => renderBuild(output),
});

/** The latest build, to build upon; one that cannot be read is no reason not to make a new one. */
async function findPrevious(store: Store, app: string): Promise<FoundBuild | undefined> {
  try {
    return await readBuild(store, app);
  } catch (error) {
    if (error instanceof TwelveError && !isStoreAway(error)) return undefined;
    throw error;
  }
}

async function indexesToMake({ refs: stored }: Store, { name: app, indexes }: Manifest): Promise<readonly string[]> {
  const names = Object.keys(indexes);
  const made = await Promise.all(names.map((name) => stored.read(refs.latestIndex(app, name))));
  return names.filter((_, i) => made[i] === undefined);
}

/** Reads the code, and with a store packages it there. What was read is remembered for the next build. */
async function takeCode(context: Context, { selection: { files } }: ValidApplication, store: Store | undefined, earlier: Descriptor | undefined): Promise<PackedCode> {
  const { dir, env, processes, clock, signal, story } = context;
  const cache = readCache(dir);
  const progress = story.progress("Packaging code");
  const options: ReadOptions = { dir, signal, update: (done) => progress.update(done, files.length) };
  try {
    const code =
      store === undefined
        ? await readCode(files, cache, options).then((read) => ({ ...read, descriptor: encodeTree(read.tree).descriptor, storedBytes: 0 }))
        : await packCode(files, cache, store, earlier, options);
    if (code.isLearned) {
      await assertUnchanged(openGit(processes, dir, env), files);
      if (store !== undefined) remember(() => writeCache(dir, nextCache(cache, files, code.facts), clock), story);
    }
    return code;
  } finally {
    progress.stop();
  }
}

/** Without the cache the next build is slower, and that is all. */
function remember(write: () => void, story: Story): void {
  try {
    write();
  } catch (error) {
    story.note(`What was read is not remembered for the next build: ${String(error)}`);
  }
}

import { z } from "zod";
import { TwelveError } from "../core/errors.ts";
import { defineCommand } from "../ports/command.ts";
import { type Pull, pullModel } from "./apply.ts";
import { isUsualFile } from "./plan.ts";
import { findLockedModel, lockFile, modelFolder, readLock } from "./read.ts";
import { isPathBelow, type ModelLock, type PulledModel, PullReport } from "./schema.ts";

const Input = z.strictObject({
  model: z.string().optional().meta({ description: "The model's folder; a name alone is a folder below models/. Every model of twelve.lock by default", positional: true }),
  from: z.string().optional().meta({ description: "Where its files are: https://host/folder, s3://bucket/prefix or file:folder. What twelve.lock names by default", valueName: "url" }),
  file: z.array(z.string().refine(isPathBelow, "A path below the model's folder")).default([]).meta({ description: "A file to fetch beside the usual ones; an .onnx file takes the place of the usual weights", valueName: "path" }),
  update: z.boolean().default(false).meta({ description: "Take what the source has now and write its checksums to twelve.lock" }),
});
type Input = z.output<typeof Input>;

export default defineCommand({
  input: Input,
  output: PullReport,
  description:
    "Fetches the files of local ONNX models and compares them with the checksums in twelve.lock. A model that is not in it yet is added; commit twelve.lock, and keep the models out of git. What is in place and intact is not fetched again; a download that broke off goes on where it stopped.",
  examples: [
    "twelve models pull",
    "twelve models pull all-MiniLM-L6-v2 --from https://models.example.com/all-MiniLM-L6-v2",
    "twelve models pull models/e5 --from s3://acme-models/e5 --file onnx/model_quantized.onnx",
  ],

  async run(input, context) {
    const models: PulledModel[] = [];
    for (const pull of planPulls(input, await readLock(context.dir))) models.push(await pullModel(pull, context));
    return { lock: lockFile, models };
  },

  render({ lock, models }) {
    if (models.length === 0) return `${lock} names no models. Add one with \`twelve models pull <folder> --from <url>\`.`;
    const lines = models.map(({ folder, files, sizeBytes, fetched }) => {
      const state = fetched.length === 0 ? "intact" : `${fetched.length} fetched, all intact`;
      return `${folder}: ${files} files, ${(sizeBytes / 1e6).toFixed(1)} MB, ${state}`;
    });
    const isChanged = models.some(({ isLockChanged }) => isLockChanged);
    const [folder] = models.flatMap((model) => (model.isLockChanged ? [model.folder] : []));
    return [...lines, ...(isChanged ? [`${lock} has the new checksums: commit it. Name the model as transformers:${folder}, an embedder or, where it is a cross-encoder, a reranker`] : [])].join("\n");
  },
});

function planPulls(input: Input, lock: ModelLock): readonly Pull[] {
  if (input.model !== undefined) return [planOne(input, lock, input.model)];
  const flag = input.from !== undefined ? "--from" : input.file.length > 0 ? "--file" : undefined;
  if (flag !== undefined) throw new TwelveError("USAGE_INVALID", `${flag} is about one model, and none is named`, { fix: `Write \`twelve models pull <folder> ${flag} …\`` });
  return Object.keys(lock.models).map((folder) => planOne(input, lock, folder));
}

function planOne({ from, file, update }: Input, lock: ModelLock, name: string): Pull {
  const folder = folderOf(name, lock);
  const before = Object.hasOwn(lock.models, folder) ? lock.models[folder] : undefined;
  const source = from ?? findLockedModel(lock, folder).source;
  const unlocked = file.filter((path) => before !== undefined && !Object.hasOwn(before.files, path));
  if (unlocked.length > 0 && !update) {
    throw new TwelveError("USAGE_INVALID", `${lockFile} names no ${unlocked.join(", ")} for ${folder}`, { fix: "Add `--update` to take further files into the lock" });
  }
  // An update keeps to the weights that were chosen before.
  const further = file.length > 0 ? file : Object.keys(before?.files ?? {}).filter((path) => !isUsualFile(path));
  return { folder, source, before, locked: update ? undefined : before, asked: further };
}

function folderOf(name: string, lock: ModelLock): string {
  const folder = modelFolder(name);
  if (folder === undefined) throw new TwelveError("USAGE_INVALID", `${name} is not a folder below the application's folder that may hold a model`, { fix: "Write models/<name>, for example" });
  return folder.includes("/") || Object.hasOwn(lock.models, folder) ? folder : `models/${folder}`;
}

import { z } from "zod";
import { counted } from "../core/counted.ts";
import { Digest, shortDigest } from "../core/descriptor.ts";
import { TwelveError } from "../core/errors.ts";
import { failures } from "../core/failures.ts";
import { formatTable } from "../core/table.ts";
import { listPublications } from "../index/publication.ts";
import { readManifest } from "../manifest/read.ts";
import { defineCommand } from "../ports/command.ts";
import type { Context } from "../ports/context.ts";
import type { VectorService } from "../ports/vectors.ts";
import { aged, applyGc, type GcDone } from "./gc-apply.ts";
import { graceMs, planGc } from "./gc-plan.ts";
import { findLayouts, removeLayouts } from "./layouts.ts";
import { readReferences } from "./references.ts";
import { openServices } from "./services.ts";

const Namespace = z.strictObject({ name: z.string().meta({ description: "Name of the index" }), index: Digest, url: z.string(), namespace: z.string(), reason: z.string() });

export default defineCommand({
  description:
    "Drops what was published of index versions that nothing refers to any more: neither the current activation of any environment, nor one of its newest earlier " +
    "releases, to which it may be rolled back. The newest index of each name stays, and so does everything that was published or released within a day. Also removes " +
    "copies of such indexes from .twelve/cache/index. Without --yes it only says what it would do.",
  input: z.strictObject({
    yes: z.boolean().default(false).meta({ description: "Do it, instead of only saying what would be done" }),
    env: z.string().optional().meta({ description: "Only the vector services of this environment; those of every environment otherwise", valueName: "name" }),
    to: z.string().optional().meta({ description: "Only this vector service, also one that no environment attaches any more", valueName: "url" }),
    keep: z.int().min(0).max(1000).default(5).meta({ description: "How many earlier releases of each environment keep their indexes, for rolling back" }),
  }),
  output: z.strictObject({
    app: z.string(),
    isDone: z.boolean().meta({ description: "false when it was only said what would be done" }),
    drop: z.array(Namespace).meta({ description: "Namespaces that were dropped, or would be" }),
    keep: z.array(Namespace).meta({ description: "Namespaces that stay, with the reason" }),
    folders: z.array(z.strictObject({ folder: z.string(), reason: z.string() })).meta({ description: "Folders of this machine that were removed, or would be" }),
    failures: z.array(z.string()).meta({ description: "What vector services failed with; the next run tries again" }),
  }),
  examples: ["twelve admin gc", "twelve admin gc --yes", "twelve admin gc --env staging --keep 2 --yes"],

  async run({ yes, env, to, keep }, context) {
    const manifest = await readManifest(context.dir);
    const app = manifest.name;
    const store = await context.store();
    const services = await openServices(context, manifest, { env, to });
    const nowMs = context.clock.now().getTime();
    try {
      const nameOf = namesOf(context, services);
      const references = (): ReturnType<typeof readReferences> => readReferences(store, { app, keep, nameOf });
      // The records come first: one that a release marks as used after this is withdrawn no more.
      const records = (await listPublications(store, app)).filter(({ value }) => services.has(value.url));
      const needed = await references();
      const plan = planGc(records.map(({ ref, value }) => aged(ref, value, nowMs)), needed);
      const folders = env === undefined && to === undefined ? await findLayouts(context.dir, needed, { nowMs, graceMs }) : [];
      const nothing: GcDone = { dropped: plan.drop, spared: [], failures: [] };
      const { dropped, spared, failures: messages } = yes ? await applyGc({ store, clock: context.clock, services, references }, plan.drop) : nothing;
      if (yes) await removeLayouts(context.dir, folders);
      const shown = ({ name, index, url, namespace, reason }: (typeof plan.drop)[number]): z.infer<typeof Namespace> => ({ name, index, url, namespace, reason });
      return { app, isDone: yes, drop: dropped.map(shown), keep: [...plan.keep, ...spared].map(shown), folders: [...folders], failures: [...messages] };
    } finally {
      for (const service of services.values()) await service.close();
    }
  },

  render({ app, isDone, drop, keep, folders }) {
    const rows = [...drop.map((each) => [isDone ? "dropped" : "drop", each] as const), ...keep.map((each) => ["keep", each] as const)];
    const table = formatTable(["", "INDEX", "NAMESPACE", "AT", "WHY"], rows.map(([what, { name, index, namespace, url, reason }]) => [what, `${name}@${shortDigest(index)}`, namespace, url, reason]));
    const removed = folders.map(({ folder, reason }) => `${isDone ? "removed" : "remove"}  ${folder}: ${reason}`);
    const what = [...(drop.length === 0 ? [] : [counted(drop.length, "namespace")]), ...(folders.length === 0 ? [] : [counted(folders.length, "folder")])].join(" and ");
    const end = what === "" ? `Nothing of ${app} can go` : isDone ? `${what} of ${app} ${drop.length + folders.length === 1 ? "is" : "are"} gone` : `${what} of ${app} can go. Nothing was done: \`twelve admin gc --yes\` does it`;
    return [...(rows.length === 0 ? [] : [table]), ...removed, end].join("\n");
  },

  verdict: ({ failures: messages }) => (messages.length === 0 ? undefined : { exit: failures.SERVICE_FAILED.exit, message: `Some could not be dropped, and the next run tries again: ${messages.join("; ")}` }),
});

/** What a vector service calls itself, which is how its publications are recorded; undefined for one that cannot be opened here. */
function namesOf(context: Context, services: ReadonlyMap<string, VectorService>): (url: string) => Promise<string | undefined> {
  const names = new Map<string, string | undefined>([...services.keys()].map((url) => [url, url]));
  return async (url) => {
    if (names.has(url)) return names.get(url);
    const service = await context.openVectorService(url).catch((error: unknown) => {
      if (error instanceof TwelveError) return undefined;
      throw error;
    });
    await service?.close();
    names.set(url, service?.url);
    return service?.url;
  };
}

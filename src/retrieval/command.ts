import { z } from "zod";
import { counted } from "../core/counted.ts";
import { Digest, shortDigest } from "../core/descriptor.ts";
import { TwelveError } from "../core/errors.ts";
import { withoutCredentials } from "../core/url.ts";
import { RetrieveSettings as IndexedSettings } from "../manifest/schema.ts";
import { defineCommand } from "../ports/command.ts";
import { explainChunk, formatScore } from "./explain.ts";
import { planSearch } from "./plan.ts";
import { openRetriever } from "./read.ts";
import { Hit, type RetrieveSettings, SearchMode } from "./schema.ts";
import { findTarget } from "./target.ts";

const Settings = IndexedSettings.omit({ index: true });
export default defineCommand({
  input: z.strictObject({
    question: z.string().meta({ description: "What to look for", positional: true }),
    index: z.string().optional().meta({ description: "Index to search; the only one by default", valueName: "name" }),
    agent: z.string().optional().meta({ description: "Agent whose settings hold; the one that searches the index by default", valueName: "name" }),
    env: z.string().default("development").meta({ description: "Environment whose active release is asked", valueName: "name" }),
    release: z.string().optional().meta({ description: "Another release than the active one, such as v3", valueName: "release" }),
    mode: SearchMode.optional().meta({ description: "vector, text or hybrid instead of the agent's" }),
    topK: z.int().min(1).max(100).optional().meta({ description: "How many chunks" }),
    filter: z.array(z.string()).default([]).meta({ description: "Metadata that a document must have, as key=value; the same key again means either value", valueName: "key=value" }),
    minScore: z.number().optional().meta({ description: "Leave out chunks below this score of the last stage" }),
    rerank: z.string().optional().meta({ description: "Model that orders the best chunks anew, such as tei+http://127.0.0.1:8080", valueName: "url" }),
    explain: z.boolean().default(false).meta({ description: "Show the rank and score of each stage, and how they add up" }),
  }),
  output: z.strictObject({
    question: z.string(),
    app: z.string(),
    environment: z.string(),
    release: z.strictObject({ number: z.int().positive(), digest: Digest }).nullable().meta({ description: "null when the environment has no active release: then the newest index with the configuration of now" }),
    index: z.strictObject({ name: z.string(), digest: Digest, documents: z.int(), chunks: z.int() }),
    agent: z.string().nullable().meta({ description: "Whose settings hold" }),
    settings: Settings,
    weights: z.record(z.string(), z.number()).meta({ description: "What each ranking counts" }),
    hits: z.array(Hit),
  }),
  description: "Shows what an agent would be given for a question. It searches by the path that `twelve run` takes, and asks no model to answer.",
  examples: ['twelve search "how long do refunds take?"', 'twelve search "rate limits" --mode text --filter language=en --explain', 'twelve search "refunds" --release v3 --top-k 10 --json'],

  async run({ question, env, release, index, agent, mode, topK, filter, minScore, rerank }, context) {
    const target = await findTarget(context, { env, release, index, agent });
    const { index: __, ...own } = target.retrieve ?? IndexedSettings.parse({ index: target.index });
    const settings = withFlags(own, { mode, topK, minScore, reranker: rerank, filter: parseFilters(filter) });
    const retriever = await openRetriever(context, target.plan, target.secrets);
    try {
      const search = await retriever.prepare(settings);
      const { lists } = planSearch(settings, retriever.fusionWeight);
      const { documents, chunks } = retriever.index;
      return {
        question,
        app: target.app,
        environment: env,
        release: target.release,
        index: { name: target.index, digest: retriever.digest, documents, chunks },
        agent: target.agent,
        settings: settings.reranker === undefined ? settings : { ...settings, reranker: withoutCredentials(settings.reranker) },
        weights: Object.fromEntries(lists.map((list) => [list.mode, list.weight])),
        hits: [...(await search(question, context.signal))],
      };
    } finally {
      retriever.close();
    }
  },

  render({ app, environment, release, index, agent, settings, weights, hits }, { explain }) {
    const { mode, topK, reranker } = settings;
    const place = release === null ? `${app} has no active release in ${environment}: this is its newest index, with the configuration of now` : `Release v${release.number} of ${app}`;
    const how = `${mode}${reranker === undefined ? "" : `, reranked by ${reranker}`}, best ${topK}${agent === null ? "" : `, as the agent ${agent} searches`}`;
    const title = `${place}\nIndex ${index.name} (${shortDigest(index.digest)}, ${counted(index.chunks, "chunk")} of ${counted(index.documents, "document")}): ${how}`;
    if (hits.length === 0) return `${title}\n\nNothing was found${settings.filter === undefined ? "" : " with that filter"}.`;
    const plan = { lists: Object.entries(weights).map(([list, weight]) => ({ mode: SearchMode.exclude(["hybrid"]).parse(list), weight })), isFused: mode === "hybrid" };
    const shown = hits.map((hit) => [
      `${String(hit.number).padStart(2)}. ${titleOf(hit)}  ${formatScore(hit.score)}`,
      ...(hit.headings === "" ? [] : [hit.headings]),
      snippetOf(hit.text),
      ...(explain ? explainChunk(hit, plan) : []),
    ].join("\n    "));
    return [title, ...shown].join("\n\n");
  },
});

type Flags = { readonly [Key in "mode" | "topK" | "minScore" | "reranker" | "filter"]: RetrieveSettings[Key] | undefined };

/** A flag wins over the agent's setting; filters of other keys stay. */
function withFlags(own: RetrieveSettings, flags: Flags): RetrieveSettings {
  const given = Object.fromEntries(Object.entries(flags).filter(([, value]) => value !== undefined));
  const filter = { ...own.filter, ...flags.filter };
  const result = Settings.safeParse({ ...own, ...given, ...(Object.keys(filter).length === 0 ? {} : { filter }) });
  if (result.success) return result.data;
  const [issue] = result.error.issues;
  throw new TwelveError("USAGE_INVALID", `--${issue?.path[0] === "reranker" ? "rerank" : String(issue?.path[0])}: ${issue?.message}`);
}

function parseFilters(given: readonly string[]): RetrieveSettings["filter"] | undefined {
  if (given.length === 0) return undefined;
  // A map, because every object has a `constructor` already.
  const filter = new Map<string, string[]>();
  for (const text of given) {
    const at = text.indexOf("=");
    if (at < 1) throw new TwelveError("USAGE_INVALID", `--filter ${text}: expected key=value`, { fix: "Write for example `--filter language=en`" });
    const key = text.slice(0, at);
    // The one name that is kept out of metadata. Settings drop it too, and then everything would pass.
    if (key === "__proto__") throw new TwelveError("USAGE_INVALID", `--filter ${text}: no document has metadata of that name`);
    filter.set(key, [...(filter.get(key) ?? []), text.slice(at + 1)]);
  }
  return Object.fromEntries(filter);
}

function titleOf({ document, metadata }: Hit): string {
  return metadata["page"] === undefined ? document : `${document}, page ${String(metadata["page"])}`;
}

const snippetLength = 240;

function snippetOf(text: string): string {
  const line = text.replace(/[\s\p{Cc}]+/gu, " ").trim();
  return line.length <= snippetLength ? line : `${line.slice(0, snippetLength).toWellFormed().replace(/\s+\S*$/, "")} …`;
}

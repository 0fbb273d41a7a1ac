import { shortDigest } from "../core/descriptor.ts";
import { modelChain } from "../manifest/model-chain.ts";
import { formatSource } from "./dirty.ts";
import type { Activation, Release } from "./schema.ts";
import type { Shown } from "./shown.ts";
import { formatFields, formatTable, formatValue } from "../core/table.ts";

type Of<Kind extends Shown["kind"]> = Extract<Shown, { kind: Kind }>;

/** An artifact for a person: what it is, what it is made of, and where it is active. */
export function describeShown(shown: Shown): string {
  switch (shown.kind) {
    case "release":
      return describeRelease(shown);
    case "environment":
      return describeEnvironment(shown);
    case "build":
      return describeBuild(shown);
    case "index":
      return describeIndex(shown);
  }
}

function describeRelease({ number, digest, createdAt, message, active, source, document }: Of<"release">): string {
  const fields = formatFields([
    ["digest", digest],
    ["created", createdAt],
    ["message", message === null ? undefined : formatValue(message)],
    ["active in", active.join(", ") || "no environment"],
    ...partsOf(document, source),
    ["attachments", document.attachments.join(", ")],
    ["secrets", Object.entries(document.secrets).map(([key, { optional }]) => (optional ? `${key} (optional)` : key)).join(", ")],
  ]);
  return [`Release v${number} of ${document.app}`, fields, frozenTable(document)].filter((part) => part !== "").join("\n");
}

function describeEnvironment({ environment, number, digest, document, source, release, history }: Of<"environment">): string {
  const fields = formatFields([
    ["release", `v${number} ${shortDigest(digest)}`],
    ["since", `${document.createdAt} by ${document.reason}`],
    ...partsOf(release, source),
    ["attachments", Object.entries(document.attachments).map(([key, attachment]) => `${key}=${attachment.url ?? "unset"} (${attachment.source})`).join(", ")],
    ["secrets", secretsOf(document)],
  ]);
  const rows = history.map((past) => [past.createdAt, `v${past.number}`, shortDigest(past.digest), past.reason]);
  return [`Environment ${environment} of ${document.app}`, fields, "", formatTable(["ACTIVATED", "RELEASE", "DIGEST", "BY"], rows)].join("\n");
}

function describeBuild({ digest, document }: Of<"build">): string {
  return [
    `Build of ${document.app}`,
    formatFields([
      ["digest", digest],
      ["source", formatSource(document.source)],
      ["code", shortDigest(document.code.digest)],
      ["manifest", shortDigest(document.manifestDigest)],
      ["prompts", document.prompts.map(({ name, variant, digest }) => `${name}${variant === null ? "" : `.${variant}`} ${shortDigest(digest)}`).join(", ")],
      ["packages", document.promptPackages.map(({ name, version }) => `${name}@${version}`).join(", ")],
      ["lockfiles", document.lockfiles.map(({ path }) => path).join(", ")],
      ["models", document.models.join(", ")],
    ]),
  ].join("\n");
}

function describeIndex({ digest, document }: Of<"index">): string {
  const { embedder, chunker } = document;
  return [
    `Index ${document.name} of ${document.app}`,
    formatFields([
      ["digest", digest],
      ["documents", document.documents.toLocaleString("en-US")],
      ["chunks", document.chunks.toLocaleString("en-US")],
      ["embedder", `${embedder.provider}:${embedder.model}, ${embedder.dimensions} dimensions`],
      ["chunker", `${chunker.name} ${chunker.version}, at most ${chunker.maxTokens} tokens, ${chunker.overlapTokens} shared`],
    ]),
  ].join("\n");
}

function partsOf(release: Release, source: Of<"release">["source"]): readonly (readonly [string, string])[] {
  return [
    ["build", `${shortDigest(release.build.digest)} (${formatSource(source)})`],
    ["indexes", Object.entries(release.indexes).map(([name, { digest }]) => `${name} ${shortDigest(digest)}`).join(", ")],
    ["models", release.models.join(", ")],
    ["agents", Object.entries(release.agents).map(([name, { prompt, variant, model }]) => `${name} (prompt ${prompt}${variant === undefined ? "" : `.${variant}`}${chainOf({ model })})`).join(", ")],
  ];
}

/** Only a chain has an order that the list of models does not tell. */
function chainOf(settings: Parameters<typeof modelChain>[0]): string {
  const models = modelChain(settings);
  return models.length === 1 ? "" : `, model ${models.join(", then ")}`;
}

function frozenTable({ config }: Release): string {
  const rows = Object.entries(config).map(([key, { value, source }]) => [key, formatValue(value), source]);
  return rows.length === 0 ? "" : `\n${formatTable(["FROZEN KEY", "VALUE", "FROM"], rows)}`;
}

function secretsOf({ secrets }: Activation): string {
  return Object.entries(secrets).map(([key, source]) => `${key} (${source ?? "not set"})`).join(", ");
}

import type { LoaderRow } from "./loader.ts";

/** Every format that is read. A new one is a file in `loader/` and a row here. */
export const registry = {
  markdown: { version: 2, endings: [".md", ".markdown"], reader: async () => ({ text: (await import("./loader/markdown.ts")).loadMarkdown }) },
  mdx: { version: 2, endings: [".mdx"], reader: async () => ({ text: (await import("./loader/markdown.ts")).loadMdx }) },
  text: { version: 2, endings: [".txt", ".text", ".rst", ".adoc"], reader: async () => ({ text: (await import("./loader/text.ts")).loadText }) },
  html: { version: 1, endings: [".html", ".htm", ".xhtml"], reader: async () => ({ bytes: (await import("./loader/html.ts")).loadHtml }) },
  pdf: { version: 1, endings: [".pdf"], reader: async () => ({ bytes: (await import("./loader/pdf.ts")).loadPdf }) },
  docx: { version: 1, endings: [".docx", ".docm"], reader: async () => ({ bytes: (await import("./loader/docx.ts")).loadDocx }) },
  pptx: { version: 1, endings: [".pptx", ".pptm"], reader: async () => ({ bytes: (await import("./loader/pptx.ts")).loadPptx }) },
  xlsx: { version: 1, endings: [".xlsx", ".xlsm"], reader: async () => ({ bytes: (await import("./loader/xlsx.ts")).loadXlsx }) },
  epub: { version: 1, endings: [".epub"], reader: async () => ({ bytes: (await import("./loader/epub.ts")).loadEpub }) },
  csv: { version: 1, endings: [".csv", ".tsv"], reader: async () => ({ text: (await import("./loader/csv.ts")).loadCsv }) },
  json: { version: 1, endings: [".json", ".jsonc", ".json5"], reader: async () => ({ text: (await import("./loader/json.ts")).loadJson }) },
  jsonl: { version: 1, endings: [".jsonl", ".ndjson"], reader: async () => ({ text: (await import("./loader/json.ts")).loadJsonLines }) },
  notebook: { version: 1, endings: [".ipynb"], reader: async () => ({ text: (await import("./loader/notebook.ts")).loadNotebook }) },
  code: {
    version: 1,
    endings: [
      ".ts", ".tsx", ".mts", ".cts", ".js", ".jsx", ".mjs", ".cjs", ".vue", ".svelte", ".py", ".go", ".rs", ".java", ".kt", ".kts", ".scala", ".groovy", ".c", ".h", ".cc", ".cpp", ".cxx", ".hpp", ".cs",
      ".fs", ".swift", ".m", ".dart", ".rb", ".php", ".pl", ".lua", ".r", ".jl", ".ex", ".exs", ".erl", ".hs", ".ml", ".clj", ".sh", ".bash", ".zsh", ".ps1", ".sql", ".graphql", ".proto", ".tf", ".css",
      ".scss", ".less", ".yaml", ".yml", ".toml", ".ini", ".cfg", ".conf", ".properties", ".xml",
    ],
    reader: async () => ({ text: (await import("./loader/code.ts")).loadCode }),
  },
} as const satisfies Readonly<Record<string, LoaderRow>>;

export type LoaderName = keyof typeof registry;

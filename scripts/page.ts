/** Puts the page of `twelve run --ui` together: one HTML document that asks nobody for anything else. */
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { build } from "esbuild";

const root = join(import.meta.dirname, "..");
const folder = "src/run/page";

export interface MadePage {
  readonly html: string;
  /** Every file that went into it. */
  readonly inputs: readonly string[];
}

export async function makePage(): Promise<MadePage> {
  const { outputFiles, metafile } = await build({
    absWorkingDir: root,
    entryPoints: [`${folder}/main.ts`, `${folder}/page.css`],
    outdir: "page",
    bundle: true,
    write: false,
    format: "esm",
    // A browser, but not by the name of "browser": packages have code for it that writes HTML.
    platform: "neutral",
    mainFields: ["module", "main"],
    target: ["chrome115", "firefox115", "safari17"],
    minify: true,
    legalComments: "none",
    charset: "utf8",
    metafile: true,
    logLevel: "warning",
  });
  const made = (ending: string): string => {
    const text = outputFiles.find(({ path }) => path.endsWith(ending))?.text.trim() ?? "";
    if (text === "" || /<\/(?:script|style)/i.test(text)) throw new Error(`The page's ${ending} is empty, or ends its own element`);
    return text;
  };
  const template = await readFile(join(root, folder, "page.html"), "utf8");
  const html = template
    .replace('<link rel="stylesheet" href="page.css">', () => `<style>${made(".css")}</style>`)
    .replace('<script type="module" src="main.ts"></script>', () => `<script type="module">${made(".js")}</script>`);
  return { html, inputs: Object.keys(metafile.inputs) };
}

import type { LoadedDocument } from "./schema.ts";

/** The language of a document as an ISO 639-1 code, or null where nothing says so and its text does not tell. */
export type DetectLanguage = (document: LoadedDocument) => Promise<string | null>;

const sampleLength = 1000;
/** A letter of Chinese, Japanese or Korean says as much as several of an alphabet. */
const leastLetters = 20;
const lettersOfWide = 4;

/** The detector's tables take longer to load than a hundred documents to read, so they come in with the first that needs them. */
export function openLanguageDetector(): DetectLanguage {
  let detector: Promise<typeof import("eld/small")> | undefined;
  return async (document) => {
    const declared = declaredLanguage(document);
    if (declared !== undefined) return declared;
    const sample = sampleOf(document);
    if (weightOf(sample) < leastLetters) return null;
    if (isEnglish(sample)) return "en";
    const { eld } = await (detector ??= import("eld/small"));
    const found = eld.detect(sample);
    return found.isReliable() && found.language !== "" ? found.language : null;
  };
}

const leastWords = 20;

/** No other language has so many of these words. Most documentation is English, and need not wait for the tables of all languages. */
function isEnglish(sample: string): boolean {
  const words = sample.toLowerCase().match(/\p{L}+/gu) ?? [];
  const articles = words.filter((word) => word === "the").length;
  const others = words.filter((word) => /^(?:and|that|with|this|are|you|your|for|from|which|when|it)$/.test(word)).length;
  return words.length >= leastWords && articles >= words.length * 0.03 && articles + others >= words.length * 0.1;
}

/** What the document itself says. `en-US` and `en_GB` are `en`; a code that is none is as good as nothing. */
export function declaredLanguage({ metadata }: LoadedDocument): string | undefined {
  for (const key of ["language", "lang"]) {
    const value = metadata[key];
    const [, code] = typeof value === "string" ? (/^([A-Za-z]{2})(?:[-_][A-Za-z\d]+)*$/.exec(value.trim()) ?? []) : [];
    if (code !== undefined && isLanguage(code)) return code.toLowerCase();
  }
  return undefined;
}

/** Codes that name no language come back as they are. */
function isLanguage(code: string): boolean {
  return languageNames.of(code.toLowerCase()) !== undefined;
}

const languageNames = new Intl.DisplayNames(["en"], { type: "language", fallback: "none" });

/** The beginning of its prose: code and tables are in the language of their makers, and addresses in none. */
function sampleOf({ blocks }: LoadedDocument): string {
  let sample = "";
  for (const { kind, text } of blocks) {
    if (sample.length >= sampleLength) break;
    if (kind === "prose" || kind === "list" || kind === "heading") sample += `${text}\n`;
  }
  return sample.replaceAll(/`[^`\n]*`|<[^<>\n]*>|\bhttps?:\/\/\S+|[[\](){}*_#>|]/g, " ").slice(0, sampleLength);
}

function weightOf(sample: string): number {
  const letters = sample.match(/\p{L}/gu)?.length ?? 0;
  const wide = sample.match(/[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]/g)?.length ?? 0;
  return letters + wide * (lettersOfWide - 1);
}

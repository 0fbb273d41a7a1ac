/** How one column of the table is cut into words. */
export interface Analyzer {
  readonly column: string;
  /** The engine's name for the language whose stems it takes; null where words stay as they are written. */
  readonly stems: string | null;
  readonly stopWords: readonly string[];
  /** Those of them that are words of this language. */
  readonly ownStopWords: ReadonlySet<string>;
}

/** What the engine can stem, by ISO 639-1 code. */
const stemmed = {
  ar: "Arabic", da: "Danish", de: "German", el: "Greek", en: "English", es: "Spanish", fi: "Finnish", fr: "French", hu: "Hungarian",
  it: "Italian", nl: "Dutch", no: "Norwegian", pt: "Portuguese", ro: "Romanian", ru: "Russian", sv: "Swedish", ta: "Tamil", tr: "Turkish",
} as const;

/**
 * Lucene's stop words, with what stemmers of other languages leave of them. Dropped everywhere: English stands in documents
 * of every language, and some short ones are taken for another language.
 */
const everywhere = "a an and are as at be but by for if in into is it no not of on or such that the their then there these they this to was will with ther thes wil thei thi".split(" ");

/**
 * The commonest words that say nothing, in English those that questions are put with: dropping these finds more in both
 * judged collections. The engine's own lists cannot be used: whatever the language, it drops the words of all of them,
 * single digits and letters ("C") included. It looks for stop words after it has taken the stem, so stems that are no
 * words stand at each end.
 */
const stopWords: Readonly<Partial<Record<keyof typeof stemmed, string>>> = {
  ar: "في من على إلى عن مع هذا هذه ذلك التي الذي أن إن كان كانت لا ما هو هي و أو ثم قد علي الي الت الذ ان او",
  da: "og i at det en den til er som på de med han af for ikke der var et har jeg vi eller om fra ikk ell",
  de: "der die das den dem des ein eine einer eines einem einen und oder aber ist sind war zu in im an am auf mit für von vom bei nicht sich es wird werden als auch fur für werd",
  el: "ο η το οι τα του της των τον την και ή είναι σε με για από που στο στη στην στον δεν να θα τ κα εινα ειν γ απ π στ μ σ θ δ",
  en: "what which how who when where why do does did has have had been can could should would i you we me my our",
  es: "el la los las un una unos unas y o de del en a al por para con que es son se no lo su como par com",
  fi: "ja on ei se että joka tai mutta kun niin myös ovat oli olla ne hän tämä jos kuin mut ova ol",
  fr: "le la les un une des du de et ou où à au aux en dans par pour sur avec que qui est sont ne pas ce cette ces se il elle l d n qu dan cet",
  hu: "a az és vagy is nem hogy egy ez azt van meg de ha mint csak már min ar bu int",
  it: "il lo la i gli le un uno una e o di del della dei delle a al alla in nel nella da per con su che è sono non si l dell nell son",
  nl: "de het een en of van in op te aan met voor is zijn was niet dat die er als bij ook om door naar al",
  no: "og i det en et den til er som på de med av for ikke der var har jeg vi eller om fra å ikk ell",
  pt: "o a os as um uma e ou de do da dos das em no na nos nas por para com que é são se não ao à par sã sa nã na",
  ro: "și sau în la de pe cu din că este sunt nu un o al ale a se pentru care car",
  ru: "и в во не на с со что как а но к у из за о об от по это для или же бы то эт ил",
  sv: "och i att det en ett den till är som på de med av för inte var har jag vi eller om från int ell",
  tr: "ve veya bir bu şu o da de ile için mi ki gibi ama çok iç ic il gip am",
};

/** Where chunks go whose language the engine has no stems for. */
const plain: Analyzer = { column: "content_plain", stems: null, stopWords: everywhere, ownStopWords: new Set() };

const analyzerOf: ReadonlyMap<string, Analyzer> = new Map(
  Object.entries(stemmed).map(([code, stems]) => {
    const own = stopWords[code as keyof typeof stemmed]?.split(" ") ?? [];
    const ownStopWords = new Set(code === "en" ? [...everywhere, ...own] : own);
    return [code, { column: `content_${code}`, stems, stopWords: [...new Set([...everywhere, ...own])], ownStopWords }] as const;
  }),
);

/** In the order of their columns. */
export const analyzers: readonly Analyzer[] = [...analyzerOf.values(), plain];

/** The two written forms of Norwegian have codes of their own. */
const alias: Readonly<Record<string, string>> = { nb: "no", nn: "no" };

/**
 * Text of unknown language, which is mostly short or code, is read as English: next to English text it must be scored
 * with it, and elsewhere an English stem does little to it.
 */
export function analyzerFor(language: string | null): Analyzer {
  if (language === null) return analyzerFor("en");
  const code = language.toLowerCase().split("-")[0] ?? "";
  return analyzerOf.get(alias[code] ?? code) ?? plain;
}

/**
 * The question without the stop words of its own language, which is the one that has most of them. In the columns of other
 * languages they would be rare words: a French "les" is the stem of the German "lesen".
 */
export function withoutStopWords(question: string, columns: readonly string[]): string {
  if (columns.length < 2) return question;
  const words = [...question.toLowerCase().matchAll(/[\p{L}\p{M}\p{N}]+/gu)].map(([word]) => word);
  const counted = analyzers
    .filter(({ column }) => columns.includes(column))
    .map(({ ownStopWords }) => ({ ownStopWords, count: words.filter((word) => ownStopWords.has(word)).length }))
    .sort((left, right) => right.count - left.count);
  const [first, second] = counted;
  if (first === undefined || first.count === (second?.count ?? 0)) return question;
  const kept = words.filter((word) => !first.ownStopWords.has(word));
  return kept.length === 0 ? question : kept.join(" ");
}

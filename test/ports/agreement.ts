import type { VectorFilter, VectorIndex, VectorRow } from "../../src/ports/vectors.ts";

/** Rows and questions on which a vector service is compared with the embedded engine. The same on every machine. */
export const agreementDimensions = 16;
const rowCount = 420;

const words: Readonly<Record<string, readonly string[]>> = {
  en: "refund parcel order delivery invoice customer warehouse shipping payment return discount account address product warranty courier tracking number damaged box label weight store manager".split(" "),
  de: "Rückgabe Paket Bestellung Lieferung Rechnung Kunde Lager Versand Zahlung Häuser Rabatt Konto Straße Produkt Garantie Kurier Nummer beschädigt Karton Gewicht Filiale Leiter".split(" "),
  fr: "remboursement colis commande livraison facture client entrepôt expédition paiement maisons remise compte adresse produit garantie coursier numéro endommagé carton poids magasin directeur".split(" "),
  cs: "vrácení balík objednávka doručení faktura zákazník sklad odeslání platba domy sleva účet adresa zboží záruka kurýr číslo poškozený krabice váha obchod vedoucí".split(" "),
  ja: "返金 荷物 注文 配達 請求書 顧客 倉庫 発送 支払い 返品 割引 口座 住所 商品 保証".split(" "),
};
/** English most of all; null is a text whose language is unknown. */
const languages = ["en", "en", "en", "de", "fr", "cs", "ja", null] as const;

const filters: readonly VectorFilter[] = [
  { team: ["post"] }, { page: ["2", "5"] }, { isDraft: ["true"] }, { tags: ["t1", "u3"] }, { team: ["o'hara's", "shop"], page: ["3"] }, { language: ["de"] }, { document: ["docs/7.md"] }, { team: ["absent"] },
];

/** Small numbers from a seed, the same on every machine. */
function draws(seed: number): (below: number) => number {
  let state = (seed + 1) * 2_654_435_761;
  return (below) => {
    state = (Math.imul(state ^ (state >>> 15), 2_246_822_519) + 374_761_393) >>> 0;
    return (state >>> 8) % below;
  };
}

function agreementVector(seed: number): Float32Array {
  const draw = draws(seed);
  return Float32Array.from({ length: agreementDimensions }, () => draw(20_001) / 10_000 - 1);
}

function sentence(seed: number, language: string | null): string {
  const [draw, list] = [draws(seed + 5000), words[language ?? "en"] ?? []];
  const chosen = Array.from({ length: 4 + draw(11) }, () => list[draw(list.length)] ?? "");
  return language === "ja" ? `${chosen.join("の")}。` : `${chosen.join(" ")} ${draw(9)}.`;
}

/** Every ninth vector and every thirteenth text stands twice or more: copies must come in the order of their IDs. */
export const agreementRows: readonly VectorRow[] = Array.from({ length: rowCount }, (_, i) => {
  const language = languages[i % languages.length] ?? null;
  const source = i % 13 === 0 ? i % (13 * languages.length) : i;
  const text = sentence(source, languages[source % languages.length] ?? null);
  return {
    // Against the order of writing, so that an order by ID is no accident.
    id: `chunk-${String((i * 157) % rowCount).padStart(4, "0")}`,
    document: `docs/${i % 40}.md`,
    headings: i % 3 === 0 ? "" : `Handbook > Part ${i % 7}`,
    text,
    language,
    metadata: { team: ["money", "post", "shop", "o'hara's"][i % 4] ?? "", page: i % 6, isDraft: i % 5 === 0, tags: [`t${i % 3}`, `u${i % 11}`] },
    vector: agreementVector(i % 9 === 0 ? i % 90 : i),
  };
});

export interface Question {
  readonly text: string;
  readonly vector: Float32Array;
  readonly filter?: VectorFilter;
}

export const agreementQuestions: readonly Question[] = [
  "refund for a damaged parcel", "order", "tracking number of the courier", "customers returned products", "REFUNDED orders, shipped boxes!", "warranty discount 3 weight",
  "Lieferung der Bestellung", "Straßen und Häuser", "Rechnungen", "la livraison des colis", "maison", "objednávka doručení", "číslo faktury", "荷物の配達", "請求書", "Part 4", "refund Rückgabe remboursement vrácení 返金", "xylophone",
].flatMap((text, i) => {
  // One vector stands in the index itself, and with it its copies.
  const vector = agreementVector(i === 0 ? 18 : 1000 + i);
  return [{ text, vector }, { text, vector, filter: filters[i % filters.length] ?? {} }];
});

const exact = 10;

/** What a service answers otherwise than the embedded index does, one line each. The vector mode is compared strictly. */
export async function disagreements(embedded: VectorIndex, service: VectorIndex, mode: "vector" | "text"): Promise<readonly string[]> {
  const found: string[] = [];
  for (const question of agreementQuestions) {
    // More than ten, because a score that differs by its last bits may change places with one beyond the tenth.
    const [expected, actual] = [await embedded.search({ ...question, mode, topK: exact * 4 }), await service.search({ ...question, mode, topK: exact })];
    const scoreOf = new Map(expected.map(({ id, score }) => [id, score]));
    const agrees = (i: number): boolean => {
      const [wanted, given] = [expected[i], actual[i]];
      if (wanted === undefined || given === undefined) return wanted === given;
      return isSame(wanted.score, given.score) && (wanted.id === given.id || (mode === "text" && isSame(scoreOf.get(given.id) ?? 0, wanted.score)));
    };
    const isDouble = new Set(actual.map(({ id }) => id)).size < actual.length;
    if (isDouble || actual.length > exact || !Array.from({ length: exact }, (_, i) => agrees(i)).every(Boolean)) {
      found.push(`${mode} ${JSON.stringify([question.text, question.filter ?? {}])}: ${print(actual)} instead of ${print(expected.slice(0, exact))}`);
    }
  }
  return found;
}

/** Says when the service finds less than this share of the embedded index's ten best texts, on average over the questions that have any. */
export async function shortfall(embedded: VectorIndex, service: VectorIndex, least: number): Promise<readonly string[]> {
  const shares: number[] = [];
  for (const question of agreementQuestions) {
    const wanted = await embedded.search({ ...question, mode: "text", topK: exact });
    const given = new Set((await service.search({ ...question, mode: "text", topK: exact })).map(({ id }) => id));
    if (wanted.length > 0) shares.push(wanted.filter(({ id }) => given.has(id)).length / wanted.length);
  }
  const mean = shares.reduce((sum, share) => sum + share, 0) / shares.length;
  return mean >= least ? [] : [`${mean.toFixed(3)} of the ten best texts, at least ${least} are wanted`];
}

/** Sums of the same numbers in another order, or in other precision. */
function isSame(left: number, right: number): boolean {
  return Math.abs(left - right) <= 1e-5 * Math.max(1, Math.abs(left));
}

function print(hits: readonly { readonly id: string; readonly score: number }[]): string {
  return hits.map(({ id, score }) => `${id.replace("chunk-", "")}=${score.toFixed(5)}`).join(" ");
}

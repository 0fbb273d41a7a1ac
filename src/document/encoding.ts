import { analyse } from "chardet";

/** The byte encodings that some bytes may be in, the likeliest first. They are no UTF-8 and hold no NUL. */
export function guessEncodings(bytes: Uint8Array): readonly string[] {
  const matches = analyse(bytes).filter(({ name }) => !name.startsWith("UTF") && name !== "ASCII");
  if (isScattered(bytes)) {
    // The Latin encodings share most of their letters; a weak guess between them is worse than the usual one.
    const latin = matches.find(({ name, confidence }) => /^(?:windows-125[0247]|ISO-8859-[1-9])$/.test(name) && confidence >= 25);
    return [latin?.name ?? "windows-1252", "windows-1252"];
  }
  const [best] = matches;
  const names = matches.map(({ name }) => name);
  return [...(best === undefined || best.confidence < 20 ? likeliestOfShort(bytes) : []), ...names, "windows-1252"];
}

/** Accented letters stand alone between plain ones; letters of other scripts stand together. */
function isScattered(bytes: Uint8Array): boolean {
  let alone = 0;
  let together = 0;
  for (let i = 0; i < bytes.length; i++) {
    if ((bytes[i] ?? 0) < 0x80) continue;
    if ((bytes[i - 1] ?? 0) < 0x80 && (bytes[i + 1] ?? 0) < 0x80) alone++;
    else together++;
  }
  return alone > together;
}

/** Where the standards put their common characters: first bytes of a pair. The narrower range comes first, as it says more. */
const commonPairs: readonly { readonly name: string; readonly from: number; readonly to: number }[] = [
  { name: "EUC-JP", from: 0xb0, to: 0xcf },
  { name: "GB18030", from: 0xb0, to: 0xd7 },
  { name: "Big5", from: 0xa4, to: 0xc6 },
];

/** A few words are too little for statistics. */
function likeliestOfShort(bytes: Uint8Array): readonly string[] {
  const leads: number[] = [];
  for (let i = 0; i < bytes.length; i++) {
    const byte = bytes[i] ?? 0;
    if (byte < 0x80) continue;
    leads.push(byte);
    i++;
  }
  const isCommon = (from: number, to: number): boolean => leads.filter((lead) => lead >= from && lead <= to).length >= leads.length * 0.9;
  return commonPairs.filter(({ from, to }) => isCommon(from, to)).map(({ name }) => name);
}

/** Passages that behave like text where it matters to a search: words by Zipf's law, subjects with words of their own, and stop words between. */
export interface PassageMaker {
  /** A passage of some 80 words about one of 300 subjects. */
  readonly passage: () => string;
  /** Words that a person might ask about one of the subjects. */
  readonly question: () => string;
}

const syllables = "ba be bi bo bu da de di do du fa fe fi fo fu ga ge gi go gu ka ke ki ko ku la le li lo lu ma me mi mo mu na ne ni no nu pa pe pi po pu ra re ri ro ru sa se si so su ta te ti to tu va ve vi vo".split(" ");
const fillers = "the of and to a in is that for it as with on by this are or".split(" ");

/** The same passages on every machine. */
export function passageMaker(seed = 1): PassageMaker {
  const random = randomFrom(seed);
  const pick = (count: number): number => Math.floor(random() * count);
  const wordOf = (number: number): string => `${syllables[number % 64]}${syllables[Math.floor(number / 64) % 64]}${syllables[Math.floor(number / 4096) % 64]}`;
  // Zipf's law with exponent 1 by inversion: the logarithm of the rank is spread evenly.
  const zipf = (count: number): number => Math.min(count - 1, Math.floor(count ** random()) - 1);
  const common = (): string => wordOf(zipf(20_000));
  const ofSubject = (subject: number): string => wordOf(20_000 + subject * 400 + zipf(400));
  const filler = (): string => fillers[pick(fillers.length)] ?? "the";

  function passage(): string {
    const subject = pick(300);
    const words = Array.from({ length: 50 + pick(60) }, () => (random() < 0.35 ? filler() : random() < 0.5 ? ofSubject(subject) : common()));
    return `${words.join(" ")}.`;
  }

  function question(): string {
    const subject = pick(300);
    return ["what", "is", ...Array.from({ length: 4 }, () => ofSubject(subject)), "of", "the", common(), common()].join(" ");
  }

  return { passage, question };
}

/** Numbers from 0 to 1 by xorshift. */
function randomFrom(seed: number): () => number {
  let state = seed;
  return () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) / 2 ** 32;
  };
}

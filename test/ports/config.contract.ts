import { describe, expect, it } from "vitest";
import type { ConfigProvider, ConfigReading } from "../../src/ports/config.ts";

export interface ConfigUnderTest {
  readonly provider: ConfigProvider;
  /** Puts these values in, in place of those of the same keys. */
  readonly put: (values: Readonly<Record<string, string>>) => Promise<void>;
}

export interface ConfigSubject {
  /** A new place that holds these values. */
  readonly open: (values: Readonly<Record<string, string>>) => Promise<ConfigUnderTest>;
  /** A place that is not there. */
  readonly openMissing: () => Promise<ConfigProvider>;
  /** Whether a place that is not there holds nothing, instead of being refused. */
  readonly isMissingEmpty?: boolean;
  readonly hasVersions: boolean;
  /** Parameter Store keeps no empty values. */
  readonly hasEmptyValues?: boolean;
}

const textsOf = ({ values }: ConfigReading): Readonly<Record<string, string>> => Object.fromEntries(Object.entries(values).map(([key, { text }]) => [key, text]));
const sourcesOf = ({ values }: ConfigReading): Readonly<Record<string, string>> => Object.fromEntries(Object.entries(values).map(([key, { source }]) => [key, source]));

/** Everything that `src/ports/config.ts` promises. */
export function describeConfig(name: string, { open, openMissing, hasVersions, isMissingEmpty = false, hasEmptyValues = true }: ConfigSubject): void {
  describe(`${name} keeps the promises of a configuration source`, () => {
    it("gives every value as it is, more than fit on a page of any service", async () => {
      const many = Object.fromEntries(Array.from({ length: 23 }, (_, i) => [`KEY_${i}`, `value ${i}`]));
      const odd = { URL: "postgres://me:p@ss=w%2Ford@host:5432/db?sslmode=require#x", TEXT: "ä \u{1F600} = # 'quoted'", LIST: "a,b,c", LONG: "x".repeat(4000) };
      const { provider } = await open({ ...many, ...odd });
      expect(textsOf(await provider.read())).toEqual({ ...many, ...odd });
    });

    it.skipIf(!hasEmptyValues)("gives an empty value as one", async () => {
      const { provider } = await open({ EMPTY: "", FULL: "x" });
      expect(textsOf(await provider.read())).toEqual({ EMPTY: "", FULL: "x" });
    });

    it("names where each value was read, beginning with its own name", async () => {
      const { provider } = await open({ A: "1", B: "2" });
      for (const source of Object.values(sourcesOf(await provider.read()))) expect(source.startsWith(provider.reference)).toBe(true);
    });

    it("sees a change with the next reading", async () => {
      const { provider, put } = await open({ A: "1", B: "2" });
      await provider.read();
      await put({ A: "one" });
      expect(textsOf(await provider.read())).toEqual({ A: "one", B: "2" });
    });

    it.skipIf(!hasVersions)("gives what an earlier reading named (where versions are kept)", async () => {
      const { provider, put } = await open({ A: "1", B: "2" });
      const sources = sourcesOf(await provider.read());
      await put({ A: "one" });
      await put({ A: "uno" });
      expect(await provider.readVersions?.(sources)).toEqual({ A: "1", B: "2" });
      expect(textsOf(await provider.read())).toEqual({ A: "uno", B: "2" });
      expect(await provider.readVersions?.({ A: "environment", B: "dotenv:.env", C: provider.reference, D: "" })).toEqual({});
    });

    it.skipIf(hasVersions)("names every reading alike (where no versions are kept)", async () => {
      const { provider, put } = await open({ A: "1" });
      const sources = sourcesOf(await provider.read());
      await put({ A: "one" });
      expect(sourcesOf(await provider.read())).toEqual(sources);
      expect("readVersions" in provider).toBe(false);
    });

    it("says that a place is missing, or holds nothing", async () => {
      const provider = await openMissing();
      const missing = { code: "CONFIG_INVALID", message: expect.stringContaining(provider.reference), fix: expect.stringContaining("AWS_REGION") };
      const said = await provider.read().catch((error: unknown) => error);
      expect(said).toMatchObject(isMissingEmpty ? { values: {}, ignored: [] } : missing);
    });
  });
}

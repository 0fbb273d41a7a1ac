import { describe, expect, it } from "vitest";
import { openEmbedder } from "../../../src/adapters/embedding/hash/adapter.ts";
import { stemOf, wordsOf } from "../../../src/adapters/embedding/hash/words.ts";
import { digestOf } from "../../../src/core/descriptor.ts";
import { embedProbe } from "../../../src/index/probe.ts";
import { describeEmbedder } from "../../ports/embedding.contract.ts";

describeEmbedder("hash", () => openEmbedder("hash:512"));

async function cosine(left: string, right: string): Promise<number> {
  const [a = new Float32Array(), b = new Float32Array()] = await openEmbedder("hash:512").embed([left, right], "document");
  return a.reduce((sum, value, i) => sum + value * (b[i] ?? 0), 0);
}

describe("the hash embedder", () => {
  it("gives the same bytes on every machine", async () => {
    // A new digest here means other vectors under an old name: raise `recipe` in the adapter as well.
    expect(digestOf(await embedProbe(openEmbedder("hash:256")))).toBe("sha256:0a6f59654d981882a60cbd67150addabef18a1f0d876a1832a58689bcdd25ded");
  });

  it("puts the dimensions and its recipe into its identity", () => {
    expect(openEmbedder("hash:64").identity).toEqual({ provider: "hash", model: "words-1", dimensions: 64, normalised: true, documentTask: null, queryTask: null });
  });

  it("holds texts with the same words closer than others", async () => {
    const near = await cosine("How do I store the configuration?", "Configurations are stored in the environment");
    const far = await cosine("How do I store the configuration?", "Parcels leave our house every working day");
    expect(near).toBeGreaterThan(0.3);
    expect(far).toBeLessThan(0.1);
  });

  it.each([
    ["環境変数に設定を格納する", "設定は環境変数にある", "荷物は毎日発送されます"],
    ["ตั้งค่าตัวแปรสภาพแวดล้อม", "ตัวแปรสภาพแวดล้อมของแอป", "เราส่งพัสดุทุกวันทำงาน"],
    ["환경 변수에 설정을 저장", "설정은 환경 변수에 있습니다", "소포는 매일 발송됩니다"],
    ["Конфигурация в переменных среды", "Храните конфигурацию в среде", "Мы отправляем посылки по будням"],
  ])("compares by script: %s", async (question, near, far) => {
    expect(await cosine(question, near)).toBeGreaterThan(0.1 + (await cosine(question, far)));
  });

  it("finds maxRetries by either spelling", async () => {
    expect(await cosine("maxRetries", "max retries")).toBeGreaterThan(0.5);
    expect(await cosine("maxRetries", "maxretries")).toBeGreaterThan(0.5);
  });

  it("does not care for case, width or composed accents", async () => {
    expect(await cosine("CAFÉ ＡＢＣ", "cafe\u0301 abc")).toBeCloseTo(1, 5);
  });

  it.each(["hash:", "hash:0", "hash:7", "hash:x", "hash:-5", "hash:1e3", "hash:16385", "hash:512/x"])("refuses %s", (reference) => {
    expect(() => openEmbedder(reference)).toThrow(expect.objectContaining({ code: "SERVICE_UNSUPPORTED", message: expect.stringContaining(reference) }));
  });
});

describe("words", () => {
  it("are runs of letters and digits; scripts without spaces give whole stretches", () => {
    expect(wordsOf("Über_uns: v1.2, 東京タワー!").map(({ text, isRun }) => [text, isRun])).toEqual([
      ["über", false], ["uns", false], ["v1", false], ["2", false], ["東京タワー", true],
    ]);
  });

  it.each([
    ["queries", "quer"], ["query", "quer"], ["class", "class"], ["classes", "class"], ["running", "run"], ["runs", "run"],
    ["configuration", "configur"], ["configurations", "configur"], ["bus", "bus"], ["is", "is"],
  ])("%s has the stem %s", (word, stem) => {
    expect(stemOf(word)).toBe(stem);
  });
});

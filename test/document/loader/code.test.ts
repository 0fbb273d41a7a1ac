import { describe, expect, it } from "vitest";
import { documentOf, outlineOf, reasonOf } from "../../helpers/document.ts";

describe("source code", () => {
  it("is cut before each declaration, with the comments above it, below its path", async () => {
    const source = [
      "import a from \"a\";", "import b from \"b\";", "", "const x = 1;", "", "/** Adds. */", "export function add(a: number) {", "  const one = 1;", "", "  return a + one;", "}", "", "// Alone.", "", "class A {", "  b() {}", "", "  c() {}", "}", "",
    ].join("\n");
    expect(outlineOf(await documentOf("src/add.ts", source))).toEqual([
      "# src/add.ts",
      "code: ```ts\nimport a from \"a\";\nimport b from \"b\";\n\nconst x = 1;\n```",
      "code: ```ts\n/** Adds. */\nexport function add(a: number) {\n  const one = 1;\n\n  return a + one;\n}\n```",
      "code: ```ts\n// Alone.\n\nclass A {\n  b() {}\n\n  c() {}\n}\n```",
    ]);
  });

  it("keeps what goes on after an empty line together", async () => {
    const source = "def first():\n    one = 1\n\n    return one\n\n\n@decorated\ndef second():\n    try:\n        pass\n    except Exception:\n        pass\n\n# Says hello.\ndef third():\n    a = 1\n    b = 2\n    return a + b\n";
    expect(outlineOf(await documentOf("a.py", source)).slice(1)).toEqual([
      "code: ```python\ndef first():\n    one = 1\n\n    return one\n```",
      "code: ```python\n@decorated\ndef second():\n    try:\n        pass\n    except Exception:\n        pass\n```",
      "code: ```python\n# Says hello.\ndef third():\n    a = 1\n    b = 2\n    return a + b\n```",
    ]);
  });

  it("cuts a long declaration at its members, below its first line", async () => {
    const method = (name: string): string => `    /** Does ${name}. */\n    void ${name}() {\n${"        work();\n".repeat(20)}    }\n`;
    const source = `package shop;\n\n/** A lamp. */\npublic class Lamp {\n${["a", "b", "c"].map(method).join("\n")}}\n\nclass Other {\n    int x;\n    int y;\n    int z;\n}\n`;
    const lines = outlineOf(await documentOf("Lamp.java", source));
    expect(lines.map((line) => line.split("\n").slice(0, 3).join("|"))).toEqual([
      "# Lamp.java", "code: ```java|package shop;|```", "## public class Lamp", "code: ```java|/** A lamp. */|public class Lamp {", "code: ```java|    /** Does b. */|    void b() {", "code: ```java|    /** Does c. */|    void c() {",
      "# Lamp.java", "code: ```java|class Other {|    int x;",
    ]);
  });

  it("has its lines as parts in a fence that nothing in it closes", async () => {
    const { blocks } = await documentOf("a.sh", "cat <<X\n```\nX\n");
    expect(blocks[1]).toEqual({ kind: "code", text: "````bash\ncat <<X\n```\nX\n````", parts: ["cat <<X", "```", "X"], head: "````bash\n", tail: "\n````" });
  });

  it("that a tool has packed is refused", async () => {
    expect(await reasonOf("bundle.js", "const a=1;".repeat(5000))).toBe("is code packed for machines, not for reading");
    expect(outlineOf(await documentOf("a.js", "const a = 1;\n".repeat(5000)))).toHaveLength(2);
  });

  it("keeps every line of a file", async () => {
    const source = "a: 1\nb:\n  - x\n\n  - y\nc:\n\n  d: 1\n";
    const { blocks } = await documentOf("a.yaml", source);
    const kept = blocks.flatMap((block) => (block.kind === "heading" ? [] : block.parts)).filter((line) => line !== "");
    expect(kept).toEqual(source.split("\n").filter((line) => line !== ""));
  });
});

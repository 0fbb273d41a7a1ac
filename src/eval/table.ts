import type { CaseResult, EvalReport } from "./schema.ts";

const defaultWidth = 100;
const marks = { pass: "pass", fail: "FAIL", error: "ERROR" } as const;

/** One suite for a person: the cases, what failed first in each, the totals and the gate. */
export function formatReport(report: EvalReport, width: number = defaultWidth): string {
  const { suite, agent, model, cases, passed, failed, errored, passRate, score, gate, pass } = report;
  const rows = cases.map((result) => [String(result.number), marks[result.verdict], result.score.toFixed(2), `${Math.round(result.latencyMs)} ms`, caseName(result)]);
  const head = ["#", "result", "score", "latency", "case"];
  const widths = head.map((title, column) => Math.max(title.length, ...rows.map((row) => row[column]?.length ?? 0)));
  const line = (row: readonly string[]): string => row.map((cell, column) => (column === row.length - 1 ? cell : column === 1 || column === 4 ? cell.padEnd(widths[column] ?? 0) : cell.padStart(widths[column] ?? 0))).join("  ");
  const indent = widths.slice(0, -1).reduce((sum, column) => sum + column + 2, 0);
  const room = Math.max(20, width - indent);
  const body = rows.flatMap((row, index) => {
    const [first = "", ...rest] = wrap(row[4] ?? "", room);
    const reasons = firstReason(cases[index]).flatMap((reason) => wrap(reason, room));
    return [line([...row.slice(0, 4), first]), ...[...rest, ...reasons].map((text) => " ".repeat(indent) + text)];
  });
  const totals = `${passed} passed, ${failed} failed, ${errored} errored of ${cases.length}; mean score ${score.toFixed(2)}`;
  const verdict = `Gate ${pass ? "holds" : "fails"}: pass rate ${percent(passRate)}, needed ${percent(gate.passRate)}`;
  const allErrored = errored === cases.length ? [`No case got an answer. First error: ${cases[0]?.error ?? "unknown"}`, ""] : [];
  return [`${suite}: ${agent} with ${model}`, "", ...allErrored, line(head), ...body, "", totals, verdict].join("\n");
}

/** Rounded down, so that a rate just below the gate does not read like the gate. */
export function percent(rate: number): string {
  return `${Math.floor(rate * 1000 + 1e-9) / 10}%`;
}

function caseName({ description, vars }: CaseResult): string {
  const text = description ?? Object.values(vars).map((value) => (typeof value === "string" ? value : JSON.stringify(value))).join(", ");
  return oneLine(text).slice(0, 200);
}

function firstReason(result: CaseResult | undefined): readonly string[] {
  if (result === undefined || result.verdict === "pass") return [];
  if (result.error !== null) return [oneLine(result.error)];
  const failing = result.assertions.find(({ pass }) => !pass);
  return failing === undefined ? [] : [oneLine(`${failing.type}: ${failing.reason}`)];
}

/** Answers come from a model: control characters must not reach a terminal. */
function oneLine(text: string): string {
  return text.replaceAll(/[\s\p{Cc}\p{Cf}]+/gu, " ").trim();
}

/** Breaks at spaces; a word longer than the line is cut. */
function wrap(text: string, width: number): readonly string[] {
  const lines: string[] = [];
  let current = "";
  for (const word of text.split(" ").flatMap((part) => part.match(new RegExp(`.{1,${width}}`, "gu")) ?? [""])) {
    if (current !== "" && current.length + 1 + word.length > width) {
      lines.push(current);
      current = word;
    } else {
      current = current === "" ? word : `${current} ${word}`;
    }
  }
  return [...lines, current];
}

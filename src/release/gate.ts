import { readDocument } from "../artifact/document.ts";
import { readPointer } from "../artifact/pointer.ts";
import { refs } from "../artifact/refs.ts";
import type { Digest } from "../core/descriptor.ts";
import { type Problem, TwelveError } from "../core/errors.ts";
import { environmentOf } from "../config/read.ts";
import { type EvalReport, evalReportKind, reportPointerKind } from "../eval/schema.ts";
import type { Manifest } from "../manifest/schema.ts";
import type { Store } from "../ports/store.ts";

export interface GateQuestion {
  readonly app: string;
  readonly manifest: Manifest;
  readonly release: Digest;
  /** Names the release in messages. */
  readonly title: string;
  readonly environment: string;
  /** How the user gets a report that is missing. */
  readonly fix: (suites: readonly string[]) => string;
}

/** Fails with PROMOTION_REFUSED unless the newest report of every suite that the environment requires passed on exactly this release. */
export async function requireReports(store: Store, { app, manifest, release, title, environment, fix }: GateQuestion): Promise<void> {
  const { requires } = environmentOf(manifest, environment);
  const problems: (Problem & { readonly path: string })[] = [];
  const missing: string[] = [];
  for (const suite of requires) {
    const report = await newestReport(store, app, release, suite);
    const reason = complaint(report, manifest.evals[suite]);
    if (reason !== undefined) problems.push({ path: suite, message: reason });
    if (report === undefined) missing.push(suite);
  }
  if (problems.length === 0) return;
  const suites = problems.map(({ path }) => path);
  throw new TwelveError("PROMOTION_REFUSED", `${environment} requires ${suites.length === 1 ? "an eval suite" : "eval suites"} that ${title} has not passed: ${suites.join(", ")}`, { problems, fix: missing.length === 0 ? afterFailure : fix(missing) });
}

/** Asking the same release again would not help. */
const afterFailure = "Correct what fails, then build, release, eval and promote again";

async function newestReport(store: Store, app: string, release: Digest, suite: string): Promise<EvalReport | undefined> {
  const pointer = await readPointer(store, reportPointerKind, refs.report(app, release, suite));
  if (pointer === undefined) return undefined;
  const report = await readDocument(store, evalReportKind, pointer.value.report);
  // The ref says which release it is about; only the report itself is proof.
  return report.release.digest === release && report.suite === suite ? report : undefined;
}

/** The build's own declaration is asked too: a report may have been made with a laxer gate, or of another agent. */
function complaint(report: EvalReport | undefined, declared: Manifest["evals"][string] | undefined): string | undefined {
  if (report === undefined) return "There is no eval report for exactly this release";
  const agent = declared?.agent ?? report.agent;
  if (report.agent !== agent) return `The newest report (${report.createdAt}) is about the agent ${report.agent}; the build's suite asks ${agent}`;
  const wanted = Math.max(declared?.gate.passRate ?? 1, report.gate.passRate);
  if (report.pass && report.passRate >= wanted) return undefined;
  return `The newest report (${report.createdAt}) failed: ${report.passed} of ${report.cases.length} cases passed (${percent(report.passRate)}), the gate wants ${percent(wanted)}`;
}

function percent(share: number): string {
  return `${Number((share * 100).toFixed(1))}%`;
}

import { posix } from "node:path";
import { readDocument } from "../artifact/document.ts";
import { readPointer } from "../artifact/pointer.ts";
import { refs } from "../artifact/refs.ts";
import type { Build } from "../build/schema.ts";
import { codeTreeKind } from "../code/schema.ts";
import type { Digest } from "../core/descriptor.ts";
import { type Problem, TwelveError } from "../core/errors.ts";
import { environmentOf } from "../config/read.ts";
import { type EvalReport, evalReportKind, reportPointerKind } from "../eval/schema.ts";
import type { Manifest } from "../manifest/schema.ts";
import type { Store } from "../ports/store.ts";

export interface GateQuestion {
  readonly app: string;
  readonly build: Build;
  readonly release: Digest;
  /** Names the release in messages. */
  readonly title: string;
  readonly environment: string;
  /** How the user gets a report that is missing. */
  readonly fix: (suites: readonly string[]) => string;
}

/** Fails with PROMOTION_REFUSED unless the newest report of every suite that the environment requires passed on exactly this release. */
export async function requireReports(store: Store, { app, build, release, title, environment, fix }: GateQuestion): Promise<void> {
  const { manifest } = build;
  const { requires } = environmentOf(manifest, environment);
  if (requires.length === 0) return;
  const tree = await readDocument(store, codeTreeKind, build.code);
  const packaged = new Map(tree.files.map(({ path, digest }) => [path, digest]));
  const problems: (Problem & { readonly path: string })[] = [];
  const missing: string[] = [];
  for (const suite of requires) {
    const report = await newestReport(store, app, release, suite);
    const reason = complaint(report, manifest.evals[suite], packaged);
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

/** The build's own declaration is asked too: a report may have been made with a laxer gate, of another agent, or with an easier suite. */
function complaint(report: EvalReport | undefined, declared: Manifest["evals"][string] | undefined, packaged: ReadonlyMap<string, Digest>): string | undefined {
  if (report === undefined) return "There is no eval report for exactly this release";
  const foreign = foreignFiles(report, declared, packaged);
  if (foreign.length > 0) {
    return `The newest report (${report.createdAt}) was made with another ${foreign.join(", ")} than the release was packaged with. Put it back and run the eval again, or commit it and build, release and eval again`;
  }
  const agent = declared?.agent ?? report.agent;
  if (report.agent !== agent) return `The newest report (${report.createdAt}) is about the agent ${report.agent}; the build's suite asks ${agent}`;
  const wanted = Math.max(declared?.gate.passRate ?? 1, report.gate.passRate);
  if (report.pass && report.passRate >= wanted) return undefined;
  return `The newest report (${report.createdAt}) failed: ${report.passed} of ${report.cases.length} cases passed (${percent(report.passRate)}), the gate wants ${percent(wanted)}`;
}

/** Suite files that differ from the release's copies. What the build leaves out of the code cannot be held against it. */
function foreignFiles({ suiteFiles }: EvalReport, declared: Manifest["evals"][string] | undefined, packaged: ReadonlyMap<string, Digest>): readonly string[] {
  const changed = Object.entries(suiteFiles).filter(([path, digest]) => packaged.has(path) && packaged.get(path) !== digest).map(([path]) => path);
  const own = declared === undefined ? undefined : posix.normalize(declared.suite);
  return own !== undefined && packaged.has(own) && !Object.hasOwn(suiteFiles, own) ? [own, ...changed] : changed;
}

function percent(share: number): string {
  return `${Number((share * 100).toFixed(1))}%`;
}

import { withoutCredentials } from "../core/url.ts";
import { type Problem, TwelveError } from "../core/errors.ts";
import type { ConfigDeclaration } from "../manifest/schema.ts";
import { parseValue } from "../manifest/value.ts";
import type { Environment } from "../ports/context.ts";
import type { Release } from "../release/schema.ts";

interface DriftInput {
  readonly release: Release;
  /** Such as v3. */
  readonly name: string;
  readonly environment: string | null;
  readonly declarations: Readonly<Record<string, ConfigDeclaration>>;
  readonly env: Environment;
}

/**
 * Running makes no configuration decision: a process whose environment says something else than the release about a
 * frozen key would not be what it is called. Fails with CONFIG_DRIFTED, naming every such key.
 */
export function refuseDrift({ release, name, environment, declarations, env }: DriftInput): void {
  const problems = Object.entries(release.config).flatMap(([key, { value, source }]): readonly Problem[] => {
    const text = env[key];
    const declaration = declarations[key];
    if (text === undefined || declaration === undefined || parseValue(declaration, text) === value) return [];
    const frozen = value === null ? "unset" : JSON.stringify(value);
    return [{ path: key, message: `${frozen} in release ${name} (from ${source}), ${JSON.stringify(withoutCredentials(text))} in the process environment` }];
  });
  if (problems.length === 0) return;
  const keys = problems.map(({ path }) => path).join(", ");
  const [subject, it] = problems.length === 1 ? ["a value that", "it"] : ["values that", "them"];
  throw new TwelveError("CONFIG_DRIFTED", `The process environment has ${subject} release ${name} has frozen otherwise: ${keys}`, {
    problems,
    fix: `Unset ${it} (\`unset ${keys.replaceAll(",", "")}\`), or freeze the new ${problems.length === 1 ? "value" : "values"} with \`twelve release --env ${environment ?? "<name>"}\``,
  });
}

import type { GetSecretValueResponse } from "@aws-sdk/client-secrets-manager";
import { counted } from "../../../core/counted.ts";
import { TwelveError } from "../../../core/errors.ts";
import type { ConfigProvider, ConfigReading } from "../../../ports/config.ts";
import type { Environment } from "../../../ports/context.ts";
import { awsError } from "../../aws/failure.ts";
import { signalOf } from "../../aws/signal.ts";
import { type AwsConfigOptions, clientSettings, configFailure, garbled, goneFailure } from "../aws.ts";

const permission = "secretsmanager:GetSecretValue on the secret, and kms:Decrypt on its key,";

/**
 * `secretsmanager:<name or ARN>`: a secret of AWS Secrets Manager whose text is a JSON object of keys and values. Values are
 * named with the version of the secret; an ARN also says the region.
 */
export async function openConfig(reference: string, { env }: { readonly env: Environment }, options: AwsConfigOptions = {}): Promise<ConfigProvider> {
  const id = reference.slice("secretsmanager:".length);
  if (!/^[A-Za-z0-9/_+=.@:-]{1,2048}$/.test(id)) {
    throw new TwelveError("CONFIG_INVALID", `${reference} names no secret`, { fix: "Write the name or the ARN of a secret, such as secretsmanager:support/production" });
  }
  const { default: sdk } = await import("@aws-sdk/client-secrets-manager");
  const region = /^arn:[^:]*:secretsmanager:([^:]+):/.exec(id)?.[1];
  const client = new sdk.SecretsManager({ ...clientSettings(env, "SECRETS_MANAGER", options), ...(region === undefined ? {} : { region }) });

  async function read(version?: string, signal?: AbortSignal): Promise<ConfigReading> {
    const secret = await client
      .getSecretValue({ SecretId: id, ...(version === undefined ? {} : { VersionId: version }) }, signalOf(signal))
      .catch(async (error: unknown) => {
        signal?.throwIfAborted();
        throw await secretFailure(error, version);
      });
    return parseSecret(reference, secret);
  }

  async function secretFailure(error: unknown, version: string | undefined): Promise<TwelveError> {
    const { name, message } = awsError(error);
    if (name === "ResourceNotFoundException" && version !== undefined) return goneFailure(`${reference}@${version}`, error);
    if (name === "ResourceNotFoundException") {
      return new TwelveError("CONFIG_INVALID", `There is no ${reference} in ${await client.config.region()} (${name})`, { cause: error, fix: "Create the secret, or correct its name, AWS_REGION or the account" });
    }
    // So it is called when somebody has asked for it to be deleted.
    if (name === "InvalidRequestException") return new TwelveError("CONFIG_INVALID", `${reference} cannot be read (${name}: ${message})`, { cause: error, fix: "Restore the secret, or name another one" });
    return configFailure(error, reference, permission);
  }

  return {
    reference,
    read: () => read(),
    async readVersions(sources) {
      // A secret's name may hold an @, a version's ID does not.
      const wanted = Object.entries(sources).flatMap(([key, source]) => {
        const version = source.startsWith(`${reference}@`) ? source.slice(reference.length + 1) : "";
        return /^[^@]+$/.test(version) ? [{ key, source, version }] : [];
      });
      const versions = new Map(await Promise.all([...new Set(wanted.map(({ version }) => version))].map(async (version) => [version, (await read(version)).values] as const)));
      return Object.fromEntries(wanted.map(({ key, source, version }) => {
        const values = versions.get(version) ?? {};
        const found = Object.hasOwn(values, key) ? values[key] : undefined;
        if (found === undefined) throw goneFailure(source);
        return [key, found.text];
      }));
    },
    async check(signal) {
      const { values } = await read(undefined, signal);
      return { version: null, detail: counted(Object.keys(values).length, "key") };
    },
  };
}

/** What is wrong with a secret is said without a word of it: a parser's message would quote it. */
function parseSecret(reference: string, { SecretString: text, VersionId: version }: GetSecretValueResponse): ConfigReading {
  if (version === undefined || (text !== undefined && typeof text !== "string")) throw garbled(reference);
  let value: unknown;
  try {
    value = text === undefined ? undefined : (JSON.parse(text) as unknown);
  } catch {
    value = undefined;
  }
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    const what = text === undefined ? "holds bytes" : "holds a text that is no JSON object";
    throw new TwelveError("CONFIG_INVALID", `${reference} ${what}`, { fix: 'Store keys and values in it, as the console does: {"OPENAI_API_KEY": "..."}' });
  }
  const entries = Object.entries(value);
  const isText = (inner: unknown): inner is string | number | boolean => ["string", "number", "boolean"].includes(typeof inner);
  return {
    values: Object.fromEntries(entries.flatMap(([key, inner]) => (isText(inner) ? [[key, { text: String(inner), source: `${reference}@${version}` }]] : []))),
    ignored: entries.flatMap(([key, inner]) => (isText(inner) ? [] : [key])),
  };
}

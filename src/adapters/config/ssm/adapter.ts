import type { GetParametersByPathResult, Parameter, SSM } from "@aws-sdk/client-ssm";
import { counted } from "../../../core/counted.ts";
import { TwelveError } from "../../../core/errors.ts";
import type { ConfigProvider, ConfigReading } from "../../../ports/config.ts";
import type { Environment } from "../../../ports/context.ts";
import { signalOf } from "../../aws/signal.ts";
import { type AwsConfigOptions, clientSettings, configFailure, garbled, goneFailure } from "../aws.ts";

/** Both calls take ten at most. */
const mostAtOnce = 10;
const permission = "ssm:GetParametersByPath and ssm:GetParameters on the path, and kms:Decrypt on the key of its secure strings,";

/**
 * `ssm:/path`: the parameters of the AWS Systems Manager directly below a path, each under the last part of its name. A secure
 * string is decrypted; a list is the text with commas that it is. Every value is named with its version.
 */
export async function openConfig(reference: string, { env }: { readonly env: Environment }, options: AwsConfigOptions = {}): Promise<ConfigProvider> {
  const path = reference.slice("ssm:".length).replace(/\/$/, "");
  if (!/^(?:\/[A-Za-z0-9_.-]+)+$/.test(path)) {
    throw new TwelveError("CONFIG_INVALID", `${reference} names no path of parameters`, { fix: "Write the path with a slash at its beginning, such as ssm:/support/production" });
  }
  const { default: sdk } = await import("@aws-sdk/client-ssm");
  const client = new sdk.SSM(clientSettings(env, "SSM", options));
  const name = `ssm:${path}`;

  async function read(signal?: AbortSignal): Promise<ConfigReading> {
    const parameters = await listParameters(client, path, signal).catch((error: unknown) => {
      signal?.throwIfAborted();
      throw configFailure(error, name, permission);
    });
    if (parameters.length === 0) {
      const region = await client.config.region();
      throw new TwelveError("CONFIG_INVALID", `${name} holds no parameters in ${region}`, { fix: `Put a parameter such as ${path}/KEY there, or correct the path, AWS_REGION or the account` });
    }
    const named = parameters.map((parameter) => ({ ...parameter, below: parameter.Name?.slice(path.length + 1) ?? "" }));
    return {
      values: Object.fromEntries(named.flatMap(({ below, Value: text, Version: version }) => (below.includes("/") || text === undefined ? [] : [[below, { text, source: `${name}/${below}@${version}` }]]))),
      ignored: named.flatMap(({ below }) => (below.includes("/") ? [below] : [])),
    };
  }

  return {
    reference: name,
    read: () => read(),
    async readVersions(sources) {
      const wanted = Object.entries(sources).flatMap(([key, source]) => {
        const version = source.startsWith(`${name}/${key}@`) ? source.slice(`${name}/${key}@`.length) : "";
        return /^\d+$/.test(version) ? [{ key, source, selector: `${path}/${key}:${version}` }] : [];
      });
      const found = await getParameters(client, wanted.map(({ selector }) => selector)).catch((error: unknown) => {
        throw configFailure(error, name, permission);
      });
      const texts = new Map(found.map(({ Name: full, Version: version, Value: text }) => [`${full}:${version}`, text]));
      return Object.fromEntries(wanted.map(({ key, source, selector }) => {
        const text = texts.get(selector);
        if (text === undefined) throw goneFailure(source);
        return [key, text];
      }));
    },
    async check(signal) {
      const { values } = await read(signal);
      return { version: null, detail: counted(Object.keys(values).length, "key") };
    },
  };
}

/** A page may be short, or even empty, and still not be the last. */
async function listParameters(client: SSM, path: string, signal: AbortSignal | undefined): Promise<readonly Parameter[]> {
  const found: Parameter[] = [];
  let token: string | undefined;
  do {
    const page: GetParametersByPathResult = await client.getParametersByPath(
      { Path: path, Recursive: true, WithDecryption: true, MaxResults: mostAtOnce, ...(token === undefined ? {} : { NextToken: token }) },
      signalOf(signal),
    );
    const { Parameters: parameters = [] } = page;
    if (!Array.isArray(parameters)) throw garbled(`ssm:${path}`);
    found.push(...parameters);
    if (page.NextToken !== undefined && page.NextToken === token) throw new TwelveError("SERVICE_FAILED", `ssm:${path} answers with the same page again and again`);
    token = page.NextToken;
  } while (token !== undefined && token !== "");
  return found;
}

async function getParameters(client: SSM, names: readonly string[]): Promise<readonly Parameter[]> {
  const batches = Array.from({ length: Math.ceil(names.length / mostAtOnce) }, (_, index) => names.slice(index * mostAtOnce, (index + 1) * mostAtOnce));
  const answers = await Promise.all(batches.map((batch) => client.getParameters({ Names: batch, WithDecryption: true })));
  return answers.flatMap(({ Parameters: parameters = [] }) => parameters);
}

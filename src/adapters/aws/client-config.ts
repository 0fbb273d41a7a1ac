import type { NodeHttpHandler } from "@smithy/node-http-handler";
import { TwelveError } from "../../core/errors.ts";
import type { Environment } from "../../ports/context.ts";
import { readKey } from "../http/service.ts";
import { refuseOtherAnswers } from "./event-stream.ts";
import { type AwsSettings, awsSettings } from "./settings.ts";

const connectTimeoutMs = 10_000;
/** Each answer that streams holds one for its whole time; the SDK's own limit is 50, and what is beyond it waits unseen. */
const connectionsPerHost = 256;

/** What the client of one reference is opened with. */
export interface ClientOptions {
  readonly env: Environment;
  /** The reference without options, for messages. */
  readonly name: string;
  readonly region: string | undefined;
  readonly timeoutMs: number | undefined;
}

export interface ClientConfig extends AwsSettings {
  readonly maxAttempts: number;
  readonly requestHandler: NodeHttpHandler;
  readonly token?: { readonly token: string };
  readonly authSchemePreference?: string[];
}

interface Wanted {
  /** The end of `AWS_ENDPOINT_URL_<service>`, such as BEDROCK_RUNTIME. */
  readonly service: string;
  /** The reference without options, for messages. */
  readonly name: string;
  /** Where the reference names one. */
  readonly region: string | undefined;
}

/** What the clients of models are made with. */
export async function clientConfig(env: Environment, { service, name, region }: Wanted): Promise<ClientConfig> {
  const { default: http } = await import("@smithy/node-http-handler");
  const connections = { maxSockets: connectionsPerHost };
  return {
    ...awsSettings(env, service),
    ...(region === undefined ? {} : { region }),
    // Whoever calls decides about retries; the SDK's own would multiply with them.
    maxAttempts: 1,
    // HTTP/1.1: the SDK's HTTP/2 fails with a bare "Protocol error" at any server or proxy that does not speak it.
    requestHandler: refuseOtherAnswers(new http.NodeHttpHandler({ connectionTimeout: connectTimeoutMs, httpAgent: connections, httpsAgent: connections }), name),
  };
}

/** The key that Bedrock takes instead of a signature; it goes before any other credentials. */
export function bedrockToken(env: Environment): Pick<ClientConfig, "token" | "authSchemePreference"> {
  const token = readKey(env, "AWS_BEARER_TOKEN_BEDROCK");
  return token === undefined ? {} : { token: { token }, authSchemePreference: ["httpBearerAuth"] };
}

/** The region that a client will use. Fails with SERVICE_UNSUPPORTED where none is named, in the environment or a profile. */
export async function regionOf(client: { readonly config: { region(): Promise<string> } }, name: string): Promise<string> {
  return client.config.region().catch(() => {
    throw new TwelveError("SERVICE_UNSUPPORTED", `${name} needs an AWS region, and none is named`, { fix: `Set AWS_REGION, or write it into the reference: ${name}?region=us-east-1` });
  });
}

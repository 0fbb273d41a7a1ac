import type { ClientRequest, IncomingMessage } from "node:http";
import type { Connection as HttpConnection, Transport } from "@opensearch-project/opensearch";
import type { Environment } from "../../../ports/context.ts";
import { awsFailure } from "../../aws/failure.ts";
import { regionOf } from "../../aws/client-config.ts";
import { openS3 } from "../../aws/s3.ts";
import type { Answered } from "./failure.ts";
import type { Cluster } from "./reference.ts";

export interface Sent {
  readonly method: string;
  readonly path: string;
  readonly query?: Readonly<Record<string, string | number | boolean>>;
  /** Sent as JSON; a text is lines of JSON that are ready. */
  readonly body?: object | string;
}

export interface Client {
  /** One attempt: any answer at all, or an error of the connection. */
  send(sent: Sent, signal: AbortSignal): Promise<Answered>;
  close(): void;
}

/** The project's own client, of which only the transport is used: what is asked is written where it is asked. */
export async function openClient({ url, address, login, signing }: Cluster, env: Environment): Promise<Client> {
  const { default: opensearch } = await import("@opensearch-project/opensearch");
  const { Connection, ...parts } = signing === undefined ? opensearch : { ...opensearch, ...(await signer(url, signing.region, env)) };
  const client = new opensearch.Client({
    node: address,
    ...(login === undefined ? {} : { auth: login }),
    Connection: tellingWhy(Connection),
    Transport: parts.Transport,
    // Whoever calls decides about retries, and about time.
    maxRetries: 0,
    requestTimeout: 2 ** 31 - 1,
    resurrectStrategy: "none",
  });

  async function sendOnce({ method, path, query, body }: Sent, signal: AbortSignal): Promise<Answered> {
    const request = client.transport.request(
      { method, path, ...(query === undefined ? {} : { querystring: { ...query } }), ...(typeof body === "string" ? { bulkBody: body } : body === undefined ? {} : { body }) },
      { ignore: everyRefusal },
    );
    // Nothing is returned: Node takes what an event's listener returns for a promise whose failure nobody handles.
    const leave = (): void => {
      request.abort();
    };
    signal.addEventListener("abort", leave, { once: true });
    try {
      const { statusCode, headers, body: answered } = await request;
      return { status: statusCode ?? 0, headers: headers ?? {}, body: answered as unknown };
    } finally {
      signal.removeEventListener("abort", leave);
    }
  }

  return {
    async send(sent, signal) {
      try {
        return await sendOnce(sent, signal);
      } catch (error) {
        if (!isStale(error) || signal.aborted) throw error;
        return sendOnce(sent, signal);
      }
    },
    close: () => void client.close(),
  };
}

/** The other side had closed a connection that was kept open, just when it was used again. */
function isStale(error: unknown): boolean {
  const { wasKept, cause } = error as { readonly wasKept?: boolean; readonly cause?: { readonly code?: string } };
  return wasKept === true && (cause?.code === "ECONNRESET" || cause?.code === "EPIPE");
}

/** Every answer is read by us. */
const everyRefusal = Array.from({ length: 300 }, (_, i) => 300 + i);

/** The credentials are those that the SDK's clients find; a role's are renewed before they end. */
async function signer(url: string, wanted: string | undefined, env: Environment): Promise<{ readonly Connection: typeof HttpConnection; readonly Transport: typeof Transport }> {
  const [{ default: aws }, sdk] = await Promise.all([import("@opensearch-project/opensearch/aws-v3"), openS3(env)]);
  const region = wanted ?? (await regionOf(sdk, url));
  return aws.AwsSigv4Signer({
    region,
    service: "es",
    async getCredentials() {
      try {
        return await sdk.config.credentials();
      } catch (error) {
        throw awsFailure(error, url, "es:ESHttp*");
      }
    },
  });
}

/**
 * The client keeps only the message of an error, which is empty for a host with two addresses, and it prints on standard output
 * what breaks off in the middle of an answer: there a command's answer stands.
 */
function tellingWhy(Base: typeof HttpConnection): typeof HttpConnection {
  return class extends Base {
    override request(params: Parameters<HttpConnection["request"]>[0], callback: (error: Error | null, response: IncomingMessage | null) => void): ClientRequest {
      let cause: unknown;
      const request: ClientRequest = super.request(params, (error: Error | null, response: IncomingMessage | null) => {
        if (error !== null && cause !== undefined) Object.assign(error, { cause, wasKept: request.reusedSocket });
        if (error === null) request.removeAllListeners("error").on("error", () => {});
        callback(error, response);
      });
      request.prependListener?.("error", (error) => (cause = error));
      return request;
    }
  };
}

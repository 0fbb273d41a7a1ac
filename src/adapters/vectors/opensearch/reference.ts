import { withoutCredentials } from "../../../core/url.ts";
import { readRegion } from "../../aws/region.ts";
import { readOptions, readTimeoutMs, splitQuery, unusable, withoutOptions } from "../../http/options.ts";

/** A search takes milliseconds; what takes this long waits for something that does not come. */
const usualTimeoutMs = 30_000;

/** What a reference says of a cluster and of how it is asked. */
export interface Cluster {
  /** Without credentials, and without what makes no other place of it. */
  readonly url: string;
  /** Its address over HTTP, without credentials. */
  readonly address: string;
  readonly login: { readonly username: string; readonly password: string } | undefined;
  /** Requests are signed for a domain of Amazon OpenSearch Service, in this region where it is named. */
  readonly signing: { readonly region: string | undefined } | undefined;
  /** Whether vectors are looked up in a graph, as `?index=hnsw` asks for, when an index is published. */
  readonly hnsw: boolean;
  readonly timeoutMs: number;
}

/**
 * `opensearch://[user:password@]host[:port]` over HTTPS, `opensearch+http://` without TLS, with the options `aws=es`, `region`, `index=hnsw`
 * and `timeoutMs`. Fails with SERVICE_UNSUPPORTED.
 */
export function readCluster(reference: string): Cluster {
  const [place, query] = splitQuery(reference);
  const example = "Write opensearch://user:password@host:9200, or opensearch+http://host:9200 without TLS, with special characters of the password percent-encoded";
  const address = place.replace(/^opensearch:/, "https:").replace(/^opensearch\+http:/, "http:");
  if (!/^https?:\/\/[^/]/.test(address) || !URL.canParse(address) || place.includes("#")) throw unusable(reference, "is no URL of an OpenSearch cluster", example);
  const { protocol, host, hostname, pathname, username, password } = new URL(address);
  const login = readLogin(username, password);
  if (login === "unreadable") throw unusable(reference, "has a user or a password that is only half there, or not percent-encoded", example);
  const options = readOptions(query, reference, ["aws", "region", "index", "timeoutMs"]);
  const { aws, index } = options;
  if (aws === "aoss" || /\.aoss(?:-fips)?\./.test(`${hostname}.`)) {
    throw unusable(reference, "is a collection of OpenSearch Serverless, which gives documents IDs of its own and shows them only after a while", "Use a domain of Amazon OpenSearch Service, with ?aws=es, or another vector service");
  }
  if (aws !== undefined && aws !== "es") throw unusable(reference, `gives aws as "${aws}"; it can only be es`, "Write ?aws=es for a domain of Amazon OpenSearch Service");
  if (aws !== undefined && login !== undefined) throw unusable(reference, "has both a password and ?aws=es", "Leave out one of them: a domain takes signed requests, or a user of its own");
  if (aws === undefined && options["region"] !== undefined) throw unusable(reference, "names a region without ?aws=es", "Add aws=es where requests are to be signed");
  if (index !== undefined && index !== "hnsw") throw unusable(reference, `gives index as "${index}"; it can only be hnsw`, "Leave it out: then every vector is compared");
  return {
    url: withoutOptions(withoutCredentials(reference), ["index", "timeoutMs"]),
    address: `${protocol}//${host}${pathname.replace(/\/+$/, "")}`,
    login,
    signing: aws === undefined ? undefined : { region: readRegion(options, reference) ?? regionIn(hostname) },
    hnsw: index === "hnsw",
    timeoutMs: readTimeoutMs(options, reference) ?? usualTimeoutMs,
  };
}

function readLogin(username: string, password: string): Cluster["login"] | "unreadable" {
  if (username === "" && password === "") return undefined;
  if (username === "" || password === "") return "unreadable";
  try {
    return { username: decodeURIComponent(username), password: decodeURIComponent(password) };
  } catch {
    return "unreadable";
  }
}

/** As in search-manuals-abc.eu-central-1.es.amazonaws.com. */
function regionIn(hostname: string): string | undefined {
  return /\.([a-z]{2,}(?:-[a-z]+)+-\d+)\.(?:es\.amazonaws\.com(?:\.cn)?|on\.aws)$/.exec(hostname)?.[1];
}

/** Query parameters that carry a credential, by name. */
const credentialName = /pass(?!file)|pwd|secret|token|credential|signature|bearer|(?:api|access|private|subscription|account)[-_]?key|^(key|sig|auth|authorization|sas|jwt|pw)$/i;
/** The scheme with its slashes, of a URL within another such as `lance:s3://` both; spaces and quotes come along from files and shells. */
const start = /^([\s"'<(]*(?:(?:[a-z][a-z0-9+.-]*:)+\/\/|[a-z][a-z0-9+.-]*:\/?))(.*)$/is;
/** Where people write users and passwords as they are, unencoded. */
const isDatabase = /^[\s"'<(]*(?:[a-z]+:)?(?:postgres(?:ql)?|rediss?|valkeys?|mysql|mongodb(?:\+srv)?|amqps?|opensearch(?:\+https?)?):/i;
/** These name a thing of their own and no host: what has an @ in it is a version, a package or a text. */
const isOpaque = /^(?:mock|npm|ssm|secretsmanager|dotenv):/i;

/** Whether the text has a scheme, as every service URL does. */
export function isUrl(text: string): boolean {
  return /^[a-z][a-z0-9+.-]*:/i.test(text);
}

/**
 * A service URL without its user name, password and credential-like parameters; all else stays as it was written.
 * Works on the text, not on a parsed URL: a password with a stray `/` or `#` must not survive because parsing failed.
 */
export function withoutCredentials(url: string): string {
  if (/^mock:/i.test(url)) return url;
  return withoutParameters(isOpaque.test(url) ? url : withoutUser(url));
}

export function hasCredentials(url: string): boolean {
  return isUrl(url.replace(/^[\s"'<(]+/, "")) && withoutCredentials(url) !== url;
}

/**
 * Whether the host that is asked is another than the one that is shown: after an unencoded `/`, `?` or `#` in a password a parser takes
 * what stands before it, which may be the password's tail, for the host. It would be asked for in clear, and sent the rest of the URL.
 */
export function isHostHidden(url: string): boolean {
  const shown = withoutCredentials(url);
  return shown !== url && URL.canParse(url) && !(URL.canParse(shown) && new URL(shown).host === new URL(url).host);
}

function withoutUser(url: string): string {
  const [, scheme = "", rest = ""] = start.exec(url) ?? [];
  if (isDatabase.test(scheme)) return scheme + withoutLogin(rest);
  const authority = /^[^/?#]*/.exec(rest)?.[0] ?? "";
  // `user:pa/ss@host`: what looks like a port is no number, so the password goes on to the last @.
  const isBroken = !authority.includes("@") && authority.split(",").some((host) => /^[^[]*:(?!\d*$)/.test(host));
  const userEnd = (isBroken ? rest : authority).lastIndexOf("@");
  const hasUser = userEnd >= 0 && (scheme.endsWith("//") || rest.slice(0, userEnd).includes(":"));
  return hasUser ? scheme + rest.slice(userEnd + 1) : url;
}

/** The name of a database has no @, so that the last one ends the password, whatever is in it; a parameter may have one in its value. */
function withoutLogin(rest: string): string {
  const parameters = /[?&][^=?&@/]+=/.exec(rest)?.index ?? rest.length;
  const userEnd = rest.lastIndexOf("@", parameters);
  if (userEnd >= 0) return rest.slice(userEnd + 1);
  // `user:password`, which is no host and port: the host comes after what looks like a parameter of it, or was forgotten.
  const bare = /^([^:/?#[\],]*):(?!\d*(?:[/?#,]|$))[^/?#]*/;
  return bare.test(rest) && rest.includes("@") ? rest.slice(rest.lastIndexOf("@") + 1) : rest.replace(bare, "$1");
}

function withoutParameters(url: string): string {
  const start = url.search(/[?#;]/);
  if (start < 0) return url;
  const kept = url.slice(start).replaceAll(/([?#&;])([^=&;#?]*)=[^&;#]*/g, (parameter, mark: string, name: string) =>
    credentialName.test(decoded(name)) ? (mark === "&" ? "" : mark) : parameter);
  return url.slice(0, start) + kept.replaceAll(/([?#;])&/g, "$1").replaceAll(/[?;]+(?=[#;]|$)/g, "").replace(/#$/, "");
}

function decoded(name: string): string {
  try {
    return decodeURIComponent(name);
  } catch {
    return name;
  }
}

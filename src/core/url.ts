/** Query parameters that carry a credential, by name. */
const credentialName = /pass(?!file)|pwd|secret|token|credential|signature|api[-_]?key|access[-_]?key|private[-_]?key|^(key|sig|auth|sas)$/i;

/** Whether the text has a scheme, as every service URL does. */
export function isUrl(text: string): boolean {
  return /^[a-z][a-z0-9+.-]*:/i.test(text);
}

/**
 * A service URL without its user name, password and credential-like parameters; all else stays as it was written.
 * Works on the text, not on a parsed URL: a password with a stray `/` or `#` must not survive because parsing failed.
 */
export function withoutCredentials(url: string): string {
  return withoutParameters(withoutUser(url));
}

export function hasCredentials(url: string): boolean {
  return isUrl(url) && withoutCredentials(url) !== url;
}

function withoutUser(url: string): string {
  const [, scheme = "", rest = ""] = /^([a-z][a-z0-9+.-]*:(?:\/\/)?)(.*)$/is.exec(url) ?? [];
  const authority = /^[^/?#]*/.exec(rest)?.[0] ?? "";
  // `user:pa/ss@host`: what looks like a port is no number, so the password goes on to the last @.
  const isBroken = !authority.includes("@") && authority.split(",").some((host) => /^[^[]*:(?!\d*$)/.test(host));
  const userEnd = (isBroken ? rest : authority).lastIndexOf("@");
  const hasUser = userEnd >= 0 && (scheme.endsWith("//") || rest.slice(0, userEnd).includes(":"));
  return hasUser ? scheme + rest.slice(userEnd + 1) : url;
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

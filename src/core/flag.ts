/** `--drain-seconds` for `drainSeconds`. */
export function flagOf(key: string): string {
  return `--${kebab(key)}`;
}

export function kebab(key: string): string {
  return key.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
}

/** The flags of a command line that gives these values again; what is undefined or false is not said. */
export function flagsFor(values: Readonly<Record<string, unknown>>): readonly string[] {
  return Object.entries(values).flatMap(([key, value]) => {
    if (value === undefined || value === false) return [];
    if (value === true) return [flagOf(key)];
    return (Array.isArray(value) ? value : [value]).map((each) => `${flagOf(key)}=${String(each)}`);
  });
}

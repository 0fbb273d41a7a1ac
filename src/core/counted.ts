/** As a person reads it: `12,000`. */
export function grouped(value: number): string {
  return value.toLocaleString("en-US");
}

/** `1 text`, `2,000 texts`. */
export function counted(amount: number, noun: string): string {
  return `${grouped(amount)} ${noun}${amount === 1 ? "" : "s"}`;
}

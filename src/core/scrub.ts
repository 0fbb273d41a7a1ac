/**
 * Takes the usual personal data and credentials out of a text before it is logged. It finds what has a form: e-mail
 * addresses, telephone, card and account numbers, IPv4 addresses, US social security numbers and API keys. Names and
 * postal addresses have no form, so removal of all personal data is not promised.
 */
export function scrub(text: string): string {
  return replaceAll(text, rules);
}

/** Takes out credentials only: of what a caller is told, who knows his own data. */
export function withoutKeys(text: string): string {
  return replaceAll(text, keyRules);
}

function replaceAll(text: string, rules: readonly Rule[]): string {
  let replaced = text;
  for (const { pattern, name, isReal } of rules) {
    replaced = replaced.replace(pattern, (match: string) => (isReal === undefined || isReal(match) ? `[${name}]` : match));
  }
  return replaced;
}

interface Rule {
  readonly name: string;
  readonly pattern: RegExp;
  /** A check digit or range, where the form alone would take too much. */
  readonly isReal?: (match: string) => boolean;
}

/** In this order: a longer form is taken before a shorter one that would match inside it. */
const rules: readonly Rule[] = [
  { name: "key", pattern: /-----BEGIN [A-Z ]*PRIVATE KEY-----[\s\S]*?(?:-----END [A-Z ]*PRIVATE KEY-----|$)/g },
  { name: "key", pattern: /\b(?:Bearer|Basic)\s+[\w.~+/-]{16,}=*/gi },
  { name: "key", pattern: /\beyJ[\w-]{8,}\.[\w-]{8,}\.[\w-]*/g },
  { name: "key", pattern: /\b(?:sk|pk|rk)[-_][\w-]{16,}|\b(?:AKIA|ASIA)[A-Z0-9]{16}\b|\bgh[pousr]_\w{20,}|\bgithub_pat_\w{20,}|\bglpat-[\w-]{16,}|\bxox[abprs]-[\w-]{10,}|\bAIza[\w-]{30,}|\bhf_\w{20,}|\bnpm_\w{30,}|\btw_[\w-]{40,}/g },
  { name: "email", pattern: /[\p{L}\p{N}._%+'-]{1,64}@[\p{L}\p{N}-]{1,63}(?:\.[\p{L}\p{N}-]{1,63}){0,8}\.\p{L}{2,24}/gu },
  { name: "iban", pattern: /\b[A-Z]{2}\d{2}(?: ?[A-Z0-9]{4}){2,7}(?: ?[A-Z0-9]{1,3})?\b/g, isReal: isIban },
  { name: "card", pattern: /(?<![\d.-])\d(?:[ -]?\d){12,18}(?![\d-])/g, isReal: isCard },
  { name: "ssn", pattern: /(?<![\d-])(?!000|666|9\d\d)\d{3}-(?!00)\d{2}-(?!0000)\d{4}(?![\d-])/g },
  { name: "ip", pattern: /(?<![\d.])(?:(?:25[0-5]|2[0-4]\d|1?\d?\d)\.){3}(?:25[0-5]|2[0-4]\d|1?\d?\d)(?!\.?\d)/g },
  // International, with a trunk zero or area code in parentheses, or in the groups of North America.
  { name: "phone", pattern: /(?<![\w+])\+\d{1,3}(?:[ ./-]?\(?\d{1,5}\)?){2,6}(?!\w)|(?<![\w.-])\(\d{2,5}\)[ ./-]?\d{2,5}(?:[ .-]?\d{2,5}){0,3}(?![\w-])|(?<![\w.-]|\d )00?[1-9]\d{0,3}[ /-]\d{2,5}(?:[ -]?\d{2,5}){0,3}(?![\w-])|(?<![\w.-])\d{3}[-. ]\d{3}[-. ]\d{4}(?![\w-])/g, isReal: isPhone },
];

const keyRules = rules.filter(({ name }) => name === "key");

function digitsOf(text: string): string {
  return text.replaceAll(/\D/g, "");
}

/** Luhn's check digit. */
function isCard(text: string): boolean {
  const digits = digitsOf(text);
  let sum = 0;
  for (let at = 0; at < digits.length; at++) {
    const digit = Number(digits[digits.length - 1 - at]);
    const doubled = digit * 2;
    sum += at % 2 === 0 ? digit : doubled > 9 ? doubled - 9 : doubled;
  }
  return sum % 10 === 0 && sum > 0;
}

/** ISO 13616: the rest modulo 97 of the rearranged number is 1. */
function isIban(text: string): boolean {
  const compact = text.replaceAll(" ", "");
  if (compact.length > 34) return false;
  let rest = 0;
  for (const character of compact.slice(4) + compact.slice(0, 4)) {
    const value = Number.parseInt(character, 36);
    rest = (rest * (value > 9 ? 100 : 10) + value) % 97;
  }
  return rest === 1;
}

/** E.164 allows 15 digits; fewer than seven are no subscriber. */
function isPhone(text: string): boolean {
  const { length } = digitsOf(text);
  return length >= 7 && length <= 15;
}

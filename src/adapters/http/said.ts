import { fieldsOf } from "./unchecked.ts";

/** What a service says in an error, as far as it decides what the error means. */
export interface Said {
  readonly message: string;
  /** Codes and types in the service's own words, the narrower ones first. */
  readonly codes: readonly string[];
}

/** `{error:{message,type,code,param}}` of OpenAI and Anthropic and their like, `{error,error_type}` of TEI, `{message}` of others; else the text itself. */
export function readSaid(text: string): Said {
  try {
    return saidIn(JSON.parse(text), text);
  } catch {
    return { message: text.replaceAll(/<[^>]*>/g, " "), codes: [] };
  }
}

/** The same of a body that is read already; `text` stands for one that says nothing known. */
export function saidIn(body: unknown, text: string): Said {
  const outer = fieldsOf(body);
  const inner = fieldsOf(outer["error"]);
  const message = [inner["message"], outer["error"], outer["message"], outer["detail"]].find((value) => typeof value === "string");
  const codes = [inner["code"], inner["type"], outer["code"], outer["error_type"]].filter((value) => typeof value === "string" || typeof value === "number");
  return { message: message ?? text, codes: codes.map(String) };
}

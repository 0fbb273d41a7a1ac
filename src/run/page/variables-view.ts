import type { Ask, Variable } from "../ui/schema.ts";
import { element } from "./element.ts";

export interface VariablesView {
  show(variables: readonly Variable[]): void;
  /** What was filled in; undefined, with the field marked, where it cannot be read. */
  read(): Values | undefined;
}

type Values = Ask["variables"];

/** A field for each variable of the agent's prompt that a caller gives. */
export function variablesView(into: HTMLElement): VariablesView {
  let fields: readonly { readonly variable: Variable; readonly input: HTMLInputElement }[] = [];
  return {
    show(variables) {
      fields = variables.map((variable) => ({ variable, input: element("input", { id: `variable-${variable.name}`, type: "text", placeholder: variable.description ?? (variable.isText ? "" : "JSON"), required: variable.isRequired }) }));
      into.replaceChildren(...fields.map(({ variable, input }) => element("div", { class: "field" }, element("label", { for: input.id }, variable.name, variable.isRequired ? "" : element("span", { class: "hint" }, " (optional)")), input)));
    },
    read() {
      const values: Record<string, Values[string]> = {};
      for (const { variable, input } of fields) {
        input.setCustomValidity("");
        if (input.value !== "") {
          const value = variable.isText ? input.value : parseJson(input.value);
          if (value === undefined) input.setCustomValidity("Expected JSON, such as 3, true or [\"a\"]");
          else values[variable.name] = value;
        }
        if (!input.reportValidity()) return undefined;
      }
      return values;
    },
  };
}

function parseJson(text: string): Values[string] | undefined {
  try {
    return JSON.parse(text) as Values[string];
  } catch {
    return undefined;
  }
}

import { randomUUID } from "node:crypto";
import Handlebars from "handlebars";
import type { Json } from "../core/canonical-json.ts";
import { TwelveError } from "../core/errors.ts";
import { type Marker, type Piece, toMessages } from "./message.ts";
import { type CompiledPrompt, promptTitle, type RenderedMessage } from "./schema.ts";
import { roles } from "./call.ts";
import { printHelper, printThroughHelper, printValue } from "./print.ts";
import { helperNames } from "./template.ts";
import { prepareCheck } from "./validate.ts";

export interface RenderOptions {
  /** Earlier messages of the conversation. Their text is never read as a template or searched for markers. */
  readonly history?: readonly RenderedMessage[];
  /** Values of further `@` variables. Build refuses them; only the format's conformance suite uses any. */
  readonly context?: Readonly<Record<string, Json>>;
}

export type Render = (variables: Readonly<Record<string, Json>>, options?: RenderOptions) => readonly RenderedMessage[];

/**
 * Prepares a prompt for any number of renderings. A rendering fails with PROMPT_INPUT_INVALID when a variable is missing,
 * unknown or of the wrong type; `isLenient`, for the format's conformance suite, lets a prompt without a schema lack variables. Whatever a variable holds stays text: the marks that helpers leave between the text hold
 * a number drawn anew for each rendering, so no value can be mistaken for one.
 */
export function prepareRender(prompt: CompiledPrompt, { isLenient = false }: { readonly isLenient?: boolean } = {}): Render {
  let rendering: { readonly nonce: string; readonly markers: Marker[] } | undefined;
  const mark = (marker: Marker): string => {
    if (rendering === undefined) throw new Error("A helper ran outside of a rendering");
    rendering.markers.push(marker);
    return `\u0002${rendering.nonce}:${rendering.markers.length - 1}\u0003`;
  };
  // With a schema, the build has proved every name and the check below every value.
  const template = compileTemplate(prompt, { mark, isStrict: prompt.input.schema === null && !isLenient });
  const check = prepareVariables(prompt);
  return (variables, { history = [], context = {} } = {}) => {
    const given = check(variables);
    rendering = { nonce: randomUUID(), markers: [] };
    try {
      const metadata = { prompt: { model: prompt.model, config: prompt.config, ...prompt.metadata }, messages: history };
      const text = template(given, { data: { metadata, ...context }, ...ownPropertiesOnly });
      return toMessages(pieces(text, rendering.nonce, rendering.markers), history);
    } catch (cause) {
      if (cause instanceof Handlebars.Exception) throw new TwelveError("PROMPT_INPUT_INVALID", `The prompt ${promptTitle(prompt)} cannot be rendered: ${cause.message}`, { cause });
      throw cause;
    } finally {
      rendering = undefined;
    }
  };
}

/** What Handlebars does anyway; said here, it does it without a warning on the console. */
const ownPropertiesOnly = { allowProtoPropertiesByDefault: false, allowProtoMethodsByDefault: false };

/** Helpers that run where no template names them: `unless` calls `if`, and {{#list}} calls `each`. */
const calledByOthers = new Set(["if", "each"]);

/** An instance of its own: partials and helpers of one prompt cannot reach another's. */
function compileTemplate({ template, partials }: CompiledPrompt, { mark, isStrict }: { readonly mark: (marker: Marker) => string; readonly isStrict: boolean }): Handlebars.TemplateDelegate {
  const handlebars = Handlebars.create();
  handlebars.unregisterHelper("log");
  handlebars.registerHelper("json", (value: unknown, options: Handlebars.HelperOptions) => JSON.stringify(value, null, Number(options.hash["indent"] ?? 0)));
  handlebars.registerHelper("role", (role: string) => {
    if (!roles.includes(role)) throw new TwelveError("PROMPT_INPUT_INVALID", `There is no role "${role}". Roles: ${roles.join(", ")}`);
    return mark({ type: "role", role: role as RenderedMessage["role"] });
  });
  handlebars.registerHelper("history", () => mark({ type: "history" }));
  handlebars.registerHelper("section", (purpose: string) => mark({ type: "part", part: { metadata: { purpose, pending: true } } }));
  handlebars.registerHelper("media", ({ hash }: Handlebars.HelperOptions) => {
    const { url, contentType } = hash as Readonly<Record<string, string | undefined>>;
    if (typeof url !== "string" || url === "") {
      throw new TwelveError("PROMPT_INPUT_INVALID", "{{media}} was given no URL", { fix: "Give the variable that holds the URL, or put {{#if}} around {{media}}" });
    }
    return mark({ type: "part", part: { media: { url, ...(contentType === undefined ? {} : { contentType }) } } });
  });
  handlebars.registerHelper("ifEquals", function (this: unknown, left: unknown, right: unknown, options: Handlebars.HelperOptions) {
    return left === right ? options.fn(this) : options.inverse(this);
  });
  handlebars.registerHelper("unlessEquals", function (this: unknown, left: unknown, right: unknown, options: Handlebars.HelperOptions) {
    return left === right ? options.inverse(this) : options.fn(this);
  });
  handlebars.registerHelper(printHelper, printValue);
  const knownHelpers = Object.fromEntries([...helperNames, printHelper].map((name) => [name, true]));
  const compile = (source: string): Handlebars.TemplateDelegate =>
    handlebars.compile(printThroughHelper(Handlebars.parse(source), isStrict), { knownHelpers, knownHelpersOnly: true, noEscape: true, strict: isStrict });
  for (const [name, source] of Object.entries(partials)) handlebars.registerPartial(name, compile(source));
  // Each rendering wraps every helper that there is.
  const sources = [template, ...Object.values(partials)];
  const unused = helperNames.filter((name) => !calledByOthers.has(name) && !sources.some((source) => source.includes(name)));
  for (const name of unused) handlebars.unregisterHelper(name);
  return compile(template);
}

/** Fills in defaults and checks the rest against the schema. */
function prepareVariables(prompt: CompiledPrompt): (variables: Readonly<Record<string, Json>>) => unknown {
  const { schema, default: defaults } = prompt.input;
  if (schema === null) return (variables) => ({ ...defaults, ...variables });
  const problemsOf = prepareCheck(schema);
  return (variables) => {
    const given = { ...defaults, ...variables };
    const problems = problemsOf(given);
    if (problems.length === 0) return given;
    throw new TwelveError("PROMPT_INPUT_INVALID", `The variables do not fit the prompt ${promptTitle(prompt)}`, { problems });
  };
}

function pieces(text: string, nonce: string, markers: readonly Marker[]): readonly Piece[] {
  const [before = "", ...marked] = text.split(`\u0002${nonce}:`);
  return [before, ...marked.flatMap((piece): readonly Piece[] => {
    const end = piece.indexOf("\u0003");
    const marker = markers[Number(piece.slice(0, end))];
    return [...(marker === undefined ? [] : [marker]), piece.slice(end + 1)];
  })];
}

import type { Problem } from "../core/errors.ts";
import { didYouMean } from "../core/nearest.ts";
import { type CallForm, callProblem } from "./call.ts";
import { fieldOf, isScalar, itemsOf, type Shape, textForm, withFields } from "./scope.ts";
import { helperNames, type Node, placeOf, type Program, type TemplateOrigin } from "./template.ts";

type Expression = hbs.AST.Expression;
type AnyPartial = Omit<hbs.AST.PartialStatement, "type"> & { readonly type: string; readonly program?: hbs.AST.Program };

/** A partial that parsed, with its place. */
export interface ParsedPartial {
  readonly program: Program;
  readonly origin: TemplateOrigin;
}

export interface TemplateCheck {
  readonly problems: readonly Problem[];
  /** What cannot be proved: dynamic look-ups and dynamic partials. */
  readonly warnings: readonly Problem[];
  /** Partials that the template reaches. */
  readonly partials: ReadonlySet<string>;
}

/** Where the walk is: the schemas of `this` and of its parents, the block parameters in sight, and the file. */
interface Scope {
  readonly chain: readonly Shape[];
  readonly root: Shape;
  /** How many #each blocks are around; they give @index, @key, @first and @last. */
  readonly rounds: number;
  /** Whether {{> @partial-block}} has something to print. */
  readonly hasBlock: boolean;
  readonly names: Readonly<Record<string, Shape>>;
  readonly origin: TemplateOrigin;
  readonly trail: readonly string[];
}

/** `@` variables that rendering fills. */
const roundNames = ["first", "last", "index", "key"];
const dataNames = ["root", ...roundNames, "metadata"];

/**
 * Walks a template and every partial that it reaches against the schema of its variables: each path must lead to a
 * declared field, each helper and partial must exist, nothing may print as [object Object], and no partial may include itself.
 */
export function checkTemplate(program: Program, schema: Shape, origin: TemplateOrigin, partials: ReadonlyMap<string, ParsedPartial>): TemplateCheck {
  const problems = new Map<string, Problem>();
  const warnings = new Map<string, Problem>();
  const reached = new Set<string>();
  walk(program, { chain: [schema], root: schema, rounds: 0, hasBlock: false, names: {}, origin, trail: [] });
  return { problems: [...problems.values()], warnings: [...warnings.values()], partials: reached };

  function report(into: Map<string, Problem>, node: hbs.AST.Node, scope: Scope, message: string): void {
    const problem = { ...placeOf(node.loc.start, scope.origin), message };
    into.set(JSON.stringify(problem), problem);
  }

  function walk({ body }: Program, scope: Scope): void {
    for (const node of body) visit(node, scope);
    const after = afterHistory(body);
    if (after !== undefined) report(warnings, after, scope, 'What follows {{history}} is sent as the model\'s own words. Write {{role "user"}} after {{history}}');
  }

  function visit(node: Node, scope: Scope): void {
    switch (node.type) {
      case "MustacheStatement":
        return visitMustache(node as hbs.AST.MustacheStatement, scope);
      case "BlockStatement":
        return visitBlock(node as hbs.AST.BlockStatement, scope);
      case "PartialStatement":
      case "PartialBlockStatement":
        return visitPartial(node as AnyPartial, scope);
      case "Decorator":
      case "DecoratorBlock":
        return report(problems, node, scope, "Decorators and inline partials are not part of the dotprompt format");
      default:
    }
  }

  function visitMustache(node: hbs.AST.MustacheStatement, scope: Scope): void {
    const shape = evaluate(node, scope);
    if (isHelperCall(node)) return;
    const form = textForm(shape);
    if (form === "text") return;
    const name = originalOf(node.path);
    report(problems, node, scope, `${name} is ${form === "object" ? "an object" : "a list of objects"} and would print as [object Object]. Write {{json ${name}}} or name a field`);
  }

  function visitBlock(node: hbs.AST.BlockStatement, scope: Scope): void {
    const { path, params, program: inner, inverse } = node;
    const helper = params.length > 0 || helperNames.includes(originalOf(path)) ? originalOf(path) : undefined;
    if (helper !== undefined) checkCall(helper, node, "block", scope);
    const shapes = (helper === undefined ? [path] : params).map((param) => evaluate(param, scope));
    evaluateHash(node.hash, scope);
    if (helper === "each" && isScalar(shapes[0])) report(problems, node, scope, `{{#each ${originalOf(params[0] ?? path)}}} goes over nothing: it is neither a list nor an object`);
    if (inner !== undefined) walk(inner, blockScope(helper, shapes[0], inner.blockParams ?? [], scope));
    if (inverse !== undefined) walk(inverse, scope);
  }

  function checkCall(name: string, node: hbs.AST.Node & Pick<hbs.AST.SubExpression, "params" | "hash">, form: CallForm, scope: Scope): void {
    const message = helperNames.includes(name) ? callProblem(name, node, form) : unknownHelper(name);
    if (message !== undefined) report(problems, node, scope, message);
  }

  function blockScope(helper: string | undefined, shape: Shape, names: readonly string[], scope: Scope): Scope {
    const enter = (inner: Shape): Scope => {
      const [first, second] = names;
      const bound = { ...(first === undefined ? {} : { [first]: inner }), ...(second === undefined ? {} : { [second]: { type: "string" } }) };
      return { ...scope, rounds: scope.rounds + (helper === "with" ? 0 : 1), chain: [...scope.chain, inner], names: { ...scope.names, ...bound } };
    };
    if (helper === "each") return enter(itemsOf(shape));
    if (helper === "with") return enter(shape);
    // {{#name}} goes over a list, enters an object, and otherwise only chooses.
    if (helper !== undefined) return scope;
    return textForm(shape) === "object" ? enter(shape) : shape === undefined || itemsOf(shape) !== undefined ? enter(itemsOf(shape)) : scope;
  }

  function visitPartial(node: AnyPartial, scope: Scope): void {
    const context = node.params[0] === undefined ? scope.chain.at(-1) : evaluate(node.params[0], scope);
    const given = evaluateHash(node.hash, scope);
    if (node.program !== undefined) walk(node.program, scope);
    if (node.name.type !== "PathExpression") return report(warnings, node, scope, "A partial chosen while rendering cannot be checked");
    const name = originalOf(node.name);
    // The block was checked where it is written.
    if (name === "@partial-block" && scope.hasBlock) return;
    const partial = partials.get(name);
    if (partial === undefined) return report(problems, node, scope, `There is no partial "${name}".${didYouMean(name, partials.keys())} Partials: ${[...partials.keys()].join(", ") || "none"}`);
    reached.add(name);
    if (scope.trail.includes(name)) return report(problems, node, scope, `The partial includes itself: ${[...scope.trail.slice(scope.trail.indexOf(name)), name].join(" -> ")}`);
    // A partial sees its context and @ variables; neither ../ nor block parameters lead out of it.
    walk(partial.program, { ...scope, chain: [withFields(context, given)], hasBlock: node.program !== undefined, names: {}, origin: partial.origin, trail: [...scope.trail, name] });
  }

  function evaluateHash(hash: hbs.AST.Hash | undefined, scope: Scope): Readonly<Record<string, Shape>> {
    return Object.fromEntries((hash?.pairs ?? []).map(({ key, value }) => [key, evaluate(value, scope)]));
  }

  /** The shape of an expression's value; reports every path in it that leads nowhere. */
  function evaluate(node: Expression, scope: Scope): Shape {
    if (node.type === "SubExpression" || node.type === "MustacheStatement") {
      const call = node as hbs.AST.SubExpression;
      if (!isHelperCall(call)) return evaluate(call.path, scope);
      const name = originalOf(call.path);
      checkCall(name, call, node.type === "SubExpression" ? "nested" : "inline", scope);
      if (name === "lookup") report(warnings, node, scope, "What {{lookup}} finds cannot be checked");
      for (const param of call.params) evaluate(param, scope);
      evaluateHash(call.hash, scope);
      return undefined;
    }
    if (node.type === "PathExpression") return resolvePath(node as hbs.AST.PathExpression, scope);
    return node.type === "StringLiteral" ? { type: "string" } : undefined;
  }

  function resolvePath(path: hbs.AST.PathExpression, scope: Scope): Shape {
    const { parts } = path;
    const [first, ...rest] = parts;
    if (path.data) {
      if (first === "root") return follow(scope.root, rest, path, scope);
      if (first !== undefined && roundNames.includes(first) && path.depth >= scope.rounds) {
        report(problems, path, scope, `${path.original} is set only inside ${path.depth === 0 ? "{{#each}}" : `${path.depth + 1} {{#each}} blocks`}`);
        return undefined;
      }
      if (first === undefined || !dataNames.includes(first)) report(problems, path, scope, `Rendering gives no @${first ?? ""}.${didYouMean(first ?? "", dataNames)} There are: ${dataNames.map((name) => `@${name}`).join(", ")}`);
      return undefined;
    }
    if (path.depth >= scope.chain.length) {
      report(problems, path, scope, `${path.original} leads out of the template: there are only ${scope.chain.length - 1} levels above`);
      return undefined;
    }
    if (path.depth === 0 && first !== undefined && Object.hasOwn(scope.names, first)) return follow(scope.names[first], rest, path, scope);
    return follow(scope.chain.at(-1 - path.depth), parts, path, scope);
  }

  function follow(start: Shape, parts: readonly string[], path: hbs.AST.PathExpression, scope: Scope): Shape {
    let shape = start;
    for (const part of parts) {
      const found = fieldOf(shape, part);
      if ("unknown" in found) {
        const names = [...found.unknown, ...Object.keys(scope.names)];
        const what = path.parts.length > 1 || path.depth > 0 ? `${path.original}: ${found.holder} has no field "${part}".` : `The schema declares no variable "${part}".`;
        report(problems, path, scope, `${what}${didYouMean(part, names)} Declared: ${names.join(", ") || "none"}`);
        return undefined;
      }
      shape = found.shape;
    }
    return shape;
  }
}

function isHelperCall({ path, params, hash }: { readonly path: Expression; readonly params: readonly Expression[]; readonly hash?: hbs.AST.Hash }): boolean {
  return params.length > 0 || (hash?.pairs ?? []).length > 0 || helperNames.includes(originalOf(path));
}

function originalOf(node: Expression): string {
  const { original } = node as { readonly original?: unknown };
  return typeof original === "string" ? original : JSON.stringify(original ?? "");
}

function unknownHelper(name: string): string {
  return `There is no helper "${name}".${didYouMean(name, helperNames)} Helpers: ${helperNames.join(", ")}`;
}

/** What stands right behind {{history}} without a role of its own. */
function afterHistory(body: readonly Node[]): Node | undefined {
  const index = body.findIndex((node) => helperOf(node) === "history");
  if (index === -1) return undefined;
  const next = body.slice(index + 1).find((node) => !isBlank(node));
  if (next?.type === "ContentStatement") return next;
  return next?.type === "MustacheStatement" && helperOf(next) !== "role" ? next : undefined;
}

function helperOf(node: Node): string | undefined {
  return node.type === "MustacheStatement" ? originalOf((node as hbs.AST.MustacheStatement).path) : undefined;
}

function isBlank(node: Node): boolean {
  return node.type === "CommentStatement" || (node.type === "ContentStatement" && (node as hbs.AST.ContentStatement).value.trim() === "");
}

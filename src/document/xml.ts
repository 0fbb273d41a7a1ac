import { maxTreeBytes } from "./archive.ts";
import { decodeText } from "./decode.ts";

/** An element or a text, in document order. Elements come without the prefix of their namespace, as the formats here are told by their names alone. */
export type XmlNode = XmlElement | string;

export interface XmlElement {
  readonly name: string;
  readonly attributes: Readonly<Record<string, string>>;
  readonly children: readonly XmlNode[];
}

const maxNesting = 200;

/** Entities of its own: no office program writes them, and they can grow without bound or name files of this machine. */
export function refuseEntities(bytes: Uint8Array | undefined, name: string): void {
  if (bytes !== undefined && /<!ENTITY/i.test(Buffer.from(bytes.buffer, bytes.byteOffset, Math.min(bytes.length, 1_000_000)).toString("latin1").replaceAll("\0", ""))) {
    throw new Error(`${name} in it declares entities, which is not safe to read`);
  }
}

/** The root of a part. Fails in plain words where it is missing, broken, or nested or declared beyond what is safe. */
export async function parseXml(bytes: Uint8Array | undefined, name: string): Promise<XmlElement> {
  if (bytes === undefined) throw new Error(`it has no ${name}`);
  if (bytes.length > maxTreeBytes) throw new Error(`${name} in it has more than ${maxTreeBytes / 1024 / 1024} MB`);
  const decoded = decodeText(bytes);
  if ("reason" in decoded) throw new Error(`${name} in it ${decoded.reason}`);
  refuseEntities(bytes, name);
  const { XMLParser } = await import("fast-xml-parser");
  const parser = new XMLParser({
    preserveOrder: true, ignoreAttributes: false, attributeNamePrefix: "", trimValues: false, parseTagValue: false, parseAttributeValue: false, ignoreDeclaration: true, ignorePiTags: true,
    maxNestedTags: maxNesting, cdataPropName: "#cdata",
    // Done below: the parser would leave characters given by number as they are.
    processEntities: false,
  });
  const parsed = parseWith(parser, decoded.text, name);
  const root = parsed.map(convert).find((node) => typeof node !== "string");
  if (root === undefined) throw new Error(`${name} in it is broken`);
  return root;
}

function parseWith(parser: { parse(text: string): unknown }, text: string, name: string): readonly ParsedNode[] {
  try {
    return parser.parse(text) as readonly ParsedNode[];
  } catch (error) {
    if (error instanceof Error && /nested/i.test(error.message)) throw new RangeError(error.message, { cause: error });
    throw new Error(`${name} in it is broken`, { cause: error });
  }
}

type ParsedNode = Readonly<Record<string, readonly ParsedNode[] | string>> & { readonly ":@"?: Readonly<Record<string, string>> };

function convert(node: ParsedNode): XmlNode {
  const name = Object.keys(node).find((key) => key !== ":@") ?? "";
  const content = node[name];
  if (typeof content === "string") return decodeEntities(content);
  if (name === "#cdata") return (content ?? []).map((part) => (typeof part["#text"] === "string" ? part["#text"] : "")).join("");
  const attributes = Object.fromEntries(Object.entries(node[":@"] ?? {}).map(([key, value]) => [key, decodeEntities(value)]));
  return { name: name.replace(/^.*:/, ""), attributes, children: (content ?? []).map(convert) };
}

const entities: Readonly<Record<string, string>> = { amp: "&", lt: "<", gt: ">", quot: '"', apos: "'", nbsp: " " };

function decodeEntities(text: string): string {
  if (!text.includes("&")) return text;
  return text.replaceAll(/&(?:#(\d{1,7})|#x([\da-f]{1,6})|(\w+));/gi, (whole, decimal?: string, hex?: string, name = "") => {
    const point = decimal === undefined ? Number.parseInt(hex ?? "", 16) : Number(decimal);
    return Number.isNaN(point) ? (entities[name] ?? whole) : point <= 0x10ffff ? String.fromCodePoint(point) : "";
  });
}

export function childrenOf(node: XmlElement | undefined, name?: string): readonly XmlElement[] {
  return (node?.children ?? []).filter((child) => typeof child !== "string").filter((child) => name === undefined || child.name === name);
}

/** The element that a path of names leads to; of several with one name the first. */
export function find(node: XmlElement | undefined, ...path: readonly string[]): XmlElement | undefined {
  return path.reduce<XmlElement | undefined>((found, name) => childrenOf(found, name)[0], node);
}

/** Every element of a name below a node, in document order. */
export function findAll(node: XmlElement, name: string): readonly XmlElement[] {
  return childrenOf(node).flatMap((child) => [...(child.name === name ? [child] : []), ...findAll(child, name)]);
}

export function textOf(node: XmlNode | undefined): string {
  if (node === undefined || typeof node === "string") return node ?? "";
  return node.children.map(textOf).join("");
}

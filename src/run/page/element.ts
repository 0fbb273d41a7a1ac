type Child = Node | string | undefined;
type Properties = Readonly<Record<string, string | boolean | undefined | ((event: Event) => void)>>;

/** An element with its attributes, listeners (`onclick`) and children. Text is only ever text: nothing here reads HTML. */
export function element<Tag extends keyof HTMLElementTagNameMap>(tag: Tag, properties: Properties = {}, ...children: readonly Child[]): HTMLElementTagNameMap[Tag] {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (typeof value === "function") made.addEventListener(name.slice("on".length), value);
    else if (value !== undefined && value !== false) made.setAttribute(name, value === true ? "" : value);
  }
  made.append(...children.filter((child) => child !== undefined));
  return made;
}

/** What the page's own document holds; anything else is a bug. */
export function found<Kind extends HTMLElement>(id: string, kind: new () => Kind): Kind {
  const there = document.getElementById(id);
  if (there instanceof kind) return there;
  throw new Error(`The page has no ${kind.name} #${id}`);
}

import type { ReleaseView } from "../ui/schema.ts";
import { changesBetween } from "./changes.ts";
import { element } from "./element.ts";

export function changesView(first: ReleaseView, second: ReleaseView, { agent, isOpen }: { readonly agent: string; readonly isOpen: boolean }): HTMLElement {
  const names = [`v${first.number}`, `v${second.number}`] as const;
  const changes = changesBetween(first.settings, second.settings, agent);
  if (changes.length === 0) return element("p", { class: "changes" }, `${names[0]} and ${names[1]} have the same settings for ${agent}.`);
  const rows = changes.map(({ group, name, first, second }) => element("tr", {}, element("th", { scope: "row" }, element("span", { class: "group" }, group), ` ${name}`), element("td", {}, element("ins", {}, first)), element("td", {}, element("del", {}, second))));
  return element(
    "details",
    { class: "changes", open: isOpen },
    element("summary", {}, `${changes.length === 1 ? "1 setting differs" : `${changes.length} settings differ`} between ${names[0]} and ${names[1]}`),
    element("div", { class: "wide", tabindex: "0", role: "region", "aria-label": "Settings side by side" }, element("table", {}, element("thead", {}, element("tr", {}, element("th", { scope: "col" }, "Setting"), ...names.map((name) => element("th", { scope: "col" }, name)))), element("tbody", {}, ...rows))),
  );
}

import { element, found } from "./element.ts";

const mostLines = 8;

/** Says something to screen readers, when they are done with what they read. */
export function tellLive(text: string): void {
  const live = found("live", HTMLElement);
  live.append(element("p", {}, text));
  while (live.childElementCount > mostLines) live.firstElementChild?.remove();
}

/**
 * A text as every service takes it: none of them embeds an empty one, and half a surrogate pair is refused as broken JSON by
 * some. What the text says stays the same.
 */
export function sendable(text: string): string {
  return text === "" ? " " : text.toWellFormed();
}

/** At most `length` UTF-16 units of the text, without cutting a character in two. */
export function cutTo(text: string, length: number): string {
  if (text.length <= length) return text;
  const last = text.charCodeAt(length - 1);
  return text.slice(0, last >= 0xd800 && last <= 0xdbff ? length - 1 : length);
}

import { found } from "./element.ts";

/** Asks for an API key, and resolves when one was given: without it there is nothing to see. */
export function askForKey(reason: string): Promise<string> {
  const dialog = found("locked", HTMLDialogElement);
  const form = found("unlock", HTMLFormElement);
  const input = found("key", HTMLInputElement);
  // A browser lets a dialog go in the end, whatever a page says.
  const stay = (): void => dialog.showModal();
  found("locked-reason", HTMLElement).textContent = reason.replaceAll("`", "");
  input.value = "";
  dialog.addEventListener("close", stay);
  dialog.showModal();
  return new Promise((resolve) => {
    const take = (event: Event): void => {
      event.preventDefault();
      dialog.removeEventListener("close", stay);
      dialog.close();
      resolve(input.value);
    };
    form.addEventListener("submit", take, { once: true });
  });
}

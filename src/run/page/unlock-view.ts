import { found } from "./element.ts";

/** Asks for an API key, and resolves when one was given: without it there is nothing to see. */
export function askForKey(reason: string): Promise<string> {
  const dialog = found("locked", HTMLDialogElement);
  const form = found("unlock", HTMLFormElement);
  const input = found("key", HTMLInputElement);
  const stay = (event: Event): void => event.preventDefault();
  found("locked-reason", HTMLElement).textContent = reason;
  input.value = "";
  dialog.addEventListener("cancel", stay);
  dialog.showModal();
  return new Promise((resolve) => {
    const take = (event: Event): void => {
      event.preventDefault();
      dialog.removeEventListener("cancel", stay);
      dialog.close();
      resolve(input.value);
    };
    form.addEventListener("submit", take, { once: true });
  });
}

import { TwelveError } from "../../core/errors.ts";

/**
 * All pages of a list, one after the other; undefined for one that is not there, and none after it. `name` is the reference
 * without options. Fails with SERVICE_FAILED where a page leads to itself.
 */
export async function* pagesOf<Page extends { readonly nextToken?: string | undefined } | undefined>(name: string, ask: (nextToken: string | undefined) => Promise<Page>): AsyncGenerator<Page, void> {
  let token: string | undefined;
  do {
    const page = await ask(token);
    yield page;
    const next = page?.nextToken;
    if (next !== undefined && next === token) throw new TwelveError("SERVICE_FAILED", `${name} gives the same page of a list again and again`);
    token = next;
  } while (token !== undefined);
}

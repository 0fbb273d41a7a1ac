/** The parts of undici that are used here: the whole, with its WebSockets, caches and mocks, takes twice the time to load. */
declare module "undici/lib/dispatcher/agent.js" {
  import type { Agent } from "undici";
  const AgentClass: typeof Agent;
  export default AgentClass;
}
declare module "undici/lib/core/connect.js" {
  import type { buildConnector } from "undici";
  const build: typeof buildConnector;
  export default build;
}
declare module "undici/lib/web/fetch/index.js" {
  import type { Agent } from "undici";
  // In the words of Node's own fetch, which is an older copy of this one.
  const parts: { fetch(url: string | URL, init: Omit<RequestInit, "dispatcher"> & { readonly dispatcher: Agent }): Promise<Response> };
  export default parts;
}

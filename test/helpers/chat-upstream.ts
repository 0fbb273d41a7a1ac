/** A chat server as the models' contract wants its upstream. */
import type { Model } from "../../src/ports/model.ts";
import type { ModelHarness, ScriptedUpstream } from "../ports/model-upstream.ts";
import type { ChatServer } from "./chat-server.ts";

/** `open` is given the server's address, and options of the reference. */
export function chatHarness(server: () => ChatServer, open: (url: string, options: string) => Promise<Model>, lacks: NonNullable<ScriptedUpstream["lacks"]>): ModelHarness {
  return {
    open: () => open(server().url, ""),
    upstream: {
      script(...replies) {
        server().requests.length = 0;
        server().script.splice(0, Number.POSITIVE_INFINITY, ...replies);
      },
      received: () => server().requests.map(({ body }) => server().dialect.read(body)),
      closed: () => server().closed(),
      openImpatient: () => open(server().url, "timeoutMs=100"),
      // Nobody may listen below 1024 without being root, and nobody does at 1.
      openUnreachable: () => open("http://127.0.0.1:1", ""),
      lacks,
    },
  };
}

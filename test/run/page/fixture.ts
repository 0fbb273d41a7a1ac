import { onTestFinished } from "vitest";
import releaseCommand from "../../../src/release/command.ts";
import command from "../../../src/run/command.ts";
import { temporaryFolder, testContext, type TestContext } from "../../helpers/context.ts";
import { makeRelease, manifest } from "../release.ts";

/** What the model says, by a word of the question. */
const script = `
replies:
  - when: { contains: markup }
    say: |
      It says <script>window.isHacked = true</script> and <img src="x" onerror="window.isHacked = true">.

      1. **bold** and \`code\`
      2. [a link](https://example.com/), [a trap](javascript:alert(1)) and ![a picture](https://example.com/x.png)
  - when: { contains: slowly }
    msPerToken: 40
    say: ${JSON.stringify(`Slowly but surely ${"and on ".repeat(400)}`)}
  - when: { contains: broken }
    say: This much was said before it broke off.
    fail: { status: 503, afterTokens: 3, message: The model is overloaded }
  - when: { contains: again }
    say: You have asked before.
  - say: "The limit is **1 MiB**. [1]\\n\\nThe number [9] names nothing."
`;

/** API keys are wanted where API_KEY is set. */
const guarded = manifest.replace("environments:", 'server: { keys: "${API_KEY}" }\nenvironments:');

/** An application with two releases: v2, which is active in staging, retrieves two chunks, and v1 one. */
export async function makeTwoReleases(): Promise<TestContext> {
  const dir = await temporaryFolder();
  const app = await testContext({ dir, env: { CHAT_MODEL: "mock:script:mocks/support.yaml", TOP_K: "1" } });
  await makeRelease(app, guarded, { "mocks/support.yaml": script });
  const later = await testContext({ dir, env: { CHAT_MODEL: "mock:script:mocks/support.yaml", TOP_K: "2" }, store: await app.store() });
  await releaseCommand.run(releaseCommand.input.parse({ env: "staging", message: "More passages" }), later);
  return later;
}

export interface ServedPage {
  readonly url: string;
  /** Everything on stdout so far, a line each. */
  readonly lines: readonly string[];
}

/** `twelve run --env staging --ui` until the test ends. */
export async function servePage(app: TestContext, { env = {} }: { readonly env?: Readonly<Record<string, string>> } = {}): Promise<ServedPage> {
  const controller = new AbortController();
  const context = await testContext({ dir: app.dir, env, store: await app.store(), signal: controller.signal });
  const ended = command.run(command.input.parse({ process: "web", env: "staging", port: 0, ui: true }), context);
  onTestFinished(() => {
    controller.abort();
    return ended.then(() => {}, () => {});
  });
  const told = async (): Promise<string> => {
    for (;;) {
      const note = context.told.map((line) => /^note Or in a browser: (\S+)$/.exec(line)?.[1]).find((url) => url !== undefined);
      if (note !== undefined) return note;
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
  };
  const url = await Promise.race([told(), ended.then(() => Promise.reject(new Error("The server ended")))]);
  return { url, lines: context.lines };
}

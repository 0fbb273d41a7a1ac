/** Embeds one text in a process of its own: `node embed.ts <folder> <reference>` prints the vector, or the failure. */
import { registerHooks } from "node:module";
import { openEmbedder } from "../../src/adapters/embedding/transformers/adapter.ts";

const [dir = "", reference = "", isHidden] = process.argv.slice(2);

// As in a global installation: from where twelve is, the package cannot be found.
if (isHidden !== undefined) {
  registerHooks({
    resolve(specifier, context, next) {
      const isOurs = context.parentURL?.includes("/src/adapters/") === true;
      if (specifier === "@huggingface/transformers" && isOurs) throw Object.assign(new Error("not found"), { code: "ERR_MODULE_NOT_FOUND" });
      return next(specifier, context);
    },
  });
}

try {
  const embedder = await openEmbedder(reference, dir);
  const vectors = await embedder.embed(["store configuration"], "document");
  process.stdout.write(JSON.stringify(vectors.map((vector) => [...vector])));
} catch (error) {
  const { code, message, fix } = error as { readonly code: string; readonly message: string; readonly fix: string };
  process.stdout.write(JSON.stringify({ code, message, fix }));
}

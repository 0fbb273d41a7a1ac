import module from "node:module";

// What V8 has compiled once is not compiled again in each thread. Anything that is imported the usual way would come before this line.
module.enableCompileCache();
const { serveCuts } = await import("./cut-service.ts");
serveCuts();

/** The models of an agent, in the order in which they are asked: each further one answers where those before it fail. */
export function modelChain({ model }: { readonly model: string | readonly string[] }): readonly string[] {
  return typeof model === "string" ? [model] : [...new Set(model)];
}

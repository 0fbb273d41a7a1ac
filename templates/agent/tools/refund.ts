import { findOrder } from "./orders.ts";

export default {
  description: "Pays money for an order back",
  parameters: {
    type: "object",
    properties: { order: { type: "integer" }, eur: { type: "number", exclusiveMinimum: 0, description: "Never more than the order cost" } },
    required: ["order", "eur"],
  },
  execute({ order, eur }: { order: number; eur: number }, { callId }: { callId: string }): object {
    const cost = findOrder(order).eur;
    if (eur > cost) throw new Error(`Order ${order} cost ${cost} EUR`);
    // Pay here. Give the provider this ID as its idempotency key: it is the same for all attempts at one call.
    return { paid: eur, reference: callId };
  },
};

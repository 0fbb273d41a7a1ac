import { findOrder } from "./orders.ts";

export default {
  description: "Looks an order up: what it is, what it cost, and where it is",
  parameters: { type: "object", properties: { order: { type: "integer", description: "Number of the order, such as 1007" } }, required: ["order"] },
  execute: ({ order }: { order: number }): object => findOrder(order),
};

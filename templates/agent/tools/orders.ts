import { readFileSync } from "node:fs";

interface Order {
  readonly article: string;
  readonly eur: number;
  readonly status: string;
}

// A sample. Ask your shop here.
const orders = JSON.parse(readFileSync(new URL("orders.json", import.meta.url), "utf8")) as Readonly<Record<string, Order>>;

/** What it throws is told to the model. */
export function findOrder(number: number): Order {
  const found = orders[number];
  if (found === undefined) throw new Error(`There is no order ${number}`);
  return found;
}

/** One metric with all its values, as prom-client describes it: what a scrape is made of, and what the processes of one type tell each other. */
export interface Family {
  readonly name: string;
  readonly help: string;
  readonly type: "counter" | "gauge" | "histogram";
  /** What several processes make of it together. */
  readonly aggregator: "sum" | "max";
  readonly values: readonly FamilyValue[];
}

interface FamilyValue {
  readonly value: number;
  readonly labels: Readonly<Record<string, string | number>>;
  readonly metricName?: string;
}

/** A number that is counted up in place: whoever counts often keeps the cell. */
export interface Cell {
  value: number;
}

export interface Numbers {
  /** The cell of these label values, in the order of the label names; made at its first use. */
  at(...labels: readonly string[]): Cell;
  family(): Family;
}

export interface Histogram {
  at(...labels: readonly string[]): Spread;
  family(): Family;
}

export interface Spread {
  observe(value: number): void;
}

interface Described {
  readonly name: string;
  readonly help: string;
  readonly labels?: readonly string[];
  readonly aggregator?: Family["aggregator"];
}

export function counter(described: Described): Numbers {
  return numbers("counter", described);
}

export function gauge(described: Described): Numbers {
  return numbers("gauge", described);
}

function numbers(type: "counter" | "gauge", { name, help, labels: names = [], aggregator = "sum" }: Described): Numbers {
  const cells = children(names, (): Cell => ({ value: 0 }));
  return {
    at: cells.at,
    family: () => ({ name, help, type, aggregator, values: cells.all().map(([labels, { value }]) => ({ value, labels })) }),
  };
}

/** `bounds` are the upper ends of the buckets, in rising order. */
export function histogram({ name, help, labels: names = [] }: Omit<Described, "aggregator">, bounds: readonly number[]): Histogram {
  const spreads = children(names, () => {
    const counts = new Float64Array(bounds.length + 1);
    let sum = 0;
    return {
      observe(value: number) {
        let bucket = 0;
        while (bucket < bounds.length && value > (bounds[bucket] ?? Infinity)) bucket++;
        counts[bucket] = (counts[bucket] ?? 0) + 1;
        sum += value;
      },
      values(labels: FamilyValue["labels"]): readonly FamilyValue[] {
        let seen = 0;
        const buckets = Array.from(counts, (count, i) => ({ labels: { le: bounds[i] ?? "+Inf", ...labels }, value: (seen += count), metricName: `${name}_bucket` }));
        return [...buckets, { labels, value: sum, metricName: `${name}_sum` }, { labels, value: seen, metricName: `${name}_count` }];
      },
    };
  });
  return {
    at: spreads.at,
    family: () => ({ name, help, type: "histogram", aggregator: "sum", values: spreads.all().flatMap(([labels, spread]) => spread.values(labels)) }),
  };
}

/** What is kept for each row of label values. */
function children<Child>(names: readonly string[], make: () => Child): { readonly at: (...labels: readonly string[]) => Child; readonly all: () => readonly (readonly [Record<string, string>, Child])[] } {
  const known = new Map<string, readonly [Record<string, string>, Child]>();
  return {
    at(...labels) {
      const key = labels.join("\n");
      const found = known.get(key);
      if (found !== undefined) return found[1];
      const child = make();
      known.set(key, [Object.fromEntries(names.map((name, i) => [name, labels[i] ?? ""])), child]);
      return child;
    },
    all: () => [...known.values()],
  };
}

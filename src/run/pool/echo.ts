/** Whether a line of an instance tells anything that another one has not told already. */
export type Echo = (instance: string, text: string) => boolean;

/** Processes that start together fail and warn in the same words: once is enough. What one of them says again is news all the same. */
export function openEcho(): Echo {
  const first = new Map<string, string>();
  return (instance, text) => {
    const teller = first.get(text);
    if (teller === undefined) first.set(text, instance);
    return teller === undefined || teller === instance;
  };
}

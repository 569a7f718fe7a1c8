/**
 * Asks at most once in `lifetimeMs` milliseconds, and once at a time: what many probes want to know is asked for
 * them together. `now` is in milliseconds.
 */
export function recentAnswer<Answer>(
  ask: () => Promise<Answer>,
  lifetimeMs: number,
  now: () => number = () => performance.now(),
): () => Promise<Answer> {
  let answer: Promise<Answer> | undefined;
  let end = -Infinity;
  return () => {
    if (answer === undefined || now() >= end) {
      end = Infinity;
      answer = ask().finally(() => {
        end = now() + lifetimeMs;
      });
    }
    return answer;
  };
}

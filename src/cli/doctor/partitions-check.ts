import type { Check } from './check.js';

/** What the directory says of all partitions, by how many are in each state. */
export function partitionsCheck(counts: ReadonlyMap<string, number>): Check {
  const inService = (counts.get('active') ?? 0) + (counts.get('placed') ?? 0);
  const others = [...counts]
    .filter(([state]) => state !== 'active' && state !== 'placed')
    .map(([state, count]) => `${count} ${state}`);
  const found = [`${inService} in service besides DEFAULT`, ...others].join(', ');
  if (others.length === 0) return { name: 'partitions', state: 'ok', found };
  return {
    name: 'partitions',
    state: 'warn',
    found,
    advice: 'A running server finishes what it has begun with them.',
  };
}

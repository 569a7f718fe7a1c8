/**
 * `npm run test:search -- --searches 20000 --seed 7`: random searches against the oracle, as many as asked for, half
 * of them in each of two tenants whose resources the seed makes. On both stores, or on the one that
 * BULKHEAD_TEST_STORE names. Says the smallest search that is answered wrongly, and ends with 1 then.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { parseArgs } from 'node:util';

const { values } = parseArgs({
  options: {
    searches: { type: 'string', default: '20000' },
    seed: { type: 'string', default: String(Date.now() % 1_000_000) },
  },
});

/** Searches, and pages of them while others write. */
const SEARCHES = ['random-searches', 'random-pages'].map((name) => `test/contract/search/${name}.test.ts`);

async function main(): Promise<void> {
  const searches = Number(values.searches);
  const seed = Number(values.seed);
  if (!Number.isSafeInteger(searches) || !Number.isSafeInteger(seed) || searches < 2)
    throw new Error('--searches and --seed take whole numbers.');
  process.stdout.write(`seed ${seed}, ${searches} searches\n`);
  const tests = ['build/scripts/test.js', ...SEARCHES, '--timeout=12h'];
  const child = spawn(process.execPath, tests, {
    stdio: 'inherit',
    env: {
      ...process.env,
      BULKHEAD_TEST_SEARCHES: String(Math.ceil(searches / 2)),
      BULKHEAD_TEST_SEED: String(seed),
    },
  });
  const [code] = (await once(child, 'exit')) as [number | null];
  process.exitCode = code ?? 1;
}

await main();

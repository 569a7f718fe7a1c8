/**
 * `npm run bench`: the bare floor and the server, one after the other, and what the server must hold.
 *
 * `--store postgres` (sqlite) measures both on PostgreSQL, the one that npm brings, with durable settings;
 * `--quick` runs each case once and shortly; `--json` prints the figures for programs; `--only PREFIX` runs the
 * cases whose name begins so (`loop` and `partitions` are names too); `--profile FOLDER` writes CPU profiles.
 * Ends with 1 if a target was missed.
 */
import { parseArgs } from 'node:util';
import { openBenchStore } from './bench-store.js';
import { pinParent } from './child.js';
import { loadCorpus } from './corpus.js';
import { measureEventLoop } from './event-loop.js';
import { measurePartitions } from './partitions.js';
import { report, type BenchResult } from './report.js';
import { compareThroughput } from './throughput.js';

const { values } = parseArgs({
  options: {
    store: { type: 'string', default: 'sqlite' },
    quick: { type: 'boolean', default: false },
    json: { type: 'boolean', default: false },
    only: { type: 'string', default: '' },
    seconds: { type: 'string' },
    repetitions: { type: 'string' },
    profile: { type: 'string' },
  },
});
const { quick, json, only, profile } = values;
// Before this process goes to cores of its own, which its children inherit: PostgreSQL may have all of them.
const store = await openBenchStore(values.store);
const effort = {
  store,
  seconds: Number(values.seconds ?? (quick ? 1 : 2.5)),
  repetitions: Number(values.repetitions ?? (quick ? 1 : 3)),
};

pinParent();
const corpus = loadCorpus();
const result: BenchResult = {
  corpus: corpus.source,
  store: store.name,
  throughput: await compareThroughput(corpus, { ...effort, profile, only }),
  loop: 'loop'.startsWith(only) ? await measureEventLoop(corpus, store, quick ? 3 : 8) : undefined,
  partitions: 'partitions'.startsWith(only) ? await measurePartitions(effort) : undefined,
};
store.stop();
const { text, misses } = report(result);
process.stdout.write(json ? `${JSON.stringify({ ...result, misses }, null, 2)}\n` : `${text}\n`);
for (const miss of misses) process.stderr.write(`missed: ${miss}\n`);
process.exitCode = misses.length === 0 ? 0 : 1;

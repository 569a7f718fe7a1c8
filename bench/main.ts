/**
 * `npm run bench`: the bare floor and the server, one after the other, and what the server must hold.
 *
 * `--store postgres` (sqlite) measures both on PostgreSQL, the one that npm brings, with durable settings;
 * `--placement schema` or `database` (shared) also measures partitions with homes of their own, and `--partitions N`
 * (1000) says with how many memory and start are measured; `--resources N` (250000) is how many are searched;
 * `--quick` runs each case once and shortly; `--json` prints the figures for programs; `--only PREFIX` runs the cases
 * whose name begins so (`loop`, `partitions`, `placement`, `authentication` and `shapes` are names too);
 * `--profile FOLDER` writes CPU profiles.
 * Ends with 1 if a target was missed.
 */
import { parseArgs } from 'node:util';
import { measureAuthentication } from './authentication.js';
import { openBenchStore } from './bench-store.js';
import { pinParent } from './child.js';
import { loadCorpus } from './corpus.js';
import { measureEventLoop } from './event-loop.js';
import type { Placement } from '../src/model/partition.js';
import { measurePartitions } from './partitions.js';
import { measurePlacement } from './placement.js';
import { report, type BenchResult } from './report.js';
import { measureSearch } from './search/measure-search.js';
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
    placement: { type: 'string', default: 'shared' },
    partitions: { type: 'string', default: '1000' },
    resources: { type: 'string' },
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
// The server refuses a placement that its database does not have.
const placed = { placement: values.placement as Placement, partitions: Number(values.partitions) };

const resources = Number(values.resources ?? (quick ? 15_000 : 250_000));

pinParent();
const corpus = loadCorpus();
const result: BenchResult = {
  corpus: corpus.source,
  store: store.name,
  throughput: await compareThroughput(corpus, { ...effort, profile, only }),
  loop: 'loop'.startsWith(only) ? await measureEventLoop(corpus, store, quick ? 3 : 8) : undefined,
  partitions: 'partitions'.startsWith(only) ? await measurePartitions(effort) : undefined,
  placement: 'placement'.startsWith(only) ? await measurePlacement({ ...effort, ...placed }) : undefined,
  authentication: 'authentication'.startsWith(only) ? await measureAuthentication(store) : undefined,
  search: 'shapes'.startsWith(only) ? await measureSearch(store, resources) : undefined,
};
store.stop();
const { text, misses } = report(result);
process.stdout.write(json ? `${JSON.stringify({ ...result, misses }, null, 2)}\n` : `${text}\n`);
for (const miss of misses) process.stderr.write(`missed: ${miss}\n`);
process.exitCode = misses.length === 0 ? 0 : 1;

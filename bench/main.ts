/** `npm run bench`: the bare floor and the server, one after the other, and what the server must hold. */
import { parseArgs } from 'node:util';
import { pinParent } from './child.js';
import { loadCorpus } from './corpus.js';
import { compareThroughput } from './throughput.js';

const { values } = parseArgs({
  options: {
    quick: { type: 'boolean', default: false },
    profile: { type: 'string' },
    seconds: { type: 'string' },
    repetitions: { type: 'string' },
    only: { type: 'string', default: '' },
  },
});
pinParent();
const corpus = loadCorpus();
const comparisons = await compareThroughput(corpus, {
  seconds: Number(values.seconds ?? (values.quick ? 1 : 2.5)),
  repetitions: Number(values.repetitions ?? (values.quick ? 1 : 3)),
  profile: values.profile,
  only: values.only,
});
for (const c of comparisons) console.log(c);

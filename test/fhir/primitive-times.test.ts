import test from 'ava';
import { parseReference } from '../../src/fhir/references.js';
import { PRIMITIVES } from '../../src/fhir/validate/primitives.js';

const MEGABYTE = 2 ** 20;
const QUICK_MS = 10;
/** A reference is looked at from several sides. */
const REFERENCE_MS = 40;
/** The first ones are for the compiler. */
const ATTEMPTS = 5;

/** Milliseconds that this thread works, at best: others on the machine make nothing slower. */
function cost(work: () => unknown, enough: number): number {
  let best = Infinity;
  for (let attempt = 0; attempt < ATTEMPTS && best >= enough; attempt++) {
    const begin = process.threadCpuUsage();
    work();
    const { user, system } = process.threadCpuUsage(begin);
    best = Math.min(best, (user + system) / 1000);
  }
  return best;
}

/** What makes expressions go back and forth: long runs that end in something that does not fit. */
const PARTS = [
  'a|0| |\t\n|a |a  |=|A=|AAAA|AAAA |.|1.|.0|-|/|:|\u00a0|é|2020-01-01|T00:00:00|+00:00|.000',
  'urn:oid:1.|urn:uuid:|http://a/|%20|<|&',
].join('|');

const WORST = PARTS.split('|').flatMap((part) => {
  const run = part.repeat(Math.floor(MEGABYTE / part.length));
  return [run, `${run}!`, `${run}\u0000`, `2020-01-01T00:00:00.${run}`, `urn:oid:1.${run}`];
});

for (const [name, primitive] of Object.entries(PRIMITIVES)) {
  test(`attack 95: a megabyte that may be a ${name} is judged in less than 10 ms`, (t) => {
    const accepts = primitive.accepts as (value: unknown) => boolean;
    for (const value of WORST) {
      const ms = cost(() => accepts(value), QUICK_MS);
      t.true(ms < QUICK_MS, `${name}: ${JSON.stringify(value.slice(0, 30))}… ${ms} ms`);
    }
  });
}

test('attack 95: a megabyte that may be a reference is judged in less than 40 ms', (t) => {
  for (const value of [...WORST, 'Patient/'.repeat(MEGABYTE / 8), `http://${'/a'.repeat(MEGABYTE / 2)}`]) {
    const ms = cost(() => parseReference(value), REFERENCE_MS);
    t.true(ms < REFERENCE_MS, `${JSON.stringify(value.slice(0, 30))}… ${ms} ms`);
  }
});

import test from 'ava';
import type { Condition } from '../../../../src/storage/search-store.js';
import * as c from '../conditions.js';
import { scopeOf } from '../fixtures.js';
import { sample } from '../sample.js';

/** A walk through a whole table; what was found already has names that begin with m. */
const UNBOUND = /SCAN (HFJ_|[tr]\d)/;
const LOINC = 'http://loinc.org';

async function stepsOf(type: string, where: Condition): Promise<string> {
  const db = sample();
  await db.store.page(scopeOf(1), c.plan(type, where), { count: 10 });
  return (await db.lastPlan()).join('\n');
}

const male = c.token('Patient', 'gender', c.code('male'));
const smith = c.text('Patient', 'name', { match: 'eq', normalized: 'smith' });
const notMale = c.token('Patient', 'gender', { system: undefined, value: 'male', unequal: true });
const ended = c.text('Patient', 'name', { match: 'suffix', normalized: 'son' });

const PLANS: readonly [title: string, type: string, where: Condition, along: RegExp][] = [
  ['a whole text is a seek', 'Patient', smith, /PARTITION_ID=\? AND PARAM_ID=\? AND SP_NORM=\?/],
  [
    'the end of a text walks the texts of its path',
    'Patient',
    ended,
    /PRIMARY KEY \(PARTITION_ID=\? AND PARAM_ID=\?\)/,
  ],
  [
    'any other token walks the tokens of its path',
    'Patient',
    notMale,
    /PRIMARY KEY \(PARTITION_ID=\? AND PARAM_ID=\?\)/,
  ],
  [
    'alternatives that find something walk what they find',
    'Patient',
    c.any(c.all(male, c.not(ended)), smith),
    /PARAM_ID=\? AND SP_VALUE=\?/,
  ],
  [
    'what is denied is tried on the resources of the type',
    'Patient',
    c.not(c.any(male, ended)),
    /RESOURCE_KEY \(PARTITION_ID=\? AND RES_TYPE_ID=\?/,
  ],
  [
    'what a reference leads to is found first, whatever is asked of it',
    'Observation',
    c.chain('Observation', 'subject', 'Patient', c.all(c.any(male, smith), c.not(ended))),
    /PARAM_ID=\? AND TARGET_RES_ID=\?/,
  ],
  [
    'beside a token, the token is walked',
    'Observation',
    c.all(
      c.token('Observation', 'code', c.code('hr', LOINC)),
      c.any(c.not(c.chain('Observation', 'subject', 'Patient', male)), c.ids('o1')),
    ),
    /SP_VALUE=\? AND SYS_ID=\?/,
  ],
];

for (const [title, type, where, along] of PLANS) {
  test(title, async (t) => {
    const steps = await stepsOf(type, where);
    t.regex(steps, along);
    t.notRegex(steps, UNBOUND);
  });
}

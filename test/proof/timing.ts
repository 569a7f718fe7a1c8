/**
 * `npm run prove:timing`: how long the answer about another tenant's id takes, and the one about an id that was never
 * used. The medians of `--samples N` (5000) each may differ by 5 % at most; the ranks are told too. Both kinds of
 * questions come in random order over one connection. `--store sqlite|postgres`, `--seed S`, `--attempts N` (3): other
 * work of the machine can make one attempt fail, not all of them. Ends with 1 where they differ.
 */
import { parseArgs } from 'node:util';
import { endWithSignals, say } from '../campaigns/campaign.js';
import { type Random, seededRandom } from '../campaigns/random.js';
import { openProofStore } from './proof-store.js';
import { type Comparison, compareSamples } from './rank-test.js';
import type { ProvenTenant } from './topology.js';
import { openWorld, type World } from './world.js';

const { values } = parseArgs({
  options: {
    store: { type: 'string', default: 'sqlite' },
    samples: { type: 'string', default: '5000' },
    attempts: { type: 'string', default: '3' },
    seed: { type: 'string', default: '1' },
  },
});

const IDS = 200;
const MOST_DIFFERENCE = 0.05;
const WARM_UP = 500;

/** What is asked of an id, under the tenant that does not have it. */
const QUESTIONS: readonly ((id: string) => string)[] = [
  (id) => `Patient/${id}`,
  (id) => `Patient/${id}/_history/1`,
  (id) => `Patient/${id}/_history`,
  (id) => `Patient?_id=${id}`,
  (id) => `Patient?identifier=urn:mrn|${id}`,
  (id) => `Patient/${id}/$everything`,
];

async function main(): Promise<void> {
  const { store: kind } = values;
  if (kind !== 'sqlite' && kind !== 'postgres') throw new Error('--store is sqlite or postgres.');
  endWithSignals();
  const store = await openProofStore(kind);
  try {
    const tenants = [tenant(1, 'asking'), tenant(2, 'holding')];
    const world = await openWorld(store, { tenants, visitor: tenant(8, 'visitor'), auth: 'off' });
    try {
      await fillTenants(world);
      for (const question of QUESTIONS) await judge(world, question);
    } finally {
      await world.close();
    }
  } finally {
    await store.close();
  }
}

function tenant(id: number, name: string): ProvenTenant {
  return { id, name, placement: 'shared', canary: `qzx${id}0000000000z` };
}

/** Both have as many patients, so that tables and caches are warm in the same way. */
async function fillTenants({ shared }: World): Promise<void> {
  for (const [name, prefix] of [
    ['holding', 'held'],
    ['asking', 'mine'],
  ] as const) {
    for (let number = 0; number < IDS; number++) {
      const id = idOf(prefix, number);
      const identifier = [{ system: 'urn:mrn', value: id }];
      const answer = await shared.wire.send({
        method: 'PUT',
        target: `/fhir/${name}/Patient/${id}`,
        headers: { 'content-type': 'application/fhir+json' },
        body: JSON.stringify({ resourceType: 'Patient', id, identifier }),
      });
      if (answer.status !== 201) throw new Error(answer.body.toString());
    }
  }
}

function idOf(prefix: 'held' | 'mine' | 'none', number: number): string {
  return `${prefix}-${String(number).padStart(6, '0')}`;
}

async function judge(world: World, question: (id: string) => string): Promise<void> {
  const random = seededRandom(Number(values.seed));
  for (let attempt = 1; attempt <= Number(values.attempts); attempt++) {
    const { medians, difference, p } = await measure(world, question, random);
    const [held, none] = medians.map((median) => `${(median * 1000).toFixed(1)} µs`);
    say(
      `${question('id')}: held ${held}, unused ${none}, ${(difference * 100).toFixed(1)} %, p ${p.toFixed(3)}`,
    );
    if (difference < MOST_DIFFERENCE) return;
  }
  process.exitCode = 1;
}

async function measure(world: World, question: (id: string) => string, random: Random): Promise<Comparison> {
  const times: Record<'held' | 'none', number[]> = { held: [], none: [] };
  const samples = Number(values.samples);
  for (let number = -WARM_UP; times.held.length < samples || times.none.length < samples; number++) {
    const kind = random.integer(0, 1) === 0 ? 'held' : 'none';
    const target = `/fhir/asking/${question(idOf(kind, random.integer(0, IDS - 1)))}`;
    const begin = performance.now();
    const { status } = await world.shared.wire.send({ method: 'GET', target, headers: {} });
    const time = performance.now() - begin;
    if (status !== 200 && status !== 404) throw new Error(`${target} is answered ${status}.`);
    if (number >= 0) times[kind].push(time);
    world.shared.lines.length = 0;
  }
  return compareSamples(times.held, times.none);
}

await main();

import type { Random } from '../campaigns/random.js';
import { contentOf } from './content.js';
import { stepOf } from './reads.js';
import type { Step } from './step.js';
import { fill, one, oneIn } from './vocabulary.js';
import { write } from './writes.js';

/** Places of others, where a tenant's own token opens nothing; whether they exist may not be told. */
const PLACES: readonly string[] = [
  '<{other}:name>',
  '<{other}:name>',
  '<{other}:name>',
  'visitor',
  'DEFAULT',
  '_ALL',
];

const READS: readonly string[] = [
  'GET /{place}/{type}/{id}',
  'HEAD /{place}/{type}/{id}',
  'GET /{place}/{type}/{id}/_history',
  'GET /{place}/{type}?_count={count}',
  'GET /{place}?_tag={tag}',
  'GET /{place}/_history',
  'GET /{place}/<{other}:created>',
  'GET /{place}?_page=<{other}:token>',
  'GET /{place}/Patient/{id}/$everything',
  'GET /{place}/Patient/$export',
  'GET /{place}/$export-poll-status?_jobId=<{other}:job>',
  'GET /{place}/$export-file/<{other}:file-name>',
  'GET /{place}/$meta',
  'GET /{place}/metadata',
  'GET /{place}/.well-known/smart-configuration',
  'GET /{place}/ValueSet/pressure',
  'GET /{place}/SearchParameter/eye',
  'DELETE /{place}/{type}/{id}',
  'DELETE /{place}/Patient?_tag={tag}',
  'GET /Patient/{id}',
  'GET /_history',
  'GET /$partition-management-list-partitions',
  'GET /metrics',
];

/** Tokens of the tenant's own. */
const OWN: readonly string[] = ['everything', 'reader', 'patient', 'limited', 'nobody', 'elsewhere'];

/** A request under somebody else's URL, with a token of one's own. */
export function trespassStep(random: Random): Step {
  const place = one(random, PLACES);
  const step = oneIn(random, 4)
    ? change(random, place)
    : stepOf(random, 'attack', at(place, one(random, READS)));
  const authorization = `Bearer <jwt:${one(random, OWN)}>`;
  return { ...step, kind: 'attack', headers: { ...step.headers, authorization } };
}

function change(random: Random, place: string): Step {
  const content = contentOf(random, 'Patient');
  const entry = [{ request: { method: 'GET', url: fill(random, at(place, '/{place}/Patient/{id}')) } }];
  const bundle = { resourceType: 'Bundle', type: 'transaction', entry };
  const put = { ...content, id: 'a' };
  const make = one<() => Step>(random, [
    () => write('POST', fill(random, at(place, '/{place}/Patient')), content),
    () => write('PUT', fill(random, at(place, '/{place}/Patient/a')), put),
    () => write('POST', fill(random, at(place, '/{place}')), bundle),
    () => write('POST', '', bundle),
  ]);
  return make();
}

function at(place: string, template: string): string {
  return template.replaceAll('{place}', place);
}

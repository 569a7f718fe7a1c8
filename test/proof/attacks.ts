import type { Random } from '../campaigns/random.js';
import { contentOf } from './content.js';
import { stepOf } from './reads.js';
import type { Step } from './step.js';
import { fill, one, oneIn, weighted, word } from './vocabulary.js';
import { write } from './writes.js';

/** Another tenant's ids, links, jobs and values, under one's own URL. */
const FOREIGN: readonly string[] = [
  'GET <{other}:created>',
  'HEAD <{other}:created>',
  'GET <{other}:created>/_history',
  'GET <{other}:created>/_history/1',
  'GET <{other}:created>/$meta',
  'GET <{other}:created>/$everything',
  'GET <{other}:created>/$validate',
  'DELETE <{other}:created>',
  'GET Patient/<{other}:canary>',
  'GET Patient/<{other}:canary>/_history',
  'GET Patient/<{other}:canary>/Observation',
  'GET Patient/<{other}:canary>/$everything',
  'GET Binary/<{other}:canary>',
  'DELETE Patient/<{other}:canary>',
  'GET Patient?_id=<{other}:canary>',
  'GET Patient?identifier=<{other}:canary>',
  'GET Patient?_has:Observation:patient:code=<{other}:canary>',
  'GET Patient?family=<{other}:canary>&_total=accurate',
  'GET Patient?_tag=<{other}:canary>',
  'GET Patient?_source=urn:source:<{other}:canary>',
  'GET Patient?_content=<{other}:canary>',
  'GET Patient?_text=<{other}:canary>*',
  'GET Patient?eye-<{other}:canary>=blue',
  'GET ?_tag=<{other}:canary>',
  'GET List?_list=<{other}:canary>',
  'GET Patient?_list=<{other}:created-id>',
  'GET Observation?subject=<{other}:created>',
  'GET Observation?subject=<{other}:base>/Patient/{id}',
  'GET Observation?subject.name=<{other}:canary>',
  'GET Observation?patient:identifier=urn:mrn|<{other}:canary>',
  'GET Observation?_filter=note co "<{other}:canary>"',
  'GET Observation/$lastn?patient=<{other}:created>',
  'GET SearchParameter/<{other}:canary>',
  'GET SearchParameter?url=http://example.org/SearchParameter/eye-<{other}:canary>',
  'GET ?_page=<{other}:token>',
  'GET ?_page=<{other}:token>x',
  'GET Patient?_page=<{other}:token>',
  'GET $export-poll-status?_jobId=<{other}:job>',
  'DELETE $export-poll-status?_jobId=<{other}:job>',
  'GET $export-file/<{other}:job>/Patient.1.ndjson',
  'GET $export-file/<{other}:file-name>',
  'GET $reindex-status?job=<{other}:reindex>',
  'GET Group/<{other}:created-id>/$export',
];

/** Paths that should lead nowhere, or to the tenant itself. */
const STRANGE: readonly string[] = [
  'GET Patient/%2e%2e/Patient/{id}',
  'GET Patient/%2e%2e%2f{id}',
  'GET //Patient/{id}',
  'GET Patient//{id}',
  'GET Patient/{id}/',
  'GET patient/{id}',
  'GET Patient/%24export',
  'GET Patient/{id}%00',
  'GET %E2%80%AEPatient/{id}',
  'GET ?_count=-1',
  'GET Patient?_count=1e9',
  'GET Patient?_sort=nonsense,<canary>',
  'GET Patient?identifier=%FF',
  'GET Patient?name=%E0%A4%A',
  'PUT Patient',
  'PATCH Patient',
  'POST metadata',
  'DELETE _history',
  'OPTIONS Patient/{id}',
  'TRACE Patient/{id}',
  'PROPFIND Patient/{id}',
  'GET $nonsense-<canary>',
  'POST Patient/{id}/$nonsense',
  'GET Nonsense/<canary>',
  'GET Patient/{id}/$everything/x',
  'GET /<name-upper>/Patient/{id}',
  'GET /<name-cut>/Patient/{id}',
  'GET /<name-more>/Patient/{id}',
  'GET /<name-escaped>/Patient/{id}',
  'GET /<name-dot>/Patient/{id}',
  'GET /..%2f<name>/Patient/{id}',
  'GET /İ<name>/Patient/{id}',
  'GET /%F0%9F%98%80/Patient/{id}',
  'GET /%C3%85/Patient/{id}',
  'GET /A%CC%8A/Patient/{id}',
  'GET /%20/Patient/{id}',
];

/** What one tenant tries with what another has. */
export function attackStep(random: Random): Step {
  return weighted(random, KINDS)(random);
}

const KINDS: readonly (readonly [number, (random: Random) => Step])[] = [
  [12, (random) => stepOf(random, 'attack', one(random, FOREIGN))],
  [2, takeOver],
  [2, foreignReference],
  [2, foreignBundle],
  [2, foreignCondition],
  [1, foreignHeader],
];

/** Another tenant's id is free here. */
function takeOver(random: Random): Step {
  const content = { ...contentOf(random, 'Patient'), id: 'shared-by-all' };
  return attack(write('PUT', 'Patient/shared-by-all', content));
}

/** Refused or not: in the same way as a reference to nothing. */
function foreignReference(random: Random): Step {
  const reference = fill(
    random,
    one(random, [
      '<{other}:created>',
      '<{other}:created>/_history/1',
      '<{other}:base>/Patient/{id}',
      '<{other}:base>/<{other}:created>',
    ]),
  );
  return attack(
    write('POST', 'Observation', { ...contentOf(random, 'Observation'), subject: { reference } }),
  );
}

function foreignBundle(random: Random): Step {
  const urls = [
    '<{other}:created>',
    '<{other}:base>/Patient/{id}',
    '../<{other}:name>/Patient/{id}',
    '//<{other}:name>/Patient',
    '?_page=<{other}:token>',
    '<{other}:created>/$everything',
    'Patient?_tag=<{other}:canary>',
  ];
  const type = oneIn(random, 2) ? 'batch' : 'transaction';
  const url = fill(random, one(random, urls));
  return attack(
    write('POST', '', { resourceType: 'Bundle', type, entry: [{ request: { method: 'GET', url } }] }),
  );
}

/** What matches elsewhere alone matches nothing. */
function foreignCondition(random: Random): Step {
  const criteria = fill(
    random,
    one(random, ['identifier=urn:mrn|<{other}:canary>', '_tag=<{other}:canary>', '_id=<{other}:created-id>']),
  );
  return one(random, [
    attack(
      write(
        'POST',
        'Basic',
        { resourceType: 'Basic', code: { text: '<canary>' } },
        { 'if-none-exist': criteria },
      ),
    ),
    attack({ kind: 'attack', method: 'DELETE', path: `Patient?${criteria}` }),
    attack(write('PUT', `Patient?${criteria}`, contentOf(random, 'Patient'))),
  ]);
}

/** Headers that name somebody else, where the URL decides. */
function foreignHeader(random: Random): Step {
  const headers = one<Readonly<Record<string, string>>>(random, [
    { 'if-none-match': 'W/"1"', 'x-forwarded-prefix': '/fhir/<1:name>' },
    { forwarded: 'host=<1:name>.example' },
    { 'x-original-url': '/fhir/<1:name>/Patient' },
    { 'x-http-method-override': 'DELETE' },
  ]);
  return { kind: 'attack', method: 'GET', path: `Patient/${word(random, 'id')}`, headers };
}

function attack(step: Step): Step {
  return { ...step, kind: 'attack' };
}

/** Requests that are wrong in themselves. */
export function garbageStep(random: Random): Step {
  if (!oneIn(random, 4)) return stepOf(random, 'garbage', one(random, STRANGE));
  const body = one(random, [
    '{',
    '[]',
    '{"resourceType":"Patient","id":"<canary>","id":"b"}',
    '{"resourceType":"Patient","__proto__":{"gender":"<canary>"}}',
    `{"resourceType":"Patient","name":[{"family":"\\u0000<canary>"}]}`,
    '"<canary>"',
    '<Patient xmlns="http://hl7.org/fhir"><id value="&canary;"/></Patient>',
  ]);
  const headers = {
    'content-type': one(random, ['application/fhir+json', 'application/fhir+xml', 'text/<canary>']),
  };
  return {
    kind: 'garbage',
    method: 'POST',
    path: one(random, ['Patient', '', 'Patient/_search']),
    headers,
    body,
  };
}

import type { Random } from '../campaigns/random.js';
import { anyContent, contentOf } from './content.js';
import { encoded, readStep, searchStep } from './reads.js';
import type { Step } from './step.js';
import { fill, one, oneIn, weighted, word } from './vocabulary.js';

const JSON_PATCH = { 'content-type': 'application/json-patch+json' };
const FHIR_JSON = { 'content-type': 'application/fhir+json' };
const CRITERIA: readonly string[] = [
  'identifier=urn:mrn|{mrn}',
  'identifier=urn:canary|<canary>',
  'family={family}&gender={gender}',
  '_tag={tag}',
  '_id={id}',
  '_has:Observation:patient:code=urn:code|{code}',
];

type Make = (random: Random) => Step;

/** A step that stores, changes or deletes something. */
export function writeStep(random: Random): Step {
  return weighted(random, WRITES)(random);
}

const WRITES: readonly (readonly [number, Make])[] = [
  [4, create],
  [8, update],
  [3, conditionalCreate],
  [2, conditionalUpdate],
  [2, guardedUpdate],
  [3, patch],
  [4, remove],
  [1, conditionalRemove],
  [2, rawBinary],
  [2, invalid],
];

function create(random: Random): Step {
  const content = anyContent(random);
  return write('POST', content.resourceType, content, preferred(random));
}

function update(random: Random): Step {
  const content = { ...anyContent(random), id: word(random, 'id') };
  return write('PUT', `${content.resourceType}/${content.id}`, content, preferred(random));
}

function guardedUpdate(random: Random): Step {
  const content = { ...contentOf(random, 'Patient'), id: word(random, 'id') };
  const headers = oneIn(random, 3)
    ? { 'if-none-match': '*' }
    : { 'if-match': `W/"${word(random, 'version')}"` };
  return write('PUT', `Patient/${content.id}`, content, headers);
}

function conditionalCreate(random: Random): Step {
  const criteria = encoded(fill(random, one(random, CRITERIA)));
  return write('POST', 'Patient', contentOf(random, 'Patient'), { 'if-none-exist': criteria });
}

function conditionalUpdate(random: Random): Step {
  return write('PUT', criteriaOf(random), contentOf(random, 'Patient'));
}

function patch(random: Random): Step {
  const path = oneIn(random, 3) ? criteriaOf(random) : `Patient/${word(random, 'id')}`;
  if (oneIn(random, 3)) return write('PATCH', path, fhirPathPatch(random), FHIR_JSON);
  const operations = [{ op: 'add', path: '/gender', value: word(random, 'gender') }];
  return write('PATCH', path, operations, JSON_PATCH);
}

function fhirPathPatch(random: Random): object {
  const parts = [
    { name: 'type', valueCode: 'replace' },
    { name: 'path', valueString: 'Patient.gender' },
    { name: 'value', valueCode: word(random, 'gender') },
  ];
  return { resourceType: 'Parameters', parameter: [{ name: 'operation', part: parts }] };
}

function remove(random: Random): Step {
  const type = one(random, ['Patient', 'Observation', 'Encounter', 'Group', 'Binary', 'Location']);
  const path = oneIn(random, 5) ? '<created>' : `${type}/${word(random, 'id')}`;
  const headers = oneIn(random, 4) ? { 'if-match': `W/"${word(random, 'version')}"` } : {};
  return { kind: 'write', method: 'DELETE', path, headers };
}

function conditionalRemove(random: Random): Step {
  return { kind: 'write', method: 'DELETE', path: criteriaOf(random) };
}

function rawBinary(random: Random): Step {
  const path = oneIn(random, 2) ? 'Binary' : `Binary/${word(random, 'id')}`;
  const headers = { 'content-type': one(random, ['text/plain', 'application/octet-stream', 'image/png']) };
  return {
    kind: 'write',
    method: path === 'Binary' ? 'POST' : 'PUT',
    path,
    headers,
    body: 'file <canary> end',
  };
}

/** What is refused, in words that might tell too much. */
function invalid(random: Random): Step {
  const content = contentOf(random, 'Patient');
  const broken = one<object>(random, [
    { ...content, gender: '<canary>' },
    { ...content, unknown: '<canary>' },
    { ...content, id: 'other-<canary>' },
    { ...content, managingOrganization: { reference: 'Organization/none-<canary>' } },
    { resourceType: 'Nonsense', text: '<canary>' },
  ]);
  return write('PUT', `Patient/${word(random, 'id')}`, broken);
}

/** A batch that reads, or writes one thing; a transaction of both. What is in a batch runs side by side. */
export function bundleStep(random: Random): Step {
  const isTransaction = oneIn(random, 2);
  const size = random.integer(1, 5);
  const steps = Array.from({ length: size }, (_, index) => {
    if (isTransaction) return oneIn(random, 2) ? writeStep(random) : readOrSearch(random);
    return index === 0 && size === 1 ? writeStep(random) : readOrSearch(random);
  });
  const entry = steps.flatMap(toEntry);
  return write('POST', '', { resourceType: 'Bundle', type: isTransaction ? 'transaction' : 'batch', entry });
}

/** What belongs together by references that are made in the same moment. */
export function knotStep(random: Random): Step {
  const ids = [
    'urn:uuid:0b0b0b0b-0000-4000-8000-000000000001',
    'urn:uuid:0b0b0b0b-0000-4000-8000-000000000002',
  ];
  const subject = { reference: oneIn(random, 2) ? ids[0] : `Patient?${fill(random, CRITERIA[0]!)}` };
  const ifNoneExist = oneIn(random, 2) ? { ifNoneExist: fill(random, one(random, CRITERIA)) } : {};
  const entry = [
    {
      fullUrl: ids[0],
      resource: contentOf(random, 'Patient'),
      request: { method: 'POST', url: 'Patient', ...ifNoneExist },
    },
    {
      fullUrl: ids[1],
      resource: { ...contentOf(random, 'Observation'), subject },
      request: { method: 'POST', url: 'Observation' },
    },
  ];
  return { ...write('POST', '', { resourceType: 'Bundle', type: 'transaction', entry }), kind: 'bundle' };
}

function readOrSearch(random: Random): Step {
  return oneIn(random, 2) ? readStep(random) : searchStep(random);
}

/** Patches and raw bytes have no place in a bundle, nor has a link. */
function toEntry({ method, path, headers = {}, body }: Step): readonly object[] {
  const isForm = headers['content-type']?.startsWith('application/x-www') ?? false;
  if (path.startsWith('<') || method === 'PATCH' || isForm || body?.startsWith('file')) return [];
  const conditions = {
    ...(headers['if-none-exist'] === undefined ? {} : { ifNoneExist: headers['if-none-exist'] }),
    ...(headers['if-match'] === undefined ? {} : { ifMatch: headers['if-match'] }),
    ...(headers['if-none-match'] === undefined ? {} : { ifNoneMatch: headers['if-none-match'] }),
  };
  const resource = body === undefined ? {} : { resource: JSON.parse(body) as unknown };
  return [{ ...resource, request: { method, url: path, ...conditions } }];
}

function criteriaOf(random: Random): string {
  return `Patient?${encoded(fill(random, one(random, CRITERIA)))}`;
}

function preferred(random: Random): Readonly<Record<string, string>> {
  if (!oneIn(random, 4)) return FHIR_JSON;
  const prefer = one(random, ['return=minimal', 'return=representation', 'return=OperationOutcome']);
  return { ...FHIR_JSON, prefer };
}

/** A step with JSON in it. */
export function write(
  method: string,
  path: string,
  content: object,
  headers: Readonly<Record<string, string>> = {},
): Step {
  return {
    kind: 'write',
    method,
    path,
    headers: { ...FHIR_JSON, ...headers },
    body: JSON.stringify(content),
  };
}

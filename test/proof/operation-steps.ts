import type { Random } from '../campaigns/random.js';
import { contentOf } from './content.js';
import { stepOf } from './reads.js';
import type { Step } from './step.js';
import { fill, one, oneIn, weighted, word } from './vocabulary.js';
import { write } from './writes.js';

/** Operations that are asked for by their URL alone. */
const PLAIN: readonly string[] = [
  'GET $meta',
  'GET {type}/$meta',
  'GET {type}/{id}/$meta',
  'GET {type}/{id}/_history/{version}/$meta',
  'GET Patient/{id}/$validate',
  'GET Patient/{id}/$everything',
  'GET Patient/{id}/$everything?_count={count}',
  'GET Patient/{id}/$everything?_since={date}&_type=Observation,Patient',
  'GET Patient/{id}/$everything?start={date}&end={date}',
  'GET Patient/$everything?_count={count}',
  'GET Encounter/{id}/$everything',
  'GET Observation/$lastn?patient=Patient/{id}&category=vital-signs&max={version}',
  'GET Observation/$lastn?subject:Patient.identifier=urn:mrn|{mrn}',
  'GET Observation/$stats?subject=Patient/{id}&code={code}&system=urn:code&duration=900000&statistic={statistic}',
  'GET Observation/$stats?subject=Patient/{id}&code={code}&period=2020,2027&statistic={statistic}&include=true',
  'GET ValueSet/$expand?url={value-set}&filter={gender}',
  'GET ValueSet/pressure/$expand',
  'GET ValueSet/$validate-code?url={value-set}&system=urn:code&code={code}',
  'GET CodeSystem/$validate-code?url=http://example.org/diseases&code=heart&display=<canary>',
  'GET CodeSystem/$lookup?system=http://example.org/diseases&code=heart',
  'GET CodeSystem/$subsumes?system=http://example.org/diseases&codeA=heart&codeB=infarct',
  'GET ValueSet/pressure/$validate-code?system=urn:code&code={code}',
  'GET CodeSystem/diseases/$validate-code?code=heart',
  'GET CodeSystem/diseases/$subsumes?codeA=heart&codeB=infarct',
  'GET $client-list',
  'GET $usage',
  'GET $reindex-status?job=<reindex>',
  'GET $export-poll-status?_jobId=<job>',
  'GET <file>',
  'HEAD <file>',
  'DELETE $export-poll-status?_jobId=<job>',
  'GET $search-explain?url=Patient',
  'GET $partition-explain?url=Patient',
  'GET $partition-management-list-partitions',
  'GET $partition-management-read-partition?id={version}',
  'GET Patient?_explain=true&family={family}',
];

/** An operation, with what it needs. */
export function operationStep(random: Random): Step {
  return weighted(random, KINDS)(random);
}

const KINDS: readonly (readonly [number, (random: Random) => Step])[] = [
  [10, (random) => stepOf(random, 'operation', one(random, PLAIN))],
  [3, labels],
  [2, validated],
  [1, management],
  [1, clients],
  [1, (random) => posted('$reindex-cancel', [{ name: 'job', valueString: word(random, 'id') }])],
];

function labels(random: Random): Step {
  const name = oneIn(random, 2) ? '$meta-add' : '$meta-delete';
  const tag = [{ system: 'urn:tag', code: oneIn(random, 2) ? '<canary>' : word(random, 'gender') }];
  return posted(`Patient/${word(random, 'id')}/${name}`, [{ name: 'meta', valueMeta: { tag } }]);
}

function validated(random: Random): Step {
  const content = contentOf(random, one(random, ['Patient', 'Observation']));
  const broken = oneIn(random, 2) ? { ...content, status: '<canary>' } : content;
  const type = String(content['resourceType']);
  return { ...write('POST', `${type}/$validate`, broken), kind: 'operation' };
}

/** Clients of a tenant are its own, whatever ids they have. */
function clients(random: Random): Step {
  const name = one(random, ['register', 'disable', 'enable', 'remove']);
  const id = { name: 'id', valueString: word(random, 'id') };
  const registered = [
    { name: 'name', valueString: '<canary>' },
    { name: 'scope', valueString: 'system/*.rs' },
    { name: 'jwksUrl', valueUrl: 'https://client.example/jwks' },
  ];
  return posted(`$client-${name}`, name === 'register' ? [id, ...registered] : [id]);
}

/** What manages partitions is not a tenant's. */
function management(random: Random): Step {
  const name = one(random, ['create', 'update', 'delete', 'move']);
  const parameters = [
    { name: 'id', valueInteger: random.integer(1, 9) },
    { name: 'name', valueCode: 'newcomer' },
    { name: 'to', valueCode: 'shared' },
    { name: 'purge', valueBoolean: true },
  ];
  return posted(`$partition-management-${name}-partition`, parameters);
}

function posted(path: string, parameter: readonly object[]): Step {
  return { ...write('POST', path, { resourceType: 'Parameters', parameter }), kind: 'operation' };
}

const EXPORTS: readonly string[] = [
  'GET $export',
  'GET $export?_type=Patient,Observation',
  'GET $export?_type={type}&_typeFilter={type}%3F_tag%3Dmale',
  'GET $export?_typeFilter=Patient%3Fgender%3D{gender},Observation%3Fpatient.family%3D{family}',
  'GET $export?_since={date}T00:00:00Z&_elements={elements}',
  'GET $export?includeAssociatedData=LatestProvenanceResources',
  'GET Patient/$export',
  'GET Patient/$export?_type=Observation&organizeOutputBy=Patient',
  'GET Group/{id}/$export',
  'GET Group/{id}/$export?_typeFilter=Observation%3Fcode%3D{code}',
  'GET $export?nonsense=<canary>',
];

const ASYNC = { prefer: 'respond-async', accept: 'application/fhir+json' };

/** The kick-off of an export; what it comes to is looked at by the steps after it. */
export function exportStep(random: Random): Step {
  const settles = { kind: 'export', settles: 'export' } as const;
  if (oneIn(random, 4)) {
    const reference = `Patient/${word(random, 'id')}`;
    const parameter = [{ name: 'patient', valueReference: { reference } }];
    const path = oneIn(random, 2) ? 'Patient/$export' : `Group/${word(random, 'id')}/$export`;
    return { ...write('POST', path, { resourceType: 'Parameters', parameter }, ASYNC), ...settles };
  }
  return { ...stepOf(random, 'export', one(random, EXPORTS)), headers: ASYNC, ...settles };
}

/** What is done with an export that was kicked off. */
export function exportSteps(random: Random): readonly Step[] {
  const status = stepOf(random, 'export', 'GET $export-poll-status?_jobId=<job>');
  const file = stepOf(random, 'export', 'GET <file>');
  const ended = oneIn(random, 2)
    ? [stepOf(random, 'export', 'DELETE $export-poll-status?_jobId=<job>'), file]
    : [];
  return [exportStep(random), status, file, file, ...ended];
}

/** A search parameter of the tenant's own comes, is looked for, is reindexed and goes. */
export function parameterSteps(random: Random): readonly Step[] {
  const code = word(random, 'parameter');
  const id = one(random, ['eye', 'shoe', '<canary>']);
  const status = one(random, ['active', 'active', 'retired', 'draft']);
  const put = write('PUT', `SearchParameter/${id}`, {
    resourceType: 'SearchParameter',
    id,
    url: `http://example.org/SearchParameter/${code}`,
    name: 'eye',
    status,
    description: '<canary>',
    code,
    base: ['Patient'],
    type: 'string',
    expression: "Patient.extension('http://example.org/eye').value.ofType(string)",
  });
  const search = stepOf(random, 'search', `GET Patient?${code}=blue&_count={count}`);
  const reindex = posted(fill(random, one(random, ['$reindex', 'Patient/$reindex'])), []);
  const progress = stepOf(random, 'operation', 'GET $reindex-status?job=<reindex>');
  const gone = oneIn(random, 2) ? [stepOf(random, 'parameter', `DELETE SearchParameter/${id}`), search] : [];
  const own = stepOf(random, 'parameter', `GET SearchParameter?code=${code}`);
  return [
    { ...put, kind: 'parameter' },
    search,
    own,
    { ...reindex, settles: 'reindex' },
    progress,
    search,
    ...gone,
  ];
}

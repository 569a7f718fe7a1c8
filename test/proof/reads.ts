import type { Random } from '../campaigns/random.js';
import type { Step } from './step.js';
import { fill, one, oneIn } from './vocabulary.js';

const READS: readonly string[] = [
  'GET {type}/{id}',
  'GET {type}/{id}',
  'GET Patient/{id}',
  'HEAD {type}/{id}',
  'GET {type}/{id}?_summary={summary}',
  'GET {type}/{id}?_elements={elements}&_pretty=true',
  'GET {type}/{id}/_history/{version}',
  'HEAD {type}/{id}/_history/{version}',
  'GET {type}/{id}/_history?_count={count}',
  'GET {type}/{id}/_history?_since={date}',
  'GET {type}/_history?_count={count}',
  'GET _history?_count={count}',
  'GET _history?_since={date}&_count={count}',
  'GET metadata',
  'GET metadata?mode=terminology',
  'GET Binary/{id}',
  'GET <next>',
  'GET <next>',
  'GET <created>',
  'HEAD <created>',
  'GET <created>/_history',
  'GET ?_page=<token>',
  'GET SearchParameter/Patient-name',
  'GET ValueSet?url={value-set}',
];

const SEARCHES: readonly string[] = [
  'Patient',
  '{type}?_count={count}',
  '{type}?_summary=count',
  '{type}?_id={id},b&_elements={elements}',
  '{type}?_id:not={id}',
  '{type}?_tag={tag}&_total={total}&_count={count}',
  '{type}?_tag:not={tag}',
  '{type}?_source={source}',
  '{type}?_source:below=urn:source',
  '{type}?_profile={profile}',
  '{type}?_profile:below={profile}',
  '{type}?_security=<canary>',
  '{type}?_lastUpdated={prefix}{date}',
  '{type}?_sort={sort}&_count={count}',
  '{type}?_list={id}',
  '{type}?_summary={summary}&_count={count}',
  '?_type=Patient,Group&_count={count}',
  '?_tag={tag}&_count={count}',
  '?_type={type}&_lastUpdated=ge{date}&_total=accurate',
  'Patient?family={family}',
  'Patient?family:exact={family}',
  'Patient?family:contains={family}',
  'Patient?name:text={text}',
  'Patient?given=<canary>&family:missing={missing}',
  'Patient?identifier=urn:mrn|{mrn}&_revinclude=Observation:subject',
  'Patient?identifier={mrn}&_revinclude=*',
  'Patient?identifier:of-type=urn:t|x|{mrn}',
  'Patient?gender={gender}&_sort={patient-sort}&_count={count}',
  'Patient?gender:not={gender}&_total={total}',
  'Patient?gender:in={value-set}',
  'Patient?gender:not-in={value-set}',
  'Patient?birthdate={prefix}{date}&_sort={patient-sort}',
  'Patient?eye={gender}',
  'Patient?{parameter}=blue',
  'Patient?general-practitioner:identifier=urn:npi|{mrn}',
  'Patient?organization.name={family}',
  'Patient?_has:Observation:patient:code=urn:code|{code}',
  'Patient?_has:Observation:subject:value-quantity={prefix}{number}||kg&_count={count}',
  'Patient?_has:Group:member:_id={id}',
  'Patient?_has:Encounter:patient:location.partof:below=Location/{id}',
  'Patient?_has:Observation:patient:_has:Provenance:target:_id={id}',
  'Patient?_filter=family eq "{family}" or gender eq {gender}',
  'Patient?_filter=not (identifier pr true) and name co "{text}"',
  'Patient?_text={word}',
  'Patient?_content={word}&_count={count}',
  'Patient?nonsense={id}',
  'Patient?family:nonsense={id}',
  'Patient?_include=Patient:general-practitioner&_revinclude=Observation:subject&_revinclude:iterate=Provenance:target',
  'Observation?subject=Patient/{id}&_include=Observation:subject',
  'Observation?subject={id}&_include=*&_count={count}',
  'Observation?subject=<base>/Patient/{id}',
  'Observation?subject:Patient.name={family}&_count={count}',
  'Observation?patient.identifier=urn:mrn|{mrn}',
  'Observation?patient.organization.name=<canary>',
  'Observation?patient._content={word}',
  'Observation?patient:missing={missing}&_sort={observation-sort}',
  'Observation?subject:identifier=urn:mrn|{mrn}',
  'Observation?code=urn:code|{code}&_sort={observation-sort}&_count={count}',
  'Observation?code:text={text}',
  'Observation?code:in={value-set}',
  'Observation?code:below=http://example.org/diseases|heart',
  'Observation?value-quantity={prefix}{number}|http://unitsofmeasure.org|g',
  'Observation?code-value-quantity=urn:code|{code}${prefix}{number}',
  'Observation?component-code-value-quantity=urn:code|8480-6${prefix}{number}',
  'Observation?combo-code-value-quantity=urn:code|{code}$gt{number}',
  'Observation?date={prefix}{date}&_total={total}',
  'Observation?_content={word}&_total={total}',
  'Observation?_filter=subject[gender eq {gender}].name co "{text}"',
  'Encounter?location:below=Location/{id}',
  'Encounter?patient={id}&_revinclude=Observation:encounter&_include=Encounter:location',
  'Encounter?date={prefix}{date}&_sort=-date',
  'Group?member=Patient/{id}&_include=Group:member',
  'List?item=Patient/{id}&_include=List:item',
  'Location?near=41|2|{number}0|km',
  'Location?partof:above=Location/{id}',
  'MedicationRequest?medication.code=urn:code|{code}',
  'Medication?code=urn:code|{code}&_contained=true',
  'Medication?code={code}&_contained=both&_containedType=contained&_count={count}',
  'Organization?name=<canary>&_contained=true&_count={count}',
  'Patient/{id}/Observation?_count={count}',
  'Patient/{id}/*?_count={count}',
  'Patient/{id}/*?_type=Encounter,Observation',
  'Encounter/{id}/Observation',
  'SearchParameter?code={parameter}',
  'Questionnaire?_count={count}',
];

/** Headers that a read or a search may come with. */
const HEADERS: readonly Readonly<Record<string, string>>[] = [
  { 'if-none-match': 'W/"{version}"' },
  { 'if-none-match': '*' },
  { 'if-modified-since': 'Fri, 01 Jan 2027 00:00:00 GMT' },
  { accept: '{accept}' },
  { prefer: 'handling=lenient' },
  { prefer: 'handling=strict' },
  { origin: 'https://<canary>.example' },
  { 'accept-encoding': 'gzip' },
  { 'x-forwarded-host': '<canary>.example' },
  { range: 'bytes=0-9' },
  { cookie: 'session=<canary>' },
];

/** A step from a template whose first word is the method. */
export function stepOf(random: Random, kind: Step['kind'], template: string): Step {
  const [method = 'GET', path = ''] = template.split(/ (.*)/s);
  return { kind, method, path: encoded(fill(random, path)) };
}

/** Reads, versions, histories, what links lead to. */
export function readStep(random: Random): Step {
  return withHeaders(random, stepOf(random, 'read', one(random, READS)));
}

/** A search by GET, or by POST with a form. */
export function searchStep(random: Random): Step {
  const step = stepOf(random, 'search', `GET ${one(random, SEARCHES)}`);
  if (!oneIn(random, 6)) return withHeaders(random, step);
  const [path = '', form = ''] = step.path.split(/\?(.*)/s);
  const headers = { 'content-type': 'application/x-www-form-urlencoded' };
  return { ...step, method: 'POST', path: path === '' ? '_search' : `${path}/_search`, headers, body: form };
}

function withHeaders(random: Random, step: Step): Step {
  if (!oneIn(random, 4)) return step;
  const pairs = Object.entries(one(random, HEADERS)).map(([name, value]) => [name, fill(random, value)]);
  return { ...step, headers: Object.fromEntries(pairs) as Readonly<Record<string, string>> };
}

/** What has no place in a request line as it is; marks of placeholders stay. */
export function encoded(path: string): string {
  return path.replace(/[^!-~]|["\\^`{}#]/gu, (mark) => encodeURIComponent(mark));
}

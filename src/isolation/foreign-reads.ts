import type { Attack } from './attack.js';

const FORM = { 'content-type': 'application/x-www-form-urlencoded' };

function read(
  number: number,
  name: string,
  path: (id: string) => string,
  headers: Readonly<Record<string, string>> = {},
): Attack {
  return { number, name, method: 'GET', path, sent: () => ({ headers }) };
}

/** Reads of what it stands for, by everything that has an id in its path. */
export const READS: readonly Attack[] = [
  read(1, 'a read', (id) => `Patient/${id}`),
  { number: 4, name: 'a HEAD', method: 'HEAD', path: (id) => `Patient/${id}` },
  read(12, 'a pretty read', (id) => `Patient/${id}?_pretty=true&_format=json`),
  read(12, 'a summary', (id) => `Patient/${id}?_summary=true`),
  read(12, 'a read of some elements', (id) => `Patient/${id}?_elements=name`),
  read(2, 'a history', (id) => `Patient/${id}/_history`),
  read(3, 'a version', (id) => `Patient/${id}/_history/1`),
  read(3, 'a version that nobody has', (id) => `Patient/${id}/_history/99`),
  read(5, 'If-None-Match with the ETag', (id) => `Patient/${id}`, { 'if-none-match': 'W/"1"' }),
  read(5, 'If-None-Match: *', (id) => `Patient/${id}`, { 'if-none-match': '*' }),
  read(6, 'If-Modified-Since', (id) => `Patient/${id}`, {
    'if-modified-since': new Date(Date.now() + 60_000).toUTCString(),
  }),
  read(11, 'the content of a Binary', (id) => `Binary/${id}`, { accept: 'text/plain' }),
  read(11, 'a range of a Binary', (id) => `Binary/${id}`, { accept: 'text/plain', range: 'bytes=0-3' }),
  read(55, 'its labels', (id) => `Patient/${id}/$meta`),
  read(55, 'the labels of a version', (id) => `Patient/${id}/_history/1/$meta`),
  read(1, 'a validation of what is stored', (id) => `Patient/${id}/$validate`),
];

/** Searches that would find it, or what belongs to it. */
export const SEARCHES: readonly Attack[] = [
  read(21, '_id', (id) => `Patient?_id=${id}`),
  read(21, '_id among others', (id) => `Patient?_id=p1,${id}`),
  read(27, 'an identifier', (id) => `Patient?identifier=urn:mrn|${id}`),
  read(27, 'a name', (id) => `Patient?name=${id}`),
  read(27, 'an exact name', (id) => `Patient?family:exact=${id}`),
  read(41, 'a reference', (id) => `Observation?subject=Patient/${id}`),
  read(41, 'a typed reference', (id) => `Observation?subject:Patient=${id}`),
  read(41, 'a reference without a type', (id) => `Observation?patient=${id}`),
  read(25, 'a chain by name', (id) => `Observation?patient.name=${id}`),
  read(25, 'a chain by _id', (id) => `Observation?patient._id=${id}`),
  read(25, 'a chain by identifier', (id) => `Observation?subject:Patient.identifier=urn:mrn|${id}`),
  read(28, 'a count', (id) => `Patient?_id=${id}&_summary=count`),
  read(28, 'a total', (id) => `Patient?_id=${id}&_total=accurate`),
  read(23, 'an include', (id) => `Observation?_id=${id}&_include=Observation:subject`),
  read(24, 'a revinclude', (id) => `Patient?_id=${id}&_revinclude=Observation:subject`),
  read(22, 'a tag', (id) => `Patient?_tag=urn:tag|${id}`),
  read(22, 'a security label', (id) => `Patient?_security=urn:security|${id}`),
  read(22, 'a profile', (id) => `Patient?_profile=http://example.org/${id}`),
  read(22, 'a source', (id) => `Patient?_source=urn:${id}`),
  read(22, 'a list', (id) => `Patient?_list=${id}`),
  read(22, 'a filter', (id) => `Patient?_filter=${encodeURIComponent(`identifier eq "${id}"`)}`),
  read(22, 'a search over types', (id) => `?_type=Patient,Observation&_id=${id}`),
  read(27, 'a code', (id) => `Observation?code=urn:code|${id}`),
  read(26, 'a reverse chain', (id) => `Patient?_has:Observation:subject:_id=${id}`),
  read(
    26,
    'a nested reverse chain',
    (id) => `Organization?_has:Encounter:service-provider:subject:Patient._id=${id}`,
  ),
  read(
    23,
    'an iterated include',
    (id) => `Patient?_id=${id}&_revinclude=Encounter:subject&_include:iterate=Encounter:service-provider`,
  ),
  read(31, 'a compartment', (id) => `Patient/${id}/Observation`),
  read(31, 'a whole compartment', (id) => `Patient/${id}/*`),
  read(61, 'everything of a patient', (id) => `Patient/${id}/$everything`),
  read(62, 'the newest observations', (id) => `Observation/$lastn?patient=Patient/${id}`),
  {
    number: 32,
    name: 'a search by POST',
    method: 'POST',
    path: () => 'Patient/_search',
    sent: (id) => ({ body: `_id=${id}`, headers: FORM }),
  },
];

/** The types that are planted besides Patient. Binaries are not searched for. */
const FURTHER_TYPES = ['Observation', 'Organization', 'Group', 'List', 'Encounter', 'Binary'];

/** The same of every other type, since a rule may be wrong for one of them. */
export const READS_OF_TYPES: readonly Attack[] = FURTHER_TYPES.flatMap((type) => [
  read(1, `a read of type ${type}`, (id) => `${type}/${id}`),
  read(2, `a history of type ${type}`, (id) => `${type}/${id}/_history`),
  read(3, `a version of type ${type}`, (id) => `${type}/${id}/_history/1`),
  ...(type === 'Binary' ? [] : [read(21, `a search for type ${type}`, (id) => `${type}?_id=${id}`)]),
]);

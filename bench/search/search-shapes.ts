import { normalizeString } from '../../src/fhir/normalize.js';
import type { FloorIds } from './floor-ids.js';
import { idOf } from './patient-data.js';
import type { Binding, FloorSql } from './search-floor.js';

/** A kind of search, and how somebody who knows the data would write it in SQL. */
export interface SearchShape {
  readonly name: string;
  readonly answer: 'read' | 'page' | 'count' | 'include';
  readonly type: 'Patient' | 'Observation';
  /** As in a URL; for `read` the id. */
  readonly query: (patient: Sample) => string;
  /** One statement, and a second one where references are followed. */
  readonly floor: (patient: Sample, ids: FloorIds) => readonly FloorSql[];
  /** The floor's plan depends on its values. */
  readonly custom?: true;
}

/** The patient that a call is about. */
export interface Sample {
  readonly patient: number;
  readonly partition: string;
}

const LOINC = 'http://loinc.org';
const CODES = ['8302-2', '29463-7', '8867-4', '2339-0', '4548-4'];
const COLUMNS = 'R.RES_ID, R.FHIR_ID, R.RES_VER, R.RES_UPDATED, R.RES_TEXT';
const DAY_MS = 86_400_000;
const FIRST_DAY = Date.UTC(2016, 0, 1);
const DAYS = 60;

const TOKEN = 'T.PARTITION_ID = ? and T.PARAM_ID = ? and T.SP_VALUE = ? and T.SYS_ID = ?';
const LINK = `L.PARTITION_ID = ? and L.PARAM_ID = ? and L.TARGET_RES_ID =
  (select RES_ID from HFJ_RESOURCE where PARTITION_ID = ? and RES_TYPE_ID = ? and FHIR_ID = ?)`;
const toResource = (alias: string): string =>
  `{join} HFJ_RESOURCE R on R.PARTITION_ID = ${alias}.PARTITION_ID and R.RES_ID = ${alias}.RES_ID`;

/** A page of the resources that rows of one index table name. */
const pageBy = (table: string, alias: string, where: string, limit: number): string =>
  `select ${COLUMNS} from ${table} ${alias} ${toResource(alias)} where ${where} order by ${alias}.RES_ID limit ${limit}`;
const tokenPage = (limit: number, sample: Sample, ids: FloorIds): FloorSql => ({
  sql: pageBy('HFJ_SPIDX_TOKEN', 'T', TOKEN, limit),
  values: tokenValues(sample, ids),
});

/** Those of the measured reference. */
export const FLOORED_SHAPES: readonly SearchShape[] = [
  {
    name: 'read by id',
    answer: 'read',
    type: 'Observation',
    query: ({ patient }) => idOf(patient, 'Observation'),
    floor: ({ patient, partition }, ids) => [
      {
        sql: `select ${COLUMNS} from HFJ_RESOURCE R where PARTITION_ID = ? and RES_TYPE_ID = ? and FHIR_ID = ?`,
        values: [ids.partition(partition), ids.type('Observation'), idOf(patient, 'Observation')],
      },
    ],
  },
  {
    name: 'token, page of 50',
    answer: 'page',
    type: 'Observation',
    query: (sample) => `${codeQuery(sample)}&_count=50`,
    floor: (sample, ids) => [tokenPage(50, sample, ids)],
  },
  {
    name: 'count of one code',
    answer: 'count',
    type: 'Observation',
    query: codeQuery,
    floor: (sample, ids) => [
      {
        sql: `select count(*) from HFJ_SPIDX_TOKEN T where ${TOKEN}`,
        values: tokenValues(sample, ids),
      },
    ],
  },
  {
    name: 'string prefix',
    answer: 'page',
    type: 'Patient',
    query: (sample) => `family=${familyOf(sample)}&_count=50`,
    floor: (sample, ids) => [
      {
        sql: `select ${COLUMNS} from HFJ_SPIDX_STRING T ${toResource('T')}
          where T.PARTITION_ID = ? and T.PARAM_ID = ? and T.SP_NORM >= ? and T.SP_NORM < ? order by T.RES_ID limit 50`,
        values: familyValues(sample, ids),
      },
    ],
  },
  {
    name: 'token and date',
    answer: 'page',
    type: 'Observation',
    query: (sample) =>
      `${codeQuery(sample)}&date=ge${dayOf(sample, 0)}&date=lt${dayOf(sample, DAYS)}&_count=50`,
    custom: true,
    floor: (sample, ids) => [
      {
        sql: `select ${COLUMNS} from HFJ_SPIDX_TOKEN T ${toResource('T')} where ${TOKEN}
          and exists (select 1 from HFJ_SPIDX_DATE D where D.RES_ID = T.RES_ID and D.PARTITION_ID = T.PARTITION_ID
            and D.PARAM_ID = ? and D.SP_HIGH >= ? and D.SP_LOW < ? {fence}) order by T.RES_ID limit 50`,
        values: [...tokenValues(sample, ids), ...dateValues(sample, ids)],
      },
    ],
  },
  {
    name: 'reference, page of 50',
    answer: 'page',
    type: 'Observation',
    query: (sample) => `${subjectQuery(sample)}&_count=50`,
    floor: (sample, ids) => [
      {
        sql: pageBy('HFJ_RES_LINK', 'L', LINK, 50),
        values: linkValues(sample, ids),
      },
    ],
  },
  {
    name: 'reference and token',
    answer: 'page',
    type: 'Observation',
    query: (sample) => `${subjectQuery(sample)}&${codeQuery(sample)}&_count=50`,
    custom: true,
    floor: (sample, ids) => [
      {
        sql: `select ${COLUMNS} from HFJ_RES_LINK L ${toResource('L')} where ${LINK}
          and exists (select 1 from HFJ_SPIDX_TOKEN T where ${TOKEN} and T.RES_ID = L.RES_ID) order by L.RES_ID limit 50`,
        values: [...linkValues(sample, ids), ...tokenValues(sample, ids)],
      },
    ],
  },
  {
    name: 'reference, _sort=-date, 20',
    answer: 'page',
    type: 'Observation',
    query: (sample) => `${subjectQuery(sample)}&_sort=-date&_count=20`,
    floor: (sample, ids) => [
      {
        sql: `select ${COLUMNS}, K.AT from (select L.PARTITION_ID, L.RES_ID, (select max(D.SP_HIGH) from HFJ_SPIDX_DATE D
            where D.RES_ID = L.RES_ID and D.PARTITION_ID = L.PARTITION_ID and D.PARAM_ID = ?) AT
          from HFJ_RES_LINK L where ${LINK} order by AT desc, L.RES_ID limit 20) K ${toResource('K')}
          order by K.AT desc, K.RES_ID`,
        values: [ids.path('date', 'effective'), ...linkValues(sample, ids)],
      },
    ],
  },
  {
    name: 'chain subject.family',
    answer: 'page',
    type: 'Observation',
    query: (sample) => `subject:Patient.family=${familyOf(sample)}&_count=50`,
    floor: (sample, ids) => [
      {
        sql: `select ${COLUMNS} from HFJ_SPIDX_STRING T
          {join} HFJ_RES_LINK L on L.PARTITION_ID = T.PARTITION_ID and L.PARAM_ID = ? and L.TARGET_RES_ID = T.RES_ID
          ${toResource('L')} where T.PARTITION_ID = ? and T.PARAM_ID = ? and T.SP_NORM >= ? and T.SP_NORM < ?
          order by L.RES_ID limit 50`,
        values: [ids.path('reference', 'subject'), ...familyValues(sample, ids)],
      },
    ],
  },
  {
    name: 'token and _include, 20',
    answer: 'include',
    type: 'Observation',
    query: (sample) => `${codeQuery(sample)}&_include=Observation:subject&_count=20`,
    floor: (sample, ids) => [
      tokenPage(20, sample, ids),
      {
        sql: `select distinct ${COLUMNS} from (select T.RES_ID from HFJ_SPIDX_TOKEN T where ${TOKEN} order by T.RES_ID limit 20) F
          {join} HFJ_RES_LINK L on L.RES_ID = F.RES_ID and L.PARAM_ID = ?
          {join} HFJ_RESOURCE R on R.PARTITION_ID = L.PARTITION_ID and R.RES_ID = L.TARGET_RES_ID`,
        values: [...tokenValues(sample, ids), ids.path('reference', 'subject')],
      },
    ],
  },
];

/** What else is searched by, without a floor. */
export const FURTHER_SHAPES: readonly Pick<SearchShape, 'name' | 'type' | 'query'>[] = [
  {
    name: 'date range',
    type: 'Observation',
    query: (sample) => `date=ge${dayOf(sample, 0)}&date=lt${dayOf(sample, 1)}`,
  },
  { name: 'quantity above', type: 'Observation', query: () => 'value-quantity=gt199||mg/dL' },
  { name: 'several tokens', type: 'Observation', query: () => `code=${CODES.slice(1).join(',')}` },
  { name: 'token :not', type: 'Observation', query: (sample) => codeQuery(sample).replace('=', ':not=') },
  { name: 'token :text', type: 'Observation', query: () => 'code:text=heart' },
  {
    name: 'string :contains',
    type: 'Patient',
    query: (sample) => `family:contains=${familyOf(sample).slice(3)}`,
  },
  { name: ':missing', type: 'Observation', query: () => 'value-quantity:missing=true' },
  { name: '_lastUpdated', type: 'Observation', query: () => '_lastUpdated=gt2020&_sort=-_lastUpdated' },
  { name: '_sort alone', type: 'Observation', query: () => '_sort=-date' },
  { name: '_sort by a string', type: 'Patient', query: () => '_sort=family,-birthdate' },
  {
    name: '_has',
    type: 'Patient',
    query: (sample) => `family=${familyOf(sample)}&_has:Observation:subject:${codeQuery(sample)}`,
  },
  {
    name: '_revinclude',
    type: 'Patient',
    query: (sample) => `_id=${idOf(sample.patient, 'Patient')}&_revinclude=Condition:subject`,
  },
  {
    name: 'two chains',
    type: 'Observation',
    query: (sample) => `encounter.patient.family=${familyOf(sample)}`,
  },
];

function codeOf({ patient }: Sample): string {
  return CODES[patient % CODES.length]!;
}

function codeQuery(sample: Sample): string {
  return `code=${encodeURIComponent(`${LOINC}|${codeOf(sample)}`)}`;
}

function subjectQuery({ patient }: Sample): string {
  return `subject=Patient/${idOf(patient, 'Patient')}`;
}

function familyOf({ patient }: Sample): string {
  return `Family${patient}`;
}

function dayOf({ patient }: Sample, after: number): string {
  const ms = FIRST_DAY + ((patient % 300) + after) * DAY_MS;
  return new Date(ms).toISOString().slice(0, 10);
}

function tokenValues(sample: Sample, ids: FloorIds): readonly Binding[] {
  return [ids.partition(sample.partition), ids.path('token', 'code'), codeOf(sample), ids.system(LOINC)];
}

function dateValues(sample: Sample, ids: FloorIds): readonly Binding[] {
  return [ids.path('date', 'effective'), Date.parse(dayOf(sample, 0)), Date.parse(dayOf(sample, DAYS))];
}

function familyValues(sample: Sample, ids: FloorIds): readonly Binding[] {
  const family = normalizeString(familyOf(sample));
  return [
    ids.partition(sample.partition),
    ids.path('string', 'name.family', 'Patient'),
    family,
    `${family}\uffff`,
  ];
}

function linkValues({ patient, partition }: Sample, ids: FloorIds): readonly Binding[] {
  const home = ids.partition(partition);
  return [home, ids.path('reference', 'subject'), home, ids.type('Patient'), idOf(patient, 'Patient')];
}

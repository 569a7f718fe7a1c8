import type { Bundle } from '../model/resource.js';
import {
  type Check,
  COMMON_ID,
  type Finding,
  held,
  leak,
  leakIn,
  notApplicable,
  type Trial,
} from './check.js';
import { headerOf } from './heard.js';
import type { Answer } from './connection.js';
import { TAG_SYSTEM } from './marks.js';

/** Whatever comes first in a tenant, or is in use there. Nothing of it depends on an id. */
const EVERYTHING: readonly (readonly [number, string, string])[] = [
  [2, 'the history of the tenant', '_history?_count=50'],
  [2, 'the history of a type', 'Patient/_history?_count=50'],
  [22, 'a search for Patients', 'Patient?_count=50'],
  [22, 'a search for Groups', 'Group?_count=50'],
  [29, 'what was written last', 'Patient?_sort=-_lastUpdated&_count=50'],
  [22, 'a search for what this run has written', `Patient?_tag=${TAG_SYSTEM}|&_count=50`],
  [22, 'a search over types', '?_type=Patient,Observation&_count=50'],
  [23, 'everything that is referred to', 'Observation?_include=*&_count=50'],
  [24, 'everything that refers', 'Patient?_revinclude=Observation:subject&_count=50'],
  [47, 'the labels in use', '$meta'],
  [47, 'the labels in use of a type', 'Patient/$meta'],
  [47, 'what the server can', 'metadata'],
  [84, 'metrics', '/../metrics'],
  [84, 'whether the server is ready', '/../readyz'],
];

/** Searches that find one resource of each tenant. */
const COUNTED: readonly (readonly [number, string])[] = [
  [28, `Patient?_id=${COMMON_ID}`],
  [28, `Patient?identifier=urn:mrn|${COMMON_ID}`],
  [27, `Observation?code=urn:code|${COMMON_ID}`],
  [41, `Observation?subject=Patient/${COMMON_ID}`],
  [25, `Observation?patient.name=${COMMON_ID}`],
  [26, `Patient?_has:Observation:subject:_id=${COMMON_ID}`],
  [22, `Patient?_tag=urn:tag|${COMMON_ID}`],
];

/** Reads that name nobody's id: they show the own content alone. */
export function unnamedReadChecks(): readonly Check[] {
  return EVERYTHING.map(([number, attack, path]) => ({
    attack,
    number,
    asked: `GET ${path.replace('/..', '')}`,
    expected: 'nothing of theirs',
    run: async (trial) => {
      const answer = await trial.attacker.get(path.replace('/..', originOf(trial)));
      return (
        leakIn(answer, trial) ??
        (answer.status < 400 ? held(`${answer.status}`) : notApplicable(`the answer is ${answer.status}`))
      );
    },
  }));
}

function originOf({ attacker }: Trial): string {
  return new URL(attacker.base).origin;
}

/** Totals, where both tenants have one resource that is found. */
export function totalChecks(): readonly Check[] {
  return COUNTED.flatMap(([number, search]) =>
    ['_summary=count', '_total=accurate'].map<Check>((how) => ({
      attack: 'a total',
      number,
      asked: `GET ${search}&${how}`,
      expected: '1',
      run: async ({ attacker, commonId }) =>
        judgeTotal(await attacker.get(`${search.replace(COMMON_ID, commonId)}&${how}`)),
    })),
  );
}

function judgeTotal(answer: Answer): Finding {
  if (answer.status !== 200) return notApplicable(`the answer is ${answer.status}`);
  const { total, entry = [] } = JSON.parse(answer.text) as Bundle;
  if (total === 1 && entry.length <= 1) return held('1');
  if (total === 0) return notApplicable('0: the search does not find the own one either');
  return leak(`${String(total)}, with ${entry.length} resources`);
}

/** Versions and their tags, where the tenants have different ones under the same id. */
export function versionChecks(): readonly Check[] {
  return [
    {
      attack: 'If-None-Match with their ETag, of an id that both have',
      number: 5,
      asked: `GET Patient/${COMMON_ID}`,
      expected: 'the own version',
      run: (trial) => judgeVersion(trial, 'GET'),
    },
    {
      attack: 'If-None-Match with their ETag for a HEAD',
      number: 85,
      asked: `HEAD Patient/${COMMON_ID}`,
      expected: 'the own version',
      run: (trial) => judgeVersion(trial, 'HEAD'),
    },
  ];
}

async function judgeVersion(trial: Trial, method: string): Promise<Finding> {
  const { attacker, owner, commonId } = trial;
  const path = `Patient/${commonId}`;
  const own = headerOf(await attacker.get(path), 'etag');
  const theirs = headerOf(await owner.get(path), 'etag');
  if (own === undefined || theirs === undefined || own === theirs) {
    return notApplicable('the server gives no ETags by which both differ');
  }
  const answer = await attacker.ask({ method, path, headers: { 'if-none-match': theirs } });
  if (answer.status === 304) return leak('304: their version is taken for the own one');
  return leakIn(answer, trial) ?? held(`${answer.status}`);
}

/** What was written in all these attacks is the attacker's. */
export function strayWriteChecks(): readonly Check[] {
  return ['Patient', 'Observation', 'Basic'].map((type) => ({
    attack: `where a ${type} went that was written`,
    number: 60,
    asked: `their GET ${type}?_tag=…`,
    expected: 'nothing that the attacker has written',
    run: async ({ attacker, owner }) => {
      const answer = await owner.get(attacker.ownSearch(type));
      if (answer.status !== 200) return notApplicable(`the answer is ${answer.status}`);
      const { entry = [] } = JSON.parse(answer.text) as Bundle;
      const strays = entry.filter(({ resource }) => resource?.resourceType === type);
      return strays.length === 0 ? held('nothing') : leak(`${strays.length} resources of ${attacker.name}`);
    },
  }));
}

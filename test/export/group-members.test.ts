import test from 'ava';
import { type GroupSource, readGroupMembers } from '../../src/export/group-members.js';

const BASE = 'http://localhost/fhir/acme';
const AT = Date.parse('2026-06-01T12:00:00Z');
const SINCE = Date.parse('2026-05-15T12:00:00Z');

interface Member {
  readonly entity: { readonly reference: string };
  readonly inactive?: boolean;
  readonly period?: { readonly start?: string; readonly end?: string };
}

function member(reference: string, more: Omit<Member, 'entity'> = {}): Member {
  return { entity: { reference }, ...more };
}

async function membersOf(
  groups: Readonly<Record<string, readonly Member[]>>,
  more: Partial<GroupSource> = {},
) {
  const read = async (id: string): Promise<string | undefined> => {
    const found = groups[id];
    return found && JSON.stringify({ resourceType: 'Group', id, member: found });
  };
  const { patients, issues } = await readGroupMembers('g', {
    read,
    base: BASE,
    at: AT,
    since: null,
    ...more,
  });
  return {
    patients: Object.fromEntries(patients),
    issues: issues.map(({ diagnostics = '' }) => diagnostics),
  };
}

test('members are patients by any reference to this server', async (t) => {
  const g = [member('Patient/1'), member('Patient/2/_history/3'), member(`${BASE}/Patient/3`)];
  t.deepEqual(await membersOf({ g }), { patients: { 1: 'early', 2: 'early', 3: 'early' }, issues: [] });
});

test('members of groups in groups count, also where groups hold one another', async (t) => {
  const groups = {
    g: [member('Group/h'), member('Patient/1')],
    h: [member('Group/g'), member('Group/h'), member('Patient/2')],
  };
  t.deepEqual((await membersOf(groups)).patients, { 1: 'early', 2: 'early' });
});

test('whoever is inactive, has left or has not come yet is no member', async (t) => {
  const g = [
    member('Patient/1', { inactive: true }),
    member('Patient/2', { period: { end: '2026-05-31' } }),
    member('Patient/3', { period: { end: '2026-06-01' } }),
    member('Patient/4', { period: { start: '2026-06-02' } }),
    member('Group/h', { inactive: true }),
  ];
  t.deepEqual(await membersOf({ g, h: [member('Patient/5')] }), { patients: { 3: 'early' }, issues: [] });
});

test('whoever may have joined since then has joined late, unless they were a member in another way', async (t) => {
  const late = { period: { start: '2026-05-15' } };
  const groups = {
    g: [
      member('Patient/1', { period: { start: '2026-05-14' } }),
      member('Patient/2', late),
      member('Group/h', late),
      member('Patient/4'),
    ],
    h: [member('Patient/3'), member('Patient/4')],
  };
  t.deepEqual((await membersOf(groups, { since: SINCE })).patients, {
    1: 'early',
    2: 'late',
    3: 'late',
    4: 'early',
  });
});

test('what cannot be followed is told, and stops nothing', async (t) => {
  const g = [
    member('http://elsewhere/fhir/Patient/9'),
    member('Practitioner/1'),
    member('Group/none'),
    member('Patient/1'),
  ];
  const { patients, issues } = await membersOf({ g });
  t.deepEqual(patients, { 1: 'early' });
  t.is(issues.length, 3);
  t.regex(issues.join(), /elsewhere/);
  t.regex(issues.join(), /Practitioner\/1/);
  t.regex(issues.join(), /Group\/none does not exist/);
});

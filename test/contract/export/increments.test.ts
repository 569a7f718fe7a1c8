import test from 'ava';
import { exported, observationOf, openExportServer, patientOf, store } from './fixtures.js';

const { server, acme, beta } = await openExportServer();
test.after.always(() => server.stop());

test('an export since the time of the last has what changed, and what was deleted apart', async (t) => {
  await store(acme, patientOf('a'), patientOf('b'), patientOf('c'), observationOf('o', 'a'));
  const first = await exported(acme, '$export');
  t.deepEqual(first.manifest.deleted, []);
  await store(acme, patientOf('b', { gender: 'male' }), patientOf('d'), patientOf('e'));
  for (const path of ['Observation/o', 'Patient/c', 'Patient/e']) await acme.delete(path);
  const since = encodeURIComponent(first.manifest.transactionTime);
  const second = await exported(acme, `$export?_since=${since}`);
  t.deepEqual(second.output, ['Patient/b', 'Patient/d']);
  t.deepEqual(second.deleted, ['Observation/o', 'Patient/c', 'Patient/e']);
  t.true(second.manifest.deleted.every(({ type }) => type === 'Bundle'));
  const third = await exported(acme, `$export?_since=${encodeURIComponent(second.manifest.transactionTime)}`);
  t.deepEqual([third.output, third.deleted], [[], []]);
  const before = await exported(acme, `$export?_until=${since}`);
  t.deepEqual(before.output, ['Patient/a']);
});

test('what is deleted and comes back is changed, not deleted', async (t) => {
  await store(beta, patientOf('a'));
  const { manifest } = await exported(beta, '$export');
  await beta.delete('Patient/a');
  await store(beta, patientOf('a', { active: true }));
  const { output, deleted } = await exported(
    beta,
    `$export?_since=${encodeURIComponent(manifest.transactionTime)}`,
  );
  t.deepEqual([output, deleted], [['Patient/a'], []]);
});

test('of a group those deletions are told that belonged to its members', async (t) => {
  const { server: other, acme: client } = await openExportServer();
  t.teardown(() => other.stop());
  const member = ['a', 'left'].map((id) => ({ entity: { reference: `Patient/${id}` } }));
  const group = { resourceType: 'Group', id: 'g', type: 'person', actual: true };
  await store(client, patientOf('a'), patientOf('left'), patientOf('z'), { ...group, member });
  await store(client, observationOf('oa', 'a'), observationOf('oz', 'z'), observationOf('stays', 'a'));
  const { manifest } = await exported(client, 'Group/g/$export');
  await client.delete('Observation/oa');
  await client.delete('Observation/oz');
  const since = encodeURIComponent(manifest.transactionTime);
  const next = await exported(client, `Group/g/$export?_since=${since}`);
  t.deepEqual([next.output, next.deleted], [[], ['Observation/oa']]);
  const all = await exported(client, `Patient/$export?_since=${since}`);
  t.deepEqual([all.output, all.deleted], [[], ['Observation/oa', 'Observation/oz']]);
});

test('whoever joins a group later is exported in full, and everybody else as far as they changed', async (t) => {
  const { server: other, acme: client } = await openExportServer();
  t.teardown(() => other.stop());
  const group = { resourceType: 'Group', id: 'g', type: 'person', actual: true };
  const early = { entity: { reference: 'Patient/a' }, period: { start: '2020-01-01' } };
  await store(
    client,
    patientOf('a'),
    patientOf('late'),
    observationOf('oa', 'a'),
    observationOf('ol', 'late'),
  );
  await store(client, { ...group, member: [early] });
  const { manifest } = await exported(client, 'Group/g/$export');
  const start = new Date(Date.parse(manifest.transactionTime) + 1).toISOString();
  const late = { entity: { reference: 'Patient/late' }, period: { start } };
  await store(client, { ...group, member: [early, late] });
  const { output } = await exported(
    client,
    `Group/g/$export?_since=${encodeURIComponent(manifest.transactionTime)}`,
  );
  t.deepEqual(output, ['Group/g', 'Observation/ol', 'Patient/late']);
});

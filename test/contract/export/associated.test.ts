import test from 'ava';
import type { Binary } from 'fhir/r4.js';
import { exported, observationOf, openExportServer, patientOf, store } from './fixtures.js';

const { server, acme, beta } = await openExportServer();

function provenanceOf(id: string, recorded: string, ...targets: readonly string[]): object {
  const target = targets.map((reference) => ({ reference }));
  return { resourceType: 'Provenance', id, recorded, target, agent: [{ who: { display: 'x' } }] };
}

test.before(async () => {
  await store(
    acme,
    patientOf('a'),
    patientOf('b'),
    { resourceType: 'Organization', id: 'org', name: 'o' },
    observationOf('oa', 'a'),
    observationOf('ob', 'b'),
    provenanceOf('old', '2026-01-01T00:00:00Z', 'Patient/a', 'Observation/oa'),
    provenanceOf('new', '2026-02-01T00:00:00Z', 'Observation/oa'),
    provenanceOf('of-b', '2026-01-01T00:00:00Z', 'Observation/ob'),
    provenanceOf('of-org', '2026-01-01T00:00:00Z', 'Organization/org'),
    {
      resourceType: 'Group',
      id: 'g',
      type: 'person',
      actual: true,
      member: [{ entity: { reference: 'Patient/a' } }],
    },
  );
});
test.after.always(() => server.stop());

test('what tells of the record of a patient comes with it', async (t) => {
  const { output } = await exported(acme, 'Patient/$export?_type=Provenance');
  t.deepEqual(output, ['Provenance/new', 'Provenance/of-b', 'Provenance/old']);
  const group = await exported(acme, 'Group/g/$export?_type=Provenance,Patient');
  t.deepEqual(group.output, ['Patient/a', 'Provenance/new', 'Provenance/old']);
  t.deepEqual((await exported(acme, 'Patient/$export?_type=Patient')).output, ['Patient/a', 'Patient/b']);
});

/** Those in an export of the system. */
async function provenancesOf(query: string): Promise<readonly string[]> {
  return (await exported(acme, `$export?${query}`)).output.filter((one) => one.startsWith('Provenance'));
}

test('what tells of what is exported comes where it is asked for, all of it or the latest', async (t) => {
  const relevant = 'includeAssociatedData=RelevantProvenanceResources';
  const latest = 'includeAssociatedData=LatestProvenanceResources';
  t.deepEqual(await provenancesOf(`_type=Patient&${relevant}`), ['Provenance/old']);
  t.deepEqual(await provenancesOf(`_type=Observation&${relevant}`), [
    'Provenance/new',
    'Provenance/of-b',
    'Provenance/old',
  ]);
  t.deepEqual(await provenancesOf(`_type=Observation&${latest}`), ['Provenance/new', 'Provenance/of-b']);
  t.deepEqual(await provenancesOf(`_type=Patient,Observation&${latest}`), [
    'Provenance/new',
    'Provenance/of-b',
    'Provenance/old',
  ]);
  t.deepEqual(
    await provenancesOf(
      `_type=Observation&_typeFilter=Observation?subject=Patient/b&${latest},${relevant.split('=')[1]}`,
    ),
    ['Provenance/of-b'],
  );
  t.is((await provenancesOf(relevant)).length, 4);
});

test('the content of a Binary is in its line, however large it is', async (t) => {
  const content = Buffer.alloc(3_000_000, 'content of a file ');
  const sent = await beta.send<Binary>('POST', 'Binary', {
    body: new Uint8Array(content),
    headers: { 'content-type': 'application/pdf' },
  });
  t.is(sent.status, 201);
  await store(beta, { resourceType: 'Binary', id: 'small', contentType: 'text/plain', data: 'eA==' });
  for (const path of ['$export?_type=Binary', '$export?_type=Binary&_elements=Binary.data']) {
    const { resources, errors } = await exported(beta, path);
    t.deepEqual(errors, []);
    const [large] = resources.filter(({ id }) => id !== 'small') as unknown as readonly Binary[];
    t.is(large?.data, content.toString('base64'), path);
    t.notRegex(JSON.stringify(large).slice(0, 1000), /urn:bulkhead/);
    t.is((resources.find(({ id }) => id === 'small') as Binary).data, 'eA==');
  }
});

import test from 'ava';
import { FhirClient } from '../support/fhir-client.js';
import { ASYNC, exported, kickOff, openExportServer, patientOf, store } from './fixtures.js';

const { server, root, acme, beta } = await openExportServer();
const NEVER = '00000000-0000-7000-8000-000000000000';
test.after.always(() => server.stop());

function patient(id: string): readonly object[] {
  return [{ name: 'patient', valueReference: { reference: `Patient/${id}` } }];
}

/** What an answer says, without what differs from request to request. */
async function told(
  client: FhirClient,
  method: string,
  path: string,
  id: string,
): Promise<readonly unknown[]> {
  const { status, text, headers } = await client.send(method, path, { headers: ASYNC });
  const names = [...headers.keys()].filter((name) => !['date', 'x-request-id', 'keep-alive'].includes(name));
  return [status, text.replaceAll(id, NEVER), names.toSorted()];
}

test("another tenant's export is as one that never was: status, files and deletion", async (t) => {
  await store(acme, patientOf('a'));
  const { location, manifest } = await exported(acme, '$export?_type=Patient');
  const [, id = ''] = /_jobId=(.*)$/.exec(location) ?? [];
  t.is(manifest.output.length, 1);
  const paths: readonly (readonly [string, string])[] = [
    ['GET', '$export-poll-status?_jobId=ID'],
    ['HEAD', '$export-poll-status?_jobId=ID'],
    ['DELETE', '$export-poll-status?_jobId=ID'],
    ['GET', '$export-file/ID/Patient.1.ndjson'],
    ['HEAD', '$export-file/ID/Patient.1.ndjson'],
    ['GET', '$export-file/ID/Patient.9.ndjson'],
  ];
  for (const stranger of [beta, root.tenant('DEFAULT'), root.tenant('_ALL'), root]) {
    for (const [method, path] of paths) {
      const real = await told(stranger, method, path.replace('ID', id), id);
      t.deepEqual(real, await told(stranger, method, path.replace('ID', NEVER), NEVER), `${method} ${path}`);
      t.is(real[0], 404, `${stranger.base} ${method} ${path}`);
    }
  }
  t.is((await acme.get(location)).status, 200);
  t.is((await acme.get(manifest.output[0]!.url)).status, 200);
});

test("another tenant's group and patients are as ones that never were", async (t) => {
  const member = [{ entity: { reference: 'Patient/p' } }];
  await store(acme, patientOf('p'), { resourceType: 'Group', id: 'g', type: 'person', actual: true, member });
  await store(beta, patientOf('own'), { resourceType: 'Group', id: 'own', type: 'person', actual: true });
  for (const [real, never] of [
    ['Group/g/$export', 'Group/n/$export'],
    ['Group/g/$export?_type=Patient', 'Group/n/$export?_type=Patient'],
  ] as const) {
    const [one, other] = [await kickOff(beta, real), await kickOff(beta, never)];
    t.is(one.status, 404);
    t.is(one.text.replaceAll('Group/g', 'Group/n'), other.text);
  }
  for (const path of ['Patient/$export', 'Group/own/$export']) {
    const [one, other] = [await kickOff(beta, path, patient('p')), await kickOff(beta, path, patient('n'))];
    t.is(one.status, 404);
    t.is(one.text.replaceAll('Patient/p', 'Patient/n'), other.text);
  }
});

/**
 * The checks of the Inferno test kit for bulk data, as they stand there for each of the three levels, without those of
 * tokens: https://github.com/inferno-framework/bulk-data-test-kit
 */
import test from 'ava';
import type { CapabilityStatement, OperationOutcome, Patient, Resource } from 'fhir/r4.js';
import { FHIR_JSON } from '../support/fhir-client.js';
import {
  ended,
  type ExportServer,
  kickOff,
  locationOf,
  type Manifest,
  type ManifestItem,
  observationOf,
  openExportServer,
  patientOf,
  store,
} from './fixtures.js';

const { server, acme }: ExportServer = await openExportServer();
const MEMBERS = ['a', 'b', 'c'];
const STRANGER = 'd';

test.before(async () => {
  const patients = [...MEMBERS, STRANGER];
  const member = MEMBERS.map((id) => ({ entity: { reference: `Patient/${id}` } }));
  await store(
    acme,
    ...patients.map((id) => patientOf(id)),
    ...patients.map((id) => observationOf(`of-${id}`, id)),
    { resourceType: 'Group', id: 'g', type: 'person', actual: true, member },
  );
});
test.after.always(() => server.stop());

/** A level with its kick-off, and how the CapabilityStatement names it. */
const LEVELS = [
  { level: 'system', path: '$export', operation: 'export', type: undefined },
  { level: 'patient', path: 'Patient/$export', operation: 'patient-export', type: 'Patient' },
  { level: 'group', path: 'Group/g/$export', operation: 'group-export', type: 'Group' },
] as const;

/** A complete export of its own: its manifest, and where its status is. */
async function complete(
  path: string,
): Promise<{ readonly location: string; readonly manifest: Manifest; readonly headers: Headers }> {
  const location = locationOf(await kickOff(acme, path));
  const { status, body, headers } = await ended(acme, location);
  if (status !== 200) throw new Error(`the export ended with ${status}`);
  return { location, manifest: body, headers };
}

/** The lines of a file, fetched as the kit does. */
async function linesOf({ url }: ManifestItem): Promise<readonly Resource[]> {
  const { text } = await acme.get(url, { accept: 'application/fhir+ndjson' });
  return text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as Resource);
}

for (const { level, path, operation, type } of LEVELS) {
  test(`${level}: the CapabilityStatement declares the operation`, async (t) => {
    const { body } = await acme.get<CapabilityStatement>('metadata', { accept: FHIR_JSON });
    const [rest] = body.rest ?? [];
    const of = type === undefined ? rest : rest?.resource?.find((one) => one.type === type);
    const declared = of?.operation?.filter(({ name }) => /^(?:patient-|group-)?export$/.test(name));
    t.deepEqual(
      declared?.map(({ definition }) => definition),
      [`http://hl7.org/fhir/uv/bulkdata/OperationDefinition/${operation}`],
    );
  });

  test(`${level}: the kick-off is accepted, and says where the status is`, async (t) => {
    const { status, headers } = await kickOff(acme, path);
    t.is(status, 202);
    t.true(URL.canParse(headers.get('content-location') ?? ''), 'Content-Location is absolute');
  });

  test(`${level}: the status is 202 until it is 200, with a manifest that has what it must`, async (t) => {
    const location = locationOf(await kickOff(acme, path));
    const first = await acme.get(location, { accept: 'application/json' });
    t.true([200, 202].includes(first.status));
    if (first.status === 202) t.regex(first.headers.get('retry-after') ?? '', /^[1-9]\d*$/);
    const { status, headers, body } = await ended(acme, location);
    t.is(status, 200);
    t.is(headers.get('content-type'), 'application/json');
    t.true(Date.parse(headers.get('expires') ?? '') > Date.now(), 'it expires later');
    t.is(headers.get('cache-control'), 'private, no-store');
    t.regex(body.transactionTime, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:\d\d)$/);
    t.is(body.request, `${acme.base}/${path}`);
    t.is(body.requiresAccessToken, false);
    t.true(Array.isArray(body.output) && body.output.length > 0);
    t.deepEqual(body.error, []);
  });

  test(`${level}: every file has a type and an absolute URL`, async (t) => {
    const { manifest } = await complete(path);
    for (const item of manifest.output) {
      t.regex(item.type, /^[A-Z][A-Za-z]+$/);
      t.true(URL.canParse(item.url), item.url);
    }
  });

  test(`${level}: files are NDJSON of their type, each line a resource, as many as were counted`, async (t) => {
    const { manifest } = await complete(path);
    for (const item of manifest.output) {
      const { status, headers, text } = await acme.get(item.url, { accept: 'application/fhir+ndjson' });
      t.is(status, 200);
      t.regex(headers.get('content-type') ?? '', /^application\/fhir\+ndjson(?:;|$)/);
      t.true(text.endsWith('\n'));
      const lines = await linesOf(item);
      t.is(lines.length, item.count);
      t.true(lines.every(({ resourceType, id }) => resourceType === item.type && id !== undefined));
    }
  });

  test(`${level}: what was started can be given up, and is then not found`, async (t) => {
    const location = locationOf(await kickOff(acme, path));
    t.is((await acme.delete(location)).status, 202);
    const { status, body } = await acme.get<OperationOutcome>(location);
    t.is(status, 404);
    t.is(body.resourceType, 'OperationOutcome');
    t.true(body.issue.length > 0);
  });

  test(`${level}: what is complete can be removed, with its files`, async (t) => {
    const { location, manifest } = await complete(path);
    t.is((await acme.delete(location)).status, 202);
    t.is((await acme.get(location)).status, 404);
    for (const { url } of manifest.output) t.is((await acme.get(url)).status, 404);
  });

  for (const format of ['application/fhir+ndjson', 'application/ndjson', 'ndjson'])
    test(`${level}: _outputFormat may be ${format}`, async (t) => {
      const { manifest } = await complete(`${path}?_outputFormat=${encodeURIComponent(format)}`);
      t.true(manifest.output.length > 0);
    });

  test(`${level}: an _outputFormat that there is not is refused with an OperationOutcome`, async (t) => {
    const { status, body } = await kickOff(acme, `${path}?_outputFormat=text/csv`);
    t.is(status, 400);
    t.is(body.resourceType, 'OperationOutcome');
  });

  test(`${level}: _since leaves out what did not change, and is an instant`, async (t) => {
    const before = await complete(`${path}?_since=2000-01-01T00:00:00Z`);
    t.true(before.manifest.output.length > 0);
    const { transactionTime } = before.manifest;
    const since = encodeURIComponent(transactionTime);
    t.deepEqual((await complete(`${path}?_since=${since}`)).manifest.output, []);
    const refused = await kickOff(acme, `${path}?_since=yesterday`);
    t.is(refused.status, 400);
    t.is(refused.body.resourceType, 'OperationOutcome');
  });

  test(`${level}: _type has files of these types alone`, async (t) => {
    const { manifest } = await complete(`${path}?_type=Patient`);
    t.deepEqual([...new Set(manifest.output.map((item) => item.type))], ['Patient']);
  });
}

test('an export of a group has its members, two at least, and nobody else', async (t) => {
  const { manifest } = await complete('Group/g/$export?_type=Patient');
  const patients = (await Promise.all(manifest.output.map(linesOf))).flat() as readonly Patient[];
  t.true(patients.length >= 2);
  t.deepEqual(patients.map(({ id }) => id).toSorted(), MEMBERS);
});

test('a group that there is not is not found', async (t) => {
  const { status, body } = await kickOff(acme, 'Group/none/$export');
  t.is(status, 404);
  t.is(body.resourceType, 'OperationOutcome');
});

test('a kick-off without Prefer is answered by an OperationOutcome', async (t) => {
  const { status, body } = await acme.get<OperationOutcome>('$export', { accept: FHIR_JSON });
  t.is(status, 400);
  t.is(body.resourceType, 'OperationOutcome');
});

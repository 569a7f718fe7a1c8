import test from 'ava';
import { audit, type AuditOptions } from '../../interceptors/index.js';
import { FhirError, HookRegistry } from '../../src/index.js';
import type { PartitionId, RecordWriter, RequestDetails, Resource } from '../../src/index.js';
import { aPartition, aRequest, refused } from './fixtures.js';

/** An interceptor, and what it has done with requests that were answered. */
function audited(options: AuditOptions = {}) {
  const hooks = new HookRegistry({ onSwallowed: () => undefined });
  hooks.register(audit(options));
  const complete = async (record: RecordWriter, { request = aRequest(), status = 200 } = {}) => {
    await select(hooks, request);
    const error = status < 400 ? undefined : new FhirError('NOT_FOUND', 'nothing', { status });
    await hooks.veto('SERVER_INTERACTION_COMPLETED', { request, status, error, record });
  };
  return { hooks, complete };
}

async function select(hooks: HookRegistry, request: RequestDetails): Promise<void> {
  const { interaction, resourceType, resourceId: id } = request;
  const selected = { partitions: [aPartition(1, 'acme')], all: false };
  await hooks.veto('STORAGE_PARTITION_SELECTED', {
    ...selected,
    request,
    target: { interaction, resourceType, id },
  });
}

/** A writer that keeps what it is given. */
function writer() {
  const written: (readonly [PartitionId, readonly Resource[]])[] = [];
  const record: RecordWriter = async (partition, resources) => void written.push([partition, resources]);
  return { written, record };
}

const failing: RecordWriter = () => Promise.reject(new Error('the disk is full'));

test('what cannot be written down is not answered', async (t) => {
  const { complete } = audited();
  await refused(t, () => complete(failing), 'AUDIT_UNAVAILABLE');
  await refused(t, () => complete(failing, { status: 404 }), 'AUDIT_UNAVAILABLE');
  await t.notThrowsAsync(complete(failing, { status: 500 }), 'what has failed already stays as it is');
});

test('it is answered where the options say so, and somebody is told what was lost', async (t) => {
  const lost: unknown[] = [];
  const onLost: AuditOptions['onLost'] = (event, error) => lost.push([event.resourceType, String(error)]);
  const { complete } = audited({ whenUnavailable: 'answered', onLost });
  await complete(failing);
  t.deepEqual(lost, [['AuditEvent', 'Error: the disk is full']]);
});

test('what an event refers to may have gone meanwhile: then it is named', async (t) => {
  const { complete } = audited();
  const tried: unknown[] = [];
  await complete(async (_partition, [event]) => {
    const entities = event?.['entity'] as readonly { readonly what: object }[];
    tried.push(entities.at(-1)?.what);
    if (tried.length === 1) throw new FhirError('REFERENCE_NOT_FOUND', 'gone');
  });
  t.deepEqual(tried, [{ reference: 'Patient/1' }, { type: 'Patient', identifier: { value: 'Patient/1' } }]);
});

test('limits and overload are not written down, nor what metadata tells', async (t) => {
  const { complete } = audited();
  const { written, record } = writer();
  await complete(record, { status: 429 });
  await complete(record, { status: 503 });
  await complete(record, { request: aRequest({ interaction: 'capabilities' }) });
  t.deepEqual(written, []);
});

test('events that wait are written together, and those of a writer that fails wait on', async (t) => {
  const { hooks, complete } = audited({ reads: { milliseconds: 60_000, atMost: 10 } });
  const { written, record } = writer();
  let isBroken = true;
  const sometimes: RecordWriter = (...args) => (isBroken ? failing(...args) : record(...args));
  for (let n = 0; n < 3; n++) await complete(sometimes);
  t.deepEqual(written, []);
  await hooks.observe('SERVER_STOPPING', {});
  t.deepEqual(written, []);
  isBroken = false;
  await hooks.observe('SERVER_STOPPING', {});
  t.deepEqual(
    written.map(([partition, resources]) => [partition, resources.length]),
    [[1, 3]],
  );
});

test('long queries are cut, and say so', async (t) => {
  const { complete } = audited();
  const { written, record } = writer();
  const parameters = [['name', 'x'.repeat(20_000)]] as const;
  const request = aRequest({
    interaction: 'search-type',
    resourceId: undefined,
    path: 'Patient',
    parameters,
  });
  await complete(record, { request });
  const event = written[0]![1][0]!;
  const [, query] = event['entity'] as readonly {
    readonly description?: string;
    readonly query?: string;
  }[];
  t.is(Buffer.from(query?.query ?? '', 'base64').length, 16_384);
  t.regex(query?.description ?? '', /^The first 16384 of \d+ characters\.$/);
});

test('what an export asks for in its body is told, and resources in bodies are not', async (t) => {
  const { complete } = audited();
  const { written, record } = writer();
  const parameter = [
    { name: '_type', valueString: 'Observation' },
    { name: 'patient', valueReference: { reference: 'Patient/1' } },
    { name: 'resource', resource: { resourceType: 'Patient', name: [{ family: 'Okafor' }] } },
    null,
  ];
  const asked = { method: 'POST', interaction: 'operation', resourceId: undefined } as const;
  for (const operation of ['$export', '$validate']) {
    const body = { resourceType: 'Parameters', parameter };
    await complete(record, {
      request: aRequest({ ...asked, path: `Patient/${operation}`, operation, body }),
    });
  }
  t.deepEqual(
    written.map(([, [event]]) => queryIn(event)),
    [
      'POST http://localhost/fhir/Patient/$export?_type=Observation&patient=Patient%2F1',
      'POST http://localhost/fhir/Patient/$validate',
    ],
  );
});

test('where the client is can be told by a proxy, and the rest stays as the token has it', async (t) => {
  const { complete } = audited({ whoOf: () => ({ address: '192.0.2.7' }) });
  const { written, record } = writer();
  await complete(record);
  const [client] = written[0]![1][0]!['agent'] as readonly {
    readonly network?: { readonly address: string };
  }[];
  t.is(client?.network?.address, '192.0.2.7');
});

function queryIn(event: Resource | undefined): string {
  const entities = event?.['entity'] as readonly { readonly query?: string }[] | undefined;
  const query = entities?.find((entity) => entity.query !== undefined)?.query ?? '';
  return Buffer.from(query, 'base64').toString();
}

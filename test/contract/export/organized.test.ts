import test from 'ava';
import type { Bundle, Parameters, Resource } from 'fhir/r4.js';
import type { FhirClient } from '../support/fhir-client.js';
import {
  ended,
  kickOff,
  locationOf,
  type Manifest,
  observationOf,
  openExportServer,
  patientOf,
  store,
} from './fixtures.js';

interface OrganizedManifest extends Manifest {
  readonly outputOrganizedBy: string;
}

interface OrganizedItem {
  readonly type?: string;
  readonly url: string;
  readonly count: number;
  readonly continuesInFile?: string;
}

/** A block of one file: whose it is, and what is in it. */
interface Block {
  readonly patient: string;
  readonly resources: string[];
}

async function organized(client: FhirClient, path: string): Promise<OrganizedManifest> {
  const { status, body } = await ended(client, locationOf(await kickOff(client, path)));
  if (status !== 200) throw new Error(`the export ended with ${status}`);
  return body as OrganizedManifest;
}

async function blocksOf(client: FhirClient, { url, count, type }: OrganizedItem): Promise<readonly Block[]> {
  const lines = (await client.get(url)).text.trimEnd().split('\n');
  const blocks: Block[] = [];
  for (const line of lines.map((text) => JSON.parse(text) as Resource)) {
    const [header] = line.resourceType === 'Parameters' ? ((line as Parameters).parameter ?? []) : [];
    if (header) blocks.push({ patient: header.valueReference?.reference ?? '', resources: [] });
    else blocks.at(-1)!.resources.push(`${line.resourceType}/${line.id}`);
  }
  const resources = blocks.reduce((sum, block) => sum + block.resources.length, 0);
  if (resources !== count || type !== undefined) throw new Error('the manifest is wrong');
  return blocks;
}

const { server, acme, beta } = await openExportServer();
test.after.always(() => server.stop());
test.before(async () => {
  const link = [{ other: { reference: 'Patient/a' }, type: 'seealso' }];
  await store(acme, patientOf('a'), patientOf('b', { link }), {
    resourceType: 'Organization',
    id: 'o',
    name: 'o',
  });
  const performer = [{ reference: 'Patient/b' }];
  await store(
    acme,
    observationOf('oa', 'a'),
    observationOf('both', 'a', { performer }),
    observationOf('ob', 'b'),
  );
  const target = [{ reference: 'Observation/ob' }];
  const agent = [{ who: { display: 'x' } }];
  await store(acme, { resourceType: 'Provenance', id: 'p', recorded: '2026-01-01T00:00:00Z', target, agent });
});

test('output by patients has a block for each, with what belongs to it', async (t) => {
  const manifest = await organized(acme, '$export?organizeOutputBy=Patient');
  t.is(manifest.outputOrganizedBy, 'Patient');
  t.is(manifest.output.length, 1);
  const blocks = await blocksOf(acme, manifest.output[0]!);
  t.deepEqual(
    blocks.map(({ patient, resources: [first, ...rest] }) => [patient, first, ...rest.toSorted()]),
    [
      ['Patient/a', 'Patient/a', 'Observation/both', 'Observation/oa'],
      ['Patient/b', 'Patient/b', 'Observation/both', 'Observation/ob', 'Provenance/p'],
    ],
  );
});

test('a block is there also where its patient is not asked for', async (t) => {
  const { output } = await organized(
    acme,
    'Patient/$export?organizeOutputBy=Patient&_typeFilter=Observation?_id=oa&_type=Observation',
  );
  t.deepEqual(await blocksOf(acme, output[0]!), [{ patient: 'Patient/a', resources: ['Observation/oa'] }]);
});

test('deletions come apart, as they do otherwise', async (t) => {
  await store(beta, patientOf('a'), observationOf('gone', 'a'), observationOf('stays', 'a'));
  const first = await organized(beta, '$export?organizeOutputBy=Patient');
  await beta.delete('Observation/gone');
  const since = encodeURIComponent(first.transactionTime);
  const { output, deleted } = await organized(
    beta,
    `Patient/$export?organizeOutputBy=Patient&_since=${since}`,
  );
  t.deepEqual(output, []);
  const bundle = JSON.parse((await beta.get(deleted[0]!.url)).text) as Bundle;
  t.deepEqual(
    bundle.entry?.map(({ request }) => request?.url),
    ['Observation/gone'],
  );
});

test('a block that goes on in another file has its header there too, and the manifest says so', async (t) => {
  const small = await openExportServer({ settings: { exportFileBytes: 1500 } });
  t.teardown(() => small.server.stop());
  const expected: string[] = [];
  for (const patient of ['a', 'b', 'c']) {
    await store(small.acme, patientOf(patient));
    expected.push(`Patient/${patient} Patient/${patient}`);
    for (let at = 0; at < 12; at++) {
      await store(
        small.acme,
        observationOf(`${patient}${at}`, patient, { note: [{ text: 'x'.repeat(100) }] }),
      );
      expected.push(`Patient/${patient} Observation/${patient}${at}`);
    }
  }
  const { output } = await organized(small.acme, '$export?organizeOutputBy=Patient');
  const items: readonly OrganizedItem[] = output;
  t.true(items.length > 5);
  const found: string[] = [];
  for (const [at, item] of items.entries()) {
    const blocks = await blocksOf(small.acme, item);
    found.push(...blocks.flatMap(({ patient, resources }) => resources.map((one) => `${patient} ${one}`)));
    const following = items[at + 1];
    if (following === undefined) t.is(item.continuesInFile, undefined);
    else {
      const [next] = await blocksOf(small.acme, following);
      const goesOn = next?.patient === blocks.at(-1)?.patient;
      t.is(item.continuesInFile, goesOn ? following.url : undefined);
    }
  }
  t.deepEqual(found.toSorted(), expected.toSorted());
  t.true(items.some(({ continuesInFile }) => continuesInFile !== undefined));
});

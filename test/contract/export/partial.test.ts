import { setTimeout as pause } from 'node:timers/promises';
import test from 'ava';
import type { Answer } from '../support/fhir-client.js';
import type { Resource } from 'fhir/r4.js';
import {
  exported,
  kickOff,
  linesOf,
  locationOf,
  type Manifest,
  openExportServer,
  patientOf,
  store,
} from './fixtures.js';

const IDS = Array.from({ length: 40 }, (_, at) => `p${at}`);

interface Page extends Manifest {
  readonly link?: readonly { readonly relation: string; readonly url: string }[];
}

test('files can be read before an export is complete, and what was told of them stays', async (t) => {
  const slow = { STORAGE_BULK_EXPORT_RESOURCE_INCLUSION: () => pause(10).then(() => undefined) };
  const { server, acme } = await openExportServer({
    settings: { exportFileBytes: 1024 },
    interceptors: [{ name: 'slow', order: 0, hooks: slow }],
  });
  t.teardown(() => server.stop());
  await store(acme, ...IDS.map((id) => patientOf(id, { name: [{ family: 'x'.repeat(100) }] })));
  const location = locationOf(await kickOff(acme, '$export?allowPartialManifests=true'));
  const seen = new Map<string, Page>();
  const read: string[] = [];
  let early = 0;
  for (let url: string | undefined = location; url !== undefined;) {
    const { status, body, headers }: Answer<Page | undefined> = await acme.get<Page | undefined>(url);
    t.true(status === 200 || status === 202, String(status));
    if (body !== undefined && !seen.has(url)) {
      t.is(headers.get('content-type'), 'application/json');
      seen.set(url, body);
      if (status === 202) early += 1;
      read.push(...(await linesOf<Resource>(acme, body.output)).map(({ id }) => id ?? ''));
    }
    if (body !== undefined) t.deepEqual({ ...body, link: [] }, { ...seen.get(url)!, link: [] });
    const next: string | undefined = body?.link?.find(({ relation }) => relation === 'next')?.url;
    if (next === undefined && status === 200) break;
    url = next ?? url;
    await pause(400);
  }
  t.true(early > 0, 'a part was there before the end');
  t.true(seen.size > 2);
  t.deepEqual(read.toSorted(), IDS.toSorted());
  t.is((await acme.get(`${location}&page=9999`)).status, 404);
});

test('who does not ask for parts gets one manifest', async (t) => {
  const { server, acme } = await openExportServer({ settings: { exportFileBytes: 1024 } });
  t.teardown(() => server.stop());
  await store(acme, ...IDS.map((id) => patientOf(id, { name: [{ family: 'x'.repeat(100) }] })));
  const { output, manifest } = await exported(acme, '$export');
  t.is(output.length, IDS.length);
  t.false('link' in manifest);
});

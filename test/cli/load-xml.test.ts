import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import test from 'ava';
import { writeXml } from '../../src/fhir/xml/write.js';
import { patientBundle, writeSamples } from '../support/sample-bundles.js';
import { createWorkplace, get } from './fixtures.js';

test('XML is loaded as the same in JSON is, packed or not', async (t) => {
  const { run, folder, serve } = await createWorkplace(t);
  await writeSamples(join(folder, 'samples'), 1);
  t.is((await run('load', 'samples')).exit, 0);
  const bundle = patientBundle(2);
  await writeFile(join(folder, 'patient.xml'), writeXml(bundle));
  await writeFile(
    join(folder, 'organization.xml.gz'),
    gzipSync('<Organization xmlns="http://hl7.org/fhir"><id value="o"/><name value="Ward"/></Organization>'),
  );
  await writeFile(join(folder, 'price.XML'), PRICE);
  const { exit, out } = await run('load', 'patient.xml', 'organization.xml.gz', 'price.XML');
  t.is(exit, 0, out);
  t.regex(out, new RegExp(`: ${(bundle.entry?.length ?? 0) + 2} created, 0 updated, 0 unchanged\\.$`, 'm'));
  await writeFile(join(folder, 'patient.json'), JSON.stringify(bundle));
  const again = await run('load', 'patient.json');
  t.regex(again.out, /: 0 created, 0 updated, \d+ unchanged\.$/m);
  const base = await serve();
  t.like(await get(`${base}/Organization/o`), { name: 'Ward' });
  const stored = await fetch(`${base}/Observation/price`);
  t.true((await stored.text()).includes('"value":1.50'));
});

const PRICE = `<?xml version="1.0" encoding="UTF-8"?>
<Observation xmlns="http://hl7.org/fhir">
  <id value="price"/>
  <status value="final"/>
  <code><text value="price"/></code>
  <valueQuantity><value value="1.50"/></valueQuantity>
</Observation>`;

test('what is wrong with XML is told with its place, and the other files are loaded', async (t) => {
  const { run, folder } = await createWorkplace(t);
  await writeFile(join(folder, 'cut.xml'), '<Patient xmlns="http://hl7.org/fhir">\n<id value="a"/>');
  await writeFile(join(folder, 'evil.xml'), '<!DOCTYPE Patient [<!ENTITY a "b">]><Patient/>');
  await writeFile(join(folder, 'price.xml'), PRICE);
  const { exit, out, err } = await run('load', '.');
  t.not(exit, 0);
  t.regex(out + err, /1 created/);
  t.regex(out + err, /Line 2, column 15: unclosed tag: Patient\.\n {4}cut\.xml$/m);
  t.regex(out + err, /document type declaration.*\n {4}evil\.xml$/m);
});

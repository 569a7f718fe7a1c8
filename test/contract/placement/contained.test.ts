import test from 'ava';
import { matchesOf, namesOf, pagesOf } from '../search/pages.js';
import { createPlaced, openServer, OWN_PLACEMENTS } from './fixtures.js';

for (const placement of OWN_PLACEMENTS) {
  test(`${placement}: contained resources of all homes are one list, page by page`, async (t) => {
    const { root } = await openServer(t, { settings: { pageLinkSecret: 'x'.repeat(32) } });
    for (const [name, where] of [
      ['a', 'shared'],
      ['b', placement],
    ] as const) {
      const client = await createPlaced(t, root, name, where);
      for (const id of ['1', '2']) {
        const { status, text } = await client.put(`MedicationStatement/${name}${id}`, {
          resourceType: 'MedicationStatement',
          id: `${name}${id}`,
          status: 'active',
          subject: { display: 'Somebody' },
          medicationReference: { reference: '#m1' },
          contained: ['m1', 'm2', 'm3'].map((m) => ({ resourceType: 'Medication', id: m, status: 'active' })),
        });
        t.is(status, 201, text);
      }
    }
    const all = root.tenant('_ALL');
    const query = 'Medication?status=active&_contained=true&_containedType=contained';
    const expected = Array.from({ length: 4 }, () =>
      ['m1', 'm2', 'm3'].map((id) => `Medication/${id}`),
    ).flat();
    for (const count of [1, 5, 100]) {
      const pages = await pagesOf(all, `${query}&_count=${count}&_total=accurate`);
      t.deepEqual(namesOf(matchesOf(pages)), expected, `${count}`);
      t.is(pages[0]?.total, expected.length);
    }
    const found = matchesOf(await pagesOf(all, 'MedicationStatement?medication.status=active&_count=3'));
    t.deepEqual(found.map(({ id }) => id).toSorted(), ['a1', 'a2', 'b1', 'b2']);
  });
}

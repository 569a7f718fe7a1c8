import test from 'ava';
import { READS, READS_OF_TYPES, SEARCHES } from '../../../src/isolation/foreign-reads.js';
import { CREATING, WRITES } from '../../../src/isolation/foreign-writes.js';
import { visible } from '../../../src/isolation/heard.js';
import {
  assertNothingOf,
  FOREIGN_ID,
  furtherForeignResources,
  openSeededWorld,
  store,
  UNUSED_ID,
  wholeHistory,
  type World,
} from './fixtures.js';

let world: World;

test.before(async () => {
  world = await openSeededWorld();
  await store(world.beta, ...furtherForeignResources(world.beta));
});

test.after.always(() => world.server.stop());

function places({ acme, beta }: World): { readonly own: string; readonly theirs: string } {
  return { own: acme.client.base, theirs: beta.client.base };
}

for (const { name, method, path, sent } of [...READS, ...READS_OF_TYPES, ...SEARCHES, ...WRITES]) {
  test.serial(`${name} tells no foreign id from one that was never used`, async (t) => {
    const { acme, beta } = world;
    const at = places(world);
    const before = await wholeHistory(beta);
    const foreign = await acme.client.send(method, path(FOREIGN_ID), sent?.(FOREIGN_ID, at));
    const unused = await acme.client.send(method, path(UNUSED_ID), sent?.(UNUSED_ID, at));
    t.deepEqual(visible(foreign, FOREIGN_ID), visible(unused, UNUSED_ID));
    t.true(foreign.status < 500, foreign.text);
    t.false(foreign.text.includes(beta.canary));
    t.is(await wholeHistory(beta), before);
  });
}

for (const { name, method, path, sent } of [...READS, ...READS_OF_TYPES, ...SEARCHES]) {
  if (name === 'a version that nobody has') continue;
  test.serial(`${name} answers the owner otherwise, so that the attack has a target`, async (t) => {
    const { beta } = world;
    const at = places(world);
    const own = await beta.client.send(method, path(FOREIGN_ID), sent?.(FOREIGN_ID, at));
    const unused = await beta.client.send(method, path(UNUSED_ID), sent?.(UNUSED_ID, at));
    t.notDeepEqual(visible(own, FOREIGN_ID), visible(unused, UNUSED_ID));
  });
}

for (const { name, method, path, sent } of CREATING) {
  test.serial(`${name} creates what only a neighbour has`, async (t) => {
    const fresh = await openSeededWorld();
    t.teardown(() => fresh.server.stop());
    const { acme, beta } = fresh;
    const at = places(fresh);
    const before = await wholeHistory(beta);
    const foreign = await acme.client.send(method, path(FOREIGN_ID), sent?.(FOREIGN_ID, at));
    const unused = await acme.client.send(method, path(UNUSED_ID), sent?.(UNUSED_ID, at));
    t.is(foreign.status, 201);
    t.deepEqual(visible(foreign, FOREIGN_ID), visible(unused, UNUSED_ID));
    assertNothingOf(t, foreign, beta);
    t.is(await wholeHistory(beta), before);
  });
}

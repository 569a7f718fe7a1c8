import test from 'ava';
import { POINTCUTS } from '../../../src/hooks/pointcut-manual.js';
import type { BuiltInPointcuts } from '../../../src/hooks/pointcuts.js';
import { EXPORT_POINTCUTS } from './export-pointcuts.js';
import type { PointcutTest } from './fixtures.js';
import { PARTITION_POINTCUTS } from './partition-pointcuts.js';
import { RECORD_POINTCUTS } from './record-pointcuts.js';
import { SERVER_POINTCUTS } from './server-pointcuts.js';
import { STORAGE_POINTCUTS } from './storage-pointcuts.js';

/** A pointcut without a test does not compile, and fails the first test besides. */
const TESTS: Readonly<Record<keyof BuiltInPointcuts, PointcutTest>> = {
  ...SERVER_POINTCUTS,
  ...STORAGE_POINTCUTS,
  ...EXPORT_POINTCUTS,
  ...RECORD_POINTCUTS,
  ...PARTITION_POINTCUTS,
};

test('every pointcut has a test', (t) => {
  t.deepEqual(Object.keys(TESTS).toSorted(), Object.keys(POINTCUTS).toSorted());
});

for (const [name, run] of Object.entries(TESTS)) {
  test(`${name} fires in a real server and does what its manual says`, run);
}

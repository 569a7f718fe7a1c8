import test from 'ava';
import { nearestName } from '../../src/model/nearest-name.js';

const NAMES = ['family', 'given', 'gender', 'birthdate', '_lastUpdated'];

test('a slip of the pen finds the name that was meant', (t) => {
  t.is(nearestName('famly', NAMES), 'family');
  t.is(nearestName('gendre', NAMES), 'gender');
  t.is(nearestName('birth-date', NAMES), 'birthdate');
});

test('letter case does not count', (t) => {
  t.is(nearestName('_LASTUPDATED', NAMES), '_lastUpdated');
});

test('the nearest of several wins', (t) => {
  t.is(nearestName('gived', NAMES), 'given');
});

test('a name that is far from all of them has no nearest', (t) => {
  t.is(nearestName('organization', NAMES), undefined);
  t.is(nearestName('x', []), undefined);
});

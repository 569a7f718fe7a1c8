import test from 'ava';
import { planSearch } from '../../src/search/plan.js';
import { parse } from './fixtures.js';

function partsOf(type: string, query: string): number {
  const { where } = planSearch(parse(type, query));
  return where.kind === 'all' ? where.of.length : 1;
}

test('what is asked of an element that does not repeat is one condition on its row', (t) => {
  t.is(partsOf('Observation', 'date=ge2020&date=lt2021'), 1);
  t.is(partsOf('Patient', 'birthdate=ge1980&birthdate=lt1990&birthdate=ne1985'), 1);
  t.is(partsOf('Observation', 'date=ge2020&status=final&date=lt2021'), 2);
});

test('alternatives, absence and elements that repeat are asked for one by one', (t) => {
  t.is(partsOf('Observation', 'date=ge2020,lt2010&date=lt2021'), 2);
  t.is(partsOf('Observation', 'date=ge2020&date:missing=false'), 2);
  t.is(partsOf('CarePlan', 'activity-date=ge2020&activity-date=lt2021'), 2);
});

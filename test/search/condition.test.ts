import test from 'ava';
import type { QueryParameter } from '../../src/model/request.js';
import { canonicalCondition } from '../../src/search/condition.js';

const canonical = (...parameters: QueryParameter[]): string => canonicalCondition(parameters);

test('the order of parameters and alternatives, and repetition, make no difference', (t) => {
  const one = canonical(['identifier', 'urn:x|1'], ['name', 'b,a']);
  t.is(canonical(['name', 'a,b,a'], ['identifier', 'urn:x|1'], ['name', 'b,a']), one);
});

test('different conditions have different texts, whatever marks they hold', (t) => {
  const texts = [
    canonical(['a', '1'], ['b', '2']),
    canonical(['a', '1&b=2']),
    canonical(['a', '1,2']),
    canonical(['a', String.raw`1\,2`]),
    canonical(['a', '1'], ['a', '2']),
    canonical(['a=1', '2']),
    canonical(['a', '=1,2']),
    canonical(['a:exact', '1']),
  ];
  t.is(new Set(texts).size, texts.length);
});

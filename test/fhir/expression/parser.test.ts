import test from 'ava';
import { searchParameterDefinitions } from '../../../src/fhir/definitions.js';
import { parseExpression } from '../../../src/fhir/expression/parser.js';
import { print, UnsupportedExpression } from '../../../src/fhir/expression/syntax.js';

test('a path is a chain of members', (t) => {
  t.deepEqual(parseExpression('Patient.name.family'), {
    kind: 'member',
    name: 'family',
    base: { kind: 'member', name: 'name', base: { kind: 'name', name: 'Patient' } },
  });
});

test('"as" binds closer than union, and union closer than comparison', (t) => {
  t.is(print(parseExpression('a as Quantity | b = c')), '(a as Quantity | b) = c');
  t.is(print(parseExpression('a.exists() and b != false or c')), '(a.exists() and (b != false)) or c');
});

test('operators of one strength group from the left', (t) => {
  t.is(print(parseExpression('a | b | c')), '(a | b) | c');
});

test('type names may carry a namespace', (t) => {
  t.is(print(parseExpression('value as FHIR.Quantity')), 'value as Quantity');
});

test('strings may hold escaped quotes', (t) => {
  t.deepEqual(parseExpression(String.raw`'it\'s'`), { kind: 'literal', value: "it's" });
  t.is(print(parseExpression(String.raw`'it\'s'`)), String.raw`'it\'s'`);
});

test('text that is no expression is refused', (t) => {
  for (const text of ['', 'a.', 'a b', '(a', 'a[x]', "'open", 'a + b', 'a ~ b', 'f(a', '| a', 'a as']) {
    t.throws(() => parseExpression(text), { instanceOf: UnsupportedExpression }, text);
  }
});

test('every official expression survives printing and parsing', (t) => {
  for (const { expression } of searchParameterDefinitions()) {
    if (expression === '') continue;
    const parsed = parseExpression(expression);
    t.deepEqual(parseExpression(print(parsed)), parsed);
  }
});

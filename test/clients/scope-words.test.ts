import test from 'ava';
import { isResourceScope, narrowScope, splitScope } from '../../src/clients/scope-words.js';

const narrow = (asked: string, granted: string): string =>
  narrowScope(splitScope(asked) ?? [], granted.split(' ')).join(' ');

test('scopes of versions 1 and 2 are understood, and what only looks like them is not', (t) => {
  for (const word of [
    'system/*.cruds',
    'user/Patient.r',
    'patient/*.read',
    'system/*.*',
    'system/Basic.rs?b=c&d=e',
  ])
    t.true(isResourceScope(word), word);
  for (const word of [
    'system/*.',
    'system/*.sr',
    'system/*.rr',
    'system/*.reads',
    'system/patient.r',
    'system/*.r?',
  ])
    t.false(isResourceScope(word), word);
  for (const word of ['system/*', 'SYSTEM/*.r', 'system/*.read?a=b', 'asystem/*.r', 'system/*.r/x', ''])
    t.false(isResourceScope(word), word);
});

test('a scope is narrowed to the letters, types and restrictions that both have', (t) => {
  t.is(narrow('system/*.rs', 'system/*.cruds'), 'system/*.rs');
  t.is(narrow('system/*.cruds', 'system/*.rs'), 'system/*.rs');
  t.is(narrow('system/*.read', 'system/*.rs'), 'system/*.read');
  t.is(narrow('system/*.*', 'system/Patient.read'), 'system/Patient.rs');
  t.is(narrow('system/Patient.write', 'system/*.cud'), 'system/Patient.write');
  t.is(narrow('system/Patient.r?a=b', 'system/Patient.rs'), 'system/Patient.r?a=b');
  t.is(narrow('system/Patient.r', 'system/Patient.rs?a=b'), 'system/Patient.r?a=b');
  t.is(narrow('system/Patient.r?c=d', 'system/Patient.rs?a=b'), 'system/Patient.r?c=d&a=b');
  t.is(narrow('system/Patient.r?a=b', 'system/Patient.rs?a=b'), 'system/Patient.r?a=b');
  t.is(narrow('system/Patient.rs', 'system/Patient.r system/Patient.s'), 'system/Patient.r system/Patient.s');
});

test('nothing is granted that is not registered', (t) => {
  t.is(narrow('user/*.rs patient/*.rs', 'system/*.cruds'), '');
  t.is(narrow('system/Patient.c', 'system/*.rs'), '');
  t.is(narrow('system/Observation.r', 'system/Patient.r'), '');
  t.is(narrow('bulkhead.admin', 'bulkhead.admi bulkhead.admin2 system/*.*'), '');
  t.is(narrow('bulkhead.admin', 'bulkhead.admin'), 'bulkhead.admin');
  t.is(narrow('system/Patient.rs system/Patient.rs', 'system/*.rs'), 'system/Patient.rs');
});

test('words have the characters that they may have', (t) => {
  t.deepEqual(splitScope(' a  b a '), ['a', 'b']);
  for (const scope of ['a"b', 'a\\b', 'a\tb', 'a\nb', 'ä']) t.is(splitScope(scope), undefined);
});

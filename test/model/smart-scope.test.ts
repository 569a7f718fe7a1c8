import test from 'ava';
import { parseSmartScope } from '../../src/model/smart-scope.js';

function lettersOf(word: string): string | undefined {
  const scope = parseSmartScope(word);
  return scope && [...scope.permissions].map((one) => one[0]).join('');
}

test('scopes of version 1 are read, write and everything', (t) => {
  t.is(lettersOf('patient/Observation.read'), 'rs');
  t.is(lettersOf('user/Observation.write'), 'cud');
  t.is(lettersOf('system/*.*'), 'cruds');
});

test('scopes of version 2 have letters in their order', (t) => {
  t.is(lettersOf('patient/Observation.rs'), 'rs');
  t.is(lettersOf('patient/Observation.cruds'), 'cruds');
  t.is(lettersOf('patient/Observation.d'), 'd');
});

test('a scope names its level, its type and its criteria', (t) => {
  const scope = parseSmartScope('patient/Observation.rs?category=http://a|b&status:not=final,draft');
  t.is(scope?.level, 'patient');
  t.is(scope?.type, 'Observation');
  t.deepEqual(scope?.criteria, [
    ['category', 'http://a|b'],
    ['status:not', 'final,draft'],
  ]);
});

test('criteria may be about what every resource has', (t) => {
  for (const name of ['_id', '_lastUpdated', '_profile', '_security', '_source', '_tag', '_tag:not'])
    t.deepEqual(parseSmartScope(`system/Patient.r?${name}=x`)?.criteria, [[name, 'x']]);
});

test('a value may have an equals sign', (t) => {
  t.deepEqual(parseSmartScope('system/Patient.r?a=b=c')?.criteria, [['a', 'b=c']]);
});

test('criteria are decoded', (t) => {
  t.deepEqual(parseSmartScope('system/Patient.r?name=%26%3D%2B')?.criteria, [['name', '&=+']]);
});

for (const word of [
  '',
  'openid',
  'launch/patient',
  'patient',
  'patient/',
  'patient/Observation',
  'patient/Observation.',
  'patient/Observation.sr',
  'patient/Observation.rr',
  'patient/Observation.rsx',
  'patient/Observation.reads',
  'patient/Observation.read ',
  ' patient/Observation.read',
  'xpatient/Observation.read',
  'patient/Observation.readx',
  'PATIENT/Observation.read',
  'patient/observation.read',
  'patient/Observation.READ',
  'patient/Obser*.read',
  'patient/**.read',
  'patient//Observation.read',
  'admin/Observation.read',
  'patient/Observation.read\n',
  'patient/Observation.rs?',
  'patient/Observation.rs?category',
  'patient/Observation.rs?category=',
  'patient/Observation.rs?=lab',
  'patient/Observation.rs?category=lab&',
  'patient/Observation.rs?category=%zz',
  'patient/Observation.rs?category=%e9',
  'patient/Observation.rs?category=%20',
  'patient/Observation.rs?%zz=lab',
  'patient/Observation.rs?%zz',
  'patient/Observation.rs?cate+gory=lab',
  'patient/Observation.rs?_has=x',
  'patient/Observation.rs?_has:x=x',
  'patient/Observation.rs?category=a+b',
  'patient/Observation.rs?subject.name=x',
  'patient/Observation.rs?_has:Observation:subject:code=x',
  'patient/Observation.rs?_filter=code eq 1',
  'patient/Observation.rs?_count=1',
  'patient/Observation.rs?_include=Observation:subject',
  'patient/Observation.rs?_list=1',
  'patient/Observation.read?category=lab',
  'patient/Observation.*?category=lab',
  'patient/Observation.cruds.rs',
]) {
  test(`'${word.replace('\n', '\\n')}' grants nothing`, (t) => t.is(parseSmartScope(word), undefined));
}

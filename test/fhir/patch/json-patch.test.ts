import test from 'ava';
import { parseJson, stringifyJson } from '../../../src/fhir/json.js';
import { applyJsonPatch } from '../../../src/fhir/patch/json-patch.js';
import { FhirError } from '../../../src/model/errors.js';
import type { Resource } from '../../../src/model/resource.js';

const SOURCE =
  '{"resourceType":"Patient","id":"a","active":true,"name":[{"family":"F","given":["a","b"]}],"a/b":{"m~n":1}}';

function patched(patch: string, source = SOURCE): string {
  const resource = deepFreeze(parseJson(source)) as Resource;
  return stringifyJson(applyJsonPatch(resource, deepFreeze(parseJson(patch))));
}

function deepFreeze(value: unknown): unknown {
  if (typeof value === 'object' && value !== null) Object.values(value).forEach(deepFreeze);
  return Object.freeze(value);
}

const results: readonly (readonly [title: string, patch: string, replaced: string, by: string])[] = [
  [
    'add sets a member',
    '[{"op":"add","path":"/gender","value":"male"}]',
    '"m~n":1}',
    '"m~n":1},"gender":"male"',
  ],
  ['add replaces a member', '[{"op":"add","path":"/active","value":false}]', 'true', 'false'],
  [
    'add inserts into a list',
    '[{"op":"add","path":"/name/0/given/1","value":"x"}]',
    '"a","b"',
    '"a","x","b"',
  ],
  [
    'add at the length appends',
    '[{"op":"add","path":"/name/0/given/2","value":"x"}]',
    '"a","b"',
    '"a","b","x"',
  ],
  ['add at - appends', '[{"op":"add","path":"/name/0/given/-","value":"x"}]', '"a","b"', '"a","b","x"'],
  ['remove takes a member away', '[{"op":"remove","path":"/active"}]', '"active":true,', ''],
  ['remove takes an item away', '[{"op":"remove","path":"/name/0/given/0"}]', '"a","b"', '"b"'],
  [
    'an emptied list is gone',
    '[{"op":"remove","path":"/name/0"}]',
    '"name":[{"family":"F","given":["a","b"]}],',
    '',
  ],
  ['replace changes a value', '[{"op":"replace","path":"/name/0/family","value":null}]', '"F"', 'null'],
  ['replace changes an item', '[{"op":"replace","path":"/name/0/given/1","value":"c"}]', '"b"', '"c"'],
  ['pointers are unescaped', '[{"op":"replace","path":"/a~1b/m~0n","value":2}]', '"m~n":1', '"m~n":2'],
  ['move moves', '[{"op":"move","from":"/name/0/given/0","path":"/name/0/given/1"}]', '"a","b"', '"b","a"'],
  [
    'copy copies',
    '[{"op":"copy","from":"/name/0/family","path":"/name/0/given/0"}]',
    '"a","b"',
    '"F","a","b"',
  ],
  [
    'a test that holds changes nothing',
    '[{"op":"test","path":"/name/0","value":{"given":["a","b"],"family":"F"}}]',
    '',
    '',
  ],
  ['a test of the whole resource is possible', `[{"op":"test","path":"","value":${SOURCE}}]`, '', ''],
  [
    'the resource can be replaced by another version',
    `[{"op":"replace","path":"","value":${SOURCE}}]`,
    '',
    '',
  ],
  ['an empty patch changes nothing', '[]', '', ''],
];

for (const [title, patch, replaced, by] of results) {
  test(title, (t) => t.is(patched(patch), SOURCE.replace(replaced, by)));
}

const errors: readonly (readonly [title: string, patch: string, status: number, message: RegExp])[] = [
  ['a patch that is no array is malformed', '{}', 400, /array of operations/],
  ['an operation that is no object is malformed', '[1]', 400, /operation 0 is not an object/],
  ['an unknown operation is malformed', '[{"op":"x","path":"/a"}]', 400, /must be add, remove/],
  ['an operation without path is malformed', '[{"op":"remove"}]', 400, /path of operation 0/],
  ['a path without slash is malformed', '[{"op":"remove","path":"active"}]', 400, /not a JSON Pointer/],
  ['a path with a bad escape is malformed', '[{"op":"remove","path":"/a~2"}]', 400, /not a JSON Pointer/],
  ['add needs a value', '[{"op":"add","path":"/a"}]', 400, /has no value/],
  ['move needs from', '[{"op":"move","path":"/a"}]', 400, /from of operation 0/],
  ['a value cannot move into itself', '[{"op":"move","from":"/name","path":"/name/0"}]', 400, /into itself/],
  ['__proto__ is refused in paths', '[{"op":"add","path":"/__proto__/x","value":1}]', 400, /__proto__/],
  ['__proto__ is refused as a name', '[{"op":"add","path":"/__proto__","value":{"x":1}}]', 400, /__proto__/],
  ['the resource cannot be removed', '[{"op":"remove","path":""}]', 400, /whole resource/],
  ['inherited members are not found', '[{"op":"remove","path":"/constructor/prototype"}]', 422, /nothing at/],
  [
    'the length of a list is no member',
    '[{"op":"replace","path":"/name/length","value":9}]',
    422,
    /nothing at/,
  ],
  ['remove needs something there', '[{"op":"remove","path":"/birthDate"}]', 422, /nothing at "\/birthDate"/],
  ['replace needs something there', '[{"op":"replace","path":"/birthDate","value":1}]', 422, /nothing at/],
  ['add needs the holder', '[{"op":"add","path":"/contact/0","value":1}]', 422, /nothing at/],
  ['add does not reach into text', '[{"op":"add","path":"/id/x","value":1}]', 422, /nothing at/],
  ['an index cannot lie beyond the list', '[{"op":"add","path":"/name/2","value":{}}]', 422, /nothing at/],
  ['an index has no leading zero', '[{"op":"remove","path":"/name/00"}]', 422, /nothing at/],
  ['- is no item', '[{"op":"remove","path":"/name/-"}]', 422, /nothing at/],
  [
    'a failed test stops the patch',
    '[{"op":"test","path":"/active","value":false}]',
    422,
    /test of "\/active" failed/,
  ],
  [
    'a test tells types apart',
    '[{"op":"test","path":"/name","value":{"0":{"family":"F","given":["a","b"]}}}]',
    422,
    /failed/,
  ],
  ['the id cannot change', '[{"op":"replace","path":"/id","value":"b"}]', 422, /cannot change the id/],
  ['the id cannot go', '[{"op":"remove","path":"/id"}]', 422, /cannot change the id/],
  [
    'the type cannot change',
    '[{"op":"replace","path":"/resourceType","value":"Group"}]',
    422,
    /resource type/,
  ],
  ['the resource cannot become a list', '[{"op":"replace","path":"","value":[]}]', 422, /resource type/],
];

for (const [title, patch, status, message] of errors) {
  test(title, (t) => {
    const error = t.throws(() => patched(patch), { instanceOf: FhirError });
    t.is(error.status, status);
    t.regex(error.message, message);
  });
}

test('number texts of what is untouched, added, moved and copied stay, others go', (t) => {
  const source = '{"resourceType":"Observation","valueQuantity":{"value":1.00,"unit":"g"}}';
  const change = (patch: string) => patched(patch, source).replace('{"resourceType":"Observation",', '');
  t.is(
    change('[{"op":"replace","path":"/valueQuantity/unit","value":"mg"}]'),
    '"valueQuantity":{"value":1.00,"unit":"mg"}}',
  );
  t.is(
    change('[{"op":"replace","path":"/valueQuantity/value","value":1}]'),
    '"valueQuantity":{"value":1,"unit":"g"}}',
  );
  t.is(
    change('[{"op":"replace","path":"/valueQuantity/value","value":1.0}]'),
    '"valueQuantity":{"value":1.0,"unit":"g"}}',
  );
  t.is(
    change('[{"op":"add","path":"/valueQuantity","value":{"value":2.50}}]'),
    '"valueQuantity":{"value":2.50}}',
  );
  t.is(change('[{"op":"move","from":"/valueQuantity","path":"/q"}]'), '"q":{"value":1.00,"unit":"g"}}');
  t.is(
    change('[{"op":"copy","from":"/valueQuantity/value","path":"/valueQuantity/low"}]'),
    '"valueQuantity":{"value":1.00,"unit":"g","low":1.00}}',
  );
});

test('number texts of a patch enter a resource that had none', (t) => {
  const source = '{"resourceType":"Observation"}';
  t.is(
    patched('[{"op":"add","path":"/q","value":{"value":1.00}}]', source),
    '{"resourceType":"Observation","q":{"value":1.00}}',
  );
  t.is(patched('[{"op":"add","path":"/v","value":1e2}]', source), '{"resourceType":"Observation","v":1e2}');
});

test('a test compares numbers by value', (t) => {
  t.notThrows(() => patched('[{"op":"test","path":"/v","value":1.00}]', '{"resourceType":"Basic","v":1.0}'));
});

test('copies that double a resource again and again are refused', (t) => {
  const double = Array.from({ length: 60 }, () => '{"op":"copy","from":"/name","path":"/name/-"}');
  const error = t.throws(() => patched(`[${double.join(',')}]`), { instanceOf: FhirError });
  t.is(error.code, 'LIMIT_EXCEEDED');
});

test('a patch cannot nest a resource deeper than it could be sent', (t) => {
  const wrap = Array.from(
    { length: 70 },
    (_, i) =>
      `{"op":"move","from":"/x${i}","path":"/y"},{"op":"add","path":"/x${i + 1}","value":{}},{"op":"move","from":"/y","path":"/x${i + 1}/z"}`,
  );
  const error = t.throws(() => patched(`[{"op":"add","path":"/x0","value":{"v":1}},${wrap.join(',')}]`), {
    instanceOf: FhirError,
  });
  t.is(error.code, 'LIMIT_EXCEEDED');
});

test('nothing pollutes Object.prototype', (t) => {
  for (const path of ['/__proto__/p', '/constructor/prototype/p', '/name/__proto__/p']) {
    t.throws(() => applyJsonPatch({ resourceType: 'Patient', name: [] }, [{ op: 'add', path, value: 1 }]));
  }
  t.is(({} as Record<string, unknown>).p, undefined);
});

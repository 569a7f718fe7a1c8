import test from 'ava';
import { parseJson, stringifyJson } from '../../src/fhir/json.js';
import { metaAdd, metaDelete, withServerMeta } from '../../src/fhir/meta.js';
import type { Resource } from '../../src/model/resource.js';

const stamp = { id: 'a', version: 2, updated: Date.UTC(2020, 0, 2, 3, 4, 5, 6) };

test('the stored resource begins with type, id and meta, and keeps number texts', (t) => {
  const source =
    '{"valueQuantity":{"value":1.00},"meta":{"tag":[{"code":"x"}],"versionId":"99","lastUpdated":"1999-01-01T00:00:00Z"},' +
    '"id":"client","resourceType":"Observation","status":"final"}';
  t.is(
    stringifyJson(withServerMeta(parseJson(source) as Resource, stamp)),
    '{"resourceType":"Observation","id":"a","meta":{"versionId":"2","lastUpdated":"2020-01-02T03:04:05.006Z","tag":[{"code":"x"}]},' +
      '"valueQuantity":{"value":1.00},"status":"final"}',
  );
});

test('a resource without id and meta gets both, and is not changed itself', (t) => {
  const resource = Object.freeze({ resourceType: 'Patient', active: true });
  t.is(
    JSON.stringify(withServerMeta(resource, stamp)),
    '{"resourceType":"Patient","id":"a","meta":{"versionId":"2","lastUpdated":"2020-01-02T03:04:05.006Z"},"active":true}',
  );
});

const meta = {
  versionId: '1',
  profile: ['p1', 'p2'],
  tag: [{ system: 's', code: 'a', display: 'A' }, { code: 'a' }],
};

test('$meta-add adds each label once, by system and code', (t) => {
  const added = {
    profile: ['p2', 'p3'],
    tag: [{ system: 's', code: 'a' }],
    security: [{ system: 's', code: 'R' }],
  };
  t.deepEqual(metaAdd(meta, added), {
    versionId: '1',
    profile: ['p1', 'p2', 'p3'],
    security: [{ system: 's', code: 'R' }],
    tag: meta.tag,
  });
  t.deepEqual(metaAdd({}, {}), {});
});

test('$meta-delete takes labels away and passes over others', (t) => {
  const removed = {
    profile: ['p1', 'p9'],
    tag: [{ system: 's', code: 'a', version: '2' }],
    security: [{ code: 'R' }],
  };
  t.deepEqual(metaDelete(meta, removed), { versionId: '1', profile: ['p2'], tag: [{ code: 'a' }] });
  t.deepEqual(metaDelete(meta, { profile: ['p1', 'p2'], tag: meta.tag }), { versionId: '1' });
});

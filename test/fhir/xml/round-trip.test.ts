import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { gunzipSync } from 'node:zlib';
import test from 'ava';
import { DEFAULT_JSON_LIMITS, parseJson, stringifyJson } from '../../../src/fhir/json.js';
import { RESOURCE_TYPES } from '../../../src/fhir/r4/resource-types.js';
import { searchParameterResources } from '../../../src/fhir/definitions.js';
import { parseXml } from '../../../src/fhir/xml/parse.js';
import { writeXml } from '../../../src/fhir/xml/write.js';
import { Random } from '../../contract/search/random.js';
import { generateResource } from '../../oracle/generated-resources.js';
import { patientBundle } from '../../support/sample-bundles.js';
import { canonical } from './canonical.js';
import { enrich } from './enriched.js';

const SYNTHEA = resolve('..', 'shared', 'data', 'synthea');
const random = new Random(146);

/** What is wrong with the way from JSON to XML and back, and from there to XML again. */
function fault(resource: object): string | undefined {
  const json = parseJson(stringifyJson(resource)) as object;
  const xml = writeXml(json);
  const back = parseXml(xml, DEFAULT_JSON_LIMITS) as object;
  if (canonical(back) !== canonical(json)) return `${canonical(json)}\n${xml}\n${canonical(back)}`;
  return writeXml(back) === xml ? undefined : `${xml}\n${writeXml(back)}`;
}

test('generated resources of all 146 types are the same after JSON, XML and JSON again', (t) => {
  t.is(RESOURCE_TYPES.size, 146);
  const wrong = [...RESOURCE_TYPES].flatMap((type) =>
    [1, 2, 5].flatMap((rarity) => {
      const generation = { random, rarity, targets: RESOURCE_TYPES, ids: ['1'] };
      return fault(generateResource(type, 'a.b-1', generation)) ?? [];
    }),
  );
  t.deepEqual(wrong, []);
});

test('so are they with extensions, ids, contained resources, narrative and long decimals everywhere', (t) => {
  const wrong = [...RESOURCE_TYPES].flatMap((type) => {
    const generation = { random, rarity: 2, targets: RESOURCE_TYPES, ids: ['1'] };
    return fault(enrich(generateResource(type, '1', generation), random)) ?? [];
  });
  t.deepEqual(wrong, []);
});

test('XML for people reads back as the same resource', (t) => {
  for (const type of ['Patient', 'Observation', 'Bundle', 'StructureDefinition', 'Questionnaire']) {
    const generation = { random, rarity: 1, targets: RESOURCE_TYPES, ids: ['1'] };
    const json = enrich(generateResource(type, '1', generation), random);
    const pretty = writeXml(json, { pretty: true });
    t.is(canonical(parseXml(pretty, DEFAULT_JSON_LIMITS)), canonical(json));
    t.true(pretty.split('\n').length > 20);
  }
});

test("R4's own search parameters survive, narrative and all", (t) => {
  const parameters = searchParameterResources();
  t.true(parameters.length > 1000);
  t.deepEqual(
    parameters.slice(0, 200).flatMap((resource) => fault(resource) ?? []),
    [],
  );
});

test('bundles of patients survive', (t) => {
  t.is(fault(patientBundle(1)), undefined);
});

const withSynthea = existsSync(SYNTHEA) ? test : test.skip;

withSynthea('Synthea bundles survive', (t) => {
  const files = readdirSync(SYNTHEA).filter((name) => name.endsWith('.json.gz'));
  for (const name of files.slice(0, 3)) {
    const bundle = JSON.parse(gunzipSync(readFileSync(join(SYNTHEA, name))).toString('utf8')) as object;
    t.is(fault(bundle), undefined, name);
  }
});

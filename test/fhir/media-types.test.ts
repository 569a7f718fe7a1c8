import test from 'ava';
import { binaryFormat, isBinaryResource, negotiateFormat } from '../../src/fhir/media-types.js';
import { FhirError } from '../../src/model/errors.js';

test('the format with the higher quality is chosen, and the one that is named before one that is let pass', (t) => {
  for (const [accept, format] of [
    [undefined, undefined],
    ['*/*', undefined],
    ['application/*', undefined],
    ['application/fhir+json', 'json'],
    ['application/fhir+xml', 'xml'],
    ['text/xml', 'xml'],
    ['APPLICATION/XML', 'xml'],
    ['application/fhir+xml; charset=utf-8; fhirVersion=4.0', 'xml'],
    ['application/fhir+xml, application/fhir+json;q=0.5', 'xml'],
    ['application/fhir+xml;q=0.5, application/fhir+json', 'json'],
    ['application/fhir+xml;q=0.001, application/fhir+json;q=0', 'xml'],
    ['application/fhir+xml, application/fhir+json', undefined],
    ['application/fhir+xml, */*', 'xml'],
    ['application/fhir+xml;q=0.5, */*', 'json'],
    ['application/fhir+json;q=0, */*', 'xml'],
    ['text/html, application/xhtml+xml, application/xml;q=0.9, */*;q=0.8', 'json'],
    ['application/fhir+json;fhirVersion=5.0, application/fhir+xml;fhirVersion=4.0', 'xml'],
  ] as const)
    t.is(negotiateFormat(accept, []), format, accept);
});

test('what leaves no room for either is not acceptable', (t) => {
  for (const accept of [
    'text/turtle',
    'application/fhir+xml;q=0',
    'application/fhir+xml;fhirVersion=3.0',
    '*/*;q=0',
  ])
    t.throws(() => negotiateFormat(accept, []), { instanceOf: FhirError }, accept);
});

test('_format beats Accept, with a plus sign or what has become of it', (t) => {
  for (const format of ['xml', 'text/xml', 'application/xml', 'application/fhir+xml', 'application/fhir xml'])
    t.is(negotiateFormat('application/fhir+json', [['_format', format]]), 'xml', format);
  t.is(
    negotiateFormat('application/fhir+xml', [['_format', 'application/fhir+json; charset=utf-8']]),
    'json',
  );
  t.throws(() => negotiateFormat('*/*', [['_format', 'xhtml']]), { instanceOf: FhirError });
});

test('of a Binary XML may be the content', (t) => {
  for (const accept of [undefined, '*/*', 'application/xml', 'text/xml', 'image/png', 'text/html'])
    t.is(binaryFormat(accept, []), undefined, accept);
  t.is(binaryFormat('application/fhir+xml', []), 'xml');
  t.is(binaryFormat('application/fhir+json', []), 'json');
  t.is(binaryFormat('application/json, image/png', []), 'json');
  t.is(binaryFormat('image/png', [['_format', 'xml']]), 'xml');
  t.true(isBinaryResource('application/fhir+xml; charset=utf-8'));
  t.true(isBinaryResource('application/json'));
  t.true(isBinaryResource(undefined));
  for (const type of ['application/xml', 'text/xml', 'text/json', 'application/pdf'])
    t.false(isBinaryResource(type), type);
});

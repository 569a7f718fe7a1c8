import { structureDefinitions } from '../../../src/fhir/definitions.js';
import { childrenAt, placeOf } from '../../../src/fhir/element-children.js';
import { isPrimitive } from '../../../src/fhir/validate/primitives.js';
import type { Random } from '../../contract/search/random.js';

type Members = Record<string, unknown>;

const EXTENSIONS = [
  [{ url: 'urn:x', valueDecimal: 0.1 }],
  [{ url: 'urn:y', extension: [{ url: 'inner', valueString: ' two  spaces\n and "quotes" & <tags>\t' }] }],
  [{ id: 'e1', url: 'urn:z', _valueCode: { extension: [{ url: 'urn:none', valueBoolean: false }] } }],
];
const NARRATIVE = {
  status: 'additional',
  div: '<div xmlns="http://www.w3.org/1999/xhtml" title=\'a "b"\'>\r\n  <p>1 &lt; 2 &amp; 3\u00a0😀<br/></p><!-- a --></div>',
};
const CONTAINED = [
  { resourceType: 'Patient', id: 'p', name: [{ given: ['Ä', '日本'] }] },
  {
    resourceType: 'Observation',
    id: 'o',
    status: 'final',
    code: { text: 'x' },
    component: [{ code: { text: 'y' } }],
  },
];

/** A copy with what every resource may have besides its own elements, at random places. */
export function enrich<Value extends object>(resource: Value, random: Random): Value {
  const { resourceType } = resource as { readonly resourceType?: string };
  const copy = enrichMembers(resource, String(resourceType), random);
  const isDomain = structureDefinitions().get(String(resourceType))?.base === 'DomainResource';
  const extra = isDomain ? { text: NARRATIVE, contained: CONTAINED, extension: EXTENSIONS[0] } : {};
  return { ...copy, ...extra } as Value;
}

function enrichMembers(members: object, place: string, random: Random): Members {
  const copy: Members = {};
  for (const [name, value] of Object.entries(members)) {
    const child = childrenAt(place).get(name);
    copy[name] =
      child === undefined ? value : mapItems(value, (item) => enrichItem(item, placeOf(child, item), random));
    if (child === undefined || !isPrimitive(child.type) || !random.once(3)) continue;
    if (name === 'id' || (place === 'Extension' && name === 'url')) continue;
    const extra = { id: 'i', extension: random.pick(EXTENSIONS) };
    copy[`_${name}`] = Array.isArray(value) ? value.map((_, index) => (index === 0 ? extra : null)) : extra;
  }
  return copy;
}

function enrichItem(item: unknown, place: string, random: Random): unknown {
  if (typeof item !== 'object' || item === null) return item;
  const copy = enrichMembers(item, place, random);
  if (structureDefinitions().get(place)?.kind === 'resource' || !random.once(3)) return copy;
  return place === 'Extension'
    ? { id: 'x', ...copy }
    : { id: 'x', ...copy, extension: random.pick(EXTENSIONS) };
}

function mapItems(value: unknown, change: (item: unknown) => unknown): unknown {
  return Array.isArray(value) ? value.map(change) : change(value);
}

import { empty, isObject, notAList, unknownElement, type Check } from './checks.js';
import type { Findings } from './findings.js';

/**
 * The `_name` properties that carry id and extensions of primitive values
 * (https://hl7.org/fhir/R4/json.html#primitive).
 */
export interface SiblingChecks {
  /** Of a single value: `_birthDate`. */
  readonly one: (sibling: unknown, value: unknown, path: string, findings: Findings) => void;
  /** Of a list: `_given`, as long as the list of values, with null where there is nothing to say. */
  readonly list: (siblings: unknown, values: unknown, path: string, findings: Findings) => void;
}

/** `extension` gives the check of an Extension. */
export function siblingChecks(extension: () => Check): SiblingChecks {
  const one: SiblingChecks['one'] = (sibling, value, path, findings) => {
    if (!isObject(sibling, path, findings)) return;
    findings.depth += 1;
    for (const [key, child] of Object.entries(sibling)) {
      if (key === 'extension') checkExtensions(child, `${path}.extension`, findings);
      else if (key !== 'id') unknownElement(key, 'Element', path, findings);
      else if (typeof child !== 'string')
        findings.error('structure', `${path}.id`, 'must be one JSON string');
    }
    findings.depth -= 1;
    if (sibling['extension'] === undefined && value === undefined) empty(path, findings);
  };
  const checkExtensions: Check = (extensions, path, findings) => {
    if (!Array.isArray(extensions) || extensions.length === 0) return notAList(extensions, path, findings);
    const check = extension();
    for (const [index, each] of extensions.entries()) check(each, `${path}[${index}]`, findings);
  };
  const list: SiblingChecks['list'] = (siblings, values, path, findings) => {
    if (!Array.isArray(siblings) || siblings.length === 0) return notAList(siblings, path, findings);
    if (Array.isArray(values) && values.length !== siblings.length) {
      findings.error(
        'structure',
        path,
        'has values and extensions in arrays of different length; fill up with null',
      );
    }
    for (const [index, sibling] of siblings.entries()) {
      const value = valueAt(values, index);
      if (sibling !== null) one(sibling, value, `${path}[${index}]`, findings);
      else if (value === undefined) empty(`${path}[${index}]`, findings);
    }
  };
  return { one, list };
}

/** Whether the value at a place that has no value has something in the sibling list: `[null, { extension }]`. */
export function hasSibling(siblings: unknown, index: number): boolean {
  const sibling: unknown = Array.isArray(siblings) ? siblings[index] : undefined;
  return sibling !== undefined && sibling !== null;
}

function valueAt(values: unknown, index: number): unknown {
  return Array.isArray(values) ? ((values as readonly unknown[])[index] ?? undefined) : undefined;
}

import { derivedPaths, type DerivedPaths } from '../fhir/extract/derived-paths.js';
import type { SearchParameter } from '../fhir/index-values.js';
import type { Condition } from '../storage/search-store.js';
import { mayHold } from './modifiers.js';
import { toRangeTests } from './plan-quantity.js';
import type { SearchValue } from './search-request.js';

/** Conditions on derived rows, any of which is as good as one on the parameter's own rows. */
export function planDerived(
  type: string,
  parameter: SearchParameter,
  values: readonly SearchValue[] | null,
): readonly Condition[] {
  const pathsOf = (name: keyof DerivedPaths): readonly string[] =>
    parameter.paths.map((path) => derivedPaths(path)[name]);
  switch (parameter.type) {
    case 'number':
    case 'quantity': {
      if (!mayHold(parameter, 'Range')) return [];
      const tests = values && values.flatMap(toRangeTests);
      return [{ kind: 'index', index: 'quantity', type, paths: pathsOf('range'), tests }];
    }
    case 'reference': {
      const tests = (values ?? [])
        .flatMap((value) => toVersion(value, parameter))
        .map((value) => ({ value }));
      return tests.length === 0
        ? []
        : [{ kind: 'index', index: 'uri', type, paths: pathsOf('version'), tests }];
    }
    case 'uri': {
      const tests = (values ?? []).flatMap(toFragment).map((value) => ({ value }));
      return tests.length === 0
        ? []
        : [{ kind: 'index', index: 'uri', type, paths: pathsOf('fragment'), tests }];
    }
    default:
      return [];
  }
}

function toVersion(value: SearchValue, { targetFilter }: SearchParameter): readonly string[] {
  if (value.kind !== 'local' || value.version === undefined) return [];
  const types = value.types.filter((type) => targetFilter === null || type === targetFilter);
  return types.map((type) => `${type}/${value.id}/_history/${value.version}`);
}

/** `_source=#id`; no other parameter has such rows, nor a whole value like it. */
function toFragment(value: SearchValue): readonly string[] {
  return value.kind === 'uri' && value.uri.startsWith('#') ? [value.uri] : [];
}

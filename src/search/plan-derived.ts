import { derivedPaths, type DerivedPaths } from '../fhir/extract/derived-paths.js';
import type { SearchParameter } from '../fhir/index-values.js';
import type { Condition, ReferenceTest } from '../storage/search-store.js';
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
    case 'reference':
      return [...planVersions(type, parameter, values), ...planEntries(type, parameter, values)];
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

function planVersions(
  type: string,
  parameter: SearchParameter,
  values: readonly SearchValue[] | null,
): readonly Condition[] {
  const tests = (values ?? []).flatMap((value) => toVersion(value, parameter)).map((value) => ({ value }));
  const paths = parameter.paths.map((path) => derivedPaths(path).version);
  return tests.length === 0 ? [] : [{ kind: 'index', index: 'uri', type, paths, tests }];
}

/** A resource within a bundle is no resource of the server: its row has no target but a name. */
function planEntries(
  type: string,
  { paths, targetFilter, valueTypes }: SearchParameter,
  values: readonly SearchValue[] | null,
): readonly Condition[] {
  if (!valueTypes.includes('Resource')) return [];
  const tests = (values ?? []).flatMap((value) =>
    value.kind === 'local' ? value.types.map((target) => toName(target, value.id)) : [],
  );
  return tests.length === 0 ? [] : [{ kind: 'index', index: 'reference', type, paths, targetFilter, tests }];
}

function toName(type: string, id: string): ReferenceTest {
  return { kind: 'url', url: `${type}/${id}`, anyVersion: false };
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

import { deflateRawSync } from 'node:zlib';
import type { ShippedEntry } from '../src/terminology/shipped.js';
import type { SourceCodeSystem, SourceValueSet } from './source-definitions.js';

/** All resources in one file, each deflated by itself, and where each stands in it. */
export interface PackedTerminology {
  readonly index: readonly ShippedEntry[];
  readonly bytes: Buffer;
}

/** What no question about codes needs. */
const LEFT_OUT: ReadonlySet<string> = new Set([
  'text',
  'meta',
  'extension',
  'identifier',
  'publisher',
  'contact',
  'copyright',
  'purpose',
  'useContext',
  'jurisdiction',
  'immutable',
  'expansion',
]);

/** Code systems and value sets as the server ships them: whole, but for what is told about them. */
export function packTerminology(
  resources: readonly (SourceCodeSystem | SourceValueSet)[],
): PackedTerminology {
  const parts = resources.map((resource) => deflateRawSync(JSON.stringify(resource, withoutRemarks)));
  let offset = 0;
  const index = resources.map(({ resourceType, url }, at): ShippedEntry => {
    const length = parts[at]?.length ?? 0;
    offset += length;
    return [resourceType, url, offset - length, length];
  });
  return { index, bytes: Buffer.concat(parts) };
}

function withoutRemarks(key: string, value: unknown): unknown {
  return LEFT_OUT.has(key) ? undefined : value;
}

import type { Resource } from '../model/resource.js';
import { addContainedRows } from './extract/contained-rows.js';
import { compileExtractor, type Extractor } from './extract/extractor.js';
import { RowCollector, type LocalUrl } from './extract/row-collector.js';
import { extractText } from './full-text.js';
import type { IndexedPath } from './indexed-path.js';
import type { IndexValues } from './index-values.js';
import type { SearchParameterRegistry } from './search-parameters.js';

/**
 * The values that a resource is found by, each row once. `toLocal` tells which absolute URLs are resources of
 * this server; without it they stay URLs. Nothing of the resource is trusted: values of the wrong shape have
 * no rows.
 */
export function extractIndexValues(
  resource: Resource,
  registry: SearchParameterRegistry,
  toLocal?: LocalUrl,
): IndexValues {
  const rows = new RowCollector(toLocal);
  extractorOf(registry, resource.resourceType)(resource, rows);
  addContainedRows(resource, rows, (type) => extractorOf(registry, type));
  const text = registry.fullText === 'on' ? extractText(resource) : null;
  if (text !== null) rows.texts.push(text);
  return rows.distinct();
}

/** A registry that follows another keeps the lists of types whose parameters are the same, and so their code. */
const extractors = new WeakMap<readonly IndexedPath[], Extractor>();

function extractorOf(registry: SearchParameterRegistry, resourceType: string): Extractor {
  const paths = registry.indexedPaths(resourceType);
  const known = extractors.get(paths);
  if (known) return known;
  const made = compileExtractor(registry.schema, resourceType, paths);
  extractors.set(paths, made);
  return made;
}

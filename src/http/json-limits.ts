import type { JsonLimits } from '../fhir/json.js';
import type { Settings } from '../settings/schema.js';

type JsonSettings = Pick<
  Settings,
  'maxJsonDepth' | 'maxJsonValues' | 'maxJsonMembers' | 'maxJsonKeyLength' | 'maxJsonNumberLength'
>;

/** The settings as the parser of JSON knows them. */
export function jsonLimitsOf(settings: JsonSettings): JsonLimits {
  return {
    maxDepth: settings.maxJsonDepth,
    maxValues: settings.maxJsonValues,
    maxMembers: settings.maxJsonMembers,
    maxKeyLength: settings.maxJsonKeyLength,
    maxNumberLength: settings.maxJsonNumberLength,
  };
}

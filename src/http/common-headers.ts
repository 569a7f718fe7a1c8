import type { Settings } from '../settings/schema.js';
import { corsHeaders, corsVary } from './cors.js';
import { REQUEST_ID_HEADER } from './request-id.js';

/** The settings that headers depend on. */
type HeaderSettings = Pick<Settings, 'corsOrigins' | 'tenantHeader' | 'partitionIdsHeader'>;

const VARY = ['Authorization', 'Accept', 'Prefer'];

/** Put together once for each server, and not with every response. */
const varies = new WeakMap<HeaderSettings, string>();

/** Headers of every response to a FHIR request; `origin` as the client has sent it. */
export function commonHeaders(
  settings: HeaderSettings,
  requestId: string,
  origin: string | undefined,
): Record<string, string> {
  return {
    [REQUEST_ID_HEADER]: requestId,
    'cache-control': 'private, no-cache',
    vary: varyOf(settings),
    'x-content-type-options': 'nosniff',
    ...corsHeaders(origin, settings.corsOrigins),
  };
}

function varyOf(settings: HeaderSettings): string {
  const known = varies.get(settings);
  if (known !== undefined) return known;
  const { tenantHeader, partitionIdsHeader, corsOrigins } = settings;
  const vary = [...VARY, tenantHeader, partitionIdsHeader, ...corsVary(corsOrigins)].join(', ');
  varies.set(settings, vary);
  return vary;
}

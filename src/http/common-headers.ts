import type { Settings } from '../settings/schema.js';
import { corsHeaders, corsVary } from './cors.js';
import { REQUEST_ID_HEADER } from './request-id.js';
import { securityHeaders } from './security-headers.js';

/** The settings that headers depend on. */
type HeaderSettings = Pick<Settings, 'corsOrigins' | 'tenantHeader' | 'partitionIdsHeader' | 'publicUrl'>;

const VARY = ['Authorization', 'Accept', 'Prefer'];

/** Put together once for each server, and not with every response. */
const fixed = new WeakMap<HeaderSettings, Readonly<Record<string, string>>>();

/** Headers of every response to a FHIR request; `origin` as the client has sent it. */
export function commonHeaders(
  settings: HeaderSettings,
  requestId: string,
  origin: string | undefined,
): Record<string, string> {
  return {
    [REQUEST_ID_HEADER]: requestId,
    ...fixedHeaders(settings),
    ...corsHeaders(origin, settings.corsOrigins),
  };
}

function fixedHeaders(settings: HeaderSettings): Readonly<Record<string, string>> {
  const known = fixed.get(settings);
  if (known !== undefined) return known;
  const { tenantHeader, partitionIdsHeader, corsOrigins } = settings;
  const vary = [...VARY, tenantHeader, partitionIdsHeader, ...corsVary(corsOrigins)].join(', ');
  const headers = { ...securityHeaders(settings), vary };
  fixed.set(settings, headers);
  return headers;
}

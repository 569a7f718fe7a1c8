import type { ServerParts } from '../interactions/server-parts.js';
import { FhirError } from '../model/errors.js';
import type { RequestDetails } from '../model/request.js';
import { parseCanonical, type Canonical } from '../terminology/canonical.js';
import type { CodeSystem } from '../terminology/code-system.js';
import { storedSubject } from './terminology-parameters.js';

/** The code system of the URL's id. @throws FhirError NOT_FOUND, GONE */
export async function storedCodeSystem(server: ServerParts, request: RequestDetails): Promise<CodeSystem> {
  const resource = await storedSubject(server, request);
  return (await server.terminology.library()).readCodeSystem(resource);
}

/** The code system with the canonical URL. @throws FhirError UNKNOWN_CODE_SYSTEM */
export async function namedCodeSystem(
  server: ServerParts,
  request: RequestDetails,
  canonical: Canonical,
): Promise<CodeSystem> {
  await server.resolver.resolveRead(request);
  const library = await server.terminology.library();
  const { url, version } = canonical.version === undefined ? parseCanonical(canonical.url) : canonical;
  const system = await library.codeSystem({ url, version });
  if (system !== undefined && system.content !== 'not-present' && system.content !== 'supplement')
    return system;
  const what = system === undefined ? 'is not at hand' : `has no concepts here (${system.content})`;
  const name = version === undefined ? url : `${url}|${version}`;
  throw new FhirError('UNKNOWN_CODE_SYSTEM', `The code system ${name.slice(0, 200)} ${what}.`);
}

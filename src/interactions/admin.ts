import { FhirError } from '../model/errors.js';
import { principalOf } from '../model/principal.js';
import type { RequestDetails } from '../model/request.js';
import type { ServerParts } from './server-parts.js';

/**
 * What concerns the whole server, or shows how it works, is for those who manage it; where nobody is told apart,
 * everybody does.
 * @throws FhirError FORBIDDEN
 */
export function assertAdmin({ settings }: Pick<ServerParts, 'settings'>, request: RequestDetails): void {
  const principal = principalOf(request);
  if (principal === undefined ? settings.auth === 'off' : principal.admin) return;
  throw adminRequired(settings.tokenAdminScope);
}

/** @returns The error for a token without the scope of those who manage the server. */
export function adminRequired(scope: string): FhirError {
  return new FhirError('FORBIDDEN', 'This is for those who manage the server.', {
    headers: { 'www-authenticate': `Bearer error="insufficient_scope", scope="${scope}"` },
  });
}

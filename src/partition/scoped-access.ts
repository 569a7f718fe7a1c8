import { accessOf, type ScopedAccess } from '../model/access.js';
import type { RequestDetails } from '../model/request.js';

/** What the maker of a request may do with what it looks up; undefined where nobody is told apart. */
export function scopedAccess(request: RequestDetails, interaction: string): ScopedAccess | undefined {
  const access = accessOf(request);
  if (access === null) return undefined;
  if (interaction === 'delete') return { access, instance: 'delete' };
  const changes = interaction === 'update' || interaction === 'patch';
  return { access, instance: changes ? 'update' : 'read' };
}

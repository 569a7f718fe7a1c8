import type { QueryParameter } from '../../model/request.js';
import { CommandError } from '../command-error.js';
import type { LocalRequest } from '../local-request.js';
import type { Flags } from '../setting-flags.js';

/** What the flags ask for, as the kick-off of a bulk export: it reads and checks them as it does those of a URL. */
export function toKickOff(flags: Flags): LocalRequest {
  const parameters: QueryParameter[] = [
    ...single(flags, 'since', '_since'),
    ...single(flags, 'until', '_until'),
    ...single(flags, 'elements', '_elements'),
    ...several(flags, 'type', (type) => ['_type', type]),
    ...several(flags, 'typeFilter', (filter) => ['_typeFilter', filter]),
    ...several(flags, 'patient', (id) => ['patient', id.startsWith('Patient/') ? id : `Patient/${id}`]),
  ];
  const headers = new Map([['prefer', ['respond-async']]]);
  return {
    method: 'POST',
    interaction: 'operation',
    operation: '$export',
    parameters,
    headers,
    ...levelOf(flags),
  };
}

function levelOf({ level, group }: Flags): Pick<LocalRequest, 'path' | 'resourceType' | 'resourceId'> {
  if (typeof group === 'string') {
    if (level === 'system') throw new CommandError('--group goes without --level system.');
    return { path: `Group/${group}/$export`, resourceType: 'Group', resourceId: group };
  }
  if (level === 'patient') return { path: 'Patient/$export', resourceType: 'Patient' };
  return { path: '$export' };
}

function single(flags: Flags, flag: string, name: string): readonly QueryParameter[] {
  const value = flags[flag];
  return typeof value === 'string' ? [[name, value]] : [];
}

function several(
  flags: Flags,
  flag: string,
  toParameter: (value: string) => QueryParameter,
): readonly QueryParameter[] {
  const values = flags[flag];
  return Array.isArray(values) ? values.map((value) => toParameter(String(value))) : [];
}

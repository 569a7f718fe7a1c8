import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import type { Registration } from '../clients/registration.js';
import { ALL_PARTITIONS_NAME, DEFAULT_PARTITION_NAME, type Partition } from '../model/partition.js';
import type { TenantGrants } from '../model/principal.js';
import type { Bulkhead } from '../running-server.js';
import { CommandError } from './command-error.js';
import { EXIT, type ExitCode } from './exit-codes.js';
import { withServer } from './open-server.js';
import { type Flags, settingsOf } from './setting-flags.js';
import { formatTable } from './table.js';
import type { Terminal } from './terminal.js';

/** `bulkhead client add --partition P --scope S --jwks FILE|--jwks-url URL [--id ID] [--name N] [--tenant T…]`. */
export async function addClient(terminal: Terminal, flags: Flags): Promise<ExitCode> {
  const registration = await toRegistration(terminal, flags);
  return manage(terminal, flags, async ({ parts }, partition) => {
    const { id, scopes } = await parts.clients.register(partition, registration);
    terminal.print(`Registered client ${id} in partition ${partition.name} for ${scopes}.`);
  });
}

/** `bulkhead client list --partition P`. */
export function listClients(terminal: Terminal, flags: Flags): Promise<ExitCode> {
  return manage(terminal, flags, async ({ parts: { clients } }, partition) => {
    const found = await clients.list(partition);
    const rows = found.map((client) => [
      client.id,
      client.name,
      client.disabled ? 'disabled' : 'enabled',
      describe(clients.tenantsOf(client)),
      client.jwksUrl ?? 'registered',
      client.scopes,
    ]);
    formatTable(['ID', 'NAME', 'STATE', 'TENANTS', 'KEYS', 'SCOPE'], rows).forEach(terminal.print);
  });
}

/** `bulkhead client disable ID --partition P`: it gets no tokens any more. */
export function disableClient(terminal: Terminal, id: string, flags: Flags): Promise<ExitCode> {
  return manage(terminal, flags, async ({ parts }, partition) => {
    await parts.clients.setDisabled(partition, id, 'disabled');
    terminal.print(`Disabled client ${id} of partition ${partition.name}.`);
  });
}

/** `bulkhead client enable ID --partition P`. */
export function enableClient(terminal: Terminal, id: string, flags: Flags): Promise<ExitCode> {
  return manage(terminal, flags, async ({ parts }, partition) => {
    await parts.clients.setDisabled(partition, id, 'enabled');
    terminal.print(`Enabled client ${id} of partition ${partition.name}.`);
  });
}

/** `bulkhead client remove ID --partition P`. */
export function removeClient(terminal: Terminal, id: string, flags: Flags): Promise<ExitCode> {
  return manage(terminal, flags, async ({ parts }, partition) => {
    await parts.clients.remove(partition, id);
    terminal.print(`Removed client ${id} of partition ${partition.name}.`);
  });
}

async function manage(
  terminal: Terminal,
  flags: Flags,
  work: (server: Bulkhead, partition: Partition) => Promise<void>,
): Promise<ExitCode> {
  const { partition: name = DEFAULT_PARTITION_NAME } = flags;
  await withServer(await settingsOf(terminal, flags), (server) =>
    work(server, server.partitions.read({ name: String(name) })),
  );
  return EXIT.ok;
}

async function toRegistration({ cwd }: Terminal, flags: Flags): Promise<Registration> {
  const { id, name, jwks, jwksUrl } = flags as Readonly<Record<string, string | undefined>>;
  const tenants = flags.tenant as readonly string[];
  return {
    scope: String(flags.scope),
    ...(id === undefined ? {} : { id }),
    ...(name === undefined ? {} : { name }),
    ...(jwks === undefined ? {} : { jwks: await readKeys(resolve(cwd, jwks)) }),
    ...(jwksUrl === undefined ? {} : { jwksUrl }),
    ...(tenants.length === 0 ? {} : { tenants }),
  };
}

async function readKeys(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8');
  } catch (cause) {
    throw new CommandError(`--jwks: ${path} cannot be read.`, { cause });
  }
}

function describe(tenants: TenantGrants): string {
  if (tenants.kind === 'all') return ALL_PARTITIONS_NAME;
  return tenants.kind === 'none' ? '' : tenants.names.join(',');
}

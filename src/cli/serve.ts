import { DEFAULT_PARTITION_ID } from '../model/partition.js';
import type { Bulkhead } from '../running-server.js';
import { CommandError } from './command-error.js';
import { EXIT, type ExitCode } from './exit-codes.js';
import { type Flags, settingsOf } from './setting-flags.js';
import { type Terminal, untilAborted } from './terminal.js';

/** `bulkhead serve`: listens until it is told to stop, then lets requests in flight finish. */
export async function serve(terminal: Terminal, flags: Flags): Promise<ExitCode> {
  const { settings } = await settingsOf(terminal, flags);
  const { createBulkhead } = await import('../server.js');
  const server = await createBulkhead({ settings });
  const stopped = terminal.stopSignal();
  const url = await listen(server);
  greeting(server, url).forEach(terminal.print);
  await untilAborted(stopped);
  await server.stop();
  return EXIT.ok;
}

async function listen(server: Bulkhead): Promise<string> {
  try {
    return (await server.start()).url;
  } catch (cause) {
    await server.stop();
    throw new CommandError(listenProblem(server, cause), { cause });
  }
}

function listenProblem({ settings: { host, port } }: Bulkhead, error: unknown): string {
  const { code, message } = error as NodeJS.ErrnoException;
  if (code === 'EADDRINUSE')
    return `Port ${port} on ${host} is in use. Choose another one: --port ${port + 1}`;
  if (code === 'EACCES') return `Port ${port} may not be listened on by this user. Choose one above 1023.`;
  if (code === 'EADDRNOTAVAIL' || code === 'ENOTFOUND') return `${host} is not an address of this machine.`;
  return `Listening on ${host}:${port} failed: ${message}`;
}

/** One line that says where the server is, and requests to try first. */
function greeting({ settings, partitions, parts }: Bulkhead, url: string): readonly string[] {
  const ready = `Bulkhead ${parts.version} is ready at ${url}`;
  const metadata = `  curl ${url}/metadata`;
  if (settings.auth === 'on') return [ready, metadata];
  if (!settings.partitioning.includes('url')) return [ready, metadata, `  curl ${url}/Patient`];
  const known = partitions.list().find(({ id }) => id !== DEFAULT_PARTITION_ID)?.name;
  const body = '{"resourceType":"Parameters","parameter":[{"name":"name","valueCode":"acme"}]}';
  const create = `  curl -H 'Content-Type: application/fhir+json' -d '${body}' '${url}/$partition-management-create-partition'`;
  return [
    ready,
    metadata,
    ...(known === undefined ? [create] : []),
    `  curl ${url}/${known ?? 'acme'}/Patient`,
  ];
}

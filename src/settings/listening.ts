import { isIPv4 } from 'node:net';
import { SettingsError } from './error.js';
import type { Settings } from './schema.js';

/** Whether only this machine can reach what listens on a host. */
export function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || (isIPv4(host) && host.startsWith('127.'));
}

/**
 * A server that asks nobody who he is does not listen where everybody can reach it, unless its settings say so.
 * @throws SettingsError
 */
export function assertMayListen({ auth, authOffAnywhere, host }: Settings): void {
  if (auth === 'on' || authOffAnywhere || isLoopback(host)) return;
  throw new SettingsError([
    `BULKHEAD_HOST: on ${host} everybody could do everything; set BULKHEAD_AUTH=on, or BULKHEAD_AUTH_OFF_ANYWHERE=true where something else keeps strangers out`,
  ]);
}

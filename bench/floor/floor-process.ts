/** The floor as a process: `node floor-process.js DATABASE_URL`. Tells its URL over the IPC channel. */
import type { AddressInfo } from 'node:net';
import { createFloorApp } from './floor-app.js';
import { PostgresFloorStore } from './postgres-floor-store.js';
import { SqliteFloorStore } from './sqlite-floor-store.js';

const [, , url = 'sqlite:floor.db'] = process.argv;
const store = url.startsWith('sqlite:')
  ? new SqliteFloorStore(url.slice('sqlite:'.length))
  : await PostgresFloorStore.open(url);
const server = createFloorApp(store).listen(0, '127.0.0.1', () => {
  const { port } = server.address() as AddressInfo;
  process.send?.({ kind: 'ready', url: `http://127.0.0.1:${port}` });
});
process.on('SIGTERM', () => process.exit(0));

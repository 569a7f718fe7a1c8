/** The floor as a process: `node floor-process.js DATABASE_FILE`. Tells its URL over the IPC channel. */
import type { AddressInfo } from 'node:net';
import { createFloorApp } from './floor-app.js';
import { FloorStore } from './floor-store.js';

const [, , file = 'floor.db'] = process.argv;
const server = createFloorApp(new FloorStore(file)).listen(0, '127.0.0.1', () => {
  const { port } = server.address() as AddressInfo;
  process.send?.({ kind: 'ready', url: `http://127.0.0.1:${port}` });
});
process.on('SIGTERM', () => process.exit(0));

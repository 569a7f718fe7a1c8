import { setTimeout as pause } from 'node:timers/promises';
import { type Bulkhead, createBulkhead } from '../../src/index.js';
import type { Settings } from '../../src/settings/schema.js';
import { freePort } from '../support/free-port.js';
import type { ProofDatabase, ProofStore } from './proof-store.js';
import { PUBLIC_URL, Talk } from './talk.js';
import { ProofIssuer } from './tokens.js';
import { type ProvenTenant, REFUSED_NAMES, type Topology } from './topology.js';
import { Wire } from './wire.js';

/** Changes every server of a world before it starts: how leaks are planted. */
export type Alteration = (bulkhead: Bulkhead, log: (line: string) => void) => void;

/** One server with the talks of its tenants, and everything that it has logged. */
export interface ProofServer {
  /** Another one after a restart. */
  readonly bulkhead: Bulkhead;
  readonly database: ProofDatabase;
  readonly talks: readonly Talk[];
  /** Of a partition that comes and goes, and is no part of the proof but by its canary. */
  readonly visitor: Talk;
  readonly lines: string[];
  /** For what is no tenant's. */
  readonly wire: Wire;
  /** Stops, and starts again on the same data. */
  restart(): Promise<void>;
  close(): Promise<void>;
}

/** Who shares a server. */
export type Cast = Pick<Topology, 'tenants' | 'visitor' | 'auth'>;

/** A server that all tenants share, and one for each of them alone. */
export interface World {
  readonly shared: ProofServer;
  /** By the number of the tenant. */
  readonly own: readonly ProofServer[];
  /** Of the operator; undefined where nobody needs one. */
  readonly operatorToken: string | undefined;
  close(): Promise<void>;
}

/** A clock that all servers of a world share: each look at it comes later than the one before. */
function tickingClock(): () => number {
  let last = 0;
  return () => (last = Math.max(last + 1, Date.now()));
}

/** Opens the servers of a topology. @throws Error where a name is registered that nobody may have */
export async function openWorld(
  store: ProofStore,
  { tenants, visitor, auth }: Cast,
  alter: Alteration = () => undefined,
): Promise<World> {
  const clock = tickingClock();
  const issuer = auth === 'on' ? await ProofIssuer.open() : undefined;
  const tokens = await Promise.all([visitor, ...tenants].map((tenant) => issuer?.tokensOf(tenant)));
  const [visitorTalks, ...talkers] = [visitor, ...tenants].map(
    (tenant, number): Talker =>
      (wire) =>
        new Talk(tenant, wire, tokens[number]),
  );
  const servers: ProofServer[] = [];
  const close = async (): Promise<void> => {
    await Promise.all(servers.map((server) => server.close()));
    issuer?.close();
  };
  const settings = issuer?.settings ?? {};
  try {
    for (const of of [talkers, ...talkers.map((talker) => [talker])])
      servers.push(await openServer(store, { talkers: of, visitor: visitorTalks!, settings, clock, alter }));
    const [shared, ...own] = servers;
    await assertRefused(shared!, tenants);
    return { shared: shared!, own, operatorToken: await issuer?.operatorToken(), close };
  } catch (error) {
    await close();
    throw error;
  }
}

type Talker = (wire: Wire) => Talk;

interface ServerOptions {
  readonly talkers: readonly Talker[];
  readonly visitor: Talker;
  readonly settings: Partial<Settings>;
  readonly clock: () => number;
  readonly alter: Alteration;
}

async function openServer(
  store: ProofStore,
  { talkers, visitor, settings, clock, alter }: ServerOptions,
): Promise<ProofServer> {
  const database = await store.create();
  const lines: string[] = [];
  const write = (line: string): void => void lines.push(line);
  const port = await freePort();
  const create = async (): Promise<Bulkhead> => {
    const made = await createBulkhead({
      settings: { ...SETTINGS, ...settings, ...database.settings, port },
      clock,
      log: { write },
    });
    // Nobody else is on its database: reindexing need not wait until others have heard of the search parameters.
    made.parts.parameters.settledAt = ({ since }) => since;
    alter(made, write);
    return made;
  };
  const talks = talkers.map((talker) => talker(new Wire(port)));
  const wires = { visitor: visitor(new Wire(port)), wire: new Wire(port) };
  let bulkhead = await create();
  for (const { tenant } of talks) {
    const { id, name, placement } = tenant;
    await bulkhead.partitions.create({ id, name, placement });
  }
  await bulkhead.start();
  return {
    get bulkhead() {
      return bulkhead;
    },
    database,
    lines,
    talks,
    ...wires,
    restart: async () => {
      await bulkhead.stop();
      bulkhead = await create();
      await bulkhead.start();
    },
    close: async () => {
      for (const open of [...talks, ...Object.values(wires)]) open.close();
      await bulkhead.stop();
      await database.drop();
    },
  };
}

const SETTINGS = {
  publicUrl: PUBLIC_URL,
  logLevel: 'trace',
  sqliteSynchronous: 'normal',
  databasePoolSize: 4,
  fullText: 'on',
  partitionSearchParameters: true,
  conformanceWrites: 'reject',
  exportMaxPerPartition: 1_000,
  // Links of one tenant's server can be followed on another's, and are refused there for whose they are.
  pageLinkSecret: 'the same for all servers of a proof',
} as const;

async function assertRefused({ bulkhead }: ProofServer, tenants: readonly ProvenTenant[]): Promise<void> {
  const variants = tenants.flatMap(({ name }) => [name, name.toUpperCase(), name.toLowerCase()]);
  for (const name of [...REFUSED_NAMES, ...variants]) {
    const made = await bulkhead.partitions.create({ name }).catch(() => undefined);
    if (made) throw new Error(`A partition was registered as ${JSON.stringify(name)}.`);
  }
}

/** Waits for what a step has started in the background. */
export async function settle({ bulkhead }: ProofServer, what: 'export' | 'reindex'): Promise<void> {
  const { parts } = bulkhead;
  if (what === 'export') return parts.exports.runner.idle();
  for (;;) {
    const jobs = await parts.partitions.jobs();
    if (!jobs.some(({ state }) => state === 'running')) return;
    await pause(2);
  }
}

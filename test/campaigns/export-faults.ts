import { spawnSync } from 'node:child_process';
import { mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { ListObjectsV2Command, S3Client } from '@aws-sdk/client-s3';
import { S3Server } from '../support/s3-server.js';
import { say } from './campaign.js';
import type { CrashDatabaseServer, CrashStore } from './crash-store.js';
import type { ExportCampaign } from './export-kills.js';

/** What servers write exports to, or read them from, and how it fails. */
export interface Fault {
  readonly name: string;
  /** Of the servers, by the names of the environment without their prefix. */
  readonly settings: Readonly<Record<string, string>>;
  /** A database that is gone cannot be asked whether it is missed. */
  readonly isOfDatabase?: true;
  /** Whether it can go on until an export gives up. */
  readonly lasts?: true;
  /** It fails from now on. */
  begin(): Promise<void> | void;
  end(): Promise<void> | void;
  /** What removed exports have left, where that is no folder. */
  remains(): Promise<readonly string[]> | readonly string[];
  dispose(): void;
}

/** Of the database. */
const OUTAGE_MS = 1_500;

/** The faults that there can be here; says which there cannot. */
export async function faultsOf({ site, options }: ExportCampaign): Promise<readonly Fault[]> {
  const found = [
    folderInTheWay(site.folder),
    fullDisk(options.resources),
    databaseOutage(site.store),
    await objectStoreOutage(),
  ];
  return found.filter((fault) => fault !== undefined);
}

/** The folder is gone, and something else is in its place. */
function folderInTheWay(folder: string): Fault {
  const away = `${folder}-away`;
  return {
    name: 'the folder was taken away',
    lasts: true,
    settings: {},
    begin: () => {
      renameSync(folder, away);
      writeFileSync(folder, 'in the way');
    },
    end: () => {
      rmSync(folder);
      renameSync(away, folder);
    },
    remains: () => [],
    dispose: () => rmSync(away, { recursive: true, force: true }),
  };
}

const BYTES_OF_A_RESOURCE = 300;

/** A file system in memory that takes a part of the export, until it grows. */
function fullDisk(resources: number): Fault | undefined {
  const folder = mkdtempSync(join(tmpdir(), 'bulkhead-small-'));
  const size = Math.max(65_536, Math.round((resources * BYTES_OF_A_RESOURCE) / 2));
  const mount = (...options: readonly string[]): boolean =>
    spawnSync('mount', ['-t', 'tmpfs', '-o', options.join(), 'tmpfs', folder]).status === 0;
  if (!mount(`size=${size}`)) {
    rmSync(folder, { recursive: true });
    say('a full disk was not tried: only root can mount a small one');
    return undefined;
  }
  const dispose = (): void => {
    process.off('exit', dispose);
    spawnSync('umount', ['-l', folder]);
    rmSync(folder, { recursive: true, force: true });
  };
  process.once('exit', dispose);
  return {
    name: 'the disk was full',
    settings: { EXPORT_DIR: folder },
    begin: () => undefined,
    end: () => {
      if (!mount('remount', 'size=1G')) throw new Error('The file system does not grow.');
    },
    remains: () => [],
    dispose,
  };
}

function databaseOutage(store: CrashStore): Fault | undefined {
  if (!isServer(store)) return undefined;
  return {
    name: 'the database was killed',
    isOfDatabase: true,
    settings: {},
    begin: async () => {
      await store.database.kill();
      await pause(OUTAGE_MS);
    },
    end: () => store.database.start(),
    remains: () => [],
    dispose: () => undefined,
  };
}

function isServer(store: CrashStore): store is CrashDatabaseServer {
  return 'database' in store;
}

async function objectStoreOutage(): Promise<Fault | undefined> {
  const server = await S3Server.create();
  if (server === undefined) {
    say('an outage of S3 was not tried: there is no S3 server');
    return undefined;
  }
  const { endpoint, bucket, credentials } = await server.createBucket();
  const { accessKeyId = '', secretAccessKey = '' } = { ...credentials };
  return {
    name: 'S3 was killed',
    lasts: true,
    settings: {
      EXPORT_OUTPUT: `s3://${bucket}`,
      EXPORT_S3_ENDPOINT: endpoint ?? '',
      EXPORT_S3_PATH_STYLE: 'true',
      EXPORT_S3_ACCESS_KEY_ID: accessKeyId,
      EXPORT_S3_SECRET_ACCESS_KEY: secretAccessKey,
    },
    begin: () => server.kill(),
    end: () => server.start(),
    remains: async () => {
      const keys = { accessKeyId, secretAccessKey };
      const client = new S3Client({
        endpoint: server.endpoint,
        region: 'us-east-1',
        forcePathStyle: true,
        credentials: keys,
      });
      const { Contents = [] } = await client.send(new ListObjectsV2Command({ Bucket: bucket }));
      client.destroy();
      return Contents.map(({ Key = '' }) => Key);
    },
    dispose: () => server.stop(),
  };
}

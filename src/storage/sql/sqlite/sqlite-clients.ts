import { FhirError } from '../../../model/errors.js';
import { DEFAULT_PARTITION_ID, type PartitionId } from '../../../model/partition.js';
import type { ClientKey, ClientStore, NewClient, StoredClient, UsedAssertion } from '../../client-store.js';
import { CLIENT_COLUMNS, type ClientRow, EXPIRED_AT_ONCE, toClient } from '../client-rows.js';
import type { SqliteDatabase } from './open.js';
import type { WriteQueue } from './write-queue.js';

const COLUMNS = CLIENT_COLUMNS.map((name) => `c.${name}`).join(', ');
const ONE = 'c.PARTITION_ID = @partition and c.CLIENT_ID = @id';

const IS_IN_SERVICE = `select 1 where @partition = ${DEFAULT_PARTITION_ID} or @partition in
  (select PART_ID from HFJ_PARTITION where PART_STATE in ('active', 'placed', 'moving'))`;

const ADD = `insert or ignore into HFJ_AUTH_CLIENT (${CLIENT_COLUMNS.join(', ')})
  values (@partition, @id, @name, @scopes, @tenants, @jwks, @jwksUrl, @created, 0)`;
const FIND = `select ${COLUMNS} from HFJ_AUTH_CLIENT c where ${ONE}`;
const LIST = `select ${COLUMNS} from HFJ_AUTH_CLIENT c where c.PARTITION_ID = @partition order by c.CLIENT_ID`;
const SET_DISABLED = `update HFJ_AUTH_CLIENT as c set CLIENT_DISABLED = @disabled where ${ONE}`;
const REMOVE = `delete from HFJ_AUTH_CLIENT as c where ${ONE}`;

const USE = `insert or ignore into HFJ_AUTH_JTI (PARTITION_ID, CLIENT_ID, JTI_HASH, JTI_EXPIRES)
  select c.PARTITION_ID, c.CLIENT_ID, @hash, @expires from HFJ_AUTH_CLIENT c where ${ONE} and c.CLIENT_DISABLED = 0`;
const FORGET = `delete from HFJ_AUTH_JTI as j where j.PARTITION_ID = @partition and (j.CLIENT_ID, j.JTI_HASH) in
  (select o.CLIENT_ID, o.JTI_HASH from HFJ_AUTH_JTI o where o.PARTITION_ID = @partition and o.JTI_EXPIRES < @now
    limit ${EXPIRED_AT_ONCE})`;

/** Registered clients in SQLite. What the queue has answered is on the disk. */
export class SqliteClients implements ClientStore {
  constructor(
    private readonly db: SqliteDatabase,
    private readonly queue: Pick<WriteQueue, 'transaction'>,
  ) {}

  add(client: NewClient): Promise<boolean> {
    const { partition } = client;
    return this.queue.transaction((db) => {
      if (db.prepare(IS_IN_SERVICE).get({ partition }) === undefined)
        throw new FhirError('UNKNOWN_PARTITION', 'The partition was deleted.');
      return db.prepare(ADD).run(client).changes === 1;
    });
  }

  async find({ partition, id }: ClientKey): Promise<StoredClient | undefined> {
    const row = this.db.prepare(FIND).raw().get({ partition, id });
    return row === undefined ? undefined : toClient(row as ClientRow);
  }

  async list(partition: PartitionId): Promise<readonly StoredClient[]> {
    return (this.db.prepare(LIST).raw().all({ partition }) as ClientRow[]).map(toClient);
  }

  setDisabled({ partition, id }: ClientKey, state: 'disabled' | 'enabled'): Promise<boolean> {
    const disabled = state === 'disabled' ? 1 : 0;
    return this.change(SET_DISABLED, { partition, id, disabled });
  }

  remove({ partition, id }: ClientKey): Promise<boolean> {
    return this.change(REMOVE, { partition, id });
  }

  useAssertion({ partition, id }: ClientKey, assertion: UsedAssertion, now: number): Promise<boolean> {
    const { hash, expires } = assertion;
    return this.queue.transaction((db) => {
      db.prepare(FORGET).run({ partition, now });
      return db.prepare(USE).run({ partition, id, hash, expires }).changes === 1;
    });
  }

  private change(sql: string, values: object): Promise<boolean> {
    return this.queue.transaction((db) => db.prepare(sql).run(values).changes === 1);
  }
}

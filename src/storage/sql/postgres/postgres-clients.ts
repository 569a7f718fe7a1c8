import { FhirError } from '../../../model/errors.js';
import { DEFAULT_PARTITION_ID, type PartitionId } from '../../../model/partition.js';
import type { ClientKey, ClientStore, NewClient, StoredClient, UsedAssertion } from '../../client-store.js';
import { CLIENT_COLUMNS, type ClientRow, EXPIRED_AT_ONCE, toClient } from '../client-rows.js';
import type { PostgresConnections } from './connections.js';
import { refusalOf } from './database-error.js';
import type { PgValue } from './statement.js';

const COLUMNS = CLIENT_COLUMNS.map((name) => `c.${name}`).join(', ');
const ONE = 'c.PARTITION_ID = $1 and c.CLIENT_ID = $2';

const ADD = `with SERVED as materialized (select case when $1::integer <> ${DEFAULT_PARTITION_ID} and not exists (
      select 1 from HFJ_PARTITION where PART_ID = $1::integer and PART_STATE in ('active', 'placed', 'moving'))
    then BULKHEAD_REFUSE('gone', '') end)
  insert into HFJ_AUTH_CLIENT (${CLIENT_COLUMNS.join(', ')})
    select $1::integer, $2::text, $3::text, $4::text, $5::text, $6::text, $7::text, $8::bigint, 0 from SERVED
    on conflict do nothing`;
const FIND = `select ${COLUMNS} from HFJ_AUTH_CLIENT c where ${ONE}`;
const LIST = `select ${COLUMNS} from HFJ_AUTH_CLIENT c where c.PARTITION_ID = $1 order by c.CLIENT_ID`;
const SET_DISABLED = `update HFJ_AUTH_CLIENT c set CLIENT_DISABLED = $3::integer where ${ONE}`;
const REMOVE = `delete from HFJ_AUTH_CLIENT c where ${ONE}`;

/** A purge that takes the client away meanwhile waits, and then finds what was noted. */
const USE = `insert into HFJ_AUTH_JTI (PARTITION_ID, CLIENT_ID, JTI_HASH, JTI_EXPIRES)
  select c.PARTITION_ID, c.CLIENT_ID, $3::text, $4::bigint from HFJ_AUTH_CLIENT c
    where ${ONE} and c.CLIENT_DISABLED = 0 for key share of c
  on conflict do nothing`;
const FORGET = `delete from HFJ_AUTH_JTI j where j.PARTITION_ID = $1 and j.ctid = any (array(
  select o.ctid from HFJ_AUTH_JTI o where o.PARTITION_ID = $1 and o.JTI_EXPIRES < $2
    limit ${EXPIRED_AT_ONCE} for update skip locked))`;

/** Registered clients in PostgreSQL. */
export class PostgresClients implements ClientStore {
  constructor(private readonly connections: PostgresConnections) {}

  async add(client: NewClient): Promise<boolean> {
    const { partition, id, name, scopes, tenants, jwks, jwksUrl, created } = client;
    const values = [partition, id, name, scopes, tenants, jwks, jwksUrl, created];
    try {
      const [added] = await this.connections.write([partition], [{ text: ADD, values }], 'shared');
      return added?.count === 1;
    } catch (error) {
      if (refusalOf(error)?.kind !== 'gone') throw error;
      throw new FhirError('UNKNOWN_PARTITION', 'The partition was deleted.', { cause: error });
    }
  }

  async find({ partition, id }: ClientKey): Promise<StoredClient | undefined> {
    const [row] = await this.rows(partition, FIND, [partition, id]);
    return row && toClient(row);
  }

  async list(partition: PartitionId): Promise<readonly StoredClient[]> {
    return (await this.rows(partition, LIST, [partition])).map(toClient);
  }

  setDisabled({ partition, id }: ClientKey, state: 'disabled' | 'enabled'): Promise<boolean> {
    return this.change(partition, SET_DISABLED, [partition, id, state === 'disabled' ? 1 : 0]);
  }

  remove({ partition, id }: ClientKey): Promise<boolean> {
    return this.change(partition, REMOVE, [partition, id]);
  }

  async useAssertion({ partition, id }: ClientKey, assertion: UsedAssertion, now: number): Promise<boolean> {
    const { hash, expires } = assertion;
    const [, used] = await this.connections.write(
      [partition],
      [
        { text: FORGET, values: [partition, now] },
        { text: USE, values: [partition, id, hash, expires] },
      ],
    );
    return used?.count === 1;
  }

  private async rows(
    partition: PartitionId,
    text: string,
    values: readonly PgValue[],
  ): Promise<readonly ClientRow[]> {
    const [found] = await this.connections.read([partition], [{ text, values }]);
    return (found?.rows ?? []) as unknown as readonly ClientRow[];
  }

  private async change(partition: PartitionId, text: string, values: readonly PgValue[]): Promise<boolean> {
    const [changed] = await this.connections.write([partition], [{ text, values }]);
    return changed?.count === 1;
  }
}

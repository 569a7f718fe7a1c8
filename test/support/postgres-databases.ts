import { randomBytes } from 'node:crypto';
import { Client, type DatabaseError } from 'pg';
import {
  type DatabaseContents,
  POOLER_VARIABLE,
  POSTGRES_VARIABLE,
  TEMPLATE_VARIABLE,
  templateOf,
} from './test-store.js';

const TEMPLATE_END = '_template';

/** Databases of one test run on one server. Each name begins with the run's own prefix, so that all can be found. */
export class PostgresDatabases {
  private constructor(
    private readonly url: string,
    private readonly prefix: string,
  ) {}

  /** For a run that begins now. */
  static ofNewRun(url: string): PostgresDatabases {
    return new PostgresDatabases(url, `bulkhead_test_${randomBytes(4).toString('hex')}`);
  }

  /** For a test of a run that the environment tells of. @throws Error where it tells of none. */
  static ofThisRun(): PostgresDatabases {
    const url = process.env[POSTGRES_VARIABLE];
    const template = process.env[TEMPLATE_VARIABLE];
    if (url === undefined || template === undefined) {
      throw new Error('Tests on PostgreSQL are run by `BULKHEAD_TEST_STORE=postgres npm test`.');
    }
    return new PostgresDatabases(url, template.slice(0, -TEMPLATE_END.length));
  }

  get template(): string {
    return `${this.prefix}${TEMPLATE_END}`;
  }

  urlOf(database: string): string {
    return withDatabase(this.url, database);
  }

  /** The one for servers, who may have to go through a pooler. */
  serverUrlOf(database: string): string {
    return withDatabase(process.env[POOLER_VARIABLE] ?? this.url, database);
  }

  /** The database that others are copied from, with nothing in it yet. Answers its URL. */
  async createTemplate(): Promise<string> {
    await this.onServer((client) => client.query(`create database ${this.template}`));
    return this.urlOf(this.template);
  }

  /** A second template, copied from the first, for `contents`. Answers its URL. */
  async createTemplateOf(contents: DatabaseContents): Promise<string> {
    const name = templateOf(this.template, contents);
    await this.copy(this.template, name);
    return this.urlOf(name);
  }

  /** A copy of a template. Answers its name. */
  async create(contents: DatabaseContents = 'nothing'): Promise<string> {
    const name = this.newName();
    await this.copy(templateOf(this.template, contents), name);
    return name;
  }

  private copy(template: string, name: string): Promise<void> {
    return this.onServer(async (client) => {
      const { rows } = await client.query<{ fsync: string }>('show fsync');
      // Copying files needs two checkpoints, which cost nothing where nothing is synchronized.
      const strategy = rows[0]?.fsync === 'off' ? 'strategy file_copy' : '';
      await client.query(`create database ${name} template ${template} ${strategy}`);
    });
  }

  /** One without tables. Answers its name. */
  async createEmpty(): Promise<string> {
    const name = this.newName();
    await this.onServer((client) => client.query(`create database ${name}`));
    return name;
  }

  /** The names of a database and of those of its partitions, which begin with it. */
  family(name: string): Promise<readonly string[]> {
    return this.onServer((client) => familyOf(client, name));
  }

  /** Removes a database and those of its partitions, whoever is still connected. */
  drop(name: string): Promise<void> {
    return this.onServer(async (client) => {
      for (const one of await familyOf(client, name)) await dropOne(client, client.escapeIdentifier(one));
    });
  }

  /** Removes every database of the run, the template included. */
  dropRun(): Promise<void> {
    return this.drop(this.prefix);
  }

  private newName(): string {
    return `${this.prefix}_${randomBytes(6).toString('hex')}`;
  }

  private async onServer<Result>(work: (client: Client) => Promise<Result>): Promise<Result> {
    const client = new Client({ connectionString: this.url });
    await client.connect();
    try {
      return await work(client);
    } finally {
      await client.end();
    }
  }
}

function withDatabase(server: string, database: string): string {
  const url = new URL(server);
  url.pathname = `/${database}`;
  return url.href;
}

async function familyOf(client: Client, name: string): Promise<readonly string[]> {
  const { rows } = await client.query<{ datname: string }>(
    'select datname from pg_database where starts_with(datname, $1) order by datname',
    [name],
  );
  return rows.map(({ datname }) => datname);
}

const INSUFFICIENT_PRIVILEGE = '42501';

async function dropOne(client: Client, database: string): Promise<void> {
  try {
    await client.query(`drop database if exists ${database} with (force)`);
  } catch (error) {
    if ((error as DatabaseError).code !== INSUFFICIENT_PRIVILEGE) throw error;
    // The server's own vacuum is in it: only a superuser may end that, but without force it is asked to leave.
    await client.query(`drop database if exists ${database}`);
  }
}

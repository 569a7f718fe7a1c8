import { openReader } from './open.js';

interface SchemaObject {
  readonly name: string;
  readonly sql: string;
}

const OBJECTS = `select name, sql from sqlite_master
  where sql is not null and name not like 'sqlite!_%' escape '!'
  order by case type when 'table' then 0 else 1 end, name`;

/** The schema of a database file as SQL: tables by name, then indexes by name, spaces made equal. */
export function schemaOf(file: string): string {
  const db = openReader(file);
  try {
    const objects = db.prepare(OBJECTS).all() as SchemaObject[];
    return objects.map(({ sql }) => `${sql.replaceAll(/\s+/g, ' ')};\n`).join('');
  } finally {
    db.close();
  }
}

import { readFile } from 'node:fs/promises';
import { setTimeout as pause } from 'node:timers/promises';
import Database from 'better-sqlite3';
import test from 'ava';
import type { FhirResource } from 'fhir/r4.js';
import type { StoredJob } from '../../../src/storage/store.js';
import { matchesOf, pagesOf } from '../../contract/search/pages.js';
import { FhirClient } from '../../contract/support/fhir-client.js';
import { load } from '../../oracle/search-world.js';
import { createTestDatabase } from '../../support/test-database.js';
import { createTestServer } from '../../support/test-server.js';

const database = await createTestDatabase();
const file = database.url.replace('sqlite:', '');
test.after.always(() => database.drop());

/** None begins as any other does: an index keeps only what differs from the word before. */
const WORDS = { acme: ['quixotrope', 'zymurgian'], beta: ['vulkanoid', 'xylophantom'] } as const;

function patientOf(id: number, word: string): FhirResource {
  return {
    resourceType: 'Patient',
    id: `p${id}`,
    text: { status: 'generated', div: `<div xmlns="http://www.w3.org/1999/xhtml">${word} w${id}</div>` },
  };
}

/** Where more of an index is deleted, FTS5 merges what it is in of itself. */
const COUNTS = { acme: 4, beta: 200 } as const;

/** The words that any page of the file has which SQLite uses. */
async function wordsOnDisk(words: readonly string[]): Promise<readonly string[]> {
  const db = new Database(file);
  db.pragma('wal_checkpoint(truncate)');
  const copy = `${file}-${Math.random()}`;
  db.prepare('vacuum into ?').run(copy);
  db.close();
  const bytes = await readFile(copy);
  return words.filter((word) => bytes.includes(word));
}

test('words of a partition that was purged are nowhere in the file, those of others are', async (t) => {
  const options = { database, partitions: Object.keys(WORDS), settings: { fullText: 'on' as const } };
  const first = await createTestServer(options);
  const client = new FhirClient(first.url);
  for (const tenant of ['acme', 'beta'] as const) {
    const patients = Array.from({ length: COUNTS[tenant] }, (_, id) => patientOf(id, WORDS[tenant][id % 2]!));
    await load(client.tenant(tenant), patients);
  }
  await first.stop();
  t.deepEqual(await wordsOnDisk([...WORDS.acme, ...WORDS.beta]), [...WORDS.acme, ...WORDS.beta]);

  const second = await createTestServer({ database, settings: { fullText: 'on' } });
  const { partitions } = second.bulkhead;
  await partitions.startPurge(partitions.read({ name: 'acme' }).id);
  const jobs = (): Promise<readonly StoredJob[]> => second.bulkhead.parts.partitions.jobs();
  while ((await jobs()).some(({ state }) => state === 'running')) await pause(20);
  const beta = new FhirClient(second.url).tenant('beta');
  t.is(matchesOf(await pagesOf(beta, `Patient?_text=${WORDS.beta[0]}`)).length, 100);
  await second.stop();
  t.deepEqual(await wordsOnDisk(WORDS.acme), []);
  t.deepEqual(await wordsOnDisk(WORDS.beta), WORDS.beta);
});

import test from 'ava';
import { partitionByResource } from '../../interceptors/partition-by-resource.js';
import {
  PATIENT,
  VALUE_SET,
  aRequest,
  choiceToCreate,
  choiceToRead,
  idsOf,
  send,
  serve,
} from './fixtures.js';

const LAB = 'https://lab.example';
const OBSERVATION = { resourceType: 'Observation', status: 'final', code: { text: 'weight' } };
const segments = partitionByResource({
  rules: [
    { source: LAB, partition: 'lab' },
    { types: ['QuestionnaireResponse'], partition: 'surveys' },
    { types: ['Encounter'], source: 'https://ward.example', partition: 'ward' },
  ],
  otherwise: 'records',
});

const ROWS = [
  [OBSERVATION, 'records'],
  [{ ...OBSERVATION, meta: { source: LAB } }, 'lab'],
  [{ ...OBSERVATION, meta: { source: `${LAB}#message-7` } }, 'lab'],
  [{ ...OBSERVATION, meta: { source: `${LAB}.evil` } }, 'records'],
  [{ resourceType: 'QuestionnaireResponse', status: 'completed' }, 'surveys'],
  [{ resourceType: 'QuestionnaireResponse', meta: { source: LAB } }, 'lab'],
  [{ resourceType: 'Encounter' }, 'records'],
  [{ resourceType: 'Encounter', meta: { source: 'https://ward.example' } }, 'ward'],
] as const;
for (const [resource, partition] of ROWS) {
  test(`${JSON.stringify(resource)} is stored in ${partition}`, async (t) => {
    t.deepEqual(await choiceToCreate(segments, aRequest(), resource), { by: 'name', names: [partition] });
  });
}

test('where no rule fits and there is nothing otherwise, the next interceptor is asked', async (t) => {
  const open = partitionByResource({ rules: [{ types: ['Observation'], partition: 'lab' }] });
  t.is(await choiceToCreate(open, aRequest(), PATIENT), undefined);
});

test('a type of DEFAULT stays there, whatever its source', async (t) => {
  const resource = { ...VALUE_SET, meta: { source: LAB } };
  t.deepEqual(await choiceToCreate(segments, aRequest(), resource), { by: 'default' });
});

test('reads look in all partitions, or in those that are named', async (t) => {
  t.deepEqual(await choiceToRead(segments, aRequest()), { by: 'all' });
  const narrow = partitionByResource({ rules: [], otherwise: 'records', read: ['records', 'lab'] });
  t.deepEqual(await choiceToRead(narrow, aRequest()), { by: 'name', names: ['records', 'lab'] });
});

test('a rule without types and source is refused', (t) => {
  t.throws(() => partitionByResource({ rules: [{ partition: 'lab' }] }), {
    message: /'lab' needs types or a source/,
  });
});

test('over HTTP, segments are stored apart and read together', async (t) => {
  const server = await serve(t, {
    partitions: ['records', 'lab', 'surveys', 'ward'],
    settings: { partitioning: ['interceptors'] },
    interceptors: [segments],
  });
  const own = await send(server, 'Observation', { body: OBSERVATION });
  const lab = await send(server, 'Observation', { body: { ...OBSERVATION, meta: { source: LAB } } });
  const ids = [own, lab].map(({ body }) => String(body['id']));
  t.deepEqual(idsOf(await send(server, 'Observation')), ids.toSorted());
  for (const id of ids) t.is((await send(server, `Observation/${id}`)).status, 200);
  const sizes = await Promise.all(['records', 'lab'].map((name) => held(server, name)));
  t.deepEqual(sizes, [1, 1]);
});

test('over HTTP, what is not among the partitions to read does not exist', async (t) => {
  const narrow = partitionByResource({
    rules: [{ types: ['Observation'], partition: 'lab' }],
    otherwise: 'records',
    read: ['records'],
  });
  const server = await serve(t, {
    partitions: ['records', 'lab'],
    settings: { partitioning: ['interceptors'] },
    interceptors: [narrow],
  });
  const made = await send(server, 'Observation', { body: OBSERVATION });
  t.is((await send(server, `Observation/${String(made.body['id'])}`)).status, 404);
  t.deepEqual(idsOf(await send(server, 'Observation')), []);
});

/** How much a partition holds, as its deletion is refused with. */
async function held(server: Awaited<ReturnType<typeof serve>>, name: string): Promise<number> {
  const { id } = server.bulkhead.partitions.read({ name });
  const body = { resourceType: 'Parameters', parameter: [{ name: 'id', valueInteger: id }] };
  const { body: outcome } = await send(server, '$partition-management-delete-partition', { body });
  return Number(/\d+/.exec(JSON.stringify(outcome['issue']).replace(/^.*diagnostics/, ''))?.[0] ?? 0);
}

import test from 'ava';
import fc from 'fast-check';
import { createTestServer, type TestServer } from '../../support/test-server.js';
import { placementUnderTest } from '../../support/test-store.js';
import { type Answer, FhirClient } from '../support/fhir-client.js';
import { programOf, type Step, toSent } from './programs.js';

/** Names that differ in as little as names may. */
const TENANTS = ['tenant', 'tenant-', '_'.padStart(9, 'tenant-x')] as const;

/** A home of its own takes some tenths of a second to make: there, fewer tenants do more. */
const { program, numRuns, timeLimitMs, leastSteps } =
  placementUnderTest() === 'shared'
    ? {
        program: programOf({ minLength: 5, maxLength: 25 }),
        numRuns: 200,
        timeLimitMs: 12_000,
        leastSteps: 500,
      }
    : {
        program: programOf({ minLength: 40, maxLength: 80 }),
        numRuns: 4,
        timeLimitMs: 90_000,
        leastSteps: 300,
      };

const COMPARED_HEADERS = ['etag', 'location', 'content-location', 'content-type', 'allow'];
const UUID = /[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}/g;
const INSTANT = /\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z/g;
const TOKEN = /_page=[A-Za-z0-9_-]+/g;

/** Every call is later than the one before: no two versions have the same time, on whichever server. */
function tickingClock(): () => number {
  let now = Date.now();
  return () => ++now;
}

/** One tenant's talk with a server, as it may be compared with the same talk elsewhere. */
class Talk {
  readonly answers: string[] = [];
  private readonly client: FhirClient;
  private readonly ids = new Map<string, string>();
  private next = '_history?_count=1';
  private created = 'Patient/none';

  constructor(
    base: string,
    private readonly canary: string,
  ) {
    this.client = new FhirClient(base);
  }

  async run(steps: readonly Step[]): Promise<readonly string[]> {
    for (const step of steps) {
      const path = step.path.replace('<next>', this.next).replace('<created>', this.created);
      const answer = await this.client.send<unknown>(step.method, path, toSent(step, this.canary));
      this.remember(answer);
      this.answers.push(this.normal(answer));
    }
    return this.answers;
  }

  private remember({ body, headers, status }: Answer<unknown>): void {
    const { link = [] } = (body ?? {}) as { readonly link?: readonly { relation: string; url: string }[] };
    this.next = link.find(({ relation }) => relation === 'next')?.url ?? this.next;
    if (status === 201) this.created = headers.get('location') ?? this.created;
  }

  private normal({ status, headers, text }: Answer<unknown>): string {
    const shown = COMPARED_HEADERS.map((name) => `${name}: ${headers.get(name)}`).join('\n');
    return `${status}\n${shown}\n\n${text}`
      .replaceAll(this.client.base, '<base>')
      .replaceAll(UUID, (id) => this.nameOf(id))
      .replaceAll(INSTANT, '<instant>')
      .replaceAll(TOKEN, '_page=<token>');
  }

  private nameOf(id: string): string {
    const known = this.ids.get(id) ?? `<id ${this.ids.size + 1}>`;
    this.ids.set(id, known);
    return known;
  }
}

function open(): Promise<TestServer> {
  return createTestServer({ clock: tickingClock() });
}

test('what a tenant is answered does not depend on what others hold and do', async (t) => {
  const shared = await open();
  const own = await Promise.all(TENANTS.map(open));
  t.teardown(() => Promise.all([shared, ...own].map((server) => server.stop())));
  let turn = 0;
  let steps = 0;

  const property = fc.asyncProperty(fc.tuple(program, program, program), async (programs) => {
    turn += 1;
    const tenants = TENANTS.map((name, index) => ({
      name: `${name}${turn}`,
      canary: `canary-${index}-of-${turn}.`,
      steps: programs[index] ?? [],
    }));
    for (const [index, { name }] of tenants.entries()) {
      await shared.bulkhead.partitions.create({ name });
      await own[index]!.bulkhead.partitions.create({ name });
    }
    const talk = (server: TestServer, { name, canary, steps: list }: (typeof tenants)[number]) =>
      new Talk(`${server.url}/${name}`, canary).run(list);
    const together = await Promise.all(tenants.map((tenant) => talk(shared, tenant)));
    for (const [index, tenant] of tenants.entries()) {
      const alone = await talk(own[index]!, tenant);
      steps += alone.length;
      const difference = alone.findIndex((answer, place) => answer !== together[index]![place]);
      if (difference >= 0) {
        const { method, path } = tenant.steps[difference]!;
        throw new Error(
          `${method} ${path}\nalone:\n${alone[difference]}\n\nwith others:\n${together[index]![difference]}`,
        );
      }
      const heard = together[index]!.join('\n');
      const foreign = tenants.find((other) => other !== tenant && heard.includes(other.canary));
      if (foreign) throw new Error(`${tenant.name} hears of ${foreign.name}`);
      if (heard.includes('\n500') || heard.startsWith('500')) throw new Error(`a step failed: ${heard}`);
    }
  });
  await fc.assert(property, {
    numRuns,
    interruptAfterTimeLimit: timeLimitMs,
    markInterruptAsFailure: false,
    includeErrorInReport: true,
  });
  t.true(steps > leastSteps, `only ${steps} steps were taken`);
  t.log(`${turn} programs of three tenants, ${steps} steps`);
});

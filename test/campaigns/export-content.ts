import type { Resource } from '../../src/model/resource.js';
import type { Random } from './random.js';

const OBSERVATIONS_OF_A_PATIENT = 4;
const HOMES = 10;
const MEMBERS = 5;

/** System of an identifier that everything has: its value is the tenant's name. */
export const CANARY = 'urn:canary';

/** Everything of a tenant, which is recognized wherever it comes out. */
export class ExportContent {
  readonly patients: number;

  constructor(
    readonly tenant: string,
    resources: number,
    private readonly random: Random,
  ) {
    this.patients = Math.ceil(resources / (OBSERVATIONS_OF_A_PATIENT + 1));
  }

  /** What there is at first: those that others refer to come first. */
  *first(): Iterable<Resource> {
    for (let number = 0; number < HOMES; number++) yield this.organization(number);
    for (let number = 0; number < this.patients; number++) {
      yield this.patient(`p${number}`);
      for (let part = 0; part < OBSERVATIONS_OF_A_PATIENT; part++)
        yield this.observation(number * OBSERVATIONS_OF_A_PATIENT + part, number);
      if (number === MEMBERS) yield this.group();
    }
  }

  patient(id: string): Resource {
    return {
      resourceType: 'Patient',
      id,
      identifier: this.identifier(),
      active: this.random.integer(0, 1) === 1,
      gender: this.random.pick(['female', 'male', 'other', 'unknown']),
      name: [
        { family: `Größe "${this.random.integer(0, 99)}"`, text: 'x'.repeat(this.random.integer(1, 300)) },
      ],
    };
  }

  observation(number: number, patient: number): Resource {
    return {
      resourceType: 'Observation',
      id: `o${number}`,
      identifier: this.identifier(),
      status: this.random.pick(['final', 'preliminary', 'amended']),
      code: { text: `line\n${this.random.integer(0, 99)}` },
      subject: { reference: `Patient/p${patient}` },
    };
  }

  organization(number: number): Resource {
    const name = `Home ${this.random.integer(0, 99)}`;
    return { resourceType: 'Organization', id: `h${number}`, identifier: this.identifier(), name };
  }

  /** Its members change with every version. */
  group(): Resource {
    const numbers = Array.from({ length: MEMBERS }, () =>
      this.random.integer(0, Math.min(MEMBERS, this.patients - 1)),
    );
    const member = [...new Set(numbers)].map((number) => ({
      entity: { reference: `Patient/p${number}` },
      ...(this.random.integer(0, 3) === 0 ? { inactive: true } : {}),
    }));
    return {
      resourceType: 'Group',
      id: 'g',
      identifier: this.identifier(),
      type: 'person',
      actual: true,
      member,
    };
  }

  private identifier(): readonly object[] {
    return [{ system: CANARY, value: this.tenant }];
  }
}

const CANARIES = new RegExp(`"system":"${CANARY}","value":"([^"]*)"`, 'g');

/** Names of the tenants whose data a text has. */
export function tenantsIn(text: string): ReadonlySet<string> {
  return new Set([...text.matchAll(CANARIES)].map(([, tenant = '']) => tenant));
}

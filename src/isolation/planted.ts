import type { Resource } from '../model/resource.js';

/** What all planted resources of one tenant have in common. */
export interface Plant {
  /** The id that each of them has in its type, and that stands wherever searches look for something. */
  readonly id: string;
  /** A text that is in each of them, and that nobody ever sends. */
  readonly canary: string;
}

/** The resources that attacks are after. The first one is a Patient, and the others refer to it. */
export function plantedResources(plant: Plant): readonly Resource[] {
  return [...clinicalResources(plant), ...linkingResources(plant)];
}

function clinicalResources({ id, canary }: Plant): readonly Resource[] {
  const meta = {
    source: `urn:${id}`,
    profile: [`http://example.org/${id}`],
    tag: [{ system: 'urn:tag', code: id }],
    security: [{ system: 'urn:security', code: id }],
  };
  return [
    {
      resourceType: 'Patient',
      id,
      meta,
      identifier: [{ system: 'urn:mrn', value: id }],
      name: [{ family: id, text: canary }],
      birthDate: '1999-09-09',
    },
    {
      resourceType: 'Observation',
      id,
      meta,
      status: 'final',
      code: { coding: [{ system: 'urn:code', code: id }], text: canary },
      subject: { reference: `Patient/${id}` },
    },
    {
      resourceType: 'Binary',
      id,
      meta,
      contentType: 'text/plain',
      data: Buffer.from(canary).toString('base64'),
    },
  ];
}

function linkingResources({ id, canary }: Plant): readonly Resource[] {
  const patient = { reference: `Patient/${id}` };
  return [
    { resourceType: 'Organization', id, name: canary },
    { resourceType: 'Group', id, type: 'person', actual: true, name: canary, member: [{ entity: patient }] },
    {
      resourceType: 'List',
      id,
      status: 'current',
      mode: 'working',
      title: canary,
      entry: [{ item: patient }],
    },
    {
      resourceType: 'Encounter',
      id,
      status: 'finished',
      class: { code: 'AMB' },
      subject: patient,
      serviceProvider: { reference: `Organization/${id}`, display: canary },
    },
  ];
}

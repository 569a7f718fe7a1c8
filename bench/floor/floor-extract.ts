import type {
  AllergyIntolerance,
  CarePlan,
  CareTeam,
  Claim,
  Condition,
  Device,
  DiagnosticReport,
  DocumentReference,
  DomainResource,
  Encounter,
  ExplanationOfBenefit,
  ImagingStudy,
  Immunization,
  Medication,
  MedicationAdministration,
  MedicationRequest,
  Observation,
  Patient,
  Procedure,
  SupplyDelivery,
} from 'fhir/r4.js';
import { RowWriter, type FloorRows } from './floor-rows.js';

/** Index rows of a resource, by hand-written code for the types that the benchmarks send; one row per path. */
export function extractFloorRows(resource: DomainResource): FloorRows {
  const rows = new RowWriter();
  rows.meta(resource);
  const extract = EXTRACTORS[resource.resourceType as keyof typeof EXTRACTORS] as
    ((resource: DomainResource, rows: RowWriter) => void) | undefined;
  extract?.(resource, rows);
  return rows;
}

function patient(resource: Patient, rows: RowWriter): void {
  rows.identifiers(resource.identifier);
  rows.code('active', resource.active);
  rows.code('gender', resource.gender, 'http://hl7.org/fhir/administrative-gender');
  rows.date('birthdate', resource.birthDate);
  rows.date('death-date', resource.deceasedDateTime);
  for (const { family, given = [], prefix = [] } of resource.name ?? []) {
    rows.text('family', family);
    rows.text('given', ...given);
    rows.text('name', family, ...given, ...prefix);
  }
  for (const { system = '', value } of resource.telecom ?? []) rows.code('telecom', value, system);
  for (const { line = [], city, state, postalCode, country } of resource.address ?? []) {
    rows.text('address', ...line, city, state, postalCode, country);
    rows.text('address-city', city);
    rows.text('address-state', state);
    rows.text('address-postalcode', postalCode);
    rows.text('address-country', country);
  }
  for (const { language } of resource.communication ?? []) rows.concept('language', language);
  rows.listOfLinks('general-practitioner', resource.generalPractitioner);
  rows.link('organization', resource.managingOrganization);
}

function observation(resource: Observation, rows: RowWriter): void {
  rows.identifiers(resource.identifier);
  rows.concept('code', resource.code);
  rows.concepts('category', resource.category);
  rows.code('status', resource.status, 'http://hl7.org/fhir/observation-status');
  rows.date('date', resource.effectiveDateTime);
  rows.period('date', resource.effectivePeriod);
  rows.link('subject', resource.subject);
  rows.link('encounter', resource.encounter);
  rows.listOfLinks('performer', resource.performer);
  rows.quantity('value-quantity', resource.valueQuantity);
  rows.concept('value-concept', resource.valueCodeableConcept);
  rows.text('value-string', resource.valueCodeableConcept?.text, resource.valueString);
  for (const { code, valueQuantity, valueCodeableConcept } of resource.component ?? []) {
    rows.concept('component-code', code);
    rows.quantity('component-value-quantity', valueQuantity);
    rows.concept('component-value-concept', valueCodeableConcept);
  }
}

function encounter(resource: Encounter, rows: RowWriter): void {
  rows.identifiers(resource.identifier);
  rows.codings('class', [resource.class]);
  rows.concepts('type', resource.type);
  rows.code('status', resource.status, 'http://hl7.org/fhir/encounter-status');
  rows.period('date', resource.period);
  rows.link('subject', resource.subject);
  for (const { individual, type } of resource.participant ?? []) {
    rows.link('participant', individual);
    rows.concepts('participant-type', type);
  }
  rows.link('service-provider', resource.serviceProvider);
  rows.listOfLinks(
    'location',
    resource.location?.map(({ location }) => location),
  );
  rows.concepts('reason-code', resource.reasonCode);
}

function condition(resource: Condition, rows: RowWriter): void {
  rows.concept('clinical-status', resource.clinicalStatus);
  rows.concept('verification-status', resource.verificationStatus);
  rows.concepts('category', resource.category);
  rows.concept('code', resource.code);
  rows.link('subject', resource.subject);
  rows.link('encounter', resource.encounter);
  rows.date('onset-date', resource.onsetDateTime);
  rows.date('abatement-date', resource.abatementDateTime);
  rows.date('recorded-date', resource.recordedDate);
}

function procedure(resource: Procedure, rows: RowWriter): void {
  rows.code('status', resource.status, 'http://hl7.org/fhir/event-status');
  rows.concept('code', resource.code);
  rows.link('subject', resource.subject);
  rows.link('encounter', resource.encounter);
  rows.period('date', resource.performedPeriod);
  rows.link('location', resource.location);
  rows.concepts('reason-code', resource.reasonCode);
  rows.listOfLinks('reason-reference', resource.reasonReference);
}

function medicationRequest(resource: MedicationRequest, rows: RowWriter): void {
  rows.code('status', resource.status, 'http://hl7.org/fhir/CodeSystem/medicationrequest-status');
  rows.code('intent', resource.intent, 'http://hl7.org/fhir/CodeSystem/medicationrequest-intent');
  rows.concept('code', resource.medicationCodeableConcept);
  rows.link('medication', resource.medicationReference);
  rows.link('subject', resource.subject);
  rows.link('encounter', resource.encounter);
  rows.date('authoredon', resource.authoredOn);
  rows.link('requester', resource.requester);
  rows.concepts('category', resource.category);
}

function claim(resource: Claim, rows: RowWriter): void {
  rows.code('status', resource.status, 'http://hl7.org/fhir/fm-status');
  rows.code('use', resource.use, 'http://hl7.org/fhir/claim-use');
  rows.concept('priority', resource.priority);
  rows.date('created', resource.created);
  rows.link('patient', resource.patient);
  rows.link('provider', resource.provider);
  rows.link('facility', resource.facility);
  rows.listOfLinks(
    'encounter',
    resource.item?.flatMap(({ encounter: found = [] }) => found),
  );
}

function explanationOfBenefit(resource: ExplanationOfBenefit, rows: RowWriter): void {
  rows.identifiers(resource.identifier);
  rows.code('status', resource.status, 'http://hl7.org/fhir/explanationofbenefit-status');
  rows.date('created', resource.created);
  rows.link('patient', resource.patient);
  rows.link('provider', resource.provider);
  rows.link('facility', resource.facility);
  rows.link('claim', resource.claim);
  rows.text('disposition', resource.disposition);
  rows.listOfLinks(
    'care-team',
    resource.careTeam?.map(({ provider }) => provider),
  );
  rows.listOfLinks(
    'encounter',
    resource.item?.flatMap(({ encounter: found = [] }) => found),
  );
}

function diagnosticReport(resource: DiagnosticReport, rows: RowWriter): void {
  rows.code('status', resource.status, 'http://hl7.org/fhir/diagnostic-report-status');
  rows.concepts('category', resource.category);
  rows.concept('code', resource.code);
  rows.link('subject', resource.subject);
  rows.link('encounter', resource.encounter);
  rows.date('date', resource.effectiveDateTime);
  rows.date('issued', resource.issued);
  rows.listOfLinks('performer', resource.performer);
  rows.listOfLinks('result', resource.result);
}

function documentReference(resource: DocumentReference, rows: RowWriter): void {
  rows.identifiers(resource.identifier);
  rows.code('status', resource.status, 'http://hl7.org/fhir/document-reference-status');
  rows.concept('type', resource.type);
  rows.concepts('category', resource.category);
  rows.link('subject', resource.subject);
  rows.date('date', resource.date);
  rows.listOfLinks('author', resource.author);
  rows.link('custodian', resource.custodian);
  for (const { attachment, format } of resource.content) {
    rows.code('contenttype', attachment.contentType);
    if (format) rows.codings('format', [format]);
  }
  rows.listOfLinks('encounter', resource.context?.encounter);
  rows.period('period', resource.context?.period);
}

function immunization(resource: Immunization, rows: RowWriter): void {
  rows.code('status', resource.status, 'http://hl7.org/fhir/event-status');
  rows.concept('vaccine-code', resource.vaccineCode);
  rows.link('patient', resource.patient);
  rows.date('date', resource.occurrenceDateTime);
  rows.link('location', resource.location);
}

function careTeam(resource: CareTeam, rows: RowWriter): void {
  rows.code('status', resource.status);
  rows.link('subject', resource.subject);
  rows.link('encounter', resource.encounter);
  rows.period('date', resource.period);
  rows.listOfLinks(
    'participant',
    resource.participant?.map(({ member }) => member),
  );
}

function carePlan(resource: CarePlan, rows: RowWriter): void {
  rows.code('status', resource.status);
  rows.code('intent', resource.intent);
  rows.concepts('category', resource.category);
  rows.link('subject', resource.subject);
  rows.link('encounter', resource.encounter);
  rows.period('date', resource.period);
  rows.listOfLinks('care-team', resource.careTeam);
  rows.listOfLinks('condition', resource.addresses);
  for (const { detail } of resource.activity ?? []) rows.concept('activity-code', detail?.code);
}

function imagingStudy(resource: ImagingStudy, rows: RowWriter): void {
  rows.identifiers(resource.identifier);
  rows.code('status', resource.status);
  rows.link('subject', resource.subject);
  rows.link('encounter', resource.encounter);
  rows.date('started', resource.started);
  for (const { uid, modality, bodySite, instance } of resource.series ?? []) {
    rows.code('series', uid);
    rows.codings('modality', [modality]);
    rows.codings('bodysite', bodySite ? [bodySite] : []);
    for (const { uid: instanceUid, sopClass } of instance ?? []) {
      rows.code('instance', instanceUid);
      rows.codings('dicom-class', [sopClass]);
    }
  }
}

function allergyIntolerance(resource: AllergyIntolerance, rows: RowWriter): void {
  rows.concept('clinical-status', resource.clinicalStatus);
  rows.concept('verification-status', resource.verificationStatus);
  rows.code('type', resource.type);
  for (const category of resource.category ?? []) rows.code('category', category);
  rows.code('criticality', resource.criticality);
  rows.concept('code', resource.code);
  rows.link('patient', resource.patient);
  rows.date('date', resource.recordedDate);
}

function medication(resource: Medication, rows: RowWriter): void {
  rows.concept('code', resource.code);
  rows.code('status', resource.status);
}

function medicationAdministration(resource: MedicationAdministration, rows: RowWriter): void {
  rows.code('status', resource.status);
  rows.concept('code', resource.medicationCodeableConcept);
  rows.link('subject', resource.subject);
  rows.link('context', resource.context);
  rows.date('effective-time', resource.effectiveDateTime);
}

function supplyDelivery(resource: SupplyDelivery, rows: RowWriter): void {
  rows.code('status', resource.status);
  rows.link('patient', resource.patient);
}

function device(resource: Device, rows: RowWriter): void {
  rows.code('status', resource.status);
  rows.concept('type', resource.type);
  rows.link('patient', resource.patient);
  rows.text('device-name', ...(resource.deviceName ?? []).map(({ name }) => name));
  rows.text('udi-carrier', ...(resource.udiCarrier ?? []).map(({ carrierHRF }) => carrierHRF));
}

const EXTRACTORS = {
  Patient: patient,
  Observation: observation,
  Encounter: encounter,
  Condition: condition,
  Procedure: procedure,
  MedicationRequest: medicationRequest,
  Claim: claim,
  ExplanationOfBenefit: explanationOfBenefit,
  DiagnosticReport: diagnosticReport,
  DocumentReference: documentReference,
  Immunization: immunization,
  CareTeam: careTeam,
  CarePlan: carePlan,
  ImagingStudy: imagingStudy,
  AllergyIntolerance: allergyIntolerance,
  Medication: medication,
  MedicationAdministration: medicationAdministration,
  SupplyDelivery: supplyDelivery,
  Device: device,
};

import { ERROR_SYSTEM } from '../../model/errors.js';
import type { OutcomeIssue } from '../../model/resource.js';

/** At most so many issues are told about one resource; errors come before warnings. */
export const MAX_ISSUES = 50;

/** Elements nested deeper than this are refused. */
export const MAX_DEPTH = 200;

const MAX_QUOTED = 80;
const ELEMENT_NAME = /^[A-Za-z]\w{0,63}$/;

/** What is wrong, by the codes of http://hl7.org/fhir/issue-type that validation uses. */
export type FindingCode =
  | 'structure'
  | 'invalid'
  | 'required'
  | 'value'
  | 'code-invalid'
  | 'invariant'
  | 'processing'
  | 'not-supported'
  | 'too-costly'
  | 'not-found';

/** One finding before it becomes an issue. `path` is like `Patient.name[0].family`. */
export interface Finding {
  readonly severity: 'error' | 'warning' | 'information';
  readonly code: FindingCode;
  readonly path: string;
  readonly message: string;
}

/** Collects what one validation finds, and knows how deep it is in the resource. */
export class Findings {
  /** Levels of objects that are open. */
  depth = 0;
  private readonly errors: OutcomeIssue[] = [];
  private readonly others: OutcomeIssue[] = [];

  /** Adds an error. */
  error(code: FindingCode, path: string, message: string): void {
    this.add({ severity: 'error', code, path, message });
  }

  /** Adds a warning: the resource is accepted all the same. */
  warning(code: FindingCode, path: string, message: string): void {
    this.add({ severity: 'warning', code, path, message });
  }

  /** Adds a finding, unless there are MAX_ISSUES of its kind. */
  add(finding: Finding): void {
    const issues = finding.severity === 'error' ? this.errors : this.others;
    if (issues.length < MAX_ISSUES) issues.push(toIssue(finding));
  }

  /** Whether further errors would not be told: no need to find words for them. */
  get isFull(): boolean {
    return this.errors.length === MAX_ISSUES;
  }

  /** Errors first, at most MAX_ISSUES. */
  issues(): readonly OutcomeIssue[] {
    return [...this.errors, ...this.others].slice(0, MAX_ISSUES);
  }
}

/** The issues with errors before all others, else in their order. */
export function errorsFirst(issues: readonly OutcomeIssue[]): readonly OutcomeIssue[] {
  return [...issues.filter(isError), ...issues.filter((issue) => !isError(issue))];
}

function isError({ severity }: OutcomeIssue): boolean {
  return severity === 'error';
}

/** The path of an element; a name that no element can have is left out of it. */
export function childPath(path: string, name: string): string {
  return ELEMENT_NAME.test(name) ? `${path}.${name}` : path;
}

/** A value of the client's for a message: as JSON, cut to a length that people read. */
export function quote(value: unknown): string {
  if (Array.isArray(value)) return 'an array';
  if (typeof value === 'object' && value !== null) return 'an object';
  if (typeof value !== 'string') return String(value);
  return JSON.stringify(value.length > MAX_QUOTED ? `${value.slice(0, MAX_QUOTED)}…` : value);
}

function toIssue({ severity, code, path, message }: Finding): OutcomeIssue {
  return {
    severity,
    code,
    ...(severity === 'error'
      ? { details: { coding: [{ system: ERROR_SYSTEM, code: 'INVALID_RESOURCE' }] } }
      : {}),
    diagnostics: path === '' ? message : `${path}: ${message}`,
    ...(path === '' ? {} : { expression: [path] }),
  };
}

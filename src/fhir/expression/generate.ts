import type { Field, StaticType, TypeSchema } from './schema.js';
import { resourceStaticType } from './schema.js';
import type { Condition, Step, Walk } from './steps.js';
import { UnsupportedExpression } from './syntax.js';

/** A settled walk, and what is done with each value at its end. */
export interface Route {
  readonly steps: Walk;
  /** JavaScript for one value; empty where values of the type are of no interest. */
  readonly emit: (variable: string, type: StaticType) => string;
}

/** Routes that begin with the same steps share them. */
interface Fork {
  readonly branches: Map<string, { readonly step: Step; readonly fork: Fork }>;
  readonly emitters: Route['emit'][];
}

/**
 * JavaScript statements that walk all routes of a resource type at once. They expect the variables `resource`
 * and `runtime` (ExpressionRuntime). Definitions decide here what is an array and what a choice is called, so
 * that nothing of it is left to do per resource. Throws UnsupportedExpression.
 */
export function generateWalks(schema: TypeSchema, resourceType: string, routes: readonly Route[]): string {
  const root = newFork();
  for (const route of routes) addRoute(root, route);
  return new WalkGenerator(schema).generate(root, 'resource', resourceStaticType(resourceType));
}

function newFork(): Fork {
  return { branches: new Map(), emitters: [] };
}

function addRoute(root: Fork, { steps, emit }: Route): void {
  let fork = root;
  for (const step of steps) {
    const key = JSON.stringify(step);
    const branch = fork.branches.get(key) ?? { step, fork: newFork() };
    fork.branches.set(key, branch);
    fork = branch.fork;
  }
  fork.emitters.push(emit);
}

/** Writes the code of one fork after another, with a fresh variable for each value. */
class WalkGenerator {
  readonly #schema: TypeSchema;
  #variables = 0;

  constructor(schema: TypeSchema) {
    this.#schema = schema;
  }

  generate(fork: Fork, variable: string, type: StaticType): string {
    const here = fork.emitters.map((emit) => emit(variable, type));
    const below = [...fork.branches.values()].map(({ step, fork: next }) =>
      this.#step(step, next, variable, type),
    );
    return [...here, ...below].join('');
  }

  #step(step: Step, fork: Fork, variable: string, type: StaticType): string {
    switch (step.kind) {
      case 'member':
        return this.#member(step, fork, variable, type);
      case 'type':
        return this.#schema.isA(type.type, step.type) ? this.generate(fork, variable, type) : '';
      case 'target':
        return guard(
          `runtime.refersTo(${variable},${literal(step.type)})`,
          this.generate(fork, variable, type),
        );
      case 'where':
        return guard(
          `${this.#condition(step.condition, variable, type)}===true`,
          this.generate(fork, variable, type),
        );
      case 'condition':
        return this.#truth(step.condition, fork, variable, type);
      case 'extension':
        return this.#extension(step.url, fork, variable);
    }
  }

  #member(step: Extract<Step, { kind: 'member' }>, fork: Fork, variable: string, type: StaticType): string {
    const fields = this.#schema.fields(type, step.name);
    return fields.map((field) => this.#field(field, step.index, fork, variable)).join('');
  }

  #field(field: Field, index: number | null, fork: Fork, variable: string): string {
    const value = this.#variable();
    const body = this.generate(fork, value, field.type);
    if (body === '') return '';
    const property = `${variable}.${field.property}`;
    if (!field.array) return index ? '' : present(value, property, body);
    if (index !== null) return present(value, `${property}?.[${index}]`, body);
    return this.#each(value, property, body);
  }

  #each(value: string, property: string, body: string): string {
    const list = this.#variable();
    const at = this.#variable();
    return (
      `{const ${list}=${property};if(Array.isArray(${list}))for(let ${at}=0;${at}<${list}.length;${at}++)` +
      `{const ${value}=${list}[${at}];if(${value}!=null){${body}}}}`
    );
  }

  #extension(url: string, fork: Fork, variable: string): string {
    const value = this.#variable();
    const type = { type: 'Extension', location: 'Extension', element: undefined };
    const body = guard(`${value}.url===${literal(url)}`, this.generate(fork, value, type));
    return body === '' ? '' : this.#each(value, `${variable}.extension`, body);
  }

  #truth(condition: Condition, fork: Fork, variable: string, type: StaticType): string {
    const value = this.#variable();
    const body = this.generate(fork, value, { type: 'boolean', location: 'boolean', element: undefined });
    return body === '' ? '' : present(value, this.#condition(condition, variable, type), body);
  }

  #condition(condition: Condition, variable: string, type: StaticType): string {
    switch (condition.kind) {
      case 'and':
      case 'or': {
        const left = this.#condition(condition.left, variable, type);
        return `runtime.${condition.kind}(${left},${this.#condition(condition.right, variable, type)})`;
      }
      case 'exists':
      case 'empty':
        return `runtime.${condition.kind}([${this.#properties(condition.walks, variable, type).join()}])`;
      case 'compare':
        return this.#comparison(condition, variable, type);
    }
  }

  /** The common case `system='phone'` costs one property read. */
  #comparison(
    condition: Extract<Condition, { kind: 'compare' }>,
    variable: string,
    type: StaticType,
  ): string {
    const properties = this.#properties(condition.walks, variable, type);
    const constant = literal(condition.literal);
    if (properties.length === 1 && condition.operator === '=') return `(${properties[0]}===${constant})`;
    return `runtime.compare([${properties.join()}],${literal(condition.operator)},${constant})`;
  }

  /** Conditions read single elements only; where elements repeat, FHIRPath's rules need the engine. */
  #properties(walks: readonly Walk[], variable: string, type: StaticType): string[] {
    return walks.flatMap((walk) => {
      let ends = [{ code: variable, type }];
      for (const step of walk) ends = ends.flatMap((end) => this.#property(end, step));
      return ends.map(({ code }) => code);
    });
  }

  #property(end: { readonly code: string; readonly type: StaticType }, step: Step) {
    if (step.kind !== 'member' || step.index !== null)
      throw new UnsupportedExpression('condition on no element');
    return this.#schema.fields(end.type, step.name).map(({ property, array, type }) => {
      if (array) throw new UnsupportedExpression(`condition on the repeating element ${step.name}`);
      return { code: `${end.code}?.${property}`, type };
    });
  }

  #variable(): string {
    this.#variables += 1;
    return `v${this.#variables}`;
  }
}

function present(value: string, code: string, body: string): string {
  return `{const ${value}=${code};if(${value}!=null){${body}}}`;
}

function guard(condition: string, body: string): string {
  return body === '' ? '' : `if(${condition}){${body}}`;
}

/** Everything that enters generated code from outside goes through here. */
function literal(value: string | number | boolean): string {
  return JSON.stringify(value);
}

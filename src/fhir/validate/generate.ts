import { boundCodes } from './bindings.js';
import { PRIMITIVES } from './primitives.js';
import type { ElementRule, ObjectRule, PropertyRule, TypeRules, ValueRule } from './rules.js';

/** What generated code calls; as local names they are as fast as its own functions. */
const NAMES = [
  'is',
  'link',
  'codes',
  'targets',
  'siblings',
  'hasSibling',
  'isObject',
  'notAList',
  'notPrimitive',
  'unknownElement',
  'severalChoices',
  'missing',
  'empty',
  'checkExtension',
  'checkCode',
  'checkConcept',
  'checkReference',
  'checkTarget',
  'checkXhtml',
  'checkResource',
] as const;

/** What is given to generated code: every name that it calls. */
export type CheckEnvironment = Readonly<Record<(typeof NAMES)[number], unknown>>;

/**
 * Writes the JavaScript that checks one type: the body of a function of `env` (see structure.ts) that gives the
 * check of the type. One function per object, one `case` per property; whatever is wrong is told by a function
 * of checks.ts, off the path that valid resources take. In the text `o` is the object, `p` its path, `c` the
 * findings, `k` a property, `v` its value. Everything that stands in it comes from the definitions and is
 * written as a JSON literal.
 */
export function generateCheck(rules: TypeRules): string {
  const source = new Source(rules);
  const functions = [...rules.objects.values()].map((object) => source.object(object));
  return [
    '"use strict";',
    `const {${NAMES.join(',')}}=env;`,
    `const {${Object.keys(PRIMITIVES)
      .map((name) => `${name}:is_${name}`)
      .join(',')}}=is;`,
    ...source.declarations,
    ...functions,
    `return ${source.functionOf(rules.type)};`,
  ].join('\n');
}

const literal = (value: unknown): string => JSON.stringify(value);

class Source {
  /** Constants that the functions share. */
  readonly declarations: string[] = [];
  private readonly named = new Map<string, string>();
  private readonly functions: ReadonlyMap<string, string>;

  constructor(private readonly rules: TypeRules) {
    this.functions = new Map([...rules.objects.keys()].map((path, index) => [path, `f${index}`]));
  }

  functionOf(path: string): string {
    const name = this.functions.get(path);
    if (name === undefined) throw new Error(`${this.rules.type} has no element ${path}`);
    return name;
  }

  object(rule: ObjectRule): string {
    const isRoot = rule.path === this.rules.type;
    const isResource = isRoot && this.rules.kind === 'resource';
    const choices = rule.elements.filter(isChoice).map(({ name }) => `x_${name}`);
    return [
      `function ${this.functionOf(rule.path)}(o,p,c){`,
      'if(!isObject(o,p,c))return;',
      `c.depth++;let n=0${choices.map((name) => `,${name}`).join('')};`,
      'for(const k in o){const v=o[k];if(v===undefined)continue;n++;switch(k){',
      isResource ? 'case "resourceType":break;' : '',
      ...rule.elements.flatMap((element) => element.properties.map((each) => this.property(element, each))),
      `default:unknownElement(k,${literal(rule.path)},p,c);}}`,
      ...rule.elements.map(afterElement),
      isResource ? '' : 'if(n===0||n===1&&o.id!==undefined)empty(p,c);',
      rule.path === 'Extension' ? 'checkExtension(o.extension,x_value,p,c);' : '',
      'c.depth--;}',
    ].join('');
  }

  private property(element: ElementRule, property: PropertyRule): string {
    const key = literal(property.property);
    const path = `p+${literal(`.${property.label}`)}`;
    const chosen = isChoice(element) ? chooseProperty(element, key) : '';
    const check = element.many ? this.list(property, path) : this.value(property.value, 'v', path);
    const sibling = property.extensible ? siblingCase(element, property, path, chosen) : '';
    return `case ${key}:{${chosen}${check}break;}${sibling}`;
  }

  private list({ property, value, extensible }: PropertyRule, path: string): string {
    const at = `${path}+"["+i+"]"`;
    const check = this.value(value, 'w', at);
    const absent = extensible ? `if(w===null&&hasSibling(o[${literal(`_${property}`)}],i))continue;` : '';
    return (
      `if(!Array.isArray(v)||v.length===0){notAList(v,${path},c);break;}` +
      `for(let i=0;i<v.length;i++){const w=v[i];${absent}${check}}`
    );
  }

  private value(rule: ValueRule, value: string, path: string): string {
    const call = (check: string): string => `${check}(${value},${path},c);`;
    switch (rule.kind) {
      case 'primitive': {
        const { name } = rule;
        const bound = this.codes(rule.valueSet);
        const wrong = `if(!is_${name}(${value}))notPrimitive(${value},${literal(name)},${path},c);`;
        return bound
          ? `${wrong}else if(!${bound}.codes.has(${value}))checkCode(${value},${bound},${path},c);`
          : wrong;
      }
      case 'xhtml':
        return call('checkXhtml');
      case 'resource':
        return call('checkResource');
      case 'backbone':
        return call(this.functionOf(rule.path));
      case 'reference': {
        const targets = rule.targets && this.constant(`targets(${literal(rule.targets)})`);
        const target = targets ? `checkTarget(${value},${targets},${path},c);` : '';
        return call(this.datatype('Reference')) + call('checkReference') + target;
      }
      case 'datatype': {
        const bound = this.codes(rule.valueSet);
        const concept = bound ? `checkConcept(${value},${bound},${path},c);` : '';
        return call(this.datatype(rule.type)) + concept;
      }
      default:
        return rule satisfies never;
    }
  }

  /** A datatype is compiled when a value of it is first met. */
  private datatype(type: string): string {
    if (type === this.rules.type) return this.functionOf(type);
    const known = this.named.get(type);
    if (known) return `(${known}??=link(${literal(type)}))`;
    const name = `d${this.named.size}`;
    this.named.set(type, name);
    this.declarations.push(`let ${name};`);
    return `(${name}??=link(${literal(type)}))`;
  }

  private codes(valueSet: string | undefined): string | undefined {
    return valueSet === undefined || !boundCodes(valueSet)
      ? undefined
      : this.constant(`codes(${literal(valueSet)})`);
  }

  private constant(expression: string): string {
    const known = this.named.get(expression);
    if (known) return known;
    const name = `d${this.named.size}`;
    this.named.set(expression, name);
    this.declarations.push(`const ${name}=${expression};`);
    return name;
  }
}

function isChoice({ properties }: ElementRule): boolean {
  return properties.length > 1;
}

function chooseProperty({ name }: ElementRule, key: string): string {
  const choice = `x_${name}`;
  const path = `p+${literal(`.${name}`)}`;
  return `if(${choice}!==undefined&&${choice}!==${key})severalChoices(${choice},${key},${path},c);${choice}=${key};`;
}

function siblingCase(element: ElementRule, { property }: PropertyRule, path: string, chosen: string): string {
  const check = element.many ? 'list' : 'one';
  return `case ${literal(`_${property}`)}:{${chosen}siblings.${check}(v,o[${literal(property)}],${path},c);break;}`;
}

function afterElement(element: ElementRule): string {
  const [property] = element.properties;
  if (!element.required || !property) return '';
  const sibling = property.extensible ? `&&o[${literal(`_${property.property}`)}]===undefined` : '';
  const absent = isChoice(element)
    ? `x_${element.name}===undefined`
    : `o[${literal(property.property)}]===undefined${sibling}`;
  return `if(${absent})missing(p+${literal(`.${element.name}`)},c);`;
}

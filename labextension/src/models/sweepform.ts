import { reasonOf } from '../api/client';
import type { Environment, Form, Parameter } from '../api/types';
import type { components } from '../api/generated';
import { FormModel, textOf, valueOf, type Changes } from './form';

export type Plan = components['schemas']['Plan'];
type Domain = Plan['space'][string];

/** How one parameter is varied. */
export type Mode = 'same' | 'list' | 'range' | 'log';

/** What is typed for one parameter. */
export interface Way {
  mode: Mode;
  list: string;
  low: string;
  high: string;
}

/** What a number of trials, an end … is typed as. */
export type Rule =
  'trials' | 'at_once' | 'patience' | 'hours' | 'target' | 'failures';

const LOSSES = /loss|error|rmse|mae|mse|perplexity/i; // less of these is better
const PLACE = /\{([A-Za-z_]\w*)\}/g; // in a command
const RETURNED = 'value'; // what a function returns

/** The texts of a sweep's form while they are typed, and what is wrong with them. */
export class SweepFormModel {
  constructor(
    readonly form: Form,
    readonly metrics: readonly string[],
    environments: readonly Environment[]
  ) {
    this.work = new FormModel(form, environments);
    for (const one of form.parameters) {
      this.ways.set(one.name, wayOf(one));
    }
    this.objective =
      metrics.find(name => name.startsWith('val')) ??
      metrics[0] ??
      (form.kind === 'function' ? RETURNED : '');
  }

  /** Name, resources, and the values that stay. */
  readonly work: FormModel;
  readonly ways = new Map<string, Way>();
  readonly rules: Record<Rule, string> = {
    trials: '',
    at_once: '2',
    patience: '',
    hours: '',
    target: '',
    failures: ''
  };
  objective: string;
  /** Empty: as the objective's name says. */
  direction: '' | 'maximize' | 'minimize' = '';
  sampler: 'tpe' | 'random' | 'grid' = 'tpe';
  prune = false;
  /** Field → what is wrong; `''` is the whole form. */
  readonly errors = new Map<string, string>();

  /** The parameters; of a command the names in its braces. */
  get parameters(): Parameter[] {
    if (this.form.command_line === null) {
      return this.form.parameters.filter(one => !one.fixed);
    }
    const names = [...this.work.commandLine.matchAll(PLACE)].map(one => one[1]);
    return [...new Set(names)].map(name => ({
      name,
      type: 'json',
      value: null,
      default: null,
      help: null,
      choices: [],
      required: true,
      fixed: false,
      typed: false
    }));
  }

  way(parameter: Parameter): Way {
    const known = this.ways.get(parameter.name);
    if (known) {
      return known;
    }
    const way = wayOf(parameter);
    this.ways.set(parameter.name, way);
    return way;
  }

  /** Whether less of the objective is better. */
  get minimizes(): boolean {
    return this.direction
      ? this.direction === 'minimize'
      : LOSSES.test(this.objective);
  }

  /** What was typed, or null where something is wrong with it: then `errors` says what. */
  read(): { changes: Changes; plan: Plan } | null {
    this.errors.clear();
    const changes = this.work.read();
    const space: Record<string, Domain> = {};
    for (const one of this.parameters) {
      const way = this.way(one);
      if (way.mode !== 'same') {
        delete changes?.values[one.name];
        try {
          space[one.name] = domainOf(one, way);
        } catch (error) {
          this.errors.set(one.name, (error as Error).message);
        }
      } else if (this.form.command_line !== null) {
        this.errors.set(one.name, 'It needs values: they stand in its place.');
      }
    }
    const numbers: Partial<Record<Rule, number>> = {};
    for (const rule of Object.keys(this.rules) as Rule[]) {
      const text = this.rules[rule].trim();
      const number = Number(text);
      if (text && !Number.isFinite(number)) {
        this.errors.set(`:${rule}`, 'It takes a number.');
      } else if (text) {
        numbers[rule] = number;
      }
    }
    if (!Object.keys(space).length && !this.errors.size) {
      this.errors.set('', NOTHING);
    }
    if (!this.objective.trim()) {
      this.errors.set(':objective', 'Name the metric that counts.');
    }
    if (!changes || this.errors.size) {
      return null;
    }
    const { at_once = 2, ...stop } = numbers;
    return {
      changes,
      plan: {
        space,
        objective: this.objective.trim(),
        direction: this.minimizes ? 'minimize' : 'maximize',
        sampler: this.sampler,
        prune: this.prune,
        at_once,
        stop
      }
    };
  }

  /** Show what the server said beside the field that it is about. */
  refused(error: unknown): void {
    const reason = reasonOf(error);
    const named = this.parameters.find(one =>
      reason.startsWith(`${one.name} `)
    );
    if (named && this.way(named).mode !== 'same') {
      this.errors.set(named.name, reason);
    } else if (!this.work.refused(error)) {
      this.errors.set('', reason);
    }
  }
}

const NOTHING =
  'Nothing varies: let a parameter be one of several values, or go from one to another.';

/** How a parameter may vary; only numbers have ranges. */
export function modesOf({ type }: Parameter): Mode[] {
  return type === 'int' || type === 'float' || type === 'json'
    ? ['same', 'list', 'range', 'log']
    : ['same', 'list'];
}

function wayOf(parameter: Parameter): Way {
  const { type, value, choices } = parameter;
  const numeric = (type === 'int' || type === 'float') && Number(value) > 0;
  const list = choices.length
    ? choices.map(String).join(', ')
    : type === 'bool'
      ? 'true, false'
      : textOf(parameter);
  return {
    mode: parameter.required && value === null ? 'list' : 'same',
    list,
    low: numeric ? String(near(parameter, 0.1)) : '',
    high: numeric ? String(near(parameter, 10)) : ''
  };
}

function near({ type, value }: Parameter, factor: number): number {
  const number = Number((Number(value) * factor).toPrecision(6));
  return type === 'int' ? Math.max(1, Math.round(number)) : number;
}

function domainOf(parameter: Parameter, way: Way): Domain {
  const { type } = parameter;
  if (way.mode === 'list') {
    return { type: 'choice', values: listOf(parameter, way.list) };
  }
  const low = numberOf(way.low);
  const high = numberOf(way.high);
  const whole = /^-?\d+$/;
  const integer =
    type === 'int' ||
    (type === 'json' &&
      whole.test(way.low.trim()) &&
      whole.test(way.high.trim()));
  return { type: 'range', low, high, log: way.mode === 'log', integer };
}

function listOf(parameter: Parameter, text: string): unknown[] {
  if (parameter.type === 'json') {
    try {
      return JSON.parse(`[${text}]`) as unknown[];
    } catch {
      return text.split(',').map(part => wordOf(part.trim()));
    }
  }
  const parts = text.split(',').map(part => part.trim());
  if (parts.some(part => !part)) {
    throw new Error('It takes values between commas: 16, 32, 64.');
  }
  return parts.map(part => valueOf(parameter, part));
}

/** A value as JSON has it, else a text. */
function wordOf(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return text;
  }
}

function numberOf(text: string): number {
  const number = Number(text.trim().replaceAll('_', ''));
  if (!text.trim() || !Number.isFinite(number)) {
    throw new Error('Both ends are numbers, such as 0.001 and 0.1.');
  }
  return number;
}

import { ApiError, reasonOf } from '../api/client';
import type {
  Environment,
  Form,
  JobSpec,
  Parameter,
  Resources
} from '../api/types';
import { Place, type Elsewhere } from './place';

/** What the form of a job says when it is sent: only what is not as it was. */
export interface Changes extends Elsewhere {
  name: string;
  values: Record<string, unknown>;
  /** Amounts may be texts, as they were typed: the server reads them. */
  resources: Resources;
  command_line?: string;
  /** From the newest checkpoint. */
  resume?: boolean;
}

/** A resource as people write it. */
type Amount =
  | 'cpu'
  | 'memory'
  | 'gpu'
  | 'workers'
  | 'timeout'
  | 'retries'
  | 'retry_on'
  | 'priority';

export const AMOUNTS: readonly {
  name: Amount;
  label: string;
  placeholder: string;
  help?: string;
}[] = [
  { name: 'cpu', label: 'CPU cores', placeholder: 'as many as there are' },
  { name: 'memory', label: 'Memory', placeholder: 'such as 8 GB' },
  { name: 'gpu', label: 'GPUs', placeholder: '0' },
  {
    name: 'workers',
    label: 'Workers',
    placeholder: '1',
    help: 'processes that work together, each with all of the above'
  },
  { name: 'timeout', label: 'Time limit', placeholder: 'none; such as 2h' },
  { name: 'retries', label: 'Tries again', placeholder: '0 times' },
  {
    name: 'retry_on',
    label: 'Only after',
    placeholder: 'any failure that may pass',
    help: 'memory, connection, timeout …, or an exception'
  },
  { name: 'priority', label: 'Priority', placeholder: '0, from -10 to 10' }
];

/**
 * The texts of a form while they are typed, and what is wrong with them.
 *
 * It outlives the dialog that shows it: what the server refuses is shown in the
 * next one, with all that was typed.
 */
export class FormModel {
  constructor(
    readonly form: Form,
    /** Those that are built; null: it is not asked where it runs. */
    environments: readonly Environment[] | null = null
  ) {
    this.place = environments && new Place(form, environments);
    this.name = form.name;
    this.commandLine = form.command_line ?? '';
    for (const one of form.parameters) {
      this.texts.set(one.name, textOf(one));
    }
    this.amounts = writtenAmounts(form.resources);
  }

  name: string;
  commandLine: string;
  readonly place: Place | null;
  readonly texts = new Map<string, string>();
  readonly amounts: Record<Amount, string>;
  /** Field → what is wrong; `''` is the whole form. */
  readonly errors = new Map<string, string>();

  /** What was typed, or null where something is wrong with it: then `errors` says what. */
  read(): Changes | null {
    this.errors.clear();
    const values: Record<string, unknown> = {};
    for (const one of this.form.parameters) {
      const text = this.texts.get(one.name) ?? '';
      if (one.fixed || (text === textOf(one) && !one.required)) {
        continue;
      }
      if (text.trim() === '' && one.type !== 'str') {
        if (one.required) {
          this.errors.set(one.name, 'It needs a value.');
        }
        continue;
      }
      try {
        values[one.name] = valueOf(one, text);
      } catch (error) {
        this.errors.set(one.name, (error as Error).message);
      }
    }
    const resources = { ...this.form.resources };
    const before = writtenAmounts(this.form.resources);
    for (const { name } of AMOUNTS) {
      const text = this.amounts[name].trim();
      if (text !== before[name]) {
        Object.assign(resources, {
          [name]: text || (name in NONE ? NONE[name] : null)
        });
      }
    }
    let elsewhere: Elsewhere = {};
    try {
      elsewhere = this.place?.read() ?? {};
    } catch (error) {
      this.errors.set(':place', (error as Error).message);
    }
    if (!this.name.trim()) {
      this.errors.set(':name', 'A job needs a name.');
    }
    if (this.errors.size) {
      return null;
    }
    const { command_line: words } = this.form;
    return {
      name: this.name.trim(),
      values,
      resources,
      ...elsewhere,
      ...(words !== null && this.commandLine !== words
        ? { command_line: this.commandLine }
        : {})
    };
  }

  /** Show what the server said beside the field that it is about; false: it is about none. */
  refused(error: unknown): boolean {
    const reason = reasonOf(error);
    const code = error instanceof ApiError ? error.code : '';
    const amount = AMOUNTS.find(({ name }) => code.endsWith(`_${name}`));
    const named = this.form.parameters.find(one =>
      reason.startsWith(`${one.name} is `)
    );
    if (amount) {
      this.errors.set(`:${amount.name}`, reason);
    } else if (this.place?.choice && ABOUT_PLACE.has(code)) {
      this.errors.set(':place', reason);
    } else if (code === 'job_name') {
      this.errors.set(':name', reason);
    } else if (named) {
      this.errors.set(named.name, reason);
    } else {
      return false;
    }
    return true;
  }
}

/** Refusals that are about the environment. */
const ABOUT_PLACE = new Set([
  'python_not_found',
  'python_differs',
  'bad_requirements',
  'requirements_not_found'
]);

/** Work, with what its form says. */
export function specWith(spec: JobSpec, changes: Changes): JobSpec {
  const { values: parameters, resources, python, requirements } = changes;
  return {
    ...spec,
    parameters,
    resources,
    ...(python && { python }),
    ...(requirements && { requirements })
  };
}

/** A parameter's value as it is typed. */
export function textOf(parameter: Parameter): string {
  const { type, value, fixed } = parameter;
  if (value === null || value === undefined) {
    return type === 'json' && parameter.default === 'None' ? 'null' : '';
  }
  if (fixed || (type === 'str' && typeof value === 'string')) {
    return String(value);
  }
  return JSON.stringify(value);
}

/** What a text stands for; throws a sentence. */
export function valueOf(parameter: Parameter, text: string): unknown {
  const { name, type, typed } = parameter;
  const trimmed = text.trim();
  switch (type) {
    case 'str':
      return text;
    case 'bool':
      return trimmed === 'true';
    case 'int':
    case 'float': {
      const number = Number(trimmed.replaceAll('_', ''));
      if (type === 'int' && typed && !Number.isInteger(number)) {
        throw new Error(`${name} is '${trimmed}', and takes a whole number.`);
      }
      if (!Number.isFinite(number)) {
        throw new Error(`${name} is '${trimmed}', and takes a number.`);
      }
      return number;
    }
    case 'json':
      try {
        return JSON.parse(trimmed) as unknown;
      } catch {
        throw new Error('It takes JSON, such as [1, 2], "text", true or null.');
      }
  }
}

/** What nothing means where it is not “no limit”. */
const NONE: Partial<Record<Amount, number | string[]>> = {
  gpu: 0,
  priority: 0,
  retries: 0,
  retry_on: [],
  workers: 1
};

function writtenAmounts(resources: Resources): Record<Amount, string> {
  const { cpu, memory, gpu, timeout, priority, retries } = resources;
  const { retry_on: kinds, workers } = resources;
  return {
    cpu: cpu === null ? '' : String(cpu),
    memory: memory === null ? '' : writtenMemory(memory),
    gpu: gpu ? String(gpu) : '',
    timeout: timeout === null ? '' : writtenTime(timeout),
    priority: priority ? String(priority) : '',
    retries: retries ? String(retries) : '',
    retry_on: kinds?.join(', ') ?? '',
    workers: workers > 1 ? String(workers) : ''
  };
}

function writtenMemory(bytes: number): string {
  for (const [unit, size] of [
    ['GB', 1e9],
    ['MB', 1e6],
    ['GiB', 2 ** 30],
    ['MiB', 2 ** 20]
  ] as const) {
    if (bytes % size === 0 || (bytes >= size && bytes % (size / 10) === 0)) {
      return `${bytes / size} ${unit}`;
    }
  }
  return String(bytes);
}

function writtenTime(seconds: number): string {
  for (const [unit, size] of [
    ['d', 86400],
    ['h', 3600],
    ['m', 60]
  ] as const) {
    if (seconds % size === 0) {
      return `${seconds / size}${unit}`;
    }
  }
  return `${seconds}s`;
}

import type { Form, Parameter, Resources } from '../api/types';

/** What the form of a job says when it is sent: only what is not as it was. */
export interface Changes {
  name: string;
  values: Record<string, unknown>;
  resources: Resources;
  command_line?: string;
  /** From the newest checkpoint. */
  resume?: boolean;
}

/** A resource as people write it. */
type Amount = 'cpu' | 'memory' | 'gpu' | 'timeout' | 'priority' | 'retries';

export const AMOUNTS: readonly {
  name: Amount;
  label: string;
  placeholder: string;
}[] = [
  { name: 'cpu', label: 'CPU cores', placeholder: 'as many as there are' },
  { name: 'memory', label: 'Memory', placeholder: 'such as 8 GB' },
  { name: 'gpu', label: 'GPUs', placeholder: '0' },
  { name: 'timeout', label: 'Time limit', placeholder: 'none; such as 2h' },
  { name: 'priority', label: 'Priority', placeholder: '0, from -10 to 10' },
  { name: 'retries', label: 'Tries again', placeholder: '0 times' }
];

/**
 * The texts of a form while they are typed, and what is wrong with them.
 *
 * It outlives the dialog that shows it: what the server refuses is shown in the
 * next one, with all that was typed.
 */
export class FormModel {
  constructor(readonly form: Form) {
    this.name = form.name;
    this.commandLine = form.command_line ?? '';
    for (const one of form.parameters) {
      this.texts.set(one.name, textOf(one));
    }
    const { cpu, memory, gpu, timeout, priority, retries } = form.resources;
    this.amounts = {
      cpu: cpu === null ? '' : String(cpu),
      memory: memory === null ? '' : writtenMemory(memory),
      gpu: gpu ? String(gpu) : '',
      timeout: timeout === null ? '' : writtenTime(timeout),
      priority: priority ? String(priority) : '',
      retries: retries ? String(retries) : ''
    };
  }

  name: string;
  commandLine: string;
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
    const resources: Resources = { ...this.form.resources };
    for (const { name } of AMOUNTS) {
      try {
        Object.assign(resources, {
          [name]: amountOf(name, this.amounts[name])
        });
      } catch (error) {
        this.errors.set(`:${name}`, (error as Error).message);
      }
    }
    if (!this.name.trim()) {
      this.errors.set(':name', 'A job needs a name.');
    }
    if (this.errors.size) {
      return null;
    }
    const { command_line: before } = this.form;
    return {
      name: this.name.trim(),
      values,
      resources,
      ...(before !== null && this.commandLine !== before
        ? { command_line: this.commandLine }
        : {})
    };
  }
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
export function valueOf({ type, typed }: Parameter, text: string): unknown {
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
        throw new Error('It takes a whole number.');
      }
      if (!Number.isFinite(number)) {
        throw new Error('It takes a number, such as 0.1 or 1e-3.');
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

const BYTES: Record<string, number> = {
  '': 1,
  K: 1e3,
  M: 1e6,
  G: 1e9,
  T: 1e12,
  KI: 2 ** 10,
  MI: 2 ** 20,
  GI: 2 ** 30,
  TI: 2 ** 40
};
const SECONDS: Record<string, number> = {
  '': 1,
  s: 1,
  m: 60,
  min: 60,
  h: 3600,
  d: 86400
};

/** Amounts that are counted; none is 0. */
const WHOLE: ReadonlySet<Amount> = new Set(['gpu', 'priority', 'retries']);

function amountOf(name: Amount, text: string): number | null {
  const trimmed = text.trim();
  if (!trimmed) {
    return WHOLE.has(name) ? 0 : null;
  }
  const [, digits, unit] =
    /^([+-]?[\d._]+(?:e[+-]?\d+)?)\s*([a-z]*)$/i.exec(trimmed) ?? [];
  const number = Number((digits ?? '').replaceAll('_', ''));
  const factor =
    name === 'memory'
      ? BYTES[(unit ?? '').toUpperCase().replace(/B$/, '')]
      : name === 'timeout'
        ? SECONDS[(unit ?? '').toLowerCase()]
        : unit
          ? undefined
          : 1;
  const whole = WHOLE.has(name);
  if (
    !digits ||
    !Number.isFinite(number) ||
    factor === undefined ||
    (whole && !Number.isInteger(number)) ||
    (name !== 'priority' && number < 0) ||
    (!whole && number === 0)
  ) {
    throw new Error(
      {
        cpu: 'It takes a number of cores, such as 4 or 0.5.',
        memory: 'It takes an amount, such as 8 GB or 512 MB.',
        gpu: 'It takes a whole number, such as 0 or 1.',
        timeout: 'It takes a time, such as 30m, 2h or 1d.',
        priority: 'It takes a whole number from -10 to 10.',
        retries: 'It takes a whole number from 0 to 100.'
      }[name]
    );
  }
  return name === 'memory' ? Math.round(number * factor) : number * factor;
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

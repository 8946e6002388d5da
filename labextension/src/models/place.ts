import type { Environment, Form } from '../api/types';

/** Another environment for some work: what is not named is as it was. */
export interface Elsewhere {
  python?: string;
  requirements?: string[];
}

/** Choices beside the environments that are built: those have their keys. */
export const SAME = '';
export const PACKAGES = '+packages';
export const PYTHON = '+python';

/** What runs work that names no Python. */
const UNNAMED: Partial<Record<Form['kind'], string>> = {
  command: 'what the command names',
  notebook: 'the kernel of the notebook'
};

/** Where work is to run, while it is chosen. */
export class Place {
  constructor(
    readonly form: Form,
    environments: readonly Environment[]
  ) {
    this.environments = environments.filter(one => one.requirements.length);
  }

  readonly environments: readonly Environment[];
  choice = SAME;
  packages = '';
  python = '';

  /** What was chosen; throws a sentence where that is not enough. */
  read(): Elsewhere {
    switch (this.choice) {
      case SAME:
        return {};
      case PACKAGES: {
        const requirements = this.packages.split(/[\s,]+/).filter(Boolean);
        if (!requirements.length) {
          throw new Error('Name packages, such as torch==2.8 pandas.');
        }
        return { requirements };
      }
      case PYTHON: {
        const python = this.python.trim();
        if (!python) {
          throw new Error('Give a path, a version or a conda environment.');
        }
        return { python, requirements: [] };
      }
      default: {
        const built = this.environments.find(one => one.key === this.choice);
        return built
          ? { python: built.python, requirements: built.requirements }
          : {};
      }
    }
  }

  /** Where it ran before, in words. */
  get before(): string {
    const { requirements, python, kind } = this.form;
    if (requirements.length) {
      return `as before: ${requirements.join(', ')}`;
    }
    return python ?? UNNAMED[kind] ?? 'the Python of Jupyter';
  }
}

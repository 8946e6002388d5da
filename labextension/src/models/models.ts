import type { Api } from '../api/client';
import type { Model, ModelVersion } from '../api/types';
import { Collection } from './collection';

/** A model as the list has it: its name is its id. */
export interface ListedModel extends Model {
  id: string;
}

/** Registered models by name, each with its versions in short, the newest first. */
export class ModelsModel extends Collection<ListedModel> {
  constructor(private readonly api: Api) {
    super(
      async signal => (await api.get('/models', { signal })).models.map(listed),
      (a, b) => a.name.localeCompare(b.name, undefined, { numeric: true })
    );
  }

  /** Take in models from an answer, or the poll. */
  take(models: Model[]): void {
    this.put(...models.map(listed));
  }

  /** What a job registered. */
  ofJob(id: string): ModelVersion[] {
    return this.versions(version => version.job_id === id);
  }

  /** What came of jobs that read a dataset, the newest of each model first. */
  ofDataset(id: number): ModelVersion[] {
    return this.versions(({ datasets }) =>
      datasets.some(({ dataset_id }) => dataset_id === id)
    );
  }

  /** A model with definition and packages of its versions. */
  whole(name: string, signal?: AbortSignal): Promise<Model> {
    return this.api.get('/models/{name}', { path: { name }, signal });
  }

  /** Have an alias mean a version, or none. */
  async setAlias(
    name: string,
    alias: string,
    version: number | null
  ): Promise<void> {
    await this.api.post('/models/{name}/alias', {
      path: { name },
      body: { alias, version }
    });
    await this.load();
  }

  /** Say something else of a version. */
  async describe(
    name: string,
    version: number,
    description: string
  ): Promise<void> {
    await this.api.patch('/models/{name}/versions/{version}', {
      path: { name, version },
      body: { description }
    });
    await this.load();
  }

  /** Take a version out of the registry. */
  async remove(name: string, version: number): Promise<void> {
    await this.api.delete('/models/{name}/versions/{version}', {
      path: { name, version }
    });
    await this.load();
  }

  /** Whether MLflow, which changes go through, has to be started first. */
  async isAsleep(): Promise<boolean> {
    return (await this.api.get('/mlflow')).state !== 'running';
  }

  private versions(wanted: (one: ModelVersion) => boolean): ModelVersion[] {
    return this.items.flatMap(({ versions }) => versions.filter(wanted));
  }
}

function listed(model: Model): ListedModel {
  return { ...model, id: model.name };
}

/** The line of Python that loads a version: by its alias, which moves, or its number. */
export function loadLine({ name, version, aliases }: ModelVersion): string {
  const which = aliases.length ? JSON.stringify(aliases[0]) : version;
  return `blueno.model(${JSON.stringify(name)}, ${which}).load()`;
}

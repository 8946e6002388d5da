import type { Api } from '../api/client';
import type { Dataset, StartIngest } from '../api/types';
import { Collection } from './collection';

/** All datasets, by name. */
export class DatasetsModel extends Collection<Dataset> {
  constructor(private readonly api: Api) {
    super(
      async signal => (await api.get('/datasets', { signal })).datasets,
      (a, b) => a.name.localeCompare(b.name, undefined, { numeric: true })
    );
  }

  byName(name: string): Dataset | undefined {
    return this.items.find(dataset => dataset.name === name);
  }

  /** Start filling a dataset in the background. */
  async ingest(body: StartIngest): Promise<Dataset> {
    const dataset = await this.api.post('/ingests', { body });
    this.put(dataset);
    return dataset;
  }

  /** Into the trash: `restore` takes it back out. */
  async delete(id: number): Promise<void> {
    await this.api.delete('/datasets/{dataset_id}', {
      path: { dataset_id: id }
    });
    this.drop(id);
  }

  async restore(id: number): Promise<Dataset> {
    const dataset = await this.api.post('/datasets/{dataset_id}/restore', {
      path: { dataset_id: id }
    });
    this.put(dataset);
    return dataset;
  }
}

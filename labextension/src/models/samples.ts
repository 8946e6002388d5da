import type { Api } from '../api/client';
import type { Sample } from '../api/types';
import { OrdinalCache } from './ordinals';

const BUDGET = 20_000; // samples

/** What is known of the samples of one dataset, beside their pixels. */
export class Samples extends OrdinalCache<Sample> {
  constructor(
    private readonly api: Api,
    readonly datasetId: number
  ) {
    super(BUDGET);
  }

  protected async fetch(ordinals: string, signal: AbortSignal): Promise<void> {
    const { samples } = await this.api.get(
      '/datasets/{dataset_id}/samples-at',
      {
        path: { dataset_id: this.datasetId },
        query: { ordinals },
        signal
      }
    );
    for (const sample of samples) {
      this.keep(sample.ordinal, sample, 1);
    }
  }
}

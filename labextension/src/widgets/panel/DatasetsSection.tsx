import * as React from 'react';
import { Commands } from '../../tokens';
import { useModel } from '../hooks';
import { count } from '../numbers';
import { Empty, Failed, Loading } from '../states';
import { SearchBox, type SectionProps } from './section';

/** The datasets of the panel, by name. */
export function DatasetsSection(props: SectionProps): JSX.Element {
  const { platform, commands, search } = props;
  const datasets = useModel(platform.datasets);
  const { query } = useModel(search);
  if (datasets.state === 'loading') {
    return <Loading word="Loading datasets" />;
  }
  if (datasets.state === 'failed') {
    return (
      <Failed
        title="The datasets could not be listed"
        error={datasets.reason}
        again={() => platform.retry()}
      />
    );
  }
  if (!datasets.items.length) {
    return (
      <Empty
        title="No datasets yet"
        action={{
          label: 'Add dataset …',
          run: () => void commands.execute(Commands.addDataset)
        }}
      >
        Prepare a public set, register a folder, or upload images.
      </Empty>
    );
  }
  const shown = datasets.items.filter(({ name }) =>
    name.toLowerCase().includes(query.toLowerCase())
  );
  return (
    <>
      <SearchBox search={search} placeholder="Search datasets" />
      <ul className="jp-blueno-list">
        {shown.map(dataset => (
          <li key={dataset.id}>
            {dataset.name} {count(dataset.version.sample_count)}
          </li>
        ))}
      </ul>
    </>
  );
}

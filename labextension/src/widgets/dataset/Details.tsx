import type { CommandRegistry } from '@lumino/commands';
import * as React from 'react';
import type { Sample } from '../../api/types';
import type { DatasetModel } from '../../models/dataset';
import { useModel } from '../hooks';
import { bytes, count, counted } from '../numbers';
import { TileCanvas } from './TileCanvas';
import { UsedBy } from './UsedBy';

/** What is known of the sample that is looked at. */
export function Details(props: {
  model: DatasetModel;
  open: (ordinal: number) => void;
  commands: CommandRegistry;
}): JSX.Element {
  const { model, open, commands } = props;
  const { current, size } = useModel(model.selection);
  const { positions } = useModel(model);
  const samples = useModel(model.samples);
  React.useEffect(() => {
    if (current !== null && !samples.isFresh(current)) {
      samples.want([current]);
    }
  }, [current, samples, positions]);
  const sample = current === null ? undefined : samples.get(current);
  return (
    <aside className="jp-blueno-details" aria-label="Selected sample">
      {size > 0 && (
        <div className="jp-blueno-details-picked">
          {counted(size, 'sample')} selected
          <button
            className="jp-blueno-button jp-mod-link"
            onClick={() => model.selection.clear()}
          >
            clear
          </button>
        </div>
      )}
      {current === null ? (
        <p className="jp-blueno-details-hint">
          Click a sample, or move with the arrow keys. Space opens it, x selects
          it.
        </p>
      ) : (
        <>
          <Picture
            key={current}
            model={model}
            ordinal={current}
            sample={sample}
          />
          {sample && <Facts sample={sample} />}
          <button
            className="jp-mod-styled jp-mod-accept"
            onClick={() => open(current)}
          >
            Open
          </button>
        </>
      )}
      <UsedBy model={model} commands={commands} />
    </aside>
  );
}

/** The thumbnail at once; over it the picture itself when it has arrived. */
function Picture(props: {
  model: DatasetModel;
  ordinal: number;
  sample?: Sample;
}): JSX.Element {
  const { model, ordinal, sample } = props;
  const ordinals = React.useMemo(() => [ordinal], [ordinal]);
  const [loaded, setLoaded] = React.useState(false);
  const [small, setSmall] = React.useState(false);
  return (
    <div className="jp-blueno-details-picture">
      <TileCanvas
        thumbnails={model.thumbnails}
        ordinals={ordinals}
        size={184 / model.aspect}
        pitch={184}
        aspect={model.aspect}
      />
      {sample?.kind === 'image2d' && (
        <img
          src={model.platform.api.url('/images/picture', {
            query: { dataset_id: model.id, ordinal, max_size: 512 }
          })}
          alt={sample.name}
          className={small ? 'jp-mod-tiny' : ''}
          style={{ visibility: loaded ? 'visible' : 'hidden' }}
          onLoad={({ currentTarget: { naturalWidth, naturalHeight } }) => {
            setSmall(Math.max(naturalWidth, naturalHeight) <= 64);
            setLoaded(true);
          }}
        />
      )}
    </div>
  );
}

function Facts({ sample }: { sample: Sample }): JSX.Element {
  const facts: [string, React.ReactNode][] = [
    ['name', sample.name],
    ['label', sample.label],
    ['split', sample.split],
    ['size', shapeOf(sample)],
    ['spacing', sample.spacing && `${sample.spacing.map(mm).join(' × ')} mm`],
    ['bytes', sample.bytes && bytes(sample.bytes)],
    ['sample', `#${count(sample.ordinal)}`],
    ...Object.entries(sample.results ?? {}).map(
      ([name, value]): [string, string] => [name, valueOf(value)]
    ),
    ...Object.entries(sample.attributes).map(
      ([name, value]): [string, string] => [name, textOf(value)]
    )
  ];
  return (
    <dl className="jp-blueno-facts">
      {facts
        .filter(([, value]) => value !== null && value !== '')
        .map(([name, value]) => (
          <React.Fragment key={name}>
            <dt>{name}</dt>
            <dd>{value}</dd>
          </React.Fragment>
        ))}
    </dl>
  );
}

/** `28 × 28 uint8`. */
export function shapeOf(sample: Sample): string {
  return [sample.shape?.join(' × '), sample.dtype].filter(Boolean).join(' ');
}

/** A column's value: `0.9312`, `1.2e-7`, `cat`. */
export function valueOf(value: number | string): string {
  return typeof value === 'number'
    ? String(Number(value.toPrecision(4)))
    : value;
}

/** An attribute's value in a line. */
export function textOf(value: unknown): string {
  return typeof value === 'string' ? value : JSON.stringify(value);
}

function mm(value: number): string {
  return String(Math.round(value * 1000) / 1000);
}

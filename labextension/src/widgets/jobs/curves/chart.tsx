import * as React from 'react';
import type uPlot from 'uplot';
import type { Curve } from '../../../models/curves';
import { useSize } from '../../hooks';
import { gaps, smoothed, tableOf, type Drawn, type Group } from './series';
import { count } from '../../numbers';

const HEIGHT = 180; // CSS pixels
const COLOURS = ['blue', 'yellow', 'green', 'magenta', 'red', 'cyan', 'grey'];
const FAINT = 0.28; // of a curve behind its smoothed self

const FROM_ZERO: uPlot.Scale = {
  range: (_, low, high) => [0, 1.1 * high || 1]
};

type Library = typeof uPlot;

/** The drawing library, loaded when the first chart is. */
function useLibrary(): Library | undefined {
  const [library, setLibrary] = React.useState<Library>();
  React.useEffect(() => {
    void import('uplot').then(({ default: found }) => setLibrary(() => found));
  }, []);
  return library;
}

/** Counts changes of Lab's theme: colours on a canvas do not follow by themselves. */
export function useTheme(): number {
  const [theme, setTheme] = React.useState(0);
  React.useEffect(() => {
    const observer = new MutationObserver(() => setTheme(n => n + 1));
    observer.observe(document.body, {
      attributeFilter: ['data-jp-theme-name', 'data-jp-theme-light']
    });
    return () => observer.disconnect();
  }, []);
  return theme;
}

interface ChartProps {
  group: Group;
  drawn: Drawn;
  /** Seconds since 1970 from which time is counted. */
  begin: number;
  theme: number;
  /** Before a place along the bottom: `step `, or nothing where it is a time. */
  word: string;
  /** Charts with the same key show the same place. */
  sync: string;
  format: (value: number) => string;
  formatAlong: (x: number) => string;
}

/**
 * Some curves over the same steps. The pointer, or the arrow keys, read values;
 * dragging zooms, a double click shows all again.
 */
export function Chart(props: ChartProps): JSX.Element {
  const { group, format, formatAlong } = props;
  const [hidden, setHidden] = React.useState<ReadonlySet<string>>(new Set());
  const [at, setAt] = React.useState<number | null>(null);
  const { host, plot, table } = usePlot(props, hidden, setAt);
  const place = at !== null && at < table[0].length ? at : null;
  const onKey = (event: React.KeyboardEvent) => {
    const last = table[0].length - 1;
    const to = {
      ArrowLeft: Math.max(0, (place ?? last + 1) - 1),
      ArrowRight: Math.min(last, (place ?? -1) + 1),
      Home: 0,
      End: last
    }[event.key];
    if (to !== undefined && plot.current && last >= 0) {
      event.preventDefault();
      const left = plot.current.valToPos(table[0][to], 'x');
      plot.current.setCursor({ left, top: 10 });
    }
  };
  const values = group.curves.map((curve, index) =>
    place === null
      ? curve.values.at(-1)
      : (table[index + 1][place] ?? undefined)
  );
  return (
    <figure className="jp-blueno-chart" aria-label={group.title}>
      <figcaption>
        <span className="jp-blueno-chart-title">{group.title}</span>
        <span className="jp-blueno-chart-at" role="status">
          {place === null
            ? 'newest'
            : `${props.word}${formatAlong(table[0][place])}`}
        </span>
      </figcaption>
      <div
        ref={host}
        className="jp-blueno-chart-plot"
        role="group"
        aria-roledescription="chart"
        aria-label={`${group.title}: arrow keys read the values`}
        tabIndex={0}
        onKeyDown={onKey}
      />
      <div className="jp-blueno-chart-legend">
        {group.curves.map((curve, index) => (
          <button
            key={curve.name}
            aria-pressed={!hidden.has(curve.name)}
            title={`Show or hide ${curve.name}`}
            onClick={() => setHidden(toggled(hidden, curve.name))}
          >
            <span
              className="jp-blueno-chart-colour"
              style={{ background: `var(${colour(index)})` }}
            />
            {curve.name}
            <b>
              {values[index] === undefined ? '–' : format(values[index] ?? 0)}
            </b>
          </button>
        ))}
      </div>
      {group.curves.map(curve => (
        <Gaps key={curve.name} curve={curve} />
      ))}
    </figure>
  );
}

/** What cannot be drawn is said. */
function Gaps({ curve }: { curve: Curve }): JSX.Element | null {
  const found = gaps(curve);
  return found.count ? (
    <div className="jp-blueno-chart-gaps">
      {found.count === 1
        ? `${curve.name} is no number at step ${count(found.first)}.`
        : `${curve.name} is no number (NaN or infinite) from step ` +
          `${count(found.first)} on, ${count(found.count)} times.`}
    </div>
  ) : null;
}

function toggled(set: ReadonlySet<string>, name: string): Set<string> {
  const next = new Set(set);
  return next.delete(name) ? next : next.add(name);
}

function colour(index: number): string {
  return `--jp-blueno-${COLOURS[index % COLOURS.length]}`;
}

/** A plot in `host`, and the table it draws: kept up to date, made anew where it must. */
function usePlot(
  { group, drawn, begin, theme, sync, format, formatAlong }: ChartProps,
  hidden: ReadonlySet<string>,
  setAt: (index: number | null) => void
) {
  const library = useLibrary();
  const [measure, { width }] = useSize<HTMLDivElement>();
  const element = React.useRef<HTMLDivElement | null>(null);
  const host = React.useCallback(
    (node: HTMLDivElement | null) => {
      element.current = node;
      measure(node);
    },
    [measure]
  );
  const plot = React.useRef<uPlot | null>(null);
  const zoomed = React.useRef(false);
  const { curves } = group;
  const table = React.useMemo(() => {
    const tables = curves.map(curve => tableOf(curve, begin, drawn));
    return library && tables.length > 1
      ? (library.join(tables as uPlot.AlignedData[]) as (typeof tables)[0])
      : tables[0];
  }, [library, curves, begin, drawn]);
  const { smoothing, log, along, fromZero } = drawn;
  const both = smoothing > 0;
  const data = React.useMemo(() => {
    const [xs, ...ys] = table;
    const smooth = smoothing > 0 ? ys.map(y => smoothed(y, smoothing)) : [];
    return [xs, ...ys, ...smooth] as uPlot.AlignedData;
  }, [table, smoothing]);
  const shape = JSON.stringify(curves.map(one => one.name));
  const formats = React.useRef({ format, formatAlong });
  formats.current = { format, formatAlong };
  const latest = React.useRef(data);
  latest.current = data;
  const wide = width > 0;
  React.useEffect(() => {
    if (!library || !element.current || !wide) {
      return;
    }
    const style = getComputedStyle(element.current);
    const names = JSON.parse(shape) as string[];
    const line = (index: number, alpha: number): uPlot.Series => ({
      stroke: style.getPropertyValue(colour(index)),
      width: alpha < 1 ? 1 : 1.5,
      alpha,
      points: { show: latest.current[0].length < 2 },
      spanGaps: names.length > 1
    });
    const axis: uPlot.Axis = {
      stroke: style.getPropertyValue('--jp-ui-font-color2'),
      grid: { stroke: style.getPropertyValue('--jp-border-color2'), width: 1 },
      ticks: { show: false },
      font: `11px ${style.getPropertyValue('--jp-ui-font-family')}`
    };
    const made = new library(
      {
        width: element.current.clientWidth,
        height: HEIGHT,
        legend: { show: false },
        padding: [8, 12, 0, 0],
        cursor: {
          y: false,
          sync: { key: `${sync}-${along}` },
          points: { size: 6 }
        },
        scales: {
          x: { time: false },
          y: { distr: log ? 3 : 1, ...(fromZero && FROM_ZERO) }
        },
        axes: [
          {
            ...axis,
            size: 28,
            values: (_, ticks) => ticks.map(x => formats.current.formatAlong(x))
          },
          {
            ...axis,
            size: 62,
            values: (_, ticks) =>
              ticks.map(y => (y === null ? '' : formats.current.format(y)))
          }
        ],
        series: [
          {},
          ...names.map((_, index) => line(index, both ? FAINT : 1)),
          ...(both ? names.map((_, index) => line(index, 1)) : [])
        ],
        hooks: {
          setCursor: [u => setAt(u.cursor.idx ?? null)],
          setSelect: [u => (zoomed.current = u.select.width > 0)]
        }
      },
      latest.current,
      element.current
    );
    made.over.addEventListener('dblclick', () => (zoomed.current = false));
    zoomed.current = false;
    plot.current = made;
    return () => {
      made.destroy();
      plot.current = null;
    };
  }, [library, wide, shape, log, along, both, fromZero, theme, sync, setAt]);
  React.useEffect(() => {
    const now = plot.current;
    if (now) {
      now.setData(data, !zoomed.current);
      if (zoomed.current) {
        now.redraw();
      }
    }
  }, [data]);
  React.useEffect(() => {
    plot.current?.setSize({ width, height: HEIGHT });
  }, [width]);
  React.useEffect(() => {
    curves.forEach((curve, index) => {
      const show = !hidden.has(curve.name);
      for (const one of [index + 1, index + 1 + curves.length]) {
        const series = plot.current?.series[one];
        if (series && series.show !== show) {
          plot.current?.setSeries(one, { show });
        }
      }
    });
  }, [hidden, curves, data, log, along, theme]);
  return { host, plot, table };
}

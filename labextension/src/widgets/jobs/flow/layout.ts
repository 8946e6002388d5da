/** Where the steps of a flow are drawn: in layers, from left to right. */
import * as React from 'react';
import type { Step } from '../../../api/types';

export const WIDTH = 184; // of a step, in pixels
export const HEIGHT = 52;

export interface Place {
  /** Its middle. */
  x: number;
  y: number;
}

export interface Line {
  from: string;
  to: string;
  /** An SVG path. */
  path: string;
}

export interface Layout {
  width: number;
  height: number;
  places: Map<string, Place>;
  lines: Line[];
}

/** Loads the library that does it when the first flow is drawn. */
export function useLayout(steps: readonly Step[]): Layout | null {
  const [layout, setLayout] = React.useState<Layout | null>(null);
  const key = JSON.stringify(steps.map(({ name, needs }) => [name, needs]));
  React.useEffect(() => {
    let current = true;
    void layOut(JSON.parse(key) as [string, string[]][]).then(
      made => current && setLayout(made)
    );
    return () => {
      current = false;
    };
  }, [key]);
  return layout;
}

async function layOut(steps: [string, string[]][]): Promise<Layout> {
  const { Graph, layout } = await import('@dagrejs/dagre');
  const graph = new Graph();
  graph.setGraph({
    rankdir: 'LR',
    nodesep: 18,
    ranksep: 44,
    marginx: 6,
    marginy: 6
  });
  graph.setDefaultEdgeLabel(() => ({}));
  for (const [name] of steps) {
    graph.setNode(name, { width: WIDTH, height: HEIGHT });
  }
  for (const [name, needs] of steps) {
    needs.forEach(need => graph.setEdge(need, name));
  }
  layout(graph);
  const { width = 0, height = 0 } = graph.graph();
  const places = new Map(
    steps.map(([name]) => {
      const { x, y } = graph.node(name);
      return [name, { x: x!, y: y! }] as const;
    })
  );
  const lines = graph.edges().map(edge => ({
    from: edge.v,
    to: edge.w,
    path: pathOf([
      right(places.get(edge.v)!),
      // Of the points between, every second one lies in a layer; the others only make it wind.
      ...(graph.edge(edge).points ?? [])
        .slice(1, -1)
        .filter((_: unknown, at: number) => at % 2 === 1),
      left(places.get(edge.w)!)
    ])
  }));
  return { width, height, places, lines };
}

function right({ x, y }: Place): Place {
  return { x: x + WIDTH / 2, y };
}

function left({ x, y }: Place): Place {
  return { x: x - WIDTH / 2, y };
}

/** Through the points, level where it begins and ends. */
function pathOf(points: Place[]): string {
  let path = `M${points[0].x} ${points[0].y}`;
  for (let at = 1; at < points.length; at++) {
    const [a, b] = [points[at - 1], points[at]];
    const middle = (a.x + b.x) / 2;
    path += `C${middle} ${a.y} ${middle} ${b.y} ${b.x} ${b.y}`;
  }
  return path;
}

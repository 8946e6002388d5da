import type * as React from 'react';
import type { DatasetModel } from '../../models/dataset';
import { isEverything } from '../../models/filter';

/** How a view is laid out, for keys that move in it. */
export interface Steps {
  /** Samples in a row, and rows on a page. */
  columns: number;
  pageRows: number;
  /** Bring a position into view. */
  reveal: (position: number) => void;
  open: (ordinal: number) => void;
  focusFilter: () => void;
}

/**
 * Arrows move, Home, End and the page keys leap, space or Enter opens, x
 * picks, shift extends, / goes to the filter, Escape lets go.
 */
export function handleKey(
  event: React.KeyboardEvent,
  model: DatasetModel,
  steps: Steps
): void {
  const { positions, selection } = model;
  if (!positions || event.altKey || event.metaKey || event.ctrlKey) {
    return;
  }
  const here =
    selection.current === null ? -1 : positions.of(selection.current);
  const to = destination(event.key, here, positions.total, steps);
  if (to !== null) {
    const ordinal = positions.at(to);
    if (event.shiftKey) {
      selection.extend(ordinal, positions);
    } else {
      selection.look(ordinal);
    }
    steps.reveal(to);
  } else if ((event.key === 'Enter' || event.key === ' ') && here >= 0) {
    steps.open(positions.at(here));
  } else if (event.key === 'x' && here >= 0) {
    selection.toggle(positions.at(here));
  } else if (event.key === '/') {
    steps.focusFilter();
  } else if (event.key === 'Escape') {
    if (selection.size) {
      selection.clear();
    } else if (!isEverything(model.filter)) {
      model.setFilter();
    } else {
      selection.look(null);
    }
  } else {
    return;
  }
  event.preventDefault();
  event.stopPropagation();
}

/** Where a key leads from a position (-1: nowhere yet); null: it does not move. */
function destination(
  key: string,
  here: number,
  total: number,
  { columns, pageRows }: Steps
): number | null {
  const leaps: Record<string, number> = {
    ArrowLeft: here - 1,
    ArrowRight: here + 1,
    ArrowUp: here - columns,
    ArrowDown: here + columns,
    PageUp: here - columns * pageRows,
    PageDown: here + columns * pageRows,
    Home: 0,
    End: total - 1
  };
  const to = leaps[key];
  if (to === undefined || !total) {
    return null;
  }
  if (here < 0 && key !== 'End') {
    return 0;
  }
  const paged = key.startsWith('Page');
  if (to < 0 || to >= total) {
    // An arrow stops at the edge; a page goes as far as there is.
    return paged ? Math.min(total - 1, Math.max(0, to)) : here;
  }
  return to;
}

import { FilterBox } from '@jupyterlab/ui-components';
import { Signal } from '@lumino/signaling';
import * as React from 'react';
import type { CommandRegistry } from '@lumino/commands';
import type { Platform } from '../../models/platform';
import { useModel } from '../hooks';
import { Failed, Loading } from '../states';

/** The search of one section: its button is in the section's title bar. */
export class SectionSearch {
  readonly changed = new Signal<this, void>(this);
  shown = false;
  query = '';

  toggle(): void {
    this.shown = !this.shown;
    this.query = '';
    this.changed.emit();
  }

  /** The box says its text again whenever it is rendered: only news are told. */
  set(query: string): void {
    if (query !== this.query) {
      this.query = query;
      this.changed.emit();
    }
  }
}

/** What each section of the panel is given. */
export interface SectionProps {
  platform: Platform;
  commands: CommandRegistry;
  search: SectionSearch;
}

/** In place of a list that is not there yet, or could not be had. */
export function NotListed(props: {
  what: string;
  error?: Error | string | null;
  again: () => void;
}): JSX.Element {
  const { what, error, again } = props;
  return error ? (
    <Failed
      title={`The ${what} could not be listed`}
      error={error}
      again={again}
    />
  ) : (
    <Loading word={`Loading ${what}`} />
  );
}

/** The search box, while it is wanted; Escape puts it away. */
export function SearchBox(props: {
  search: SectionSearch;
  placeholder: string;
}): JSX.Element | null {
  const search = useModel(props.search);
  const box = React.useRef<HTMLInputElement>(null);
  // Before the next frame: whoever asked for it goes on typing.
  React.useLayoutEffect(() => {
    if (search.shown) {
      box.current?.focus();
    }
  }, [search.shown]);
  if (!search.shown) {
    return null;
  }
  return (
    <div
      className="jp-blueno-section-search"
      onKeyDown={event => {
        if (event.key === 'Escape') {
          search.toggle();
        }
      }}
    >
      <FilterBox
        inputRef={box}
        placeholder={props.placeholder}
        showIcon={true}
        updateFilter={(_, query) => search.set(query ?? '')}
      />
    </div>
  );
}

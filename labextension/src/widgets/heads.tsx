import * as React from 'react';

/** What is in the columns of a table; a column without a name has buttons. */
export function Heads({ names }: { names: string[] }): JSX.Element {
  return (
    <thead>
      <tr>
        {names.map(name =>
          name ? (
            <th key={name} scope="col">
              {name}
            </th>
          ) : (
            <td key={name} />
          )
        )}
      </tr>
    </thead>
  );
}

import * as React from 'react';
import type { ModelVersion } from '../../api/types';
import { Commands } from '../../tokens';
import { short } from '../numbers';

/** What can be done to a version. */
export const OF_VERSION = [
  Commands.copyModel,
  Commands.setModelAlias,
  Commands.describeModel,
  Commands.deleteModel
];

/** The names that mean a version. */
export function Aliases({ version }: { version: ModelVersion }): JSX.Element {
  return (
    <>
      {version.aliases.map(alias => (
        <span key={alias} className="jp-blueno-alias">
          {alias}
        </span>
      ))}
    </>
  );
}

/** The metrics that tell most: of data that it was not trained on, accuracy and loss first. */
export function metricsOf({ metrics }: ModelVersion, most = 2): string {
  const rank = (name: string) =>
    (/train/.test(name) ? 4 : 0) +
    (/acc|auc|dice|f1/.test(name) ? 0 : /loss|error/.test(name) ? 1 : 2);
  return Object.entries(metrics)
    .toSorted(([a], [b]) => rank(a) - rank(b))
    .slice(0, most)
    .map(([name, value]) => `${name} ${short(Number(value))}`)
    .join(' · ');
}

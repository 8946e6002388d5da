import type { CommandRegistry } from '@lumino/commands';
import * as React from 'react';
import { Commands } from '../../../tokens';
import type { JobFeed } from '../feed';
import { FlowPicture } from './picture';
import { useFlow } from './useflow';

/** The steps of a flow at the cell that started it. */
export function FlowCard(props: {
  feed: JobFeed;
  commands: CommandRegistry;
}): JSX.Element {
  const { feed, commands } = props;
  const host = React.useRef<HTMLDivElement>(null);
  const { flow } = useFlow(feed, host);
  return (
    <div ref={host} className="jp-blueno-flow-card">
      {flow && (
        <FlowPicture
          steps={flow.steps}
          open={step =>
            void commands.execute(Commands.openJob, {
              id: step.job_id ?? feed.id
            })
          }
        />
      )}
    </div>
  );
}

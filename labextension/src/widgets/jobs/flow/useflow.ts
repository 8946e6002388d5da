import * as React from 'react';
import { FlowModel } from '../../../models/flows';
import { useModel } from '../../hooks';
import type { JobFeed } from '../feed';

const PERIOD = 1000; // ms between two looks while the flow runs

/** The flow of a job, kept up to date while it is in view. */
export function useFlow(
  feed: JobFeed,
  host: React.RefObject<HTMLElement>
): FlowModel {
  const { platform, id } = feed;
  const model = React.useMemo(
    () => new FlowModel(platform.api, id),
    [platform, id]
  );
  const { job } = useModel(feed);
  const revision = job?.revision;
  React.useEffect(() => {
    void model.update();
  }, [model, revision]);
  React.useEffect(() => {
    const timer = setInterval(() => {
      if (!model.flow?.over && host.current?.offsetParent) {
        void model.update();
      }
    }, PERIOD);
    return () => clearInterval(timer);
  }, [model, host]);
  return useModel(model);
}

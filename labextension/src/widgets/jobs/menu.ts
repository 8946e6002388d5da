import type { CommandRegistry } from '@lumino/commands';
import { Menu } from '@lumino/widgets';
import { Commands } from '../../tokens';

const PRIORITIES = [10, 5, 0, -5, -10];

/** Open the menu of a job at a place on the screen. */
export function openJobMenu(
  commands: CommandRegistry,
  id: string,
  x: number,
  y: number
): void {
  const menu = new Menu({ commands });
  const args = { id };
  const add = (command: string) => menu.addItem({ command, args });
  add(Commands.openJob);
  add(Commands.openJobOrigin);
  add(Commands.openJobNotebook);
  add(Commands.openJobBench);
  menu.addItem({ command: Commands.openMlflow, args: { job: id } });
  add(Commands.openTensorBoard);
  add(Commands.compareJobs);
  menu.addItem({ type: 'separator' });
  add(Commands.cancelJob);
  add(
    commands.isEnabled(Commands.unpauseJob, args)
      ? Commands.unpauseJob
      : Commands.pauseJob
  );
  add(Commands.rerunJob);
  add(Commands.rerunJobWith);
  add(Commands.sweepJob);
  add(Commands.scheduleJob);
  const priority = new Menu({ commands });
  priority.title.label = 'Priority';
  for (const value of PRIORITIES) {
    priority.addItem({
      command: Commands.prioritiseJob,
      args: { id, priority: value }
    });
  }
  if (commands.isEnabled(Commands.prioritiseJob, args)) {
    menu.addItem({ type: 'submenu', submenu: priority });
  }
  menu.addItem({ type: 'separator' });
  add(Commands.copyJob);
  add(Commands.copyJobId);
  menu.addItem({ type: 'separator' });
  add(Commands.deleteJob);
  // The commands run after the menu has closed.
  menu.aboutToClose.connect(() => setTimeout(() => menu.dispose(), 500));
  menu.open(x, y);
}

/** Open the menu of several jobs. */
export function openJobsMenu(
  commands: CommandRegistry,
  ids: string[],
  x: number,
  y: number
): void {
  const menu = new Menu({ commands });
  for (const command of [
    Commands.compareJobs,
    Commands.openTensorBoard,
    Commands.cancelJobs,
    Commands.deleteJobs
  ]) {
    menu.addItem({ command, args: { ids } });
  }
  menu.aboutToClose.connect(() => setTimeout(() => menu.dispose(), 500));
  menu.open(x, y);
}

/** Open it below a button. */
export function openJobMenuAt(
  commands: CommandRegistry,
  id: string,
  button: Element
): void {
  const { left, bottom } = button.getBoundingClientRect();
  openJobMenu(commands, id, left, bottom);
}

import type { CommandRegistry } from '@lumino/commands';
import { Menu } from '@lumino/widgets';
import { Commands } from '../tokens';

/** Open a menu of commands that all take the same arguments. */
export function openMenu(
  commands: CommandRegistry,
  names: readonly string[],
  args: { id: number | string },
  x: number,
  y: number
): void {
  const menu = new Menu({ commands });
  for (const command of names.filter(name => commands.hasCommand(name))) {
    menu.addItem({ command, args });
  }
  // The command is run after the menu has closed.
  menu.aboutToClose.connect(
    () => void Promise.resolve().then(() => menu.dispose())
  );
  menu.open(x, y);
}

/** What can be done with a dataset; below an element, or at the pointer. */
export function openDatasetMenu(
  commands: CommandRegistry,
  id: number,
  at: { left: number; bottom: number }
): void {
  openMenu(
    commands,
    [Commands.openDataset, Commands.copyDataset, Commands.deleteDataset],
    { id },
    at.left,
    at.bottom
  );
}

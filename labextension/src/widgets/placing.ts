/**
 * Where panel and tabs go. JupyterLab has a dock; Notebook 7 has tabs only
 * beside its list of files, and elsewhere one document with a sidebar at each side.
 */
import type { JupyterFrontEnd } from '@jupyterlab/application';
import { PageConfig } from '@jupyterlab/coreutils';
import { TabPanel, type Widget } from '@lumino/widgets';

/** The application as it calls itself. */
const NOTEBOOK_7 = 'Jupyter Notebook';

/** The panel: on the left, or a tab of Notebook 7's front page. */
export function addPanel(app: JupyterFrontEnd, panel: Widget): void {
  if (PageConfig.getOption('notebookPage') === 'tree') {
    panel.title.label = 'Blueno';
    void app.restored.then(() => tabsOf(app)?.addWidget(panel));
  } else {
    app.shell.add(panel, 'left', { rank: 150, type: 'Blueno' });
  }
}

/** A tab: in the dock, or what Notebook 7 has for it. */
export function addTab(app: JupyterFrontEnd, tab: Widget, type: string): void {
  const { name, shell } = app;
  const tabs = tabsOf(app);
  if (tabs) {
    tabs.addWidget(tab);
  } else if (name === NOTEBOOK_7) {
    // The sidebar shows one at a time and has no way to close what it hides.
    beside?.dispose();
    beside = tab;
    shell.add(tab, 'right', { type });
  } else {
    shell.add(tab, 'main', { type });
  }
}

/** Bring a panel or a tab to the front. */
export function reveal(app: JupyterFrontEnd, widget: Widget): void {
  const tabs = tabsOf(app);
  if (tabs?.widgets.includes(widget)) {
    tabs.currentWidget = widget;
    widget.activate();
  } else {
    app.shell.activateById(widget.id);
  }
}

/** The tabs of Notebook 7's front page, if this is that page. */
function tabsOf({ name, shell }: JupyterFrontEnd): TabPanel | null {
  const { currentWidget } = shell;
  const there = name === NOTEBOOK_7 && currentWidget instanceof TabPanel;
  return there ? currentWidget : null;
}

let beside: Widget | null = null;

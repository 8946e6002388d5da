import { Clipboard, Notification } from '@jupyterlab/apputils';

/** Put a text, Python most often, on the clipboard and say so. */
export function copyPython(code: string, called = code): void {
  Clipboard.copyToSystem(code);
  Notification.success(`Copied: ${called}`, { autoClose: 3000 });
}

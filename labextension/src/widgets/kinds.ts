/** What the kinds of a dataset are called in short: `2D`, `2D + 3D`. */
export function kindOf(kinds: readonly string[]): string {
  const names = kinds.map(kind => (kind === 'volume3d' ? '3D' : '2D'));
  return names.sort().join(' + ');
}

/** Officer 4711; what to say where the camera or dock did not know. */
export const officerName = (number: string) => (number ? `Officer ${number}` : 'Officer not known');

/** PC T. Adeyemi 4711 */
export const personName = (p: { name: string; number?: string }) => [p.name, p.number].filter(Boolean).join(' ');

/** stop_and_search → Stop and search; empty → Uncategorised */
export function categoryName(category: string): string {
  if (!category) return 'Uncategorised';
  const words = category.replace(/[_-]+/g, ' ').trim();
  return words.charAt(0).toUpperCase() + words.slice(1);
}

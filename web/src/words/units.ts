import type { Unit } from '../api/types';
import { known } from './time';

export interface Placed {
  unit: Unit;
  /** how many units stand above it */
  depth: number;
}

/** The units as a tree, read from the top: each unit is followed by those below it, by code. */
export function tree(units: Unit[]): Placed[] {
  const below = new Map<string, Unit[]>();
  for (const u of units) below.set(u.parent ?? '', [...(below.get(u.parent ?? '') ?? []), u]);
  const out: Placed[] = [];
  const walk = (parent: string, depth: number) => {
    for (const unit of [...(below.get(parent) ?? [])].sort((a, b) => a.code.localeCompare(b.code, 'en-GB', { numeric: true }))) {
      out.push({ unit, depth });
      walk(unit.id, depth + 1);
    }
  };
  walk('', 0);
  return out;
}

/** The unit and all that stand below it. */
export function withBelow(units: Unit[], id: string): Set<string> {
  const out = new Set([id]);
  for (const { unit } of tree(units)) if (unit.parent && out.has(unit.parent)) out.add(unit.id);
  return out;
}

export const open = (u: Unit) => !known(u.closedAt);

/** Choices of a list box: open units, deeper ones set in, but for those in except. */
export const unitChoices = (units: Unit[], except?: Set<string>) =>
  tree(units)
    .filter(({ unit }) => open(unit) && !except?.has(unit.id))
    .map(({ unit, depth }) => ({ value: unit.id, label: '\u2003'.repeat(depth) + `${unit.name} (${unit.code})` }));

export const unitName = (units: Unit[] | undefined, id: string): string => units?.find((u) => u.id === id)?.name ?? '';
